"""The open lead: where it stands, for how long, and what to do next."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from widget_backend.access.visibility import may_see_lead
from widget_backend.amocrm.vocabulary import LOST, WON
from widget_backend.clock import now
from widget_backend.crm.models import Lead, Pipeline, Status, Task, User
from widget_backend.kpi.models import StatusVisit
from widget_backend.money import DASH, format_value
from widget_backend.oauth.models import Account
from widget_backend.screens.texts import WORDS, days_in_status, due


def lead_block(
    session: Session, account: Account, viewer: User, lead_id: int, lang: str
) -> dict[str, Any] | None:
    """The lead as the panel shows it; None if it is unknown, deleted, or not the viewer's to see."""
    lead = session.get(Lead, (account.account_id, lead_id))
    if (
        lead is None
        or lead.is_deleted
        or lead.merged_into is not None
        or not may_see_lead(session, viewer, lead)
    ):
        return None
    zone, moment = ZoneInfo(account.timezone), now()
    status, pipeline = _place(session, lead)
    since = _since(session, lead) or lead.created_at
    days = (moment.astimezone(zone).date() - since.astimezone(zone).date()).days
    return {
        "id": lead.id,
        "name": lead.name,
        "status": status,
        "pipeline": pipeline,
        "price_text": format_value("money", str(lead.price or 0), account.currency, lang),
        "in_status_text": days_in_status(max(days, 0), lang),
        "next": _next(session, lead, moment, zone, lang),
    }


def _place(session: Session, lead: Lead) -> tuple[str, str]:
    """Names of the status and pipeline; their ids where the dictionaries do not have them (yet)."""
    if lead.pipeline_id is None or lead.status_id is None:
        return DASH, DASH
    status = session.get(Status, (lead.account_id, lead.pipeline_id, lead.status_id))
    pipeline = session.get(Pipeline, (lead.account_id, lead.pipeline_id))
    return (
        status.name if status else f"#{lead.status_id}",
        pipeline.name if pipeline else f"#{lead.pipeline_id}",
    )


def _since(session: Session, lead: Lead) -> datetime | None:
    """When the present stay in the status began."""
    return session.scalar(
        select(func.max(StatusVisit.started_at)).where(
            StatusVisit.account_id == lead.account_id,
            StatusVisit.lead_id == lead.id,
            StatusVisit.ended_at.is_(None),
        )
    )


def _next(session: Session, lead: Lead, moment: datetime, zone: ZoneInfo, lang: str) -> dict[str, Any]:
    """What to do: the nearest open task, or to plan one. A closed lead needs nothing else."""
    words = WORDS[lang]
    task = session.scalars(
        select(Task)
        .where(
            Task.account_id == lead.account_id,
            Task.entity_type == "leads",
            Task.entity_id == lead.id,
            Task.is_completed.is_(False),
            Task.is_deleted.is_(False),
        )
        .order_by(Task.complete_till.nulls_last(), Task.id)
        .limit(1)
    ).first()
    if task is not None:
        late = task.complete_till is not None and task.complete_till < moment
        kind, level = ("task_overdue", "bad") if late else ("task", "ok")
        return {
            "kind": kind,
            "level": level,
            "title": words[kind],
            "text": task.text,
            "due_text": due(task.complete_till, moment, zone, lang) if task.complete_till else None,
        }
    if lead.status_id in (WON, LOST):
        kind = "won" if lead.status_id == WON else "lost"
        text = due(lead.closed_at, moment, zone, lang) if lead.closed_at else None
        return {"kind": kind, "level": "info", "title": words[kind], "text": None, "due_text": text}
    return {
        "kind": "no_task",
        "level": "warn",
        "title": words["no_task"],
        "text": words["no_task_text"],
        "due_text": None,
    }
