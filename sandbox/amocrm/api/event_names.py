"""`with=` of events: the names of the entities they are about, and their notes in full."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from sandbox.amocrm.storage import views
from sandbox.amocrm.vocabulary import PERSON_LIKE, PLURAL, Row
from sandbox.amocrm.world import Call

_NAMES = {f"{one}_name": one for one in ("lead", "contact", "company", "customer")}
_CATALOG = ("catalog_element_name", "catalog_name")
Found = dict[tuple[str, Any], Row]


def texts(call: Call, bodies: list[str]) -> list[str]:
    """The answers' texts of events; what `with=` asks for is looked up once per kind and page."""
    rows = [json.loads(body) for body in bodies]
    wanted = call.wanted
    if wanted.isdisjoint((*_NAMES, *_CATALOG, "note")):
        return [views.event_text(row, {}) for row in rows]
    with call.world.store.read() as connection:
        more = _entities(connection, call, rows)
        notes = _notes(connection, call, rows) if "note" in wanted else {}
    return [views.event_text(_noted(row, notes), more.get(_key(row), {})) for row in rows]


def _key(row: Row) -> tuple[str, Any]:
    return str(row.get("entity_type")), row.get("entity_id")


def _bodies(connection: sqlite3.Connection, call: Call, table: str, ids: Iterable[Any]) -> dict[Any, Row]:
    listed = [number for number in set(ids) if isinstance(number, int)]
    marks = ", ".join("?" * len(listed))
    found = connection.execute(
        f'SELECT id, body FROM "{table}" WHERE account_id = ? AND id IN ({marks})', (call.account.id, *listed)
    )
    return {row_id: json.loads(body) for row_id, body in found.fetchall()}


def _entities(connection: sqlite3.Connection, call: Call, rows: list[Row]) -> Found:
    """What is added to `_embedded.entity`: a name, where the entity still exists."""
    found: Found = {}
    for name, one in _NAMES.items():
        if name in call.wanted:
            ids = [row.get("entity_id") for row in rows if row.get("entity_type") == one]
            known = _bodies(connection, call, PLURAL[one], ids)
            found |= {(one, number): {"name": row.get("name")} for number, row in known.items()}
    if not call.wanted.isdisjoint(_CATALOG):
        found |= _elements(connection, call, rows)
    return found


def _elements(connection: sqlite3.Connection, call: Call, rows: list[Row]) -> Found:
    about = {_key(row) for row in rows if str(row.get("entity_type")).startswith("catalog_")}
    numbers = {kind: kind.partition("_")[2] for kind, _ in about}
    elements = _bodies(connection, call, "catalog_elements", (number for _, number in about))
    catalog_ids = [int(number) for number in numbers.values() if number.isdecimal()]
    catalogs = _bodies(connection, call, "catalogs", catalog_ids)
    found: Found = {}
    for kind, number in about:
        more: Row = {}
        if "catalog_element_name" in call.wanted and number in elements:
            more["name"] = elements[number].get("name")
        catalog = catalogs.get(int(numbers[kind])) if numbers[kind].isdecimal() else None
        if "catalog_name" in call.wanted and catalog is not None:
            more["catalog_name"] = catalog.get("name")
        found[kind, number] = more
    return found


def _noted_id(value: Any) -> Any:
    note = value.get("note") if isinstance(value, dict) else None
    return note.get("id") if isinstance(note, dict) else None


def _notes(connection: sqlite3.Connection, call: Call, rows: list[Row]) -> dict[Any, Row]:
    ids = {_noted_id(value) for row in rows for value in row.get("value_after") or []}
    found: dict[Any, Row] = {}
    for table in PERSON_LIKE:
        found |= _bodies(connection, call, f"notes_{table}", ids)
    return found


def _noted(row: Row, notes: dict[Any, Row]) -> Row:
    """The event with each `note{id}` replaced by the whole note, where there is one."""
    if not notes:
        return row
    after = [
        {**value, "note": notes[_noted_id(value)]} if _noted_id(value) in notes else value
        for value in row.get("value_after") or []
    ]
    return {**row, "value_after": after}
