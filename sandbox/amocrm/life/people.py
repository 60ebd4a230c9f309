"""Cards come and go: create, link, delete, restore, purge, merge."""

from typing import Any

from sandbox.amocrm.life import cards, fields, tags
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.storage import views
from sandbox.amocrm.vocabulary import CLOSED, LOST, PERSON_LIKE, PLURAL, SINGULAR, Row


def create(change: Change, table: str, given: Row) -> Row:
    """A new card with its events and its `add_*` hook. Impossible names the field that cannot be."""
    created_by = given.get("created_by", change.by)
    user_id = given.get("responsible_user_id") or change.by
    if user_id and change.find("users", user_id) is None:
        raise Impossible(f"there is no user {user_id}", "responsible_user_id")
    created_at = given.get("created_at") or change.now
    row: Row = {
        "id": change.next_id(table),
        "name": given.get("name") or "",
        "responsible_user_id": user_id,
        "group_id": change.group_of(user_id),
        "created_by": created_by,
        "updated_by": given.get("updated_by", created_by),
        "created_at": created_at,
        "updated_at": given.get("updated_at") or change.now,
        **_own(change, table, given),
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": None,
        "account_id": change.account.id,
        "_embedded": {"tags": [], **({} if table == "companies" else {"companies": []})},
    }
    if not row["name"] and table == "leads":
        row["name"] = f"Сделка #{row['id']}"
    change.put(table, row)
    change.event(f"{SINGULAR[table]}_added", SINGULAR[table], row["id"], at=created_at)
    fields.apply(change, table, row, given.get("custom_fields_values"), "custom_fields_values" in given)
    tags.apply(change, table, row, given)
    change.put(table, row)
    _link_given(change, table, row["id"], given.get("_embedded"))
    row = change.get(table, row["id"])
    cards.fire(change, table, "add", row)
    return row


def _own(change: Change, table: str, given: Row) -> Row:
    if table == "leads":
        return _own_lead(change, given)
    if table == "contacts":
        first, last = given.get("first_name") or "", given.get("last_name") or ""
        return {"first_name": first, "last_name": last, "is_unsorted": False,
                "name": given.get("name") or f"{first} {last}".strip()}  # fmt: skip
    return {}


def main_pipeline(change: Change) -> int:
    """The pipeline a lead without one goes to. Impossible when the account has none."""
    every = change.rows("pipelines")
    for row in every:
        if row.get("is_main"):
            return int(row["id"])
    if not every:
        raise Impossible("the account has no pipeline", "pipeline_id")
    return int(every[0]["id"])


def _own_lead(change: Change, given: Row) -> Row:
    status_id = given.get("status_id")
    pipeline_id = given.get("pipeline_id") or _pipeline_of(change, status_id) or main_pipeline(change)
    if status_id is None:
        status_id = cards.first_status(change, pipeline_id)
    elif status_id not in {status.get("id") for status in cards.statuses_of(change, pipeline_id)}:
        raise Impossible(f"pipeline {pipeline_id} has no status {status_id}", "status_id")
    closed_at = given.get("closed_at") or change.now if status_id in CLOSED else None
    own = {
        "price": given.get("price") or 0,
        "status_id": status_id,
        "pipeline_id": pipeline_id,
        "loss_reason_id": given.get("loss_reason_id") if status_id == LOST else None,
        "source_id": given.get("source_id"),
        "closed_at": closed_at,
        "score": None,
        "labor_cost": None,
        "is_price_modified_by_robot": False,
    }
    if given.get("price_with_minor_units") is not None:
        own["price_with_minor_units"] = given["price_with_minor_units"]
        own["price"] = int(float(given["price_with_minor_units"]))
    return own


def _pipeline_of(change: Change, status_id: Any) -> int | None:
    if status_id is None or status_id in CLOSED:
        return None
    for row in change.rows("pipelines"):
        statuses = views.statuses_of(row)
        if any(status.get("id") == status_id for status in statuses):
            return int(row["id"])
    return None


def _link_given(change: Change, table: str, row_id: int, embedded: Any) -> None:
    for other in ("contacts", "companies", "leads", "customers"):
        items = embedded.get(other) if isinstance(embedded, dict) else None
        for item in items or []:
            if isinstance(item, dict) and item.get("id"):
                link(change, table, row_id, other, item["id"], is_main=item.get("is_main"))


def link(
    change: Change, table: str, row_id: Any, other: str, other_id: Any, *, is_main: bool | None = None
) -> None:
    """Tie two cards: each shows the other, `entity_linked` on both. Impossible when one is missing."""
    if table == "contacts" and other == "leads":
        table, row_id, other, other_id = other, other_id, table, row_id
    row, partner = _tied(change, table, row_id), _tied(change, other, other_id)
    shown = row.setdefault("_embedded", {}).setdefault(other, [])
    if any(item.get("id") == other_id for item in shown):
        return
    item: Row = {"id": other_id}
    if other == "contacts" and table == "leads":
        item["is_main"] = not shown if is_main is None else bool(is_main)
    shown.append(item)
    partner.setdefault("_embedded", {}).setdefault(table, []).append({"id": row_id})
    change.put(table, row)
    change.put(other, partner)
    _link_events(change, "entity_linked", table, row_id, other, other_id)


