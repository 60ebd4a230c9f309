"""Builds ``lead_facts``: what each lead contributes to the metrics."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, Select, Subquery, and_, case, delete, literal, or_, select, union_all
from sqlalchemy.orm import Session

from widget_backend.amocrm.vocabulary import (
    EVENT_OF_ENTITY,
    ROBOT,
    TASK_COMPLETED,
    TASK_MEETING,
    WRITTEN_BY_PERSON,
)
from widget_backend.crm.history import (
    first_place,
    holding_at,
    holding_before,
    owner_intervals,
    status_moves,
    status_visits,
)
from widget_backend.crm.models import Event, Lead, Link, Task
from widget_backend.kpi.calls import OUT
from widget_backend.kpi.histories import LeadLog, batches, load_leads, store, table_of
from widget_backend.kpi.models import CallFact, LeadFact
from widget_backend.kpi.outcomes import (
    COUNTED_AS_NEW,
    OUTCOMES,
    RECEIVED_WITHIN,
    outcome_of,
    received_at,
)
from widget_backend.kpi.surroundings import Surroundings

# A task so answered was not a meeting held.
NOT_HELD = ("отмен", "не состоял", "перен")

# (lead id, moment, whether the touch hangs on the lead itself)
Touch = tuple[int, datetime, bool]


def rebuild_lead_facts(
    session: Session, account_id: int, lead_ids: Collection[int], known: Surroundings, *, as_of: datetime
) -> int:
    """Build and store the facts of these leads; those that no longer count lose theirs. Returns the count."""
    table, count = table_of(LeadFact), 0
    for batch in batches(lead_ids):
        session.execute(delete(table).where(table.c.account_id == account_id, table.c.lead_id.in_(batch)))
        logs = load_leads(session, account_id, batch)
        touches = _touches(session, account_id, batch)
        store(
            session,
            LeadFact,
            [
                {"account_id": account_id, **lead_fact(log, touches.get(log.row.id, ()), known, as_of=as_of)}
                for log in logs
            ],
        )
        count += len(logs)
    return count


def lead_fact(
    log: LeadLog, touches: Sequence[tuple[datetime, bool]], known: Surroundings, *, as_of: datetime
) -> dict[str, Any]:
    """The columns of one lead's fact.

    ``touches`` are (moment, hangs on the lead itself); one on a contact or company counts only while the lead
    is open.
    """
    lead = log.row
    moves = status_moves(lead, log.events)
    visits = status_visits(lead, log.events)
    owners = owner_intervals(lead, log.events)
    present_id = lead.responsible_user_id or None
    counted = []
    for moment, own in touches:
        visit = holding_at(visits, moment)
        if own or (visit is not None and known.is_open(visit.place)):
            counted.append(moment)
    received = received_at(lead, moves, counted)
    settled = received <= as_of
    # As with outcomes, an owner change in the same second comes after what happened.
    new_user_id = holding_before(owners, received).user_id if settled else present_id
    first_pipeline_id = first_place(lead, log.events, moves).pipeline_id
    outcome = outcome_of(lead, moves, known.role_of)
    closed_user_id = holding_before(owners, outcome.moved_at).user_id if outcome else None
    moved_at = outcome.moved_at if outcome else None
    return {
        "lead_id": lead.id,
        "created_at": lead.created_at,
        "price": lead.price if lead.price is not None else Decimal(0),
        "source_id": lead.source_id,
        "is_new": known.role_of(first_pipeline_id) in COUNTED_AS_NEW,
        "new_pipeline_id": first_pipeline_id,
        "new_user_id": new_user_id,
        "new_group_id": known.group_at(new_user_id, received if settled else as_of),
        "settles_at": None if settled else received,
        "current_user_id": present_id,
        "current_group_id": known.group_at(present_id, moved_at),
        "outcome": outcome.name if outcome else None,
        "closed_at": outcome.closed_at if outcome else None,
        "closed_pipeline_id": outcome.pipeline_id if outcome else None,
        "closed_user_id": closed_user_id,
        "closed_group_id": known.group_at(closed_user_id, moved_at),
        "loss_reason_id": lead.loss_reason_id if outcome and outcome.name in OUTCOMES.values() else None,
    }


# --- touches -------------------------------------------------------------------------------------------


def _touches(
    session: Session, account_id: int, lead_ids: Sequence[int]
) -> dict[int, list[tuple[datetime, bool]]]:
    """Touches by a person in the first 24 hours of each lead: later ones cannot decide who received it."""
    subjects = _subjects(account_id, lead_ids)
    found: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
    for lead_id, moment, own in (
        *_call_touches(session, account_id, subjects),
        *_written_touches(session, account_id, subjects),
        *_meetings(session, account_id, subjects),
    ):
        found[lead_id].append((moment, own))
    return found


def _subjects(account_id: int, lead_ids: Sequence[int]) -> Subquery:
    """What a touch of these leads may hang on: the lead itself, its contacts, its companies."""
    until_at = (Lead.created_at + RECEIVED_WITHIN).label("until_at")
    own = select(
        Lead.id.label("lead_id"),
        Lead.created_at,
        until_at,
        literal("leads").label("entity_type"),
        Lead.id.label("entity_id"),
        literal(1, Integer).label("is_own"),
    ).where(Lead.account_id == account_id, Lead.id.in_(lead_ids))
    linked = (
        select(Lead.id, Lead.created_at, until_at, Link.to_type, Link.to_id, literal(0, Integer))
        .join(Link, and_(Link.account_id == Lead.account_id, Link.lead_id == Lead.id))
        .where(Lead.account_id == account_id, Lead.id.in_(lead_ids))
    )
    return union_all(own, linked).subquery("subjects")


def _each(subjects: Subquery, found: Select[Any], *columns: str) -> Select[Any]:
    """Join what hangs on each subject, looked up subject by subject.

    OFFSET 0 keeps the planner from reordering the join: without statistics, in a first build, it otherwise
    reads the whole table for each batch.
    """
    looked_up = found.offset(0).lateral("looked_up")
    names: list[Any] = [looked_up.c[name] for name in columns]
    return select(subjects.c.lead_id, subjects.c.is_own, *names).join(looked_up, literal(True))


def _call_touches(session: Session, account_id: int, subjects: Subquery) -> list[Touch]:
    calls = table_of(CallFact)
    found = select(calls.c.at).where(
        calls.c.account_id == account_id,
        calls.c.note_entity_type == subjects.c.entity_type,
        calls.c.note_entity_id == subjects.c.entity_id,
        calls.c.at.between(subjects.c.created_at, subjects.c.until_at),
        calls.c.user_id.is_not(None),
        or_(calls.c.direction == OUT, calls.c.is_answered),
    )
    rows = session.execute(_each(subjects, found, "at"))
    return [(row.lead_id, row.at, bool(row.is_own)) for row in rows]


def _written_touches(session: Session, account_id: int, subjects: Subquery) -> list[Touch]:
    found = select(Event.created_at.label("at")).where(
        Event.account_id == account_id,
        Event.entity_type == case(EVENT_OF_ENTITY, value=subjects.c.entity_type),
        Event.entity_id == subjects.c.entity_id,
        Event.created_at.between(subjects.c.created_at, subjects.c.until_at),
        Event.type.in_(WRITTEN_BY_PERSON),
        Event.created_by != ROBOT,
    )
    rows = session.execute(_each(subjects, found, "at"))
    return [(row.lead_id, row.at, bool(row.is_own)) for row in rows]


def _meetings(session: Session, account_id: int, subjects: Subquery) -> list[Touch]:
    """Held meetings: completed by a person, with a result that does not say otherwise."""
    last_completion = (
        select(Event.created_at, Event.created_by)
        .where(
            Event.account_id == account_id,
            Event.entity_type == "task",
            Event.entity_id == Task.id,
            Event.type == TASK_COMPLETED,
        )
        .order_by(Event.created_at.desc(), Event.id.desc())
        .limit(1)
        .lateral("done")
    )
    found = (
        select(
            subjects.c.created_at,
            subjects.c.until_at,
            Task.result_text,
            Task.updated_at,
            Task.updated_by,
            last_completion.c.created_at.label("done_at"),
            last_completion.c.created_by.label("done_by"),
        )
        .select_from(table_of(Task).outerjoin(last_completion, literal(True)))
        .where(
            Task.account_id == account_id,
            Task.entity_type == subjects.c.entity_type,
            Task.entity_id == subjects.c.entity_id,
            Task.task_type_id == TASK_MEETING,
            Task.is_completed.is_(True),
            Task.is_deleted.is_(False),
        )
        .correlate(subjects)
    )
    names = ("created_at", "until_at", "result_text", "updated_at", "updated_by", "done_at", "done_by")
    wanted = _each(subjects, found, *names)
    held: list[Touch] = []
    for row in session.execute(wanted):
        moment, by = (row.done_at, row.done_by) if row.done_at else (row.updated_at, row.updated_by)
        result = (row.result_text or "").casefold()
        in_time = row.created_at <= moment <= row.until_at
        if in_time and by not in (None, ROBOT) and not any(part in result for part in NOT_HELD):
            held.append((row.lead_id, moment, bool(row.is_own)))
    return held
