"""GET handlers of cards and of what hangs on them: notes, tasks, events, links."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import json
import sqlite3
from typing import Any

from sandbox.amocrm.api import lists, phpquery, rights
from sandbox.amocrm.api.answers import empty, hal
from sandbox.amocrm.api.customers import switched_on
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.http import Response
from sandbox.amocrm.life.tidy import tidied
from sandbox.amocrm.vocabulary import EVENT_TYPE_NUMBERS, EVENT_TYPES, PERSON_LIKE, Row
from sandbox.amocrm.world import Call

MOST_LINKED = 10000


def tasks(call: Call) -> Response:
    """`GET /tasks`."""
    return lists.page(call, RESOURCES["tasks"])


def task(call: Call, row_id: int) -> Response:
    """`GET /tasks/{id}`."""
    return lists.one(call, RESOURCES["tasks"], row_id)


def events(call: Call) -> Response:
    """`GET /events`."""
    return lists.page(call, RESOURCES["events"])


def event(call: Call, event_id: str) -> Response:
    """`GET /events/{id}`."""
    return lists.one(call, RESOURCES["events"], event_id)


def cards(call: Call, table: str) -> Response:
    """Lists of leads, contacts, companies, customers."""
    switched_on(call, table)
    return lists.page(call, RESOURCES[table])


def card(call: Call, table: str, row_id: int) -> Response:
    """One lead, contact, company or customer."""
    switched_on(call, table)
    return lists.one(call, RESOURCES[table], row_id)


def notes(call: Call, table: str, entity_id: int | None = None) -> Response:
    """Notes of all cards of a kind, or of one."""
    switched_on(call, table)
    resource = RESOURCES[f"notes_{table}"]
    if entity_id is None:
        return lists.page(call, resource)
    extra = Where()
    extra.add("entity_id = ?", entity_id)
    return lists.page(call, resource, extra, f"{table}/{entity_id}/notes")


def note(call: Call, table: str, note_id: int, entity_id: int | None = None) -> Response:
    """One note, of whatever card or of one."""
    switched_on(call, table)
    extra = Where()
    if entity_id is not None:
        extra.add("entity_id = ?", entity_id)
    return lists.one(call, RESOURCES[f"notes_{table}"], note_id, extra if extra.parts else None)


def event_types(call: Call) -> Response:
    """`GET /events/types`."""
    rows: list[Row] = [
        {
            "key": name,
            "type": EVENT_TYPE_NUMBERS.get(name, 200 + index),
            "lang": name.replace("_", " ").capitalize(),
        }
        for index, name in enumerate(EVENT_TYPES)
    ]
    links = call.link("events/types")
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"events_types": rows}})


def subscriptions(call: Call, table: str, row_id: int) -> Response:
    """`GET /{leads|customers}/{id}/subscriptions`: who hears of it: whoever is responsible."""
    switched_on(call, table)
    found = lists.one(call, RESOURCES[table], row_id)
    if found.status != 200:
        return found
    user_id = json.loads(found.body).get("responsible_user_id")
    if not user_id:
        return empty()
    links = call.link(f"{table}/{row_id}/subscriptions")
    listed = [{"subscriber_id": user_id, "type": "user"}]
    return hal({"_page": 1, "_links": links, "_embedded": {"subscriptions": listed}})


def links(call: Call, table: str, row_id: int | None = None) -> Response:
    """Links of one card, or of those that `filter[entity_id]` names; only between cards that may be seen."""
    switched_on(call, table)
    tree = call.query.get("filter")
    tree = tree if isinstance(tree, dict) else {}
    numbers = [int(n) for n in phpquery.values(tree.get("entity_id")) if n.isdecimal() and len(n) < 19]
    given = numbers[:MOST_LINKED] if row_id is None else [row_id]
    with call.world.store.read() as connection:
        rows = [row for number in given for row in _links_of(connection, call, table, number)]
    for name in ("to_entity_id", "to_entity_type"):
        wanted = set(phpquery.values(tree.get(name)))
        rows = [row for row in rows if not wanted or str(row.get(name)) in wanted]
    catalogs = set(phpquery.values(tree.get("to_catalog_id")))
    rows = [row for row in rows if not catalogs or str((row["metadata"] or {}).get("catalog_id")) in catalogs]
    path = f"{table}/links" if row_id is None else f"{table}/{row_id}/links"
    return lists.scan_links(call, rows, path)


def _links_of(connection: sqlite3.Connection, call: Call, table: str, row_id: int) -> list[Row]:
    sql, values = rights.visible(call, table)
    card_row = connection.execute(
        f'SELECT body FROM "{table}" WHERE account_id = ? AND id = ? AND hidden = 0 AND {sql}',
        (call.account.id, row_id, *values),
    ).fetchone()
    stored = connection.execute(
        "SELECT body FROM links WHERE account_id = ? AND entity_id = ? AND entity_type = ?",
        (call.account.id, row_id, table),
    ).fetchall()
    if card_row is None:
        return []
    rows = [
        json.loads(body) for (body,) in stored if json.loads(body).get("to_entity_type") not in PERSON_LIKE
    ]
    embedded = tidied(table, json.loads(card_row[0]))["_embedded"]
    for name in (*PERSON_LIKE, "catalog_elements"):
        rows += [
            _link_row(table, row_id, name, item)
            for item in embedded.get(name) or []
            if name not in PERSON_LIKE or rights.reaches(call, name, item.get("id"), "view")
        ]
    return list({(row.get("to_entity_type"), row.get("to_entity_id")): row for row in rows}.values())


def _link_row(table: str, row_id: int, name: str, item: Row) -> Row:
    metadata: Any = item.get("metadata")
    if "is_main" in item:
        metadata = {"main_contact": item["is_main"]}
    return {
        "entity_id": row_id,
        "entity_type": table,
        "to_entity_id": item.get("id"),
        "to_entity_type": name,
        "metadata": metadata,
    }
