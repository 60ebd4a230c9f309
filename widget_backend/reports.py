"""A KPI question with everything the account itself contributes: zone, settings, coverage, completeness."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from widget_backend.access.settings import WorkingHours
from widget_backend.access.settings import load as load_settings
from widget_backend.amocrm.vocabulary import CALL_NOTES
from widget_backend.clock import now
from widget_backend.crm.freshness import as_of, has_facts
from widget_backend.crm.models import Event, Note
from widget_backend.errors import InputError, StillLoading
from widget_backend.kpi import drilldown
from widget_backend.kpi.kinds import Source
from widget_backend.kpi.query import KpiRequest, Scope, answer
from widget_backend.oauth.models import Account, AccountState
from widget_backend.working_hours import WorkingCalendar

MOST_BUCKETS = 4000  # ten years of days
DAYS_OF = {"day": 1, "week": 7, "month": 30}
Where = Mapping[str, Sequence[int | None]]


def report(
    session: Session,
    account: Account,
    *,
    start_on: date,
    end_on: date,
    metrics: Iterable[str] = (),
    by: Iterable[str] = (),
    bucket: str | None = None,
    compare: str | None = None,
    where: Where | None = None,
    scope: Scope | None = None,
) -> dict[str, Any]:
    """The answer of the command line and the API (shape: README, "Answers"). Raises InputError."""
    request = kpi_request(
        session,
        account,
        start_on=start_on,
        end_on=end_on,
        metrics=tuple(metrics),
        by=tuple(by),
        bucket=bucket,
        compare=compare,
        where=where,
        scope=scope,
    )
    return answer(session, account.account_id, request)


def metric_rows(
    session: Session,
    account: Account,
    metric_id: str,
    *,
    start_on: date,
    end_on: date,
    where: Where | None = None,
    scope: Scope | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    """The records behind a number: ``{"items", "next_cursor", "total", "as_of"}``; all without a limit."""
    request = kpi_request(
        session, account, start_on=start_on, end_on=end_on, metrics=(metric_id,), where=where, scope=scope
    )
    items: list[dict[str, Any]] = []
    following = cursor
    while True:
        page, following, total = drilldown.rows(
            session, account.account_id, metric_id, request, following, limit or drilldown.MAX_LIMIT
        )
        items += page
        if limit is not None or following is None:
            break
    return {
        "items": items,
        "next_cursor": following,
        "total": total,
        "as_of": request.as_of.astimezone(request.zone).isoformat(),
    }


def kpi_request(
    session: Session,
    account: Account,
    *,
    start_on: date,
    end_on: date,
    metrics: tuple[str, ...] = (),
    by: tuple[str, ...] = (),
    bucket: str | None = None,
    compare: str | None = None,
    where: Where | None = None,
    scope: Scope | None = None,
) -> KpiRequest:
    """The question, completed. Raises StillLoading before the leads are there and counted."""
    _check_size(start_on, end_on, bucket)
    settings = load_settings(session, account.account_id)
    synced_to = as_of(session, account.account_id)
    complete = account.state != AccountState.BACKFILLING and synced_to is not None
    moment = synced_to or as_of_leads(session, account)
    return KpiRequest(
        metrics=metrics,
        start_on=start_on,
        end_on=end_on,
        by=by,
        bucket=bucket,
        compare=compare,
        where=where or {},
        scope=scope or Scope.everything(),
        as_of=moment,
        # What hooks have brought since the last full look counts already.
        cut_at=max(now(), moment),
        complete=complete,
        timezone=account.timezone,
        currency=account.currency,
        account=account.subdomain,
        attribution=settings.attribution,
        covered_from=covered_from(session, account.account_id),
        calendar=calendar_of(settings.working_hours, ZoneInfo(account.timezone)),
    )


def _check_size(start_on: date, end_on: date, bucket: str | None) -> None:
    """Two centuries day by day are no question but a way to keep a server busy."""
    days = DAYS_OF.get(bucket or "")
    if days is not None and (end_on - start_on).days // days > MOST_BUCKETS:
        raise InputError(
            f"The period has more than {MOST_BUCKETS} steps.",
            field="bucket",
            remedy="Ask for longer steps or a shorter period.",
        )


def as_of_leads(session: Session, account: Account) -> datetime:
    """While the first copy runs: the moment up to which at least the leads are there."""
    moment = as_of(session, account.account_id, ["leads"])
    if moment is None or not has_facts(session, account.account_id):
        raise StillLoading(
            "The account's leads are still being copied.",
            remedy="Try again in a few minutes; `accounts list` shows how far it is.",
            account_id=account.account_id,
        )
    return moment


def covered_from(session: Session, account_id: int) -> dict[str, datetime | None]:
    """Since when amoCRM shows a history; None where it shows nothing at all.

    Events: from the oldest one. Calls: from the oldest call or event, because a call leaves an event too:
    in a stretch of the log without calls there were none.
    """
    first_event = session.scalar(select(func.min(Event.created_at)).where(Event.account_id == account_id))
    first_call = session.scalar(
        select(func.min(Note.created_at)).where(
            Note.account_id == account_id, Note.note_type.in_(CALL_NOTES), Note.is_deleted.is_(False)
        )
    )
    known = [moment for moment in (first_event, first_call) if moment is not None]
    return {Source.EVENTS: first_event, Source.CALLS: min(known, default=None)}


def calendar_of(hours: WorkingHours, zone: ZoneInfo) -> WorkingCalendar:
    """The account's working hours as the engine takes them."""
    opening = (time.fromisoformat(hours.start), time.fromisoformat(hours.end))
    return WorkingCalendar(zone=zone, hours={day - 1: opening for day in hours.days})
