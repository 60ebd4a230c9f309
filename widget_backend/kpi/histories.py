"""Reads leads with their events, derives their histories, stores and reads back the intervals."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.orm import Session

from widget_backend.amocrm.vocabulary import LEAD_STATUS_CHANGED, RESPONSIBLE_CHANGED, SALE_CHANGED
from widget_backend.crm.history import (
    LeadRow,
    Owned,
    Place,
    RawEvent,
    Visit,
    owner_intervals,
    price_intervals,
    status_visits,
)
from widget_backend.crm.models import Event, Lead
from widget_backend.kpi.calls import LeadPast
from widget_backend.kpi.models import OwnerInterval, PriceInterval, StatusVisit

BATCH = 1000
HISTORY_EVENTS = (LEAD_STATUS_CHANGED, RESPONSIBLE_CHANGED, SALE_CHANGED)


def table_of(model: Any) -> Table:
    """The Core table of a model."""
    table: Table = model.__table__
    return table


def batches(ids: Iterable[int], size: int = BATCH) -> Iterator[list[int]]:
    """Ids in ascending order, each once, in lists of bounded length."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


@dataclass(frozen=True, kw_only=True)
class LeadLog:
    """A lead that counts, with the events its history is told from."""

    row: LeadRow
    events: Sequence[RawEvent]


def load_leads(session: Session, account_id: int, lead_ids: Collection[int]) -> list[LeadLog]:
    """Those of the leads that are neither deleted nor merged, with their status, owner and price events."""
    wanted = select(
        Lead.id,
        Lead.created_at,
        Lead.updated_at,
        Lead.closed_at,
        Lead.pipeline_id,
        Lead.status_id,
        Lead.responsible_user_id,
        Lead.price,
        Lead.source_id,
        Lead.loss_reason_id,
    ).where(
        Lead.account_id == account_id,
        Lead.id.in_(lead_ids),
        Lead.is_deleted.is_(False),
        Lead.merged_into.is_(None),
    )
    rows = [LeadRow(**row) for row in session.execute(wanted).mappings()]
    events = _events(session, account_id, [row.id for row in rows])
    return [LeadLog(row=row, events=events.get(row.id, [])) for row in sorted(rows, key=lambda row: row.id)]


def _events(session: Session, account_id: int, lead_ids: Collection[int]) -> dict[int, list[RawEvent]]:
    found: dict[int, list[RawEvent]] = defaultdict(list)
    wanted = select(
        Event.entity_id,
        Event.id,
        Event.type,
        Event.created_at,
        Event.created_by,
        Event.value_before,
        Event.value_after,
    ).where(
        Event.account_id == account_id,
        Event.entity_type == "lead",
        Event.entity_id.in_(lead_ids),
        Event.type.in_(HISTORY_EVENTS),
    )
    for lead_id, *values in session.execute(wanted):
        found[lead_id].append(
            RawEvent(
                id=values[0],
                type=values[1],
                created_at=values[2],
                created_by=values[3],
                value_before=values[4],
                value_after=values[5],
            )
        )
    return found


def rebuild_histories(session: Session, account_id: int, lead_ids: Collection[int]) -> int:
    """Derive and store visits, owner and price intervals of these leads; returns how many leads exist."""
    count = 0
    for batch in batches(lead_ids):
        for model in (StatusVisit, OwnerInterval, PriceInterval):
            table = table_of(model)
            session.execute(delete(table).where(table.c.account_id == account_id, table.c.lead_id.in_(batch)))
        logs = load_leads(session, account_id, batch)
        store(session, StatusVisit, [row for log in logs for row in _visit_rows(account_id, log)])
        store(session, OwnerInterval, [row for log in logs for row in _owner_rows(account_id, log)])
        store(session, PriceInterval, [row for log in logs for row in _price_rows(account_id, log)])
        count += len(logs)
    return count


def store(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows in bulk; nothing to do for none."""
    if rows:
        session.execute(insert(table_of(model)), rows)


def _visit_rows(account_id: int, log: LeadLog) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account_id,
            "lead_id": log.row.id,
            "position": position,
            "pipeline_id": visit.place.pipeline_id,
            "status_id": visit.place.status_id,
            "started_at": visit.started_at,
            "ended_at": visit.ended_at,
            "started_by": visit.started_by,
        }
        for position, visit in enumerate(status_visits(log.row, log.events))
    ]


def _owner_rows(account_id: int, log: LeadLog) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account_id,
            "lead_id": log.row.id,
            "position": position,
            "user_id": owned.user_id,
            "started_at": owned.started_at,
            "ended_at": owned.ended_at,
        }
        for position, owned in enumerate(owner_intervals(log.row, log.events))
    ]


def _price_rows(account_id: int, log: LeadLog) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account_id,
            "lead_id": log.row.id,
            "position": position,
            "price": priced.price,
            "started_at": priced.started_at,
            "ended_at": priced.ended_at,
        }
        for position, priced in enumerate(price_intervals(log.row, log.events))
    ]


def load_pasts(session: Session, account_id: int, lead_ids: Collection[int]) -> dict[int, LeadPast]:
    """Stored visits and owners of these leads, by lead id; leads that do not count are absent."""
    visits: dict[int, list[Visit]] = defaultdict(list)
    owners: dict[int, list[Owned]] = defaultdict(list)
    pasts: dict[int, LeadPast] = {}
    for batch in batches(lead_ids):
        for row in _intervals(session, StatusVisit, account_id, batch):
            visits[row.lead_id].append(
                Visit(
                    place=Place(row.pipeline_id, row.status_id),
                    started_at=row.started_at,
                    ended_at=row.ended_at,
                    started_by=row.started_by,
                )
            )
        for row in _intervals(session, OwnerInterval, account_id, batch):
            owners[row.lead_id].append(
                Owned(user_id=row.user_id, started_at=row.started_at, ended_at=row.ended_at)
            )
        wanted = select(Lead.id, Lead.created_at, Lead.source_id).where(
            Lead.account_id == account_id, Lead.id.in_(batch)
        )
        for lead in session.execute(wanted):
            if lead.id in visits:
                pasts[lead.id] = LeadPast(
                    id=lead.id,
                    created_at=lead.created_at,
                    source_id=lead.source_id,
                    visits=visits[lead.id],
                    owners=owners[lead.id],
                )
    return pasts


def _intervals(session: Session, model: Any, account_id: int, lead_ids: Sequence[int]) -> Iterator[Any]:
    table = table_of(model)
    wanted = (
        select(table)
        .where(table.c.account_id == account_id, table.c.lead_id.in_(lead_ids))
        .order_by(table.c.lead_id, table.c.position)
    )
    return iter(session.execute(wanted))
