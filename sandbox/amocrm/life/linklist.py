"""The list of links that a snapshot has beside its cards: it follows what is tied, untied and merged."""

import json
from typing import Any

from sandbox.amocrm.life.change import Change
from sandbox.amocrm.storage.snapshot import row_values
from sandbox.amocrm.storage.tables import TABLES, insert_statement
from sandbox.amocrm.vocabulary import Row

End = tuple[str, Any]

# A link is written down from the first of these to the other; elements of lists come last.
_ORDER = ("leads", "customers", "contacts", "companies", "catalog_elements")
_OF = "account_id = ? AND entity_type = ? AND entity_id = ?"
_TO = "to_entity_type = ? AND to_entity_id = ?"


def tell(change: Change, first: End, second: End, item: Row) -> None:
    """Write a link down, or what is now true of it; `item` is the second card as the first one shows it."""
    first, second = sorted((first, second), key=lambda end: _ORDER.index(end[0]))
    metadata = {"main_contact": item["is_main"]} if "is_main" in item else item.get("metadata")
    known = _listed(change, first, second)
    if known is None:
        row = {"entity_id": first[1], "entity_type": first[0], "to_entity_id": second[1]}
        row |= {"to_entity_type": second[0], "metadata": metadata}
        _put(change, change.next_id("links"), row)
    elif metadata is not None and known[1].get("metadata") != metadata:
        _put(change, known[0], {**known[1], "metadata": metadata})


def follow(change: Change, table: str, row: Row) -> None:
    """Let the list say which of a card's contacts is the main one, as far as it names them."""
    for item in (row.get("_embedded") or {}).get("contacts") or []:
        if "is_main" in item and _listed(change, (table, row["id"]), ("contacts", item["id"])) is not None:
            tell(change, (table, row["id"]), ("contacts", item["id"]), item)


def forget(change: Change, first: End, second: End) -> bool:
    """Take a link off the list, whichever way it was written; whether it stood there."""
    return sum(_delete(change, *ends) for ends in ((first, second), (second, first))) > 0


def drop(change: Change, end: End) -> None:
    """Take everything off the list that leads to or from something that is no more."""
    for columns in (_OF, f"account_id = ? AND {_TO}"):
        change.connection.execute(f"DELETE FROM links WHERE {columns}", (change.account.id, *end))  # noqa: S608


def _listed(change: Change, first: End, second: End) -> tuple[int, Row] | None:
    found = change.connection.execute(
        f"SELECT id, body FROM links WHERE {_OF} AND {_TO}",  # noqa: S608  our own conditions
        (change.account.id, *first, *second),
    ).fetchone()
    return (found[0], json.loads(found[1])) if found else None


def _put(change: Change, number: int, row: Row) -> None:
    table = TABLES["links"]
    values = row_values(table, change.account.id, row, None, number)
    change.connection.execute(insert_statement(table), values)


def _delete(change: Change, first: End, second: End) -> int:
    return change.connection.execute(
        f"DELETE FROM links WHERE {_OF} AND {_TO}",  # noqa: S608  our own conditions
        (change.account.id, *first, *second),
    ).rowcount
