"""Several cards become one: the losers vanish, what hung on them hangs on the winner."""

from typing import Any

from sandbox.amocrm.life import cards, linklist, tasks
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import PERSON_LIKE, SINGULAR, Row


def merge(change: Change, table: str, main: Row, losers: list[Row], patch: Row | None = None) -> Row:
    """The losers disappear into the main card, which gets their notes, tasks, talks and links.

    None of these gets a new `updated_at`; the main card does. `patch` are the fields people chose for it.
    """
    for loser in losers:
        _move_belongings(change, table, loser["id"], main["id"])
        _move_links(change, table, main, loser)
        loser["_merged_into"] = main["id"]
        change.put(table, loser)
        if change.world.switches["merge_hooks"] == "delete_and_update":
            cards.fire(change, table, "delete", loser)
    main["updated_at"], main["updated_by"] = change.now, change.by
    main["closest_task_at"] = tasks.closest(change, table, main["id"])
    change.put(table, main)
    lost = [{"merge": {"entity": {"type": SINGULAR[table], "id": loser["id"]}}} for loser in losers]
    change.event("entity_merged", SINGULAR[table], main["id"], lost, [])
    edited = cards.edit(change, table, main, patch) if patch else main
    if not patch or edited == main:
        cards.fire(change, table, "update", main)
    return edited


def _move_links(change: Change, table: str, main: Row, loser: Row) -> None:
    mine = main.setdefault("_embedded", {})
    for other in (*PERSON_LIKE, "catalog_elements"):
        for item in list((loser.get("_embedded") or {}).get(other) or []):
            shown = mine.setdefault(other, [])
            taken = other != table and _room(other, shown, item)
            if taken:
                shown.append({**item, "is_main": not shown} if "is_main" in item else item)
            linklist.forget(change, (table, loser["id"]), (other, item["id"]))
            if taken:
                linklist.tell(change, (table, main["id"]), (other, item["id"]), shown[-1])
            if other in PERSON_LIKE:
                kept = taken or any(known.get("id") == item.get("id") for known in shown)
                _point(change, other, item.get("id"), table, loser["id"], main["id"] if kept else None)


def _room(other: str, shown: list[Row], item: Row) -> bool:
    """A card has one company; otherwise everything new is welcome."""
    if other == "companies" and shown:
        return False
    return all(known.get("id") != item.get("id") for known in shown)


def _point(change: Change, table: str, row_id: Any, other: str, old_id: Any, new_id: Any) -> None:
    """Let a partner card show the winner instead of the loser, or neither when there is no winner."""
    row = change.find(table, row_id)
    shown = (row or {}).get("_embedded", {}).get(other)
    if row is None or not isinstance(shown, list):
        return
    old = next((item for item in shown if item.get("id") == old_id), None)
    kept = [item for item in shown if item.get("id") != old_id]
    if old is not None and new_id is not None and all(item.get("id") != new_id for item in kept):
        kept.append({**old, "id": new_id})
    row["_embedded"][other] = kept
    change.put(table, row)
    linklist.follow(change, table, row)


def _move_belongings(change: Change, table: str, old_id: Any, new_id: Any) -> None:
    for note in change.rows(f"notes_{table}", "entity_id = ?", old_id):
        change.put(f"notes_{table}", {**note, "entity_id": new_id})
    for task in change.rows("tasks", "entity_id = ? AND entity_type = ?", old_id, table):
        change.put("tasks", {**task, "entity_id": new_id})
    if table == "customers":
        for purchase in change.rows("transactions", "customer_id = ?", old_id):
            change.put("transactions", {**purchase, "customer_id": new_id})
    of_card = "? IN (json_extract(body, '$.entity_id'), json_extract(body, '$.contact_id'))"
    for talk in change.rows("talks", of_card, old_id):
        moved = dict(talk)
        if talk.get("entity_id") == old_id and str(talk.get("entity_type")) in (table, SINGULAR[table]):
            moved["entity_id"] = new_id
        if table == "contacts" and talk.get("contact_id") == old_id:
            moved["contact_id"] = new_id
        if moved != talk:
            change.put("talks", moved)
