"""Compares the product's mirror with what the simulator says is true, row by row."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.sandbox import Sandbox
from widget_backend.bootstrap import Services
from widget_backend.crm.models import Company, Contact, Event, Lead, Link, Note, Pipeline, Status, Task, User
from widget_backend.db.engine import session_scope

Rows = dict[Any, tuple[Any, ...]]


def moment(value: int | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value else None


def assert_mirror_is_true(services: Services, account_id: int, sandbox: Sandbox) -> dict[str, int]:
    """Every living row of every mirrored entity, the same on both sides; answers how many of each."""
    counts = {}
    with session_scope(services.engine, account_id) as session:
        for name, (truth, mirror) in _both(session, account_id, sandbox).items():
            missing = sorted(set(truth) - set(mirror), key=str)
            extra = sorted(set(mirror) - set(truth), key=str)
            assert not missing, f"{name}: {len(missing)} missing, such as {missing[:5]}"
            assert not extra, f"{name}: {len(extra)} too many, such as {extra[:5]}"
            different = [key for key in truth if truth[key] != mirror[key]]
            assert not different, (
                f"{name}: {len(different)} differ, such as {different[0]}:"
                f" true {truth[different[0]]}, mirrored {mirror[different[0]]}"
            )
            counts[name] = len(truth)
    return counts


def _both(session: Session, account_id: int, sandbox: Sandbox) -> dict[str, tuple[Rows, Rows]]:
    leads = [row for row in sandbox.truth("leads") if _is_alive(row)]
    return {
        "leads": (
            {row["id"]: _lead(row) for row in leads},
            {
                row.id: (
                    row.name,
                    row.price,
                    row.status_id,
                    row.pipeline_id,
                    row.responsible_user_id,
                    row.created_at,
                    row.updated_at,
                    row.closed_at,
                    row.loss_reason_id,
                )
                for row in _alive(session, Lead, account_id)
            },
        ),
        "links": (
            {
                (row["id"], kind, item["id"]): ()
                for row in leads
                for kind in ("contacts", "companies")
                for item in (row.get("_embedded") or {}).get(kind) or ()
            },
            {
                (row.lead_id, row.to_type, row.to_id): ()
                for row in session.scalars(
                    select(Link)
                    .join(Lead, (Lead.account_id == Link.account_id) & (Lead.id == Link.lead_id))
                    .where(Link.account_id == account_id, Lead.is_deleted.is_(False))
                )
            },
        ),
        **{
            name: (
                {
                    row["id"]: (row["name"], row["responsible_user_id"], moment(row["updated_at"]))
                    for row in sandbox.truth(name)
                    if _is_alive(row)
                },
                {
                    row.id: (row.name, row.responsible_user_id, row.updated_at)
                    for row in _alive(session, model, account_id)
                },
            )
            for name, model in (("contacts", Contact), ("companies", Company))
        },
        "tasks": (
            {
                row["id"]: (row["entity_id"], row["is_completed"], moment(row["complete_till"]), row["text"])
                for row in sandbox.truth("tasks")
                if _is_alive(row)
            },
            {
                row.id: (row.entity_id, row.is_completed, row.complete_till, row.text)
                for row in _alive(session, Task, account_id)
            },
        ),
        "notes": (
            {
                (kind, row["id"]): (row["entity_id"], row["note_type"], moment(row["created_at"]))
                for kind in ("leads", "contacts", "companies")
                for row in sandbox.truth(f"notes_{kind}")
            },
            {
                (row.entity_type, row.id): (row.entity_id, row.note_type, row.created_at)
                for row in _alive(session, Note, account_id)
            },
        ),
        "events": (
            {
                row["id"]: (row["type"], row["entity_id"], row["created_by"], row["value_after"])
                for row in sandbox.truth("events")
            },
            {
                row.id: (row.type, row.entity_id, row.created_by, row.value_after)
                for row in session.scalars(select(Event).where(Event.account_id == account_id))
            },
        ),
        "users": (
            {row["id"]: (row["name"], row["rights"]["is_active"]) for row in sandbox.truth("users")},
            {
                row.id: (row.name, row.is_active)
                for row in session.scalars(
                    select(User).where(User.account_id == account_id, User.is_known.is_(True))
                )
            },
        ),
        "pipelines": (
            {row["id"]: (row["name"],) for row in sandbox.truth("pipelines")},
            {row.id: (row.name,) for row in _alive(session, Pipeline, account_id)},
        ),
        "statuses": (
            {
                (row["id"], status["id"]): (status["name"], status["type"])
                for row in sandbox.truth("pipelines")
                for status in row["_embedded"]["statuses"]
            },
            {(row.pipeline_id, row.id): (row.name, row.type) for row in _alive(session, Status, account_id)},
        ),
    }


def _alive(session: Session, model: Any, account_id: int) -> Iterable[Any]:
    return session.scalars(
        select(model).where(model.account_id == account_id, model.is_deleted.is_(False))
    ).all()


def _is_alive(row: dict[str, Any]) -> bool:
    return not row.get("is_deleted") and not row.get("_merged_into")


def _lead(row: dict[str, Any]) -> tuple[Any, ...]:
    exact = row.get("price_with_minor_units")
    price = exact if exact is not None else row["price"]
    return (
        row["name"],
        None if price is None else Decimal(str(price)),
        row["status_id"],
        row["pipeline_id"],
        row["responsible_user_id"],
        moment(row["created_at"]),
        moment(row["updated_at"]),
        moment(row["closed_at"]),
        row["loss_reason_id"],
    )
