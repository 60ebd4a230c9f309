"""Snapshots that tell of a lead's contacts or company only from the other side, or only in `links`."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import json
import sqlite3
from typing import Any

from sandbox.amocrm.storage.snapshot import row_values
from sandbox.amocrm.storage.tables import TABLES, insert_statement

# A body nested a thousand levels deep is JSON for Python, not for SQLite.
_BODY = "CASE WHEN json_valid({0}.body) THEN {0}.body ELSE '{{}}' END"
_TOLD = " UNION ".join(
    [
        f"SELECT CAST(json_extract(item.value, '$.id') AS INTEGER) lead_id, '{kind}' kind, card.id to_id"
        f" FROM {kind} card, json_each({_BODY.format('card')}, '$._embedded.leads') item"
        " WHERE card.account_id = :account AND card.hidden = 0 AND item.type = 'object'"
        for kind in ("contacts", "companies")
    ]
    + [
        "SELECT entity_id, to_entity_type, to_entity_id FROM links WHERE account_id = :account"
        " AND entity_type = 'leads' AND to_entity_type IN ('contacts', 'companies')",
        "SELECT to_entity_id, entity_type, entity_id FROM links WHERE account_id = :account"
        " AND to_entity_type = 'leads' AND entity_type IN ('contacts', 'companies')",
    ]
)
_OWN = " UNION ".join(
    f"SELECT lead.id, '{kind}', CAST(json_extract(item.value, '$.id') AS INTEGER)"
    f" FROM leads lead, json_each({_BODY.format('lead')}, '$._embedded.{kind}') item"
    " WHERE lead.account_id = :account AND item.type = 'object'"
    for kind in ("contacts", "companies")
)


def complete_leads(connection: sqlite3.Connection, account_id: int) -> int:
    """Write into each lead the links that only others tell of; answers how many there were."""
    missing = connection.execute(
        f"SELECT lead_id, kind, to_id FROM ({_TOLD}) EXCEPT SELECT * FROM ({_OWN}) ORDER BY 1, 2, 3",
        {"account": account_id},
    ).fetchall()
    table, added = TABLES["leads"], 0
    for lead_id, kind, to_id in missing:
        found = connection.execute(
            "SELECT body FROM leads WHERE account_id = ? AND id = ?", (account_id, lead_id)
        ).fetchone()
        if found is not None and isinstance(to_id, int):
            lead = _linked(json.loads(found[0]), kind, to_id)
            connection.execute(insert_statement(table), row_values(table, account_id, lead))
            added += 1
    return added


def _linked(lead: dict[str, Any], kind: str, to_id: int) -> dict[str, Any]:
    embedded = lead.get("_embedded")
    embedded = dict(embedded) if isinstance(embedded, dict) else {}
    present = embedded.get(kind)
    present = list(present) if isinstance(present, list) else []
    link: dict[str, Any] = {"id": to_id}
    if kind == "contacts":
        link["is_main"] = not present
    return {**lead, "_embedded": {**embedded, kind: [*present, link]}}
