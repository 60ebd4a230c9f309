"""Named relations that metrics aggregate. All have the same leading columns, then their own.

Agreed: account_id, entity_type, entity_id, at, user_id, group_id, pipeline_id, source_id; ``sort_type`` and
``subject_type``, ``subject_id`` serve drill-down (the record to open in amoCRM).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, and_, bindparam, case, func, literal, or_, select
from sqlalchemy.types import DateTime

from widget_backend.amocrm.vocabulary import CLOSED, UNSORTED_STATUS_TYPE
from widget_backend.crm.models import GroupMembership, Pipeline, Status
from widget_backend.crm.stage_roles import PipelineRole
from widget_backend.kpi.dimensions import EVERYWHERE
from widget_backend.kpi.histories import table_of
from widget_backend.kpi.models import CallFact, LeadFact, OwnerInterval, PriceInterval, StatusVisit

MOMENTS = ARRAY(DateTime(timezone=True))
COUNTED_ROLES = (PipelineRole.SALES, PipelineRole.PRE_SALE)


class Attribution(StrEnum):
    """Whose a closed lead is: the user responsible just before it was closed, or the one responsible now."""

    AT_EVENT = "at_event"
    CURRENT = "current"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a relation is built for. ``moments`` are those at which stocks are taken (exclusive ends)."""

    account_id: int
    attribution: Attribution
    moments: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A relation by name. A stock's has a column ``step``: which of the frame's moments, from 1."""

    name: str
    relation: Callable[[Frame], Select[Any]]
    dimensions: frozenset[str] = EVERYWHERE


def _lead_columns(facts: Any) -> list[ColumnElement[Any]]:
    return [
        facts.c.account_id,
        literal("leads").label("entity_type"),
        facts.c.lead_id.label("entity_id"),
        literal("").label("sort_type"),
        literal("leads").label("subject_type"),
        facts.c.lead_id.label("subject_id"),
        facts.c.source_id,
    ]


def leads_new(frame: Frame) -> Select[Any]:
    """Leads by creation, with their receiver and first pipeline; own: amount, outcome, closed_at."""
    facts = table_of(LeadFact)
    return select(
        *_lead_columns(facts),
        facts.c.created_at.label("at"),
        facts.c.new_user_id.label("user_id"),
        facts.c.new_group_id.label("group_id"),
        facts.c.new_pipeline_id.label("pipeline_id"),
        facts.c.price.label("amount"),
        facts.c.outcome,
        facts.c.closed_at,
    ).where(facts.c.account_id == frame.account_id, facts.c.is_new)


def leads_closed(frame: Frame) -> Select[Any]:
    """Won and lost leads by closing; own: amount, outcome, created_at, loss_reason_id."""
    facts = table_of(LeadFact)
    current = frame.attribution is Attribution.CURRENT
    return select(
        *_lead_columns(facts),
        facts.c.closed_at.label("at"),
        (facts.c.current_user_id if current else facts.c.closed_user_id).label("user_id"),
        (facts.c.current_group_id if current else facts.c.closed_group_id).label("group_id"),
        facts.c.closed_pipeline_id.label("pipeline_id"),
        facts.c.price.label("amount"),
        facts.c.outcome,
        facts.c.created_at,
        facts.c.loss_reason_id,
    ).where(facts.c.account_id == frame.account_id, facts.c.outcome.is_not(None))


def leads_won(frame: Frame) -> Select[Any]:
    """Won leads by the date of the win."""
    return leads_closed(frame).where(LeadFact.outcome == "won")


def leads_lost(frame: Frame) -> Select[Any]:
    """Lost leads by the date of the loss."""
    return leads_closed(frame).where(LeadFact.outcome == "lost")


def calls(frame: Frame) -> Select[Any]:
    """Calls by their moment, with performer and the lead's pipeline; own: direction, seconds, is_answered."""
    facts = table_of(CallFact)
    return select(
        facts.c.account_id,
        literal("calls").label("entity_type"),
        facts.c.note_id.label("entity_id"),
        facts.c.note_entity_type.label("sort_type"),
        case((facts.c.lead_id.is_not(None), "leads"), else_=facts.c.note_entity_type).label("subject_type"),
        func.coalesce(facts.c.lead_id, facts.c.note_entity_id).label("subject_id"),
        facts.c.source_id,
        facts.c.at,
        facts.c.user_id,
        facts.c.group_id,
        facts.c.pipeline_id,
        facts.c.direction,
        facts.c.seconds,
        facts.c.is_answered,
    ).where(facts.c.account_id == frame.account_id)


def leads_open(frame: Frame) -> Select[Any]:
    """Open leads at each of the frame's moments, as history has them; own: step, status_id, amount.

    ``at`` is when the lead entered the status it was in. State "at" an exclusive end is the state just before
    it, hence ``started_at < moment <= ended_at``.
    """
    moments = (
        func.unnest(bindparam(None, list(frame.moments), type_=MOMENTS))
        .table_valued("moment", with_ordinality="step", name="moments")
        .render_derived()
    )
    moment = moments.c.moment
    facts, visits = table_of(LeadFact), table_of(StatusVisit)
    owners, prices = table_of(OwnerInterval), table_of(PriceInterval)
    pipelines, statuses = table_of(Pipeline), table_of(Status)
    groups = table_of(GroupMembership)
    group_then = (
        select(groups.c.group_id)
        .where(
            groups.c.account_id == facts.c.account_id,
            groups.c.user_id == owners.c.user_id,
            groups.c.valid_from < moment,
        )
        .order_by(groups.c.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )

    def held(table: Any) -> ColumnElement[bool]:
        return and_(
            table.c.account_id == facts.c.account_id,
            table.c.lead_id == facts.c.lead_id,
            table.c.started_at < moment,
            or_(table.c.ended_at.is_(None), table.c.ended_at >= moment),
        )

    joined = (
        facts.join(moments, facts.c.created_at < moment)
        .join(visits, held(visits))
        .join(owners, held(owners), isouter=True)
        .join(prices, held(prices), isouter=True)
        .join(
            pipelines,
            and_(pipelines.c.account_id == facts.c.account_id, pipelines.c.id == visits.c.pipeline_id),
            isouter=True,
        )
        .join(
            statuses,
            and_(
                statuses.c.account_id == facts.c.account_id,
                statuses.c.pipeline_id == visits.c.pipeline_id,
                statuses.c.id == visits.c.status_id,
            ),
            isouter=True,
        )
    )
    return (
        select(
            *_lead_columns(facts),
            visits.c.started_at.label("at"),
            owners.c.user_id,
            group_then.label("group_id"),
            visits.c.pipeline_id,
            visits.c.status_id,
            func.coalesce(prices.c.price, 0).label("amount"),
            moments.c.step,
        )
        .select_from(joined)
        .where(
            facts.c.account_id == frame.account_id,
            visits.c.status_id.is_not(None),
            visits.c.status_id.not_in(sorted(CLOSED)),
            func.coalesce(statuses.c.type, 0) != UNSORTED_STATUS_TYPE,
            func.coalesce(pipelines.c.role, PipelineRole.SALES.value).in_([r.value for r in COUNTED_ROLES]),
        )
    )


FACTS: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact(name="leads_new", relation=leads_new),
        Fact(name="leads_won", relation=leads_won),
        Fact(name="leads_lost", relation=leads_lost),
        Fact(name="leads_closed", relation=leads_closed),
        Fact(name="leads_open", relation=leads_open, dimensions=EVERYWHERE | {"status"}),
        Fact(name="calls", relation=calls),
    )
}
