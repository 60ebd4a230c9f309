"""The elements of hook bodies, in the old v2 words: one function for each shape."""

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.amocrm.hooks.form import Both
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.vocabulary import DATE_TYPES, ELEMENT_TYPE, NOTE_CODES, PLURAL, Row

CHAT_NOTE_TYPE = 3


def _custom_fields(row: Row) -> list[Row]:
    fields = []
    for field in row.get("custom_fields_values") or []:
        values = [value for value in field.get("values") or [] if isinstance(value, dict)]
        shown: list[Any] = [{"value": value.get("value"), "enum": value.get("enum_id")} for value in values]
        if field.get("field_type") in DATE_TYPES:
            shown = [value.get("value") for value in values]
        named = {"id": field.get("field_id"), "name": field.get("field_name"), "values": shown}
        fields.append({**named, "code": field.get("field_code")})
    return fields


def _tags(row: Row) -> list[Row]:
    tags = (row.get("_embedded") or {}).get("tags") or []
    return [{"id": tag.get("id"), "name": tag.get("name")} for tag in tags]


def _times(row: Row) -> Row:
    return {"created_at": row.get("created_at"), "updated_at": row.get("updated_at")}


def _who(row: Row) -> Row:
    return {
        "last_modified": row.get("updated_at"),
        "modified_user_id": row.get("updated_by"),
        "created_user_id": row.get("created_by"),
        "date_create": row.get("created_at"),
    }


def lead(row: Row, **more: Any) -> Row:
    """`leads[add|update|status|responsible|restore][0]`; `more` are old_status_id and its like."""
    return {
        "id": row.get("id"),
        "name": row.get("name") or "",
        "status_id": row.get("status_id"),
        **more,
        "price": row.get("price"),
        "responsible_user_id": row.get("responsible_user_id"),
        **_who(row),
        "pipeline_id": row.get("pipeline_id"),
        "account_id": row.get("account_id"),
        "tags": _tags(row),
        "custom_fields": _custom_fields(row),
        **_times(row),
    }


def lead_bare(row: Row) -> Row:
    """`leads[delete][0]`."""
    return {"id": row.get("id"), "status_id": row.get("status_id"), "pipeline_id": row.get("pipeline_id")}


def card(row: Row, kind: str, *, company_name: str | None = None, **more: Any) -> Row:
    """`contacts[add|update|responsible|restore][0]` for a contact or a company; `kind` becomes `type`."""
    embedded = row.get("_embedded") or {}
    company = (embedded.get("companies") or [{}])[0] if kind == "contact" else {}
    leads = {item["id"]: {"ID": item["id"]} for item in embedded.get("leads") or [] if "id" in item}
    return {
        "id": row.get("id"),
        "name": row.get("name") or "",
        "responsible_user_id": row.get("responsible_user_id"),
        **more,
        **_who(row),
        "account_id": row.get("account_id"),
        "company_name": company_name if company else None,
        "linked_company_id": company.get("id"),
        "tags": _tags(row),
        "custom_fields": _custom_fields(row),
        "linked_leads_id": leads,
        **_times(row),
        "type": kind,
    }


def card_bare(row: Row, kind: str) -> Row:
    """`contacts[delete][0]`."""
    return {"id": row.get("id"), "type": kind}


def customer(row: Row, **more: Any) -> Row:
    """`customers[add|update|responsible][0]`."""
    return {
        "id": row.get("id"),
        "name": row.get("name") or "",
        "responsible_user_id": row.get("responsible_user_id"),
        **more,
        "status_id": row.get("status_id"),
        "next_price": row.get("next_price"),
        "next_date": row.get("next_date"),
        "periodicity": row.get("periodicity"),
        **_who(row),
        "account_id": row.get("account_id"),
        "tags": _tags(row),
        "custom_fields": _custom_fields(row),
        **_times(row),
    }


def customer_bare(row: Row) -> Row:
    """`customers[delete][0]`."""
    return {"id": row.get("id")}


def catalog_element(row: Row) -> Row:
    """`catalogs[add|update|delete][0]`: an element of a list."""
    return {
        "id": row.get("id"),
        "catalog_id": row.get("catalog_id"),
        "name": row.get("name") or "",
        "created_by": row.get("created_by"),
        "updated_by": row.get("updated_by"),
        "custom_fields": _custom_fields(row),
        **_times(row),
    }


def local(account: Account, moment: Any) -> str | None:
    """YYYY-MM-DD HH:MM:SS in the account's zone; None for no moment."""
    if not isinstance(moment, int | float):
        return None
    return datetime.fromtimestamp(moment, UTC).astimezone(account.zone).strftime("%Y-%m-%d %H:%M:%S")