def _tied(change: Change, table: str, row_id: Any) -> Row:
    row = change.find(table, row_id)
    if row is None or row.get("is_deleted") or row.get("_merged_into"):
        raise Impossible(f"there is no {table} {row_id}", f"_embedded.{table}", "NotFound")
    return row


def unlink(change: Change, table: str, row_id: Any, other: str, other_id: Any) -> None:
    """Untie two cards; nothing happens when they were not tied."""
    tied = False
    for name, number, partner, partner_id in (
        (table, row_id, other, other_id),
        (other, other_id, table, row_id),
    ):
        row = change.find(name, number)
        if row is None:
            continue
        embedded = row.setdefault("_embedded", {})
        left = [item for item in embedded.get(partner) or [] if item.get("id") != partner_id]
        tied = tied or len(left) != len(embedded.get(partner) or [])
        embedded[partner] = left
        change.put(name, row)
    if tied:
        _link_events(change, "entity_unlinked", table, row_id, other, other_id)


def _link_events(change: Change, kind: str, table: str, row_id: Any, other: str, other_id: Any) -> None:
    for name, number, partner, partner_id in (
        (table, row_id, other, other_id),
        (other, other_id, table, row_id),
    ):
        shown = [{"link": {"entity": {"type": SINGULAR[partner], "id": partner_id}}}]
        before, after = ([], shown) if kind == "entity_linked" else (shown, [])
        change.event(kind, SINGULAR[name], number, before, after)


def delete(change: Change, table: str, row: Row) -> None:
    """Into the recycle bin."""
    row["is_deleted"] = True
    _touch(change, table, row)
    change.event(f"{SINGULAR[table]}_deleted", SINGULAR[table], row["id"])
    cards.fire(change, table, "delete", row)


def restore(change: Change, table: str, row: Row) -> None:
    """Out of the recycle bin."""
    row["is_deleted"] = False
    _touch(change, table, row)
    change.event(f"{SINGULAR[table]}_restored", SINGULAR[table], row["id"])
    if table != "customers":
        cards.fire(change, table, "restore", row)


def purge(change: Change, table: str, row: Row) -> None:
    """Out of the recycle bin for ever; amoCRM says nothing about it."""
    if not row.get("is_deleted"):
        raise Impossible(f"{table} {row['id']} is not in the recycle bin", "id")
    change.remove(table, row["id"])


def _touch(change: Change, table: str, row: Row) -> None:
    row["updated_at"], row["updated_by"] = change.now, change.by
    change.put(table, row)


def merge(change: Change, table: str, main: Row, losers: list[Row]) -> None:
    """The losers disappear into the main card, which gets their notes, tasks and links."""
    for loser in losers:
        _move_belongings(change, table, loser["id"], main["id"])
        for other in PERSON_LIKE:
            for item in list((loser.get("_embedded") or {}).get(other) or []):
                unlink_quietly(change, other, item.get("id"), table, loser["id"], main["id"])
                shown = main.setdefault("_embedded", {}).setdefault(other, [])
                if other != table and all(known.get("id") != item.get("id") for known in shown):
                    shown.append({**item, "is_main": False} if "is_main" in item else item)
        loser["_merged_into"] = main["id"]
        change.put(table, loser)
        if change.world.switches["merge_hooks"] == "delete_and_update":
            cards.fire(change, table, "delete", loser)
    _touch(change, table, main)
    lost = [{"merge": {"entity": {"type": SINGULAR[table], "id": loser["id"]}}} for loser in losers]
    change.event("entity_merged", SINGULAR[table], main["id"], lost, [])
    cards.fire(change, table, "update", main)


def unlink_quietly(change: Change, table: str, row_id: Any, other: str, old_id: Any, new_id: Any) -> None:
    """Let a partner card show the winner of a merge instead of the loser."""
    row = change.find(table, row_id)
    if row is None:
        return
    shown = (row.get("_embedded") or {}).get(other)
    if not isinstance(shown, list):
        return
    kept = [item for item in shown if item.get("id") not in (old_id, new_id)]
    row["_embedded"][other] = [*kept, {"id": new_id}]
    change.put(table, row)


def _move_belongings(change: Change, table: str, old_id: Any, new_id: Any) -> None:
    for note in change.rows(f"notes_{table}", "entity_id = ?", old_id):
        change.put(f"notes_{table}", {**note, "entity_id": new_id})
    for task in change.rows("tasks", "entity_id = ? AND entity_type = ?", old_id, table):
        change.put("tasks", {**task, "entity_id": new_id})


def table_of(entity: str) -> str:
    """`lead` or `leads` → `leads`; Impossible for anything that is no card."""
    table = PLURAL.get(entity, entity)
    if table not in PERSON_LIKE:
        raise Impossible(f"{entity} is none of {', '.join(PERSON_LIKE)}", "entity")
    return table
