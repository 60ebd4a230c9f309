"""Cards tied to cards, and elements of lists tied to cards: both sides change, both are told."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life import cards, linklist
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import PERSON_LIKE, SINGULAR, Row

ELEMENTS = "catalog_elements"


def link(
    change: Change, table: str, row_id: Any, other: str, other_id: Any, metadata: Row | None = None,
    *, told: bool = True,
) -> None:  # fmt: skip
    """Tie two cards, or a card and an element of a list. Impossible when one is missing.

    `metadata` may say `is_main` (or `main_contact`) of a contact, `quantity`, `catalog_id`, `price_id` of an
    element. Both sides get `entity_linked` and an `update_*` hook; `told` False spares the first side one.
    """
    metadata = metadata or {}
    if other == ELEMENTS:
        _link_element(change, table, row_id, other_id, metadata)
        return
    if table == "contacts" and other == "leads":
        table, row_id, other, other_id = other, other_id, table, row_id
    row, partner = _tied(change, table, row_id), _tied(change, other, other_id)
    shown = row.setdefault("_embedded", {}).setdefault(other, [])
    known = next((item for item in shown if item.get("id") == other_id), None)
    wanted = metadata.get("is_main", metadata.get("main_contact"))
    if known is not None:
        _make_main(change, table, row, known, wanted)
        return
    if other == "companies" and shown:
        unlink(change, table, row_id, other, shown[0].get("id"))
        row = _tied(change, table, row_id)
        shown = row["_embedded"].setdefault(other, [])
    item: Row = {"id": other_id}
    if other == "contacts" and table == "leads":
        item["is_main"] = not shown
    shown.append(item)
    if wanted:
        _only_main(shown, item)
    partner.setdefault("_embedded", {}).setdefault(table, []).append({"id": row_id})
    linklist.tell(change, (table, row_id), (other, other_id), item)
    _touched(change, table, row)
    _touched(change, other, partner)
    _events(change, "entity_linked", (table, row_id), (other, other_id))
    if told:
        cards.fire(change, table, "update", row)
    cards.fire(change, other, "update", partner)


def _touched(change: Change, table: str, row: Row) -> None:
    if change.world.switches["bump_on_notes"]:
        row["updated_at"] = change.now
    change.put(table, row)
    linklist.follow(change, table, row)


def _only_main(shown: list[Row], chosen: Row) -> None:
    for item in shown:
        if "is_main" in item:
            item["is_main"] = item is chosen


def _make_main(change: Change, table: str, row: Row, known: Row, wanted: Any) -> None:
    if not wanted or known.get("is_main") or "is_main" not in known:
        return
    _only_main(row["_embedded"]["contacts"], known)
    _touched(change, table, row)
    cards.fire(change, table, "update", row)


def _tied(change: Change, table: str, row_id: Any) -> Row:
    row = change.find(table, row_id) if table in PERSON_LIKE else None
    if row is None or row.get("is_deleted") or row.get("_merged_into"):
        raise Impossible(f"there is no {table} {row_id}", f"_embedded.{table}", "NotFound")
    return row


def _link_element(change: Change, table: str, row_id: Any, element_id: Any, metadata: Row) -> None:
    row, element = _tied(change, table, row_id), change.find(ELEMENTS, element_id)
    catalog_id = metadata.get("catalog_id", (element or {}).get("catalog_id"))
    if element is None or element.get("catalog_id") != catalog_id or element.get("is_deleted"):
        raise Impossible(f"there is no element {element_id} in list {catalog_id}", "to_entity_id", "NotFound")
    shown = row.setdefault("_embedded", {}).setdefault(ELEMENTS, [])
    told: Row = {"quantity": metadata.get("quantity", 1), "catalog_id": catalog_id}
    if metadata.get("price_id") is not None:
        told["price_id"] = metadata["price_id"]
    known = next((item for item in shown if item.get("id") == element_id), None)
    if known is not None:
        known["metadata"] = told
    else:
        shown.append({"id": element_id, "metadata": told})
        link = {"link": {"entity": {"type": f"catalog_{catalog_id}", "id": element_id}}}
        change.event("entity_linked", SINGULAR[table], row_id, [], [link])
    linklist.tell(change, (table, row_id), (ELEMENTS, element_id), {"metadata": told})
    _touched(change, table, row)
    cards.fire(change, table, "update", row)


def unlink(change: Change, table: str, row_id: Any, other: str, other_id: Any) -> None:
    """Untie two cards, or an element from a card; nothing happens when they were not tied."""
    first = _without(change, table, row_id, other, other_id)
    second = None if other == ELEMENTS else _without(change, other, other_id, table, row_id)
    if linklist.forget(change, (table, row_id), (other, other_id)):
        first = first or change.find(table, row_id)  # a snapshot may tell of links in its list only
    if other == ELEMENTS and first is not None:
        gone = {"link": {"entity": {"type": f"catalog_{_catalog(change, other_id)}", "id": other_id}}}
        change.event("entity_unlinked", SINGULAR[table], row_id, [gone], [])
    elif first is not None or second is not None:
        _events(change, "entity_unlinked", (table, row_id), (other, other_id))
    for name, row in ((table, first), (other, second)):
        if row is not None:
            cards.fire(change, name, "update", row)


def _catalog(change: Change, element_id: Any) -> Any:
    return (change.find(ELEMENTS, element_id) or {}).get("catalog_id")


def _without(change: Change, table: str, row_id: Any, other: str, other_id: Any) -> Row | None:
    """The card after it lost the link; None when it had none."""
    row = change.find(table, row_id) if table in PERSON_LIKE else None
    shown = (row or {}).get("_embedded", {}).get(other) or []
    left = [item for item in shown if item.get("id") != other_id]
    if row is None or len(left) == len(shown):
        return None
    if left and "is_main" in left[0] and not any(item.get("is_main") for item in left):
        left[0] = {**left[0], "is_main": True}
    row["_embedded"][other] = left
    _touched(change, table, row)
    return row


def drop_element(change: Change, element: Row) -> None:
    """An element of a list disappears, from the cards it was tied to as well."""
    inside = (
        "json_valid(body) AND EXISTS (SELECT 1 FROM json_each(body, '$._embedded.catalog_elements') item"
        " WHERE CASE item.type WHEN 'object' THEN json_extract(item.value, '$.id') END = ?)"
    )
    for table in PERSON_LIKE:
        for row in change.rows(table, inside, element["id"]):
            unlink(change, table, row["id"], ELEMENTS, element["id"])
    linklist.drop(change, (ELEMENTS, element["id"]))
    change.remove(ELEMENTS, element["id"])
    change.hook("delete_catalog_element", "catalogs", "delete", items.catalog_element(element))


def _events(change: Change, kind: str, first: tuple[str, Any], second: tuple[str, Any]) -> None:
    for (table, row_id), (other, other_id) in ((first, second), (second, first)):
        shown = [{"link": {"entity": {"type": SINGULAR[other], "id": other_id}}}]
        before, after = ([], shown) if kind == "entity_linked" else (shown, [])
        change.event(kind, SINGULAR[table], row_id, before, after)
