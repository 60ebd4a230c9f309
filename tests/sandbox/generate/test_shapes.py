"""Every row has exactly the fields amoCRM shows with every `with=`, of the kinds it shows them in."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.generate.account import Account, Row

Check = Callable[[Any], bool]


def whole(value: Any) -> bool:
    return type(value) is int


def text(value: Any) -> bool:
    return type(value) is str


def flag(value: Any) -> bool:
    return type(value) is bool


def number(value: Any) -> bool:
    return type(value) in (int, float)


def null(value: Any) -> bool:
    return value is None


def rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def one_of(*values: Any) -> Check:
    return lambda value: value in values


def keys(**checks: Check) -> Check:
    """An object with exactly these keys."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == checks.keys()
        and all(checks[name](value[name]) for name in checks)
    )


def each(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


ID = keys(id=whole)
TAGS = each(keys(id=whole, name=text, color=maybe(text)))
MAIN = each(keys(id=whole, is_main=flag))
CARD: dict[str, Check] = {
    "id": whole, "name": text, "responsible_user_id": whole, "group_id": whole, "created_by": whole,
    "updated_by": whole, "created_at": whole, "updated_at": whole, "closest_task_at": maybe(whole),
    "is_deleted": flag, "custom_fields_values": maybe(rows), "account_id": whole,
}  # fmt: skip
NOTE: dict[str, Check] = {
    "id": whole, "entity_id": whole, "created_by": whole, "updated_by": whole, "created_at": whole,
    "updated_at": whole, "responsible_user_id": whole, "group_id": whole, "note_type": text,
    "params": lambda value: isinstance(value, dict), "account_id": whole, "is_pinned": flag,
}  # fmt: skip
FIELD: dict[str, Check] = {
    "id": whole, "name": text, "code": maybe(text), "type": text, "sort": whole, "account_id": whole,
    "entity_type": text, "group_id": maybe(text), "is_api_only": flag, "is_predefined": flag,
    "is_deletable": flag, "is_visible": flag, "is_required": flag, "required_statuses": rows,
    "hidden_statuses": rows, "enums": maybe(each(keys(id=whole, value=text, sort=whole, code=maybe(text)))),
    "nested": null, "currency": maybe(text), "remind": maybe(text), "tracking_callback": null,
    "search_in": null, "settings": null, "chained_lists": maybe(rows), "triggers": rows,
}  # fmt: skip
SHAPES: dict[str, dict[str, Check]] = {
    "leads": CARD | {
        "price": whole, "status_id": whole, "pipeline_id": whole, "loss_reason_id": maybe(whole),
        "source_id": maybe(whole), "closed_at": maybe(whole), "score": null, "labor_cost": null,
        "is_price_computed": flag, "is_price_modified_by_robot": flag,
        "price_with_minor_units": maybe(number),
        "_embedded": keys(
            tags=TAGS, contacts=MAIN, companies=each(ID), source=maybe(keys(id=whole, name=text)),
            loss_reason=each(keys(id=whole, name=text, sort=whole, created_at=whole, updated_at=whole)),
            catalog_elements=each(keys(id=whole, metadata=keys(quantity=number, catalog_id=whole,
                                                               price_id=maybe(whole)))),
        ),
    },
    "contacts": CARD | {
        "first_name": text, "last_name": text, "is_unsorted": flag,
        "_embedded": keys(tags=TAGS, companies=each(ID), leads=each(ID), customers=each(ID),
                          catalog_elements=rows, social_profiles=rows),
    },
    "companies": CARD | {
        "_embedded": keys(tags=TAGS, contacts=each(ID), leads=each(ID), customers=each(ID),
                          catalog_elements=rows),
    },
    "customers": CARD | {
        "next_price": number, "next_date": whole, "status_id": whole, "periodicity": whole, "ltv": number,
        "purchases_count": whole, "average_check": number,
        "_embedded": keys(segments=each(ID), tags=TAGS, contacts=MAIN, companies=each(ID),
                          catalog_elements=rows),
    },
    "transactions": {
        "id": whole, "price": number, "comment": maybe(text), "completed_at": whole, "customer_id": whole,
        "created_by": whole, "updated_by": whole, "created_at": whole, "updated_at": whole,
        "is_deleted": flag, "account_id": whole, "_embedded": keys(customer=ID, catalog_elements=rows),
    },
    "tasks": {
        "id": whole, "created_by": whole, "updated_by": whole, "created_at": whole, "updated_at": whole,
        "responsible_user_id": whole, "group_id": whole, "entity_id": maybe(whole),
        "entity_type": one_of("leads", "contacts", "companies", "customers", None), "duration": whole,
        "is_completed": flag, "task_type_id": whole, "text": text, "complete_till": whole,
        "result": lambda value: value == [] or keys(text=text)(value), "account_id": whole,
    },
    "notes_leads": NOTE, "notes_contacts": NOTE, "notes_companies": NOTE, "notes_customers": NOTE,
    "events": {
        "id": text, "type": text, "entity_id": whole,
        "entity_type": one_of("lead", "contact", "company", "customer", "task"), "created_by": whole,
        "created_at": whole, "value_after": rows, "value_before": rows, "account_id": whole,
        "_embedded": keys(entity=ID),
    },
    "unsorted": {
        "uid": lambda value: text(value) and len(value) == 40, "source_uid": text, "source_name": text,
        "category": one_of("sip", "mail", "forms", "chats"), "pipeline_id": whole, "created_at": whole,
        "metadata": lambda value: isinstance(value, dict), "account_id": whole,
        "_embedded": keys(leads=each(ID), contacts=each(ID), companies=each(ID)),
    },
    "talks": {
        "talk_id": whole, "created_at": whole, "updated_at": whole, "rate": whole, "contact_id": maybe(whole),
        "chat_id": text, "entity_id": whole, "entity_type": one_of("lead"), "is_in_work": flag,
        "is_read": flag, "origin": text, "missed_at": null, "account_id": whole,
    },
    "catalogs": {
        "id": whole, "name": text, "created_by": whole, "updated_by": whole, "created_at": whole,
        "updated_at": whole, "sort": whole, "type": one_of("regular", "invoices", "products", "suppliers"),
        "can_add_elements": flag, "can_show_in_cards": flag, "can_link_multiple": flag,
        "can_be_deleted": flag, "sdk_widget_code": null, "account_id": whole,
    },
    "catalog_elements": {
        "id": whole, "catalog_id": whole, "name": text, "created_by": whole, "updated_by": whole,
        "created_at": whole, "updated_at": whole, "is_deleted": flag, "custom_fields_values": maybe(rows),
        "account_id": whole,
    },
    "links": {
        "entity_id": whole, "entity_type": text, "to_entity_id": whole, "to_entity_type": text,
        "metadata": lambda value: value is None or isinstance(value, dict),
    },
    "custom_fields_leads": FIELD, "custom_fields_contacts": FIELD, "custom_fields_companies": FIELD,
    "custom_fields_customers": FIELD, "custom_fields_catalogs": FIELD | {"catalog_id": whole},
    "customers_statuses": {
        "id": whole, "name": text, "sort": whole, "is_default": flag, "conditions": rows, "color": text,
        "type": whole, "account_id": whole,
    },
    "segments": {
        "id": whole, "name": text, "color": text, "created_at": whole, "updated_at": whole,
        "customers_count": whole, "available_products_price_types": rows, "custom_fields_values": null,
        "account_id": whole,
    },
    "loss_reasons": {"id": whole, "name": text, "sort": whole, "created_at": whole, "updated_at": whole},
    "tags": {"id": whole, "name": text, "color": maybe(text)},
    "sources": {
        "id": whole, "name": text, "external_id": text, "pipeline_id": whole, "default": flag,
        "origin_code": maybe(text), "services": rows,
    },
    "users": {
        "id": whole, "name": text, "email": text, "lang": text, "uuid": text, "amojo_id": text,
        "user_rank": null, "phone_number": text, "rights": lambda value: isinstance(value, dict),
        "_embedded": keys(roles=each(keys(id=whole, name=text)), groups=each(keys(id=whole, name=text))),
    },
    "roles": {
        "id": whole, "name": text, "rights": lambda value: isinstance(value, dict),
        "_embedded": keys(users=each(ID)),
    },
    "pipelines": {
        "id": whole, "name": text, "sort": whole, "is_main": flag, "is_unsorted_on": flag,
        "is_archive": flag, "account_id": whole, "_embedded": keys(statuses=rows),
    },
    "truth/stage_visits": {
        "lead_id": whole, "pipeline_id": whole, "status_id": whole, "entered_at": whole,
        "left_at": maybe(whole), "entered_by": whole, "responsible_user_id": whole,
    },
    "truth/owner_intervals": {
        "lead_id": whole, "user_id": whole, "started_at": whole, "ended_at": maybe(whole),
    },
    "truth/duplicates": {
        "entity": one_of("contacts", "companies", "leads"), "is_duplicate": flag, "since": whole,
        "ids": lambda value: len(value) == 2 and all(map(whole, value)), "kinds": each(text),
    },
    "truth/unsorted": {
        "uid": text, "category": text, "lead_id": whole, "pipeline_id": whole, "created_at": whole,
        "result": one_of("accepted", "declined", None), "sorted_at": maybe(whole), "user_id": maybe(whole),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_rows_have_exactly_the_fields_of_their_kind(any_account: Account, name: str) -> None:
    checks = SHAPES[name]
    for row in any_account.rows(name):
        assert row.keys() - {"_merged_into"} == checks.keys(), row
        wrong = {field: row[field] for field, check in checks.items() if not check(row[field])}
        assert wrong == {}, row


def test_every_file_of_a_snapshot_is_known_here(any_account: Account) -> None:
    files = {str(path.relative_to(any_account.directory)) for path in any_account.directory.rglob("*.json*")}
    assert files == {"account.json", *(f"{name}.jsonl" for name in SHAPES)}


PARAMS = {
    "call_in": {"uniq", "duration", "source", "link", "phone", "call_result"},
    "call_out": {"uniq", "duration", "source", "link", "phone", "call_result"},
    "common": {"text"},
    "sms_in": {"text", "phone"},
    "sms_out": {"text", "phone"},
    "amomail_message": {
        "thread_id", "message_id", "private", "income", "from", "to", "subject", "content_summary",
        "attach_cnt", "delivery",
    },
    "service_message": {"service", "text"},
    "extended_service_message": {"service", "text"},
    "geolocation": {"text", "address", "longitude", "latitude"},
    "transaction": {"transaction_id"},
    "message_cashier": {"status", "text"},
}  # fmt: skip
METADATA = {
    "sip": {"from", "phone", "called_at", "duration", "link", "service_code", "uniq", "call_responsible"},
    "forms": {
        "form_id", "form_name", "form_page", "form_sent_at", "ip", "referer", "visitor_uid", "form_type",
    },
    "mail": {"from", "received_at", "subject", "thread_id", "message_id", "content_summary"},
    "chats": {
        "from", "to", "received_at", "service", "client", "origin", "last_message_text", "source_name",
    },
}  # fmt: skip


def test_notes_carry_the_params_of_their_type(any_account: Account) -> None:
    for note in any_account.notes:
        found = note["params"].keys() - {"call_status", "call_responsible"}
        assert found == PARAMS.get(note["note_type"], found), note


def test_waiting_incoming_leads_carry_the_metadata_of_their_category(any_account: Account) -> None:
    for row in any_account.rows("unsorted"):
        assert row["metadata"].keys() == METADATA[row["category"]]


def test_texts_hold_no_nul_and_every_line_is_one_line(any_account: Account) -> None:
    for path in any_account.directory.rglob("*.jsonl"):
        data = path.read_bytes()
        assert b"\\u0000" not in data
        assert b"\r" not in data
        content = data.decode("utf-8")
        assert len(content.splitlines()) == content.count("\n"), path.name


VALUE_OF: dict[str, Check] = {
    "text": text, "textarea": text, "url": text, "streetaddress": text, "numeric": text, "monetary": text,
    "price": text, "checkbox": flag, "date": whole, "date_time": whole, "birthday": whole, "select": text,
    "multiselect": text, "radiobutton": text, "category": text, "multitext": text, "smart_address": text,
    "tracking_data": text,
}  # fmt: skip
ENUMS = ("select", "multiselect", "radiobutton", "category", "multitext", "smart_address")


def test_custom_fields_hold_what_their_types_hold(any_account: Account) -> None:
    for table, of in (
        ("leads", "leads"), ("contacts", "contacts"), ("companies", "companies"), ("customers", "customers"),
        ("catalog_elements", "catalogs"),
    ):  # fmt: skip
        known = {row["id"]: row for row in any_account.rows(f"custom_fields_{of}")}
        for row in any_account.rows(table):
            for field in row["custom_fields_values"] or []:
                about = known[field["field_id"]]
                assert (field["field_name"], field["field_code"], field["field_type"]) == (
                    about["name"], about["code"], about["type"],
                )  # fmt: skip
                assert field["values"]
                for value in field["values"]:
                    _check_value(field["field_type"], value, about)


def _check_value(kind: str, value: Row, about: Row) -> None:
    if kind == "chained_list":
        assert value.keys() == {"catalog_id", "catalog_element_id"}
        return
    assert VALUE_OF.get(kind, lambda each: isinstance(each, dict))(value["value"]), (kind, value)
    assert ("enum_id" in value) == (kind in ENUMS)
    if kind in ENUMS:
        assert value["enum_id"] in {enum["id"] for enum in about["enums"]}


def test_every_type_of_custom_field_occurs(account: Account) -> None:
    types = {
        field["field_type"]
        for table in ("leads", "contacts", "companies", "customers", "catalog_elements")
        for row in account.rows(table)
        for field in row["custom_fields_values"] or []
    }
    everything = (
        "text numeric checkbox select multiselect multitext date url textarea radiobutton streetaddress"
        " smart_address birthday legal_entity date_time items category price tracking_data linked_entity"
        " org_legal_name monetary chained_list file payer supplier"
    )
    assert set(everything.split()) - types == set()
    shapes = {json.dumps(lead["custom_fields_values"])[:2] for lead in account.leads}
    assert shapes == {"nu", "[]", "[{"}
