"""Notes, calls among them, on leads, contacts, companies and customers."""

from typing import Any

from sandbox.amocrm.hooks import bodies as hooks
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import NOTE_EVENTS, NOTE_PARAMS, PERSON_LIKE, SINGULAR, Row


def create(change: Change, table: str, given: Row) -> Row:
    """A new note on the card `given["entity_id"]` of `table`; Impossible when it cannot be."""
    kind, entity_id = given.get("note_type"), given.get("entity_id")
    if table not in PERSON_LIKE or kind not in NOTE_EVENTS:
        raise Impossible("The value you selected is not a valid choice.", "note_type")
    card = change.find(table, entity_id)
    if card is None or card.get("is_deleted") or card.get("_merged_into"):
        raise Impossible(f"there is no {table} {entity_id}", "entity_id", "NotFound")
    created_by = given.get("created_by", change.by)
    user_id = given.get("responsible_user_id") or card.get("responsible_user_id")
    row = {
        "id": change.next_id(f"notes_{table}"),
        "entity_id": entity_id,
        "created_by": created_by,
        "updated_by": created_by,
        "created_at": given.get("created_at") or change.now,
        "updated_at": given.get("updated_at") or change.now,
        "responsible_user_id": user_id,
        "group_id": change.group_of(user_id),
        "note_type": kind,
        "params": given.get("params") or {},
        "account_id": change.account.id,
    }
    change.put(f"notes_{table}", row)
    _tell(change, table, card, row)
    return row


def _tell(change: Change, table: str, card: Row, row: Row) -> None:
    one = SINGULAR[table]
    kind = NOTE_EVENTS[str(row["note_type"])]
    change.event(kind, one, row["entity_id"], [], [{"note": {"id": row["id"]}}])
    item = hooks.note_item(change.account, row, table, card.get("responsible_user_id"))
    if table == "companies":
        item["type"] = "company"
    change.hook(f"note_{one}", "contacts" if table == "companies" else table, "note", item)
    if change.world.switches["bump_on_notes"]:
        card["updated_at"] = change.now
        change.put(table, card)


def edit(change: Change, table: str, row: Row, patch: Row) -> Row:
    """Change a note's params; its type stays."""
    if isinstance(patch.get("params"), dict):
        row["params"] = {**(row.get("params") or {}), **patch["params"]}
    row["updated_at"] = patch.get("updated_at") or change.now
    row["updated_by"] = patch.get("updated_by", change.by)
    change.put(f"notes_{table}", row)
    return row


def missing_params(kind: Any, params: Any) -> list[str]:
    """The required keys of `params` that are not given."""
    params = params if isinstance(params, dict) else {}
    return [name for name in NOTE_PARAMS.get(str(kind), ()) if name not in params]
