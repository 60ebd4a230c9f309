"""Payload → columns, oddity by oddity."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table
from sqlalchemy.orm import Session

from widget_backend.amocrm import parse
from widget_backend.amocrm.values import as_bool, as_int, as_moment, storable
from widget_backend.crm import models
from widget_backend.db.base import Base
from widget_backend.db.engine import set_account
from widget_backend.db.upsert import upsert
from widget_backend.errors import UnreadableRecord
from widget_backend.oauth.models import Account, Integration

ACCOUNT = 31000001
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


LEAD: dict[str, Any] = {
    "id": 7001, "name": "Заказ 15", "price": 45000, "responsible_user_id": 501, "group_id": 0,
    "status_id": 142,
    "pipeline_id": 3100, "loss_reason_id": None, "created_by": 0, "updated_by": 501, "created_at": 1760000000,
    "updated_at": 1760100000, "closed_at": 1760099990, "closest_task_at": None, "is_deleted": False,
    "custom_fields_values": [{"field_id": 911, "values": [{"value": "Опт", "enum_id": 77}]}],
    "score": None, "account_id": ACCOUNT, "labor_cost": None,
    "_links": {"self": {"href": "https://example.amocrm.ru/api/v4/leads/7001"}},
    "_embedded": {
        "tags": [{"id": 5, "name": "vip"}],
        "companies": [{"id": 9001, "_links": {}}],
        "contacts": [{"id": 8001, "is_main": True}, {"id": 8002, "is_main": False}],
    },
}  # fmt: skip
TASK: dict[str, Any] = {
    "id": 120001, "created_by": 501, "updated_by": 501, "created_at": 1760000000, "updated_at": 1760000100,
    "responsible_user_id": 501, "group_id": 0, "entity_id": 7001, "entity_type": "leads", "task_type_id": 1,
    "text": "Позвонить", "complete_till": 1760129940, "duration": 0, "is_completed": False, "result": [],
}  # fmt: skip
NOTE: dict[str, Any] = {
    "id": 660001, "entity_id": 7001, "note_type": "call_in", "created_by": 501, "created_at": 1760000000,
    "updated_at": 1760000000, "params": {"duration": 60, "phone": "+79990000000", "call_status": 4},
}  # fmt: skip
EVENT: dict[str, Any] = {
    "id": "01jb3c9q6m", "type": "lead_status_changed", "entity_id": 7001, "entity_type": "lead",
    "created_by": 501,
    "created_at": 1760099990,
    "value_before": [{"lead_status": {"id": 4102, "pipeline_id": 3100}}],
    "value_after": [{"lead_status": {"id": 142, "pipeline_id": 3100}}],
}  # fmt: skip
USER: dict[str, Any] = {
    "id": 501, "name": "Анна", "email": "a@example.com", "lang": "ru", "phone_number": "+7 999",
    "rights": {"leads": {"view": "G"}, "is_admin": False, "is_free": False, "is_active": True,
    "group_id": 88, "role_id": 12},
    "_embedded": {"roles": [{"id": 12}], "groups": [{"id": 88}]},
}  # fmt: skip


def test_a_whole_lead() -> None:
    row = parse.parse_lead(ACCOUNT, LEAD, AT)
    payload = row.pop("payload")
    assert row == {
        "account_id": ACCOUNT,
        "id": 7001,
        "name": "Заказ 15",
        "price": Decimal(45000),
        "responsible_user_id": 501,
        "group_id": 0,
        "status_id": 142,
        "pipeline_id": 3100,
        "loss_reason_id": None,
        "source_id": None,
        "created_by": 0,
        "updated_by": 501,
        "created_at": moment(1760000000),
        "updated_at": moment(1760100000),
        "closed_at": moment(1760099990),
        "closest_task_at": None,
        "is_deleted": False,
        "deleted_at": None,
        "synced_at": AT,
    }
    assert "_links" not in payload
    assert payload["_embedded"]["companies"] == [{"id": 9001}]
    assert payload["custom_fields_values"] == LEAD["custom_fields_values"]


LEAD_ODDITIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"price": None}, {"price": None}),
    ({"price": "1200"}, {"price": Decimal(1200)}),
    ({"price": 1200, "price_with_minor_units": "1200.55"}, {"price": Decimal("1200.55")}),
    ({"price": 1200, "price_with_minor_units": Decimal("0.1")}, {"price": Decimal("0.1")}),
    ({"price": 1200, "price_with_minor_units": 1200.5}, {"price": Decimal("1200.5")}),
    ({"price": 1200, "price_with_minor_units": None}, {"price": Decimal(1200)}),
    ({"price": 0, "price_with_minor_units": 0}, {"price": Decimal(0)}),
    ({"price": "дорого"}, {"price": None}),
    ({"price": True}, {"price": None}),
    ({"price": float("inf")}, {"price": None}),
    ({"price": 10**30}, {"price": None}),
    ({"price": []}, {"price": None}),
    ({"name": None}, {"name": ""}),
    ({"name": 15}, {"name": "15"}),
    ({"name": "a\0b\ud800"}, {"name": "a\ufffdb\ufffd"}),
    ({"id": "7001"}, {"id": 7001}),
    ({"responsible_user_id": "501"}, {"responsible_user_id": 501}),
    ({"responsible_user_id": 0}, {"responsible_user_id": None}),
    ({"responsible_user_id": 501.0}, {"responsible_user_id": 501}),
    ({"responsible_user_id": 2**63}, {"responsible_user_id": None}),
    ({"group_id": None}, {"group_id": None}),
    ({"closed_at": 0}, {"closed_at": None}),
    ({"closed_at": None}, {"closed_at": None}),
    ({"closed_at": "1760099990"}, {"closed_at": moment(1760099990)}),
    ({"closed_at": "09.10.2025 12:00"}, {"closed_at": None}),
    ({"closed_at": "2025-10-09T15:39:50+03:00"}, {"closed_at": moment(1760013590)}),
    ({"closed_at": 10**15}, {"closed_at": None}),
    ({"created_at": None}, {"created_at": moment(1760100000)}),
    ({"updated_at": 0}, {"updated_at": moment(1760000000)}),
    ({"created_at": 0}, {"created_at": moment(0), "updated_at": moment(1760100000)}),
    ({"created_at": 1760000000.7}, {"created_at": moment(1760000000)}),
    ({"created_at": None, "updated_at": None}, {"created_at": moment(0), "updated_at": moment(0)}),
    ({"_embedded": []}, {"loss_reason_id": None, "source_id": None}),
    ({"_embedded": None}, {"loss_reason_id": None}),
    ({"_embedded": {"loss_reason": [{"id": 3, "name": "Дорого"}]}}, {"loss_reason_id": 3}),
    ({"_embedded": {"loss_reason": {"id": 3}}}, {"loss_reason_id": 3}),
    ({"_embedded": {"loss_reason": []}}, {"loss_reason_id": None}),
    ({"loss_reason_id": 4, "_embedded": {"loss_reason": [{"id": 3}]}}, {"loss_reason_id": 4}),
    ({"_embedded": {"source": {"id": 8, "name": "Сайт"}}}, {"source_id": 8}),
    ({"source_id": 9}, {"source_id": 9}),
    ({"is_deleted": True}, {"is_deleted": True, "deleted_at": moment(1760100000)}),
    ({"is_deleted": "1"}, {"is_deleted": True}),
    ({"is_deleted": None}, {"is_deleted": False}),
    ({"custom_fields_values": None}, {"id": 7001}),
    ({"custom_fields_values": {}}, {"id": 7001}),
    ({"something_new": {"deep": [1, {"x": None}]}}, {"id": 7001}),
    ({"account_id": 5}, {"account_id": ACCOUNT}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), LEAD_ODDITIES)
def test_odd_leads(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    row = parse.parse_lead(ACCOUNT, {**LEAD, **changes}, AT)
    assert {name: row[name] for name in expected} == expected


DELETED = {
    "id": 7001, "name": None, "price": None, "created_at": None, "updated_at": 1760200000, "updated_by": 501,
    "is_deleted": True, "account_id": ACCOUNT, "_embedded": {"tags": []},
}  # fmt: skip


def test_a_recycle_bin_row_changes_only_the_mark() -> None:
    assert parse.is_deleted_stub(DELETED)
    assert not parse.is_deleted_stub(LEAD)
    assert not parse.is_deleted_stub({**LEAD, "is_deleted": True})
    assert parse.parse_deleted_stub(ACCOUNT, DELETED, AT) == {
        "account_id": ACCOUNT,
        "id": 7001,
        "is_deleted": True,
        "deleted_at": moment(1760200000),
        "updated_at": moment(1760200000),
        "updated_by": 501,
        "synced_at": AT,
    }
    for refuse in (parse.parse_lead, parse.parse_contact, parse.parse_company):
        with pytest.raises(UnreadableRecord):
            refuse(ACCOUNT, DELETED, AT)


UNREADABLE = [
    None,
    [],
    "x",
    5,
    {},
    {"id": None},
    {"id": 0},
    {"id": "x"},
    {"id": True},
    {"id": {}},
    {"id": 1.5},
]


@pytest.mark.parametrize("payload", UNREADABLE)
def test_a_record_without_an_id_is_set_aside(payload: Any) -> None:
    if isinstance(payload, dict):
        payload = {"created_at": 1, "note_type": "common", "entity_id": 5, "type": "x", **payload}
    readers = [parse.parse_lead, parse.parse_contact, parse.parse_company, parse.parse_task, parse.parse_user,
               parse.parse_role, parse.parse_pipeline, parse.parse_statuses, parse.parse_loss_reason,
               parse.parse_source, parse.parse_deleted_stub]  # fmt: skip
    for reader in readers:
        with pytest.raises(UnreadableRecord):
            reader(ACCOUNT, payload, AT)
    for owned in (parse.parse_note, parse.parse_custom_field):
        with pytest.raises(UnreadableRecord):
            owned(ACCOUNT, payload, AT, "leads")
    with pytest.raises(UnreadableRecord):
        parse.lead_links(ACCOUNT, payload)


@pytest.mark.parametrize(
    ("reader", "payload"),
    [
        (parse.parse_task, {"id": 1, "created_at": None, "updated_at": 0}),
        (parse.parse_event, {**EVENT, "id": None}),
        (parse.parse_event, {**EVENT, "created_at": 0}),
        (parse.parse_event, {**EVENT, "type": {}}),
    ],
)
def test_a_record_without_its_place_in_time_is_set_aside(reader: Any, payload: Any) -> None:
    with pytest.raises(UnreadableRecord):
        reader(ACCOUNT, payload, AT)


def test_links_of_a_lead() -> None:
    def link(to_type: str, to_id: int, main: bool) -> dict[str, Any]:
        return {"account_id": ACCOUNT, "lead_id": 7001, "to_type": to_type, "to_id": to_id, "is_main": main}

    assert parse.lead_links(ACCOUNT, LEAD) == [
        link("contacts", 8001, True),
        link("contacts", 8002, False),
        link("companies", 9001, False),
    ]
    odd = {
        "contacts": [{"id": 1, "metadata": {"main_contact": True}}, {"id": "1"}, {"id": None}, 5],
        "companies": {},
    }
    assert parse.lead_links(ACCOUNT, {"id": 7001, "_embedded": odd}) == [link("contacts", 1, False)]
    assert parse.lead_links(ACCOUNT, {"id": 7001, "_embedded": []}) == []


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"name": "Иван"}, "Иван"),
        ({"name": "", "first_name": "Иван", "last_name": "Петров"}, "Иван Петров"),
        ({"name": None, "first_name": None, "last_name": "Петров"}, "Петров"),
        ({"name": None}, ""),
    ],
)
def test_contacts_are_called_something(changes: dict[str, Any], name: str) -> None:
    row = parse.parse_contact(ACCOUNT, {"id": 8001, "created_at": 1, "updated_at": 2, **changes}, AT)
    assert row["name"] == name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"result_text": None, "is_completed": False, "complete_till": moment(1760129940)}),
        ({"result": {"text": "Дозвонился"}}, {"result_text": "Дозвонился"}),
        ({"result": [{"text": "Дозвонился"}]}, {"result_text": "Дозвонился"}),
        ({"result": {}}, {"result_text": None}),
        ({"result": None}, {"result_text": None}),
        ({"result": "text"}, {"result_text": None}),
        ({"entity_id": None, "entity_type": None}, {"entity_id": None, "entity_type": None}),
        ({"entity_id": 0, "entity_type": ""}, {"entity_id": None, "entity_type": None}),
        ({"is_completed": 1}, {"is_completed": True}),
        ({"text": None}, {"text": ""}),
    ],
)
def test_tasks(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    row = parse.parse_task(ACCOUNT, {**TASK, **changes}, AT)
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (NOTE["params"], NOTE["params"]),
        ([], {}),
        (None, {}),
        ({"call_responsible": "Анна", "duration": "60"}, {"call_responsible": "Анна", "duration": "60"}),
        ({"text": "a\0b", "n": Decimal("1.5")}, {"text": "a\ufffdb", "n": 1.5}),
    ],
)
def test_notes_keep_their_params(params: Any, expected: dict[str, Any]) -> None:
    row = parse.parse_note(ACCOUNT, {**NOTE, "params": params}, AT, "contacts")
    assert (row["entity_type"], row["entity_id"], row["note_type"]) == ("contacts", 7001, "call_in")
    assert row["params"] == expected


@pytest.mark.parametrize("missing", ["entity_id", "note_type", "id"])
def test_a_note_needs_its_type_and_whose_it_is(missing: str) -> None:
    with pytest.raises(UnreadableRecord):
        parse.parse_note(ACCOUNT, {**NOTE, missing: None}, AT, "leads")


@pytest.mark.parametrize(
    ("value", "stored"),
    [(EVENT["value_after"], EVENT["value_after"]), ([], []), ({}, []), (None, []), ({"note": {"id": 1}},
    [{"note": {"id": 1}}])],
)  # fmt: skip
def test_values_of_events_are_lists(value: Any, stored: list[Any]) -> None:
    row = parse.parse_event(ACCOUNT, {**EVENT, "value_before": value, "value_after": value}, AT)
    assert (row["value_before"], row["value_after"]) == (stored, stored)
    assert (row["id"], row["entity_type"], row["created_at"]) == ("01jb3c9q6m", "lead", moment(1760099990))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"lead_view": "G", "group_id": 88, "role_id": 12, "is_admin": False, "is_active": True,
        "phone": "+7 999"}),
        ({"rights": {"is_admin": True, "leads": None}}, {"lead_view": "A", "is_admin": True, "group_id": 88}),
        ({"rights": {"leads": {"view": "m"}, "group_id": 0}}, {"lead_view": "M", "group_id": 0}),
        ({"rights": {"leads": {"view": "L"}}}, {"lead_view": None}),
        ({"rights": {"leads": []}}, {"lead_view": None}),
        ({"rights": []}, {"lead_view": None, "is_active": True, "role_id": 12}),
        ({"rights": None, "_embedded": None}, {"lead_view": None, "group_id": None, "role_id": None}),
        ({"rights": {"is_active": False}}, {"is_active": False}),
        ({"phone_number": None, "email": "", "lang": None}, {"phone": None, "email": None, "lang": None}),
    ],
)  # fmt: skip
def test_users_and_what_they_may_see(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    row = parse.parse_user(ACCOUNT, {**USER, **changes}, AT)
    assert {name: row[name] for name in expected} == expected


ACCOUNT_PAYLOAD: dict[str, Any] = {
    "id": ACCOUNT, "name": "Demo", "subdomain": "Example", "country": "KZ", "currency": "KZT",
    "current_user_id": 501,
    "is_api_filter_enabled": False,
    "_embedded": {
        "users_groups": [{"id": 0, "name": "Отдел продаж", "uuid": None}, {"id": 88, "name": "Опт"},
        {"id": None}],
        "task_types": [{"id": 1, "name": "Связаться", "code": "FOLLOW_UP"}, {"id": 31, "name": "Своя",
        "code": None}, {}],
        "datetime_settings": {"timezone": "Asia/Almaty", "timezone_offset": "+05:00"},
    },
}  # fmt: skip


def test_the_account_and_what_it_embeds() -> None:
    assert parse.parse_account(ACCOUNT_PAYLOAD) == {
        "account_id": ACCOUNT,
        "subdomain": "example",
        "name": "Demo",
        "country": "KZ",
        "currency": "KZT",
        "timezone": "Asia/Almaty",
        "filters_enabled": False,
        "current_user_id": 501,
    }
    bare = parse.parse_account({"id": ACCOUNT, "_embedded": []})
    assert (bare["timezone"], bare["currency"], bare["filters_enabled"]) == (None, "RUB", True)
    groups = parse.parse_groups(ACCOUNT, ACCOUNT_PAYLOAD, AT)
    assert [(row["id"], row["name"]) for row in groups] == [(0, "Отдел продаж"), (88, "Опт")]
    types = parse.parse_task_types(ACCOUNT, ACCOUNT_PAYLOAD, AT)
    assert [(row["id"], row["code"]) for row in types] == [(1, "FOLLOW_UP"), (31, None)]
    assert parse.parse_groups(ACCOUNT, {}, AT) == parse.parse_task_types(ACCOUNT, None, AT) == []


PIPELINE: dict[str, Any] = {
    "id": 3100, "name": "Продажи", "sort": 1, "is_main": True, "is_unsorted_on": True, "is_archive": False,
    "_embedded": {"statuses": [
        {"id": 4100, "name": "Неразобранное", "sort": 10, "type": 1, "color": "#c1c1c1", "pipeline_id": 3100},
        {"id": 142, "name": "Оплачено", "sort": 10000, "type": 0, "color": None, "pipeline_id": 3100},
        {"name": "без id"},
    ]},
}  # fmt: skip


def test_pipelines_and_their_statuses() -> None:
    row = parse.parse_pipeline(ACCOUNT, PIPELINE, AT)
    assert (row["id"], row["is_main"], row["is_archive"], row["sort"]) == (3100, True, False, 1)
    assert "role" not in row
    statuses = parse.parse_statuses(ACCOUNT, PIPELINE, AT)
    assert [(s["pipeline_id"], s["id"], s["type"]) for s in statuses] == [(3100, 4100, 1), (3100, 142, 0)]


def every_row() -> list[tuple[type[Base], dict[str, Any]]]:
    return [
        (models.Lead, parse.parse_lead(ACCOUNT, LEAD, AT)),
        (models.Contact, parse.parse_contact(ACCOUNT, {**LEAD, "id": 8001}, AT)),
        (models.Company, parse.parse_company(ACCOUNT, {**LEAD, "id": 9001}, AT)),
        *((models.Link, row) for row in parse.lead_links(ACCOUNT, LEAD)),
        (models.Task, parse.parse_task(ACCOUNT, TASK, AT)),
        (models.Note, parse.parse_note(ACCOUNT, NOTE, AT, "leads")),
        (models.Event, parse.parse_event(ACCOUNT, EVENT, AT)),
        (models.User, parse.parse_user(ACCOUNT, USER, AT)),
        (models.Role, parse.parse_role(ACCOUNT, {"id": 12, "name": "Менеджер", "rights": {}}, AT)),
        *((models.UserGroup, row) for row in parse.parse_groups(ACCOUNT, ACCOUNT_PAYLOAD, AT)),
        *((models.TaskType, row) for row in parse.parse_task_types(ACCOUNT, ACCOUNT_PAYLOAD, AT)),
        (models.Pipeline, parse.parse_pipeline(ACCOUNT, PIPELINE, AT)),
        *((models.Status, row) for row in parse.parse_statuses(ACCOUNT, PIPELINE, AT)),
        (models.LossReason, parse.parse_loss_reason(ACCOUNT, {"id": 3, "name": "Дорого", "sort": 5}, AT)),
        (models.Source, parse.parse_source(ACCOUNT, {"id": 8, "name": "Сайт", "services": []}, AT)),
        (models.CustomField, parse.parse_custom_field(ACCOUNT, {"id": 911, "name": "Тип", "code": None,
        "type": "select"}, AT, "leads")),
    ]  # fmt: skip


def test_every_row_fits_its_table(session: Session) -> None:
    session.add(Integration(client_id="c", secret_encrypted=b"x", redirect_uri="", created_at=AT))
    session.flush()
    session.add(
        Account(account_id=ACCOUNT, subdomain="d", domain="d", client_id="c", installed_at=AT, updated_at=AT)
    )
    session.flush()
    set_account(session, ACCOUNT)
    for model, row in every_row():
        table = model.__table__
        assert isinstance(table, Table)
        assert len(upsert(session, table, [row])) == 1
        assert upsert(session, table, [row]) == []


# --- single values -----------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)
fields = st.sampled_from(sorted({*LEAD, *TASK, *NOTE, *EVENT, *USER, "price_with_minor_units", "source_id"}))


@given(st.sampled_from([LEAD, TASK, NOTE, EVENT, USER]), st.dictionaries(fields, json_values, max_size=5))
def test_no_value_makes_a_parser_fail_otherwise(base: dict[str, Any], changes: dict[str, Any]) -> None:
    payload = {**base, **changes}
    readers: list[Any] = [parse.parse_lead, parse.parse_contact, parse.parse_task, parse.parse_event,
                          parse.parse_user, parse.parse_pipeline, parse.lead_links]  # fmt: skip
    for reader in readers:
        try:
            row = reader(ACCOUNT, payload, AT) if reader is not parse.lead_links else reader(ACCOUNT, payload)
        except UnreadableRecord:
            continue
        str(row).encode("utf-8")


@given(json_values)
def test_payloads_become_storable(value: Any) -> None:
    import json

    text = json.dumps(storable(value), allow_nan=False)
    assert "\\u0000" not in text
    assert storable(storable(value)) == storable(value)


def test_a_record_nested_without_end_is_set_aside() -> None:
    deep: Any = {}
    for _ in range(500):
        deep = {"x": deep}
    with pytest.raises(UnreadableRecord):
        parse.parse_lead(ACCOUNT, {**LEAD, "deep": deep}, AT)


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (" 5 ", 5), ("-5", -5), (5.0, 5), (Decimal("5.00"), 5), (0, 0)]
    + [
        (odd, None)
        for odd in (None, True, "", "5.5", 5.5, "٥", "1_000", [], {}, 2**63, "9" * 19, float("nan"))
    ],
)
def test_integers(value: Any, number: int | None) -> None:
    assert as_int(value) == number


@pytest.mark.parametrize(
    "value", [None, 0, "0", -5, True, "soon", "2025-10-09", "2025-10-09 11:53:20", 1e300, [], {}]
)
def test_what_is_no_moment(value: Any) -> None:
    assert as_moment(value) is None


@pytest.mark.parametrize(
    ("value", "default", "answer"),
    [(True, False, True), (1, False, True), ("1", False, True), ("true", False, True), (0, True, False),
     ("", True, False), ("0", True, False), (None, True, True), (None, False, False), ([], True, True)],
)  # fmt: skip
def test_booleans(value: Any, default: bool, answer: bool) -> None:
    assert as_bool(value, default) is answer
