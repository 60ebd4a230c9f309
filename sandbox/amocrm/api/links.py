"""Writes of links: of one card, and of many in one call."""

from typing import Any

from sandbox.amocrm.api.answers import empty, hal, invalid
from sandbox.amocrm.api.writes import batch, customers_on, each, request_id
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import links
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import PERSON_LIKE, Row
from sandbox.amocrm.world import Call


def _items(call: Call, table: str, row_id: int | None) -> list[Row]:
    """The body's links with `entity_id` filled in; 400 names what cannot be a link."""
    customers_on(call, table)
    found = []
    for index, item in enumerate(batch(call)):
        mark = request_id(item, index)
        if item.get("to_entity_type") not in (*PERSON_LIKE, links.ELEMENTS):
            raise invalid(mark, "to_entity_type", "NotSupportedChoice", "This link cannot be made.")
        item = {**item, **({} if row_id is None else {"entity_id": row_id})}
        for name in ("entity_id", "to_entity_id"):
            if isinstance(item.get(name), bool) or not isinstance(item.get(name), int):
                raise invalid(mark, name, "FieldMissing", "This field is missing.")
        if not isinstance(item.get("metadata") or {}, dict):
            raise invalid(mark, "metadata", "InvalidType", "This value should be of type object.")
        found.append(item)
    return found


def _linked(change: Change, table: str, item: Row) -> Row:
    metadata = item.get("metadata") or {}
    change.live(table, item["entity_id"])
    by, change.by = change.by, metadata.get("updated_by", change.by)
    try:
        links.link(change, table, item["entity_id"], item["to_entity_type"], item["to_entity_id"], metadata)
    except Impossible as err:
        raise Impossible(str(err), "to_entity_id", err.code) from None
    finally:
        change.by = by
    return {
        "entity_id": item["entity_id"],
        "entity_type": table,
        "to_entity_id": item["to_entity_id"],
        "to_entity_type": item["to_entity_type"],
        "metadata": _metadata(change, table, item),
    }


def _metadata(change: Change, table: str, item: Row) -> Any:
    """The link's own data, as a list of links shows it."""
    row = change.get(table, item["entity_id"])
    for shown in (row.get("_embedded") or {}).get(item["to_entity_type"]) or []:
        if shown.get("id") == item["to_entity_id"]:
            return {"main_contact": shown["is_main"]} if "is_main" in shown else shown.get("metadata")
    return None


def link(call: Call, table: str, row_id: int | None = None) -> Response:
    """`POST /{entity}/{id}/link`, and `POST /{entity}/link` with `entity_id` in every item."""
    rows = each(call, _items(call, table, row_id), lambda change, item: _linked(change, table, item))
    path = f"{table}/links" if row_id is None else f"{table}/{row_id}/links"
    home = call.link(path)
    return hal({"_total_items": len(rows), "_links": home, "_embedded": {"links": rows}})


def unlink(call: Call, table: str, row_id: int | None = None) -> Response:
    """`POST /{entity}/{id}/unlink` and `POST /{entity}/unlink`: 204, also for what was not linked."""

    def act(change: Change, item: Row) -> Row:
        change.live(table, item["entity_id"])
        links.unlink(change, table, item["entity_id"], item["to_entity_type"], item["to_entity_id"])
        return item

    each(call, _items(call, table, row_id), act)
    return empty()