def task(account: Account, row: Row, **more: Any) -> Row:
    """`task[add|update|responsible|delete][0]`."""
    return {
        "id": row.get("id"),
        "element_id": row.get("entity_id"),
        "element_type": ELEMENT_TYPE.get(str(row.get("entity_type"))),
        "task_type": row.get("task_type_id"),
        "date_create": local(account, row.get("created_at")),
        "text": row.get("text"),
        "status": int(bool(row.get("is_completed"))),
        "account_id": row.get("account_id"),
        "created_user_id": row.get("created_by"),
        "responsible_user_id": row.get("responsible_user_id"),
        "complete_till": local(account, row.get("complete_till")),
        "complete_before": row.get("complete_till"),
        **more,
        **_times(row),
    }


def note(account: Account, row: Row, entity: str, main_user_id: Any, message_uuid: str | None = None) -> Row:
    """`leads[note][0]` and its like: everything stands one level deeper, under `note`.

    `message_uuid` is given for the note of a chat message, whose `type` is a value and a subtree at once.
    """
    params = row.get("params")
    params = params if isinstance(params, dict) else {}
    is_text = row.get("note_type") in ("common", "chat")
    plain = str(params.get("text") or "") if is_text else json.dumps(params)
    chat = Both(value=CHAT_NOTE_TYPE, tree={"message_uuid": message_uuid}) if message_uuid else None
    shown = {
        "text": plain,
        "attachement": "",
        "note_type": NOTE_CODES.get(str(row.get("note_type")), 0),
        "type": chat,
        "element_type": ELEMENT_TYPE[PLURAL.get(entity, entity)],
        "element_id": row.get("entity_id"),
        "account_id": row.get("account_id"),
        "date_create": local(account, row.get("created_at")),
        "timestamp_x": local(account, row.get("updated_at")),
        "created_by": row.get("created_by"),
        "modified_by": row.get("updated_by"),
        "main_user_id": main_user_id,
        "group_id": row.get("group_id"),
        "id": row.get("id"),
        "metadata": "",
        **_times(row),
    }
    return {"note": shown, "type": "company" if PLURAL.get(entity, entity) == "companies" else None}


def unsorted(row: Row, cards: dict[str, list[Row]]) -> Row:
    """`unsorted[add|update][0]`; `cards` are the leads, contacts and companies behind it."""
    leads = cards.get("leads") or []
    data = {table: [{"id": item.get("id"), "name": item.get("name") or ""} for item in items]
            for table, items in cards.items()}  # fmt: skip
    return {
        "uid": row.get("uid"),
        "category": row.get("category"),
        "pipeline_id": row.get("pipeline_id"),
        "lead_id": leads[0].get("id") if leads else None,
        "source_name": row.get("source_name"),
        "source_data": _source_data(row),
        "data": data,
        "created_at": row.get("created_at"),
    }


def _source_data(row: Row) -> Row:
    metadata = row.get("metadata") or {}
    if row.get("category") != "chats":
        return dict(metadata)
    client, origin = metadata.get("client") or {}, metadata.get("origin") or {}
    return {
        "client": {"id": metadata.get("from"), "name": client.get("name")},
        "data": [{"text": metadata.get("last_message_text"), "id": row.get("uid")}],
        "origin": {"chat_id": origin.get("chat_id")},
        "service": metadata.get("service"),
    }


def unsorted_sorted(row: Row, verdict: str, lead_ids: list[Any], by: int) -> Row:
    """`unsorted[delete][0]`; the verdict is `accept` or `decline`."""
    return {
        "action": verdict,
        "uid": row.get("uid"),
        "category": row.get("category"),
        "created_at": row.get("created_at"),
        "modified_user_id": by,
        f"{verdict}_result": {"leads": lead_ids},
    }


def talk(row: Row) -> Row:
    """`talk[add|update][0]`."""
    names = ("talk_id", "created_at", "updated_at", "rate", "contact_id", "chat_id", "entity_id")
    kind = row.get("entity_type")
    more = {"entity_type": "lead" if kind == "leads" else kind, "is_in_work": row.get("is_in_work"),
            "is_read": row.get("is_read"), "origin": row.get("origin")}  # fmt: skip
    return {**{name: row.get(name) for name in names}, **more}


def message(row: Row, told: Row) -> Row:
    """`message[add][0]` and `outgoing_message[add][0]`: `row` is the talk, `told` the message itself."""
    kind = row.get("entity_type")
    return {
        "id": told["id"],
        "chat_id": row.get("chat_id"),
        "talk_id": row.get("talk_id"),
        "contact_id": row.get("contact_id"),
        "text": told["text"],
        "created_at": told["created_at"],
        "element_type": ELEMENT_TYPE.get(PLURAL.get(str(kind), str(kind))),
        "entity_type": "lead" if kind == "leads" else kind,
        "element_id": row.get("entity_id"),
        "entity_id": row.get("entity_id"),
        "type": told["type"],
        "author": told["author"],
        "origin": row.get("origin"),
        "attachment": told.get("attachment"),
    }


def trigger(row: Row, **old: Any) -> Row:
    """A digital-pipeline hook's `leads[status|call_in|chat|site_visit|mail_in][0]`."""
    return {**lead_bare(row), **old}
