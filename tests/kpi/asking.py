"""Short questions to the engine, and short answers, for tables of cases."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.builders import ACCOUNT, at
from widget_backend.kpi.build import rebuild
from widget_backend.kpi.histories import table_of
from widget_backend.kpi.models import (
    CallFact,
    CallLeg,
    LeadFact,
    OwnerInterval,
    PriceInterval,
    StatusVisit,
)
from widget_backend.kpi.query import KpiRequest, answer

NOW = at("2026-02-20 12:00")
FACT_MODELS = (StatusVisit, OwnerInterval, PriceInterval, LeadFact, CallLeg, CallFact)


def a_request(*metrics: str, start: str = "2026-01-01", end: str = "2026-01-31", **fields: Any) -> KpiRequest:
    """January 2026 in Moscow, seen on 20 February, unless said otherwise."""
    defaults: dict[str, Any] = {"as_of": NOW, "timezone": "Europe/Moscow", "currency": "RUB"}
    return KpiRequest(
        metrics=metrics,
        start_on=date.fromisoformat(start),
        end_on=date.fromisoformat(end),
        **{**defaults, **fields},
    )


def build(session: Session, account_id: int = ACCOUNT, as_of: datetime = NOW) -> None:
    """All facts of the account."""
    rebuild(session, account_id, None, as_of=as_of)


def rows_of(session: Session, metric: str, account_id: int = ACCOUNT, **fields: Any) -> list[dict[str, Any]]:
    """The rows of one metric."""
    found = answer(session, account_id, a_request(metric, **fields))
    rows: list[dict[str, Any]] = found["metrics"][0]["rows"]
    return rows


def value(session: Session, metric: str, **fields: Any) -> Any:
    """The one value of a metric without dimensions."""
    (row,) = rows_of(session, metric, **fields)
    return row["value"]


def values(session: Session, metric: str, by: str, **fields: Any) -> dict[Any, Any]:
    """Values by the ids of one dimension."""
    rows = rows_of(session, metric, by=(by,), **fields)
    return {next(iter(row["key"].values())): row["value"] for row in rows}


def all_facts(session: Session, account_id: int = ACCOUNT) -> dict[str, list[tuple[Any, ...]]]:
    """Every derived row, for comparing two ways of building."""
    found = {}
    for model in FACT_MODELS:
        table = table_of(model)
        rows = session.execute(select(table).where(table.c.account_id == account_id))
        found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found
