"""Notes, calls and letters among them, on leads, contacts, companies and customers."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import NOTE_EVENTS, NOTE_PARAMS, NOTE_TRIGGERS, PERSON_LIKE, SINGULAR, Row

_NUMBERS = ("duration", "call_status")
_COORDINATES = ("longitude", "latitude")


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
        "updated_by": given.get("updated_by", created_by),
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
    trigger = NOTE_TRIGGERS.get(event_of(row))
    if table == "leads" and trigger and given.get("is_need_to_trigger_digital_pipeline", True):
        change.trigger(trigger, card)
    return row


def event_of(row: Row) -> str:
    """The type of the event that tells of a new note; letters have one for each direction."""
    kind = str(row["note_type"])
    if kind == "amomail_message" and not (row.get("params") or {}).get("income", True):
        return "outgoing_mail"
    return NOTE_EVENTS[kind]


def _tell(change: Change, table: str, card: Row, row: Row) -> None:
    one = SINGULAR[table]
    change.event(event_of(row), one, row["entity_id"], [], [{"note": {"id": row["id"]}}])
    tell_hook(change, table, card, row)
    if change.world.switches["bump_on_notes"]:
        card["updated_at"] = change.now
        change.put(table, card)


def tell_hook(change: Change, table: str, card: Row, row: Row, message_uuid: str | None = None) -> None:
    """Collect the hook `note_{entity}`; companies travel under `contacts`."""
    item = items.note(change.account, row, table, card.get("responsible_user_id"), message_uuid)
    top = "contacts" if table == "companies" else table
    change.hook(f"note_{SINGULAR[table]}", top, "note", item)


def edit(change: Change, table: str, row: Row, patch: Row) -> Row:
    """Change a note's params; its type stays."""
    if isinstance(patch.get("params"), dict):
        row["params"] = {**(row.get("params") or {}), **patch["params"]}
    row["updated_at"] = patch.get("updated_at") or change.now
    row["updated_by"] = patch.get("updated_by", change.by)
    change.put(f"notes_{table}", row)
    return row


def pin(change: Change, table: str, row: Row, *, is_pinned: bool) -> Row:
    """Keep a note on top of its card, or let it go; neither an event nor a hook tells of it."""
    row["is_pinned"] = is_pinned
    change.put(f"notes_{table}", row)
    return row


def delete(change: Change, table: str, row: Row) -> None:
    """Take a note away for good, as people do in the interface: an event is all that remains."""
    change.remove(f"notes_{table}", row["id"])
    gone = [{"note": {"id": row["id"]}}]
    change.event("common_note_deleted", SINGULAR[table], row.get("entity_id"), gone, [])


def check_params(kind: Any, params: Any) -> None:
    """Impossible names the first of `params` that a note of this type lacks, or that is of a wrong kind."""
    if kind not in NOTE_PARAMS:
        raise Impossible("The value you selected is not a valid choice.", "note_type")
    params = params if isinstance(params, dict) else {}
    for name in NOTE_PARAMS[str(kind)]:
        if name not in params:
            raise Impossible("This field is missing.", f"params.{name}", "FieldMissing")
    for name, value in params.items():
        _check_kind(name, value)


def _check_kind(name: str, value: Any) -> None:
    if name in _NUMBERS and value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Impossible("This value should be of type int.", f"params.{name}", "InvalidType")
    if name == "duration" and isinstance(value, int) and value < 0:
        raise Impossible("This value should be positive.", "params.duration", "InvalidValue")
    if name == "call_status" and isinstance(value, int) and not 1 <= value <= 8:
        raise Impossible("The value you selected is not a valid choice.", "params.call_status")
    if name in _COORDINATES and not _is_number(value):
        raise Impossible("This value should be of type numeric.", f"params.{name}", "InvalidType")
    if name in ("text", "phone", "service", "source") and not isinstance(value, str):
        raise Impossible("This value should be of type string.", f"params.{name}", "InvalidType")


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
