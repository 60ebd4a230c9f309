"""Events that say what no list says: a record is gone, back, linked elsewhere, or has swallowed another."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.crm.models import Event, Link
from widget_backend.crm.writes import ENTITY_TABLES, PLURAL
from widget_backend.db.engine import session_scope
from widget_backend.sync.reread import NOTES, reread, reread_belongings

SUFFIXES = ("_deleted", "_restored", "_linked", "_unlinked")
MERGED = "entity_merged"
NOTE_DELETED = "_note_deleted"


@dataclass(kw_only=True)
class Telltales:
    """Records to look at again, by stream.

    ``merged`` are those that took part in a merge, ``gone`` those that the log calls deleted or merged.
    """

    records: dict[str, set[int]] = field(default_factory=dict)
    merged: dict[str, set[int]] = field(default_factory=dict)
    gone: dict[str, set[int]] = field(default_factory=dict)

    def add(self, stream: str, ids: Collection[int], *, gone: bool) -> None:
        """Look at these again."""
        self.records.setdefault(stream, set()).update(ids)
        if gone:
            self.gone.setdefault(stream, set()).update(ids)


def read_telltales(events: Iterable[Mapping[str, Any]]) -> Telltales:
    """What these events (as the API shows them) make it necessary to look at again."""
    found = Telltales()
    for event in events:
        kind = str(event.get("type") or "")
        if not kind.endswith(SUFFIXES) and kind != MERGED:
            continue
        entity = PLURAL.get(str(event.get("entity_type")), str(event.get("entity_type")) + "s")
        if entity not in ENTITY_TABLES:
            continue
        if kind.endswith(NOTE_DELETED):
            if entity in NOTES:
                notes = _note_ids(event.get("value_before"), event.get("value_after"))
                found.add(NOTES[entity], notes, gone=True)
            continue
        ids = {event.get("entity_id")}
        if kind == MERGED:
            ids |= _ids_inside(event.get("value_before"), event.get("value_after"))
        known = {i for i in ids if isinstance(i, int) and not isinstance(i, bool)}
        found.add(entity, known, gone=kind.endswith("_deleted") or kind == MERGED)
        if kind == MERGED:
            found.merged.setdefault(entity, set()).update(known)
    return found


def _ids_inside(*values: Any) -> set[int]:
    """Ids that a merge names somewhere in its values (their shape is not known)."""
    found: set[int] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("id"), int) and "entity" not in value:
                found.add(value["id"])
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def _note_ids(*values: Any) -> set[int]:
    """Ids of the notes that an event names: ``[{"note": {"id": 1}}]``."""
    notes = (item.get("note") for value in values if isinstance(value, list) for item in value
             if isinstance(item, Mapping))  # fmt: skip
    ids = (note.get("id") for note in notes if isinstance(note, Mapping))
    return {note_id for note_id in ids if isinstance(note_id, int)}


def follow(engine: Engine, client: AmoClient, account_id: int, found: Telltales, priority: Priority) -> None:
    """Look at them again. Safe to repeat.

    Notes, tasks and links of a swallowed record move to the one that remains, and neither they nor the linked
    leads need to get a new ``updated_at``: so all of them are read.
    """
    records = {entity: set(ids) for entity, ids in found.records.items()}
    with session_scope(engine, account_id) as session:
        for entity in ("contacts", "companies"):
            linked = _linked_leads(session, account_id, entity, found.merged.get(entity, set()))
            if linked:
                records.setdefault("leads", set()).update(linked)
    for entity, ids in records.items():
        reread(engine, client, account_id, entity, ids, priority, proven=found.gone.get(entity, ()))
    for entity, ids in found.merged.items():
        if entity in NOTES:
            reread_belongings(engine, client, account_id, entity, ids, priority)


def _linked_leads(session: Session, account_id: int, to_type: str, ids: set[int]) -> set[int]:
    if not ids:
        return set()
    query = select(Link.lead_id).where(
        Link.account_id == account_id, Link.to_type == to_type, Link.to_id.in_(ids)
    )
    return set(session.scalars(query))


def unseen(session: Session, account_id: int, items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events among these that the mirror does not have yet."""
    listed = list(items)
    known = set(
        session.scalars(
            select(Event.id).where(
                Event.account_id == account_id, Event.id.in_([str(i.get("id")) for i in listed])
            )
        )
    )
    return [item for item in listed if str(item.get("id")) not in known]


def stored_since(session: Session, account_id: int, since: datetime) -> Telltales:
    """The telltales among the mirrored events from ``since`` on."""
    events = session.execute(
        select(Event.type, Event.entity_type, Event.entity_id, Event.value_before, Event.value_after).where(
            Event.account_id == account_id, Event.created_at >= since
        )
    )
    return read_telltales(dict(row) for row in events.mappings())
