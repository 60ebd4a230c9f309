"""Builds ``call_legs`` and ``call_facts``: each call once, with its performer, lead and pipeline."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Select, Table, delete, select
from sqlalchemy.orm import Session

from widget_backend.amocrm.vocabulary import CALL_NOTES
from widget_backend.crm.models import Link, Note
from widget_backend.kpi.calls import LeadPast, Leg, lead_of_call, longest_legs, read_leg, same_call_key
from widget_backend.kpi.histories import BATCH, batches, load_pasts, store, table_of
from widget_backend.kpi.models import CallFact, CallLeg
from widget_backend.kpi.surroundings import Surroundings

# Customers have call notes too; their leads come with the customers section.
CALL_ENTITIES = ("leads", "contacts", "companies")
NOTE_COLUMNS = (
    "entity_type",
    "id",
    "entity_id",
    "note_type",
    "created_at",
    "created_by",
    "responsible_user_id",
    "params",
)
LEG_COLUMNS = tuple(Leg.__dataclass_fields__)
FACT_COLUMNS = tuple(name for name in LEG_COLUMNS if name != "uniq")

Subject = tuple[str, int]
NoteKey = tuple[str, int]


def rebuild_all_calls(session: Session, account_id: int, known: Surroundings) -> int:
    """Read every call note and build every call of the account; returns how many calls there are."""
    for model in (CallFact, CallLeg):
        table = table_of(model)
        session.execute(delete(table).where(table.c.account_id == account_id))
    notes = _note_query(account_id).order_by(Note.entity_type, Note.id)
    stream = session.execute(notes, execution_options={"yield_per": BATCH}).mappings()
    for chunk in _chunks(read_leg(dict(note), known.directory) for note in stream):
        store(session, CallLeg, [{"account_id": account_id, **asdict(leg)} for leg in chunk])
    count = 0
    for chunk in _chunks(_all_calls(session, account_id)):
        _store_calls(session, account_id, chunk, known)
        count += len(chunk)
    return count


def refresh_calls(
    session: Session, account_id: int, subjects: Collection[Subject], known: Surroundings
) -> tuple[set[Subject], int]:
    """Read the call notes of these subjects again and rebuild every call they are, or were, a leg of.

    Returns the subjects whose calls may have changed, and how many calls were built.
    """
    legs_table = table_of(CallLeg)
    notes = [note for part in _by_type(subjects) for note in _notes_of(session, account_id, *part)]
    fresh = {leg.key: leg for leg in (read_leg(note, known.directory) for note in notes)}
    stale = {leg.key: leg for part in _by_type(subjects) for leg in _legs_of(session, account_id, *part)}
    stale |= {leg.key: leg for leg in _legs_by_key(session, account_id, fresh)}
    _delete_keys(session, legs_table, account_id, stale)
    store(session, CallLeg, [{"account_id": account_id, **asdict(leg)} for leg in fresh.values()])
    touched = [*stale.values(), *fresh.values()]
    family = {leg.key: leg for leg in _families(session, account_id, touched)}
    _delete_keys(session, table_of(CallFact), account_id, {*stale, *family})
    calls = longest_legs(family.values())
    _store_calls(session, account_id, calls, known)
    changed = {(leg.note_entity_type, leg.note_entity_id) for leg in (*touched, *family.values())}
    return changed | set(subjects), len(calls)


def reassign_calls(session: Session, account_id: int, lead_ids: Collection[int], known: Surroundings) -> int:
    """Choose the lead anew for every call on these leads, on what they are linked to, or theirs so far."""
    calls = table_of(CallFact)
    columns: list[Any] = [calls.c[name] for name in FACT_COLUMNS]
    base = select(*columns).where(calls.c.account_id == account_id)
    subjects: set[Subject] = {("leads", lead_id) for lead_id in lead_ids}
    wanted = []
    for batch in batches(lead_ids):
        wanted.append(base.where(calls.c.lead_id.in_(batch)))
        links = select(Link.to_type, Link.to_id).where(Link.account_id == account_id, Link.lead_id.in_(batch))
        subjects |= {(to_type, to_id) for to_type, to_id in session.execute(links)}
    for entity_type, ids in _by_type(subjects):
        wanted.append(base.where(calls.c.note_entity_type == entity_type, calls.c.note_entity_id.in_(ids)))
    legs = [Leg(**row, uniq=None) for query in wanted for row in session.execute(query).mappings()]
    found = {leg.key: leg for leg in legs}
    for chunk in _chunks(found.values()):
        _delete_keys(session, calls, account_id, [leg.key for leg in chunk])
        _store_calls(session, account_id, chunk, known)
    return len(found)


# --- storing -------------------------------------------------------------------------------------------


def _store_calls(session: Session, account_id: int, calls: Sequence[Leg], known: Surroundings) -> None:
    leads_of = _candidates(session, account_id, {(leg.note_entity_type, leg.note_entity_id) for leg in calls})
    rows = []
    for leg in calls:
        lead = lead_of_call(leg, leads_of.get((leg.note_entity_type, leg.note_entity_id), ()), known.is_open)
        visit = (lead.visit_at(leg.at) or lead.visits[0]) if lead else None
        rows.append(
            {
                "account_id": account_id,
                **{name: getattr(leg, name) for name in FACT_COLUMNS},
                "group_id": known.group_at(leg.user_id, leg.at),
                "lead_id": lead.id if lead else None,
                "pipeline_id": visit.place.pipeline_id if visit else None,
                "source_id": lead.source_id if lead else None,
            }
        )
    store(session, CallFact, rows)


def _candidates(
    session: Session, account_id: int, subjects: Collection[Subject]
) -> dict[Subject, list[LeadPast]]:
    """The leads a call on each subject may belong to: the lead itself, or the present links."""
    lead_ids: dict[Subject, set[int]] = defaultdict(set)
    for entity_type, ids in _by_type(subjects):
        if entity_type == "leads":
            for lead_id in ids:
                lead_ids["leads", lead_id].add(lead_id)
            continue
        wanted = select(Link.to_id, Link.lead_id).where(
            Link.account_id == account_id, Link.to_type == entity_type, Link.to_id.in_(ids)
        )
        for entity_id, lead_id in session.execute(wanted):
            lead_ids[entity_type, entity_id].add(lead_id)
    pasts = load_pasts(session, account_id, {lead_id for ids in lead_ids.values() for lead_id in ids})
    return {
        subject: [pasts[lead_id] for lead_id in sorted(ids) if lead_id in pasts]
        for subject, ids in lead_ids.items()
    }


def _delete_keys(session: Session, table: Table, account_id: int, keys: Iterable[NoteKey]) -> None:
    for entity_type, ids in _by_type(keys):
        session.execute(
            delete(table).where(
                table.c.account_id == account_id,
                table.c.note_entity_type == entity_type,
                table.c.note_id.in_(ids),
            )
        )


# --- reading -------------------------------------------------------------------------------------------


def _note_query(account_id: int) -> Select[Any]:
    columns: list[Any] = [table_of(Note).c[name] for name in NOTE_COLUMNS]
    return select(*columns).where(
        Note.account_id == account_id,
        Note.note_type.in_(CALL_NOTES),
        Note.entity_type.in_(CALL_ENTITIES),
        Note.is_deleted.is_(False),
    )


def _notes_of(
    session: Session, account_id: int, entity_type: str, ids: Sequence[int]
) -> Iterable[dict[str, Any]]:
    wanted = _note_query(account_id).where(Note.entity_type == entity_type, Note.entity_id.in_(ids))
    return [dict(note) for note in session.execute(wanted).mappings()]


def _leg_query(account_id: int) -> Select[Any]:
    legs = table_of(CallLeg)
    return select(*(legs.c[name] for name in LEG_COLUMNS)).where(legs.c.account_id == account_id)


def _legs(session: Session, wanted: Select[Any]) -> list[Leg]:
    return [Leg(**row) for row in session.execute(wanted).mappings()]


def _legs_of(session: Session, account_id: int, entity_type: str, ids: Sequence[int]) -> list[Leg]:
    wanted = _leg_query(account_id).where(
        CallLeg.note_entity_type == entity_type, CallLeg.note_entity_id.in_(ids)
    )
    return _legs(session, wanted)


def _legs_by_key(session: Session, account_id: int, keys: Iterable[NoteKey]) -> list[Leg]:
    """Legs stored under these keys: a note may have moved here from another subject."""
    return [
        leg
        for entity_type, ids in _by_type(keys)
        for leg in _legs(
            session,
            _leg_query(account_id).where(CallLeg.note_entity_type == entity_type, CallLeg.note_id.in_(ids)),
        )
    ]


def _families(session: Session, account_id: int, legs: Collection[Leg]) -> list[Leg]:
    """All stored legs that could be the same call as any of these."""
    keys = {same_call_key(leg) for leg in legs}
    uniqs = sorted({leg.uniq for leg in legs if leg.uniq is not None})
    phones = sorted({leg.phone for leg in legs if leg.uniq is None and leg.phone is not None})
    found = _legs_by_key(
        session, account_id, [leg.key for leg in legs if leg.uniq is None and leg.phone is None]
    )
    # One indexed column at a time: with no statistics yet (a first build) the planner scans for more.
    for column, values in ((CallLeg.uniq, uniqs), (CallLeg.phone, phones)):
        for start in range(0, len(values), BATCH):
            found += _legs(session, _leg_query(account_id).where(column.in_(values[start : start + BATCH])))
    return [leg for leg in found if same_call_key(leg) in keys]


def _all_calls(session: Session, account_id: int) -> Iterator[Leg]:
    """Every call of the account, one family of legs in memory at a time."""
    ordered = _leg_query(account_id).order_by(
        CallLeg.direction,
        CallLeg.uniq,
        CallLeg.phone,
        CallLeg.seconds,
        CallLeg.note_entity_type,
        CallLeg.note_id,
    )
    rows = session.execute(ordered, execution_options={"yield_per": BATCH}).mappings()
    for _, family in groupby((Leg(**row) for row in rows), key=same_call_key):
        yield from longest_legs(family)


def _by_type(keys: Iterable[tuple[str, int]]) -> Iterator[tuple[str, list[int]]]:
    ids: dict[str, list[int]] = defaultdict(list)
    for entity_type, entity_id in keys:
        if entity_type in CALL_ENTITIES:
            ids[entity_type].append(entity_id)
    for entity_type in sorted(ids):
        for batch in batches(ids[entity_type]):
            yield entity_type, batch


def _chunks(legs: Iterable[Leg]) -> Iterator[list[Leg]]:
    stream = iter(legs)
    while chunk := list(islice(stream, BATCH)):
        yield chunk
