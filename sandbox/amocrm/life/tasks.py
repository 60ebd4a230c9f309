"""Tasks: made, changed, completed, deleted; the card's `closest_task_at` follows them."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import PERSON_LIKE, Row

_EVENTS = {
    "text": ("task_text_changed", "task", "text"),
    "complete_till": ("task_deadline_changed", "task_deadline", "timestamp"),
    "task_type_id": ("task_type_changed", "task_type", "id"),
}


def create(change: Change, given: Row) -> Row:
    """A new task; Impossible when it hangs on nothing that exists."""
    entity_type, entity_id = given.get("entity_type"), given.get("entity_id")
    _known_kind(entity_type)
    if entity_id is not None:
        _holder(change, entity_type, entity_id)
    user_id = _user(change, given.get("responsible_user_id") or change.by)
    created_by = given.get("created_by", change.by)
    row = {
        "id": change.next_id("tasks"),
        "created_by": created_by,
        "updated_by": given.get("updated_by", created_by),
        "created_at": given.get("created_at") or change.now,
        "updated_at": given.get("updated_at") or change.now,
        "responsible_user_id": user_id,
        "group_id": change.group_of(user_id),
        "entity_id": entity_id,
        "entity_type": entity_type if entity_id is not None else None,
        "duration": given.get("duration") or 0,
        "is_completed": False,
        "task_type_id": given.get("task_type_id") or 1,
        "text": given.get("text") or "",
        "result": [],
        "complete_till": given["complete_till"],
        "account_id": change.account.id,
    }
    change.put("tasks", row)
    change.event("task_added", "task", row["id"])
    change.hook("add_task", "task", "add", items.task(change.account, row))
    _follow(change, row)
    return edit(change, row, {"is_completed": True, **given}) if given.get("is_completed") else row


def _user(change: Change, user_id: Any) -> Any:
    """The user if there is one; 0, the robot, stands for nobody."""
    if user_id and change.find("users", user_id) is None:
        raise Impossible(f"there is no user {user_id}", "responsible_user_id")
    return user_id


def _known_kind(entity_type: Any) -> None:
    if entity_type is not None and entity_type not in PERSON_LIKE:
        raise Impossible("The value you selected is not a valid choice.", "entity_type")


def _holder(change: Change, entity_type: Any, entity_id: Any) -> Row:
    _known_kind(entity_type or "")
    row = change.find(entity_type, entity_id)
    if row is None or row.get("is_deleted") or row.get("_merged_into"):
        raise Impossible(f"there is no {entity_type} {entity_id}", "entity_id", "NotFound")
    return row


def edit(change: Change, row: Row, patch: Row) -> Row:
    """Apply a patch; completing it, with or without a result, is one too."""
    before = dict(row)
    _known_kind(patch.get("entity_type"))
    for name, (kind, outer, inner) in _EVENTS.items():
        if patch.get(name) is not None and patch[name] != row.get(name):
            old, row[name] = row.get(name), patch[name]
            change.event(kind, "task", row["id"], [{outer: {inner: old}}], [{outer: {inner: row[name]}}])
    if patch.get("duration") is not None:
        row["duration"] = patch["duration"]
    if patch.get("entity_id") is not None and patch.get("entity_type"):
        _holder(change, patch["entity_type"], patch["entity_id"])
        row["entity_id"], row["entity_type"] = patch["entity_id"], patch["entity_type"]
    _reassign(change, row, patch)
    extra = _complete(change, row, patch)
    if row == before and "updated_at" not in patch:
        return row
    row["updated_at"] = patch.get("updated_at") or change.now
    row["updated_by"] = patch.get("updated_by", change.by)
    if before.get("text") != row.get("text"):
        extra["old_text"] = before.get("text")
    change.put("tasks", row)
    change.hook("update_task", "task", "update", items.task(change.account, row, **extra))
    if before.get("responsible_user_id") != row.get("responsible_user_id"):
        old_user = {"old_responsible_user_id": before.get("responsible_user_id")}
        change.hook("responsible_task", "task", "responsible", items.task(change.account, row, **old_user))
    _follow(change, before)
    _follow(change, row)
    return row


def _reassign(change: Change, row: Row, patch: Row) -> None:
    user_id, old = patch.get("responsible_user_id"), row.get("responsible_user_id")
    if user_id is None or user_id == old:
        return
    row["responsible_user_id"], row["group_id"] = _user(change, user_id), change.group_of(user_id)
    change.event(
        "entity_responsible_changed", "task", row["id"],
        [{"responsible_user": {"id": old}}], [{"responsible_user": {"id": user_id}}],
    )  # fmt: skip


def _complete(change: Change, row: Row, patch: Row) -> Row:
    """Set or take away the check mark; answers what the hook says about it."""
    extra: Row = {}
    result = patch.get("result")
    text = result.get("text") if isinstance(result, dict) else None
    if patch.get("is_completed") is not None and bool(patch["is_completed"]) != bool(row.get("is_completed")):
        row["is_completed"] = bool(patch["is_completed"])
        if row["is_completed"]:
            change.event("task_completed", "task", row["id"])
            extra["action_close"] = 1
    if text:
        row["result"] = {"text": text}
        note_id = change.next_id("notes_leads")
        change.event("task_result_added", "task", row["id"], [], [{"note": {"id": note_id}}])
        extra["result"] = {"id": note_id, "text": text}
    return extra


def delete(change: Change, row: Row) -> None:
    """Take the task away for good, as people do in the interface."""
    change.remove("tasks", row["id"])
    change.event("task_deleted", "task", row["id"])
    change.hook("delete_task", "task", "delete", items.task(change.account, row))
    _follow(change, row)


def closest(change: Change, table: str, entity_id: Any) -> Any:
    """The earliest deadline of a card's open tasks; None when it has none."""
    found = change.connection.execute(
        "SELECT min(complete_till) FROM tasks WHERE account_id = ? AND entity_id = ? AND entity_type = ?"
        " AND is_completed = 0",
        (change.account.id, entity_id, table),
    )
    return found.fetchone()[0]


def _follow(change: Change, task: Row) -> None:
    """Set the card's `closest_task_at` to the earliest open deadline; by itself no edit of the card."""
    table, entity_id = task.get("entity_type"), task.get("entity_id")
    if table not in PERSON_LIKE or entity_id is None:
        return
    card = change.find(table, entity_id)
    if card is None:
        return
    earliest, bumps = closest(change, table, entity_id), change.world.switches["bump_on_notes"]
    if bumps or earliest != card.get("closest_task_at"):
        card["closest_task_at"] = earliest
        if bumps:
            card["updated_at"] = change.now
        change.put(table, card)
