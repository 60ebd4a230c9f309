"""Facts from the mirror, for the whole account or for what changed; both give the same rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from widget_backend.crm.models import GroupMembership, Lead, Link, Task
from widget_backend.kpi.call_facts import Subject, reassign_calls, rebuild_all_calls, refresh_calls
from widget_backend.kpi.histories import BATCH, batches, rebuild_histories, table_of
from widget_backend.kpi.lead_facts import rebuild_lead_facts
from widget_backend.kpi.models import LeadFact, OwnerInterval, PriceInterval, StaleSubject, StatusVisit
from widget_backend.kpi.stale import mark_all_stale, mark_stale, oldest_marks, take_off
from widget_backend.kpi.surroundings import load_surroundings

__all__ = ["RebuildResult", "mark_all_stale", "mark_stale", "rebuild", "rebuild_stale"]


@dataclass(frozen=True, kw_only=True)
class RebuildResult:
    """How many lead facts and call facts were built."""

    leads: int
    calls: int


def rebuild(
    session: Session, account_id: int, lead_ids: Collection[int] | None, *, as_of: datetime
) -> RebuildResult:
    """Build the facts of these leads and of the calls that may be theirs; None builds the whole account.

    A whole build also takes off every stale mark it saw. Commits nothing.
    """
    if lead_ids is None:
        return _rebuild_all(session, account_id, as_of)
    return _rebuild_subjects(session, account_id, {("leads", lead_id) for lead_id in lead_ids}, as_of)


def rebuild_stale(session: Session, account_id: int, *, as_of: datetime, limit: int = 500) -> int:
    """Build what the oldest ``limit`` stale marks ask for, and the leads whose receiver time has decided.

    Returns how many marks and such leads were done: 0 when everything is fresh. Call it until then, one call
    per transaction and one caller per account.
    """
    marks = oldest_marks(session, account_id, limit)
    due = _due(session, account_id, as_of, limit)
    if not marks and not due:
        return 0
    subjects = {(kind, entity_id) for kind, entity_id, _ in marks}
    _rebuild_subjects(session, account_id, subjects, as_of, received=due)
    take_off(session, account_id, marks)
    return len(marks) + len(due)


def _rebuild_all(session: Session, account_id: int, as_of: datetime) -> RebuildResult:
    known = load_surroundings(session, account_id)
    marks = oldest_marks(session, account_id, _count_marks(session, account_id))
    for model in (StatusVisit, OwnerInterval, PriceInterval, LeadFact):
        table = table_of(model)
        session.execute(delete(table).where(table.c.account_id == account_id))
    for batch in _all_leads(session, account_id):
        rebuild_histories(session, account_id, batch)
    calls = rebuild_all_calls(session, account_id, known)
    leads = 0
    for batch in _all_leads(session, account_id):
        leads += rebuild_lead_facts(session, account_id, batch, known, as_of=as_of)
    take_off(session, account_id, marks)
    return RebuildResult(leads=leads, calls=calls)


def _rebuild_subjects(
    session: Session,
    account_id: int,
    subjects: Collection[Subject],
    as_of: datetime,
    received: Collection[int] = (),
) -> RebuildResult:
    """Histories first, then calls (they need histories), then lead facts (they need calls)."""
    known = load_surroundings(session, account_id)
    wanted = _without_tasks(session, account_id, subjects)
    lead_ids = {entity_id for kind, entity_id in wanted if kind == "leads"}
    rebuild_histories(session, account_id, lead_ids)
    changed, calls = refresh_calls(session, account_id, wanted, known)
    calls += reassign_calls(session, account_id, lead_ids, known)
    affected = lead_ids | _leads_of(session, account_id, changed) | set(received)
    leads = rebuild_lead_facts(session, account_id, affected, known, as_of=as_of)
    return RebuildResult(leads=leads, calls=calls)


def _without_tasks(session: Session, account_id: int, subjects: Collection[Subject]) -> set[Subject]:
    """The same subjects, each task replaced by what it hangs on."""
    found = {subject for subject in subjects if subject[0] != "tasks"}
    for batch in batches(entity_id for kind, entity_id in subjects if kind == "tasks"):
        wanted = select(Task.entity_type, Task.entity_id).where(
            Task.account_id == account_id, Task.id.in_(batch), Task.entity_id.is_not(None)
        )
        found |= {
            (kind, id_) for kind, id_ in session.execute(wanted) if kind is not None and id_ is not None
        }
    return found


def _leads_of(session: Session, account_id: int, subjects: Iterable[Subject]) -> set[int]:
    """The leads among these subjects and those linked to them."""
    subjects = list(subjects)
    found = {entity_id for kind, entity_id in subjects if kind == "leads"}
    for to_type in ("contacts", "companies"):
        for batch in batches(entity_id for kind, entity_id in subjects if kind == to_type):
            linked = select(Link.lead_id).where(
                Link.account_id == account_id, Link.to_type == to_type, Link.to_id.in_(batch)
            )
            found |= set(session.scalars(linked))
    return found


def _due(session: Session, account_id: int, as_of: datetime, limit: int) -> list[int]:
    """Leads whose receiver time has decided since they were built, or whose present owner changed group."""
    facts = table_of(LeadFact)
    group_now = (
        select(GroupMembership.group_id)
        .where(
            GroupMembership.account_id == facts.c.account_id,
            GroupMembership.user_id == facts.c.new_user_id,
            GroupMembership.valid_from <= as_of,
        )
        .order_by(GroupMembership.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    changed = or_(facts.c.settles_at <= as_of, facts.c.new_group_id.is_distinct_from(group_now))
    wanted = (
        select(facts.c.lead_id)
        .where(and_(facts.c.account_id == account_id, facts.c.settles_at.is_not(None), changed))
        .order_by(facts.c.lead_id)
        .limit(limit)
    )
    return list(session.scalars(wanted))


def _count_marks(session: Session, account_id: int) -> int:
    table = table_of(StaleSubject)
    wanted = select(func.count()).select_from(table).where(table.c.account_id == account_id)
    return int(session.scalar(wanted) or 0)


def _all_leads(session: Session, account_id: int) -> Iterable[list[int]]:
    """Ids of all leads, a batch at a time."""
    last = None
    while True:
        wanted = select(Lead.id).where(Lead.account_id == account_id).order_by(Lead.id).limit(BATCH)
        batch = list(session.scalars(wanted.where(Lead.id > last) if last is not None else wanted))
        if not batch:
            return
        yield batch
        last = batch[-1]
