"""Hooks on their way out: who wants them, and their bodies in the old v2 words, strings only."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.vocabulary import ELEMENT_TYPE, NOTE_CODES, PLURAL, Row
from sandbox.amocrm.world import World

ITEMS_PER_BODY = 50
Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One element of a hook's body."""

    name: str
    top: str
    action: str
    item: Row


def pairs(prefix: str, value: Any) -> Iterator[Pair]:
    """Nested value → bracketed keys as PHP's http_build_query makes them: null and empty are left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from pairs(f"{prefix}[{key}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from pairs(f"{prefix}[{index}]", item)
    elif value is not None:
        yield prefix, str(int(value)) if isinstance(value, bool) else str(value)


def encode(items: Iterable[Pair]) -> bytes:
    """The body: names and values percent-encoded the way PHP does it."""
    return "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in items).encode()


def _quoted(text: str) -> str:
    return quote_plus(text, errors="replace").replace("~", "%7E")


def body(account: Account, top: str, action: str, items: list[Row]) -> bytes:
    """One hook's body with the account block behind the items."""
    found: list[Pair] = []
    for index, item in enumerate(items):
        found += pairs(f"{top}[{action}][{index}]", item)
    found += [
        ("account[subdomain]", account.subdomain),
        ("account[id]", str(account.id)),
        ("account[_links][self]", account.origin),
    ]
    return encode(found)


def queue(world: World, connection: sqlite3.Connection, account: Account, collected: list[Item]) -> int:
    """Store a delivery per subscription and hook; answers how many. Same hooks of one change share a body."""
    if not collected:
        return 0
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for item in collected:
        groups.setdefault((item.name, item.top, item.action), []).append(item.item)
    subscriptions = connection.execute(
        "SELECT id, destination, settings FROM webhooks WHERE account_id = ? AND disabled = 0"
        " ORDER BY sort, id",
        (account.id,),
    ).fetchall()
    now = world.clock.now()
    count = 0
    for webhook_id, destination, settings in subscriptions:
        wanted = set(json.loads(settings))
        for (name, top, action), items in groups.items():
            if name not in wanted:
                continue
            for start in range(0, len(items), ITEMS_PER_BODY):
                text = body(account, top, action, items[start : start + ITEMS_PER_BODY])
                _store(connection, webhook_id, account.id, destination, text, now)
                count += 1
    return count


def _store(
    connection: sqlite3.Connection,
    webhook_id: int,
    account_id: int,
    destination: str,
    text: bytes,
    now: float,
) -> None:
    connection.execute(
        "INSERT INTO deliveries (webhook_id, account_id, destination, method, body, queued_at, due_at,"
        " attempts, state) VALUES (?, ?, ?, 'POST', ?, ?, ?, 0, 'pending')",
        (webhook_id, account_id, destination, text, now, now),
    )


def _custom_fields(row: Row) -> list[Row]:
    fields = []
    for field in row.get("custom_fields_values") or []:
        values = [
            {"value": value.get("value"), "enum": value.get("enum_id")}
            for value in field.get("values") or []
            if isinstance(value, dict)
        ]
        code = field.get("field_code")
        fields.append(
            {"id": field.get("field_id"), "name": field.get("field_name"), "values": values, "code": code}
        )
    return fields


def _tags(row: Row) -> list[Row]:
    tags = (row.get("_embedded") or {}).get("tags") or []
    return [{"id": tag.get("id"), "name": tag.get("name")} for tag in tags]


def lead_item(row: Row, **more: Any) -> Row:
    """`leads[add|update|status|responsible|restore][0]`; `more` are old_status_id and its like."""
    item = {
        "id": row.get("id"),
        "name": row.get("name") or "",
        "status_id": row.get("status_id"),
        **more,
        "price": row.get("price"),
        "responsible_user_id": row.get("responsible_user_id"),
        "last_modified": row.get("updated_at"),
        "modified_user_id": row.get("updated_by"),
        "created_user_id": row.get("created_by"),
        "date_create": row.get("created_at"),
        "pipeline_id": row.get("pipeline_id"),
        "account_id": row.get("account_id"),
    }
    return {**item, "tags": _tags(row), "custom_fields": _custom_fields(row), **_times(row)}


def lead_bare(row: Row) -> Row:
    """`leads[delete][0]`."""
    return {"id": row.get("id"), "status_id": row.get("status_id"), "pipeline_id": row.get("pipeline_id")}


def card_item(row: Row, kind: str, **more: Any) -> Row:
    """`contacts[…][0]` for a contact or a company; `kind` becomes `type`."""
    embedded = row.get("_embedded") or {}
    company = (embedded.get("companies") or [{}])[0] if kind == "contact" else {}
    leads = {lead["id"]: {"ID": lead["id"]} for lead in embedded.get("leads") or [] if "id" in lead}
    item = {
        "id": row.get("id"),
        "name": row.get("name") or "",
        "responsible_user_id": row.get("responsible_user_id"),
        **more,
        "last_modified": row.get("updated_at"),
        "modified_user_id": row.get("updated_by"),
        "created_user_id": row.get("created_by"),
        "date_create": row.get("created_at"),
        "account_id": row.get("account_id"),
        "linked_company_id": company.get("id"),
        "tags": _tags(row),
        "custom_fields": _custom_fields(row),
        "linked_leads_id": leads,
    }
    return {**item, **_times(row), "type": kind}


def card_bare(row: Row, kind: str) -> Row:
    """`contacts[delete][0]`."""
    return {"id": row.get("id"), "type": kind}


def _times(row: Row) -> Row:
    return {"created_at": row.get("created_at"), "updated_at": row.get("updated_at")}


def local(account: Account, moment: Any) -> str | None:
    """YYYY-MM-DD HH:MM:SS in the account's zone; None for no moment."""
    if not isinstance(moment, int | float):
        return None
    return datetime.fromtimestamp(moment, UTC).astimezone(account.zone).strftime("%Y-%m-%d %H:%M:%S")


def task_item(account: Account, row: Row, **more: Any) -> Row:
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


def note_item(account: Account, row: Row, entity: str, main_user_id: Any) -> Row:
    """`leads[note][0]` and its like: everything stands one level deeper, under `note`."""
    params = row.get("params")
    params = params if isinstance(params, dict) else {}
    plain = str(params.get("text") or "") if row.get("note_type") == "common" else json.dumps(params)
    return {
        "note": {
            "text": plain,
            "attachement": "",
            "note_type": NOTE_CODES.get(str(row.get("note_type")), 0),
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
    }
