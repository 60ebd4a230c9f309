"""Answers KPI questions: any metrics, period, dimensions, trend, comparison and filter, in one shape."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from widget_backend.kpi.cells import Cell, Cells, Key, Spread, base_cells
from widget_backend.kpi.compare import Compare, Span, Step, counterpart
from widget_backend.kpi.facts import Attribution
from widget_backend.kpi.kinds import Change, Duration, Measure, Metric, Ratio, Stock, Unit
from widget_backend.kpi.registry import METRICS, base_parts, sources
from widget_backend.kpi.request import KpiRequest, Scope, check
from widget_backend.money import as_output

__all__ = ["Attribution", "Compare", "KpiRequest", "Scope", "answer"]

# A value that rests on fewer is shown, marked, and never ranked.
SMALL_SAMPLE = 5
NO_DATA, NO_HISTORY, NO_ACCESS = "no_data", "no_history", "no_access"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One value of one metric; ``value`` None comes with a ``reason``."""

    value: Fraction | None
    n: int
    reason: str | None = None
    numerator: Fraction | None = None
    denominator: Fraction | None = None
    cell: Cell | None = None


def answer(session: Session, account_id: int, request: KpiRequest) -> dict[str, Any]:
    """The answer to a request, ready for JSON.

    One row per key (and bucket): without dimensions exactly one, with them every key that has facts in the
    period or its counterpart, "not assigned" (null) included. Counts and seconds are integers, the rest
    strings. ``reason`` of a null value: no_data (nothing below the line), no_history (before
    ``covered_from``, or not begun yet), no_access. Raises InputError, naming the field.
    """
    check(session, account_id, request)
    span = request.span()
    other = counterpart(span, request.comparison) if request.comparison else None
    metrics = [METRICS[metric_id] for metric_id in request.metric_ids]
    now = _evaluate(session, account_id, metrics, span, request)
    then = _evaluate(session, account_id, metrics, other, request) if other else {}
    zone = request.zone
    return {
        "account": request.account if request.account is not None else str(account_id),
        "start_on": request.start_on.isoformat(),
        "end_on": request.end_on.isoformat(),
        "as_of": request.as_of.astimezone(zone).isoformat(),
        "complete": request.complete,
        "working_days": request.working_calendar.working_days(request.start_on, request.end_on),
        "compare": _compared(request, other) if other else None,
        "metrics": [
            {
                "id": metric.id,
                "unit": metric.unit.value,
                "currency": request.currency if metric.unit is Unit.MONEY else None,
                "covered_from": _moment(request.covered(sources(metric.id)), request),
                "rows": _rows(metric, span, other, now[metric.id], then.get(metric.id), request),
            }
            for metric in metrics
        ],
    }


def _compared(request: KpiRequest, other: Span) -> dict[str, Any]:
    return {
        "kind": request.compare,
        "start_on": other.period.start_on.isoformat(),
        "end_on": other.period.end_on.isoformat(),
        "as_of": other.as_of.astimezone(other.zone).isoformat(),
        "working_days": request.working_calendar.working_days(other.period.start_on, other.period.end_on),
    }


def _moment(moment: datetime | None, request: KpiRequest) -> str | None:
    return moment.astimezone(request.zone).isoformat() if moment is not None else None


# --- values --------------------------------------------------------------------------------------------

Values = dict[tuple[Key, int], Answered]


def _evaluate(
    session: Session, account_id: int, metrics: Iterable[Metric], span: Span, request: KpiRequest
) -> dict[str, Values]:
    """Every metric over one span, by id; keys without facts are absent."""
    metrics = list(metrics)
    if request.scope.is_empty:
        return {metric.id: {} for metric in metrics}
    bases = [part for metric in metrics for part in base_parts(metric.id)]
    cells = base_cells(session, account_id, bases, span, request)
    grown = [METRICS[metric.of] for metric in metrics if isinstance(metric, Change)]
    before: Mapping[str, Cells] = {}
    if grown:
        before = base_cells(session, account_id, grown, counterpart(span, Compare.PREVIOUS), request)
    return {metric.id: _values(metric, cells, before) for metric in metrics}


def _values(metric: Metric, cells: Mapping[str, Cells], before: Mapping[str, Cells]) -> Values:
    if isinstance(metric, Ratio):
        top, bottom = cells[metric.top], cells[metric.bottom]
        return {place: _divide(metric, top.get(place), bottom.get(place)) for place in {**top, **bottom}}
    if isinstance(metric, Change):
        now, then = cells[metric.of], before[metric.of]
        return {place: _grow(now.get(place), then.get(place)) for place in {**now, **then}}
    return {
        place: Answered(value=cell.value, n=cell.n, cell=cell) for place, cell in cells[metric.id].items()
    }


def _divide(metric: Ratio, top: Cell | None, bottom: Cell | None) -> Answered:
    numerator, denominator = _value(top), _value(bottom)
    factor = 100 if metric.unit is Unit.PERCENT else 1
    return Answered(
        value=factor * numerator / denominator if denominator else None,
        n=bottom.n if bottom else 0,
        reason=None if denominator else NO_DATA,
        numerator=numerator,
        denominator=denominator,
    )


def _grow(now: Cell | None, then: Cell | None) -> Answered:
    numerator, denominator = _value(now) - _value(then), _value(then)
    return Answered(
        value=100 * numerator / denominator if denominator else None,
        n=now.n if now else 0,
        reason=None if denominator else NO_DATA,
        numerator=numerator,
        denominator=denominator,
    )


def _value(cell: Cell | None) -> Fraction:
    return cell.value if cell else Fraction(0)


def _nothing(metric: Metric) -> Answered:
    """The value over a covered span in which nothing happened: 0 for sums, null for the rest."""
    if isinstance(metric, Measure | Stock):
        return Answered(value=Fraction(0), n=0)
    if isinstance(metric, Ratio | Change):
        zero = Fraction(0)
        return Answered(value=None, n=0, reason=NO_DATA, numerator=zero, denominator=zero)
    return Answered(value=None, n=0, reason=NO_DATA)


# --- rows ----------------------------------------------------------------------------------------------


def _rows(
    metric: Metric, span: Span, other: Span | None, now: Values, then: Values | None, request: KpiRequest
) -> list[dict[str, Any]]:
    keys: set[Key] = {key for values in (now, then or {}) for key, _ in values} if request.by else {()}
    steps, other_steps = span.steps(), other.steps() if other else []
    rows = []
    for key in sorted(keys, key=lambda key: [(part is None, part or 0) for part in key]):
        for index, step in enumerate(steps):
            shown = _seen(metric, now.get((key, index)), step, span, request)
            previous = None
            if other and then is not None and index < len(other_steps):
                previous = _seen(metric, then.get((key, index)), other_steps[index], other, request).value
            rows.append(_row(metric, key, step, shown, previous, request))
    return rows


def _seen(metric: Metric, found: Answered | None, step: Step, span: Span, request: KpiRequest) -> Answered:
    """What may be said about one step: the value, or why there is none."""
    if request.scope.is_empty:
        return Answered(value=None, n=0, reason=NO_ACCESS)
    needed = sources(metric.id)
    covered = request.covered(needed)
    reference = step.end_at if isinstance(metric, Stock) else step.start_at
    if needed and (step.start_at >= span.cut_at or (covered is not None and reference < covered)):
        return Answered(value=None, n=0, reason=NO_HISTORY)
    return found or _nothing(metric)


def _row(
    metric: Metric,
    key: Key,
    step: Step,
    shown: Answered,
    previous: Fraction | None,
    request: KpiRequest,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": {dimension.key: part for dimension, part in zip(request.dimensions, key, strict=True)},
        "bucket": step.first_day.isoformat() if step.first_day else None,
        "value": as_output(metric.unit, shown.value),
        "n": shown.n,
        "state": "live" if request.complete else "partial",
        "previous": as_output(metric.unit, previous),
        "reason": shown.reason,
    }
    if isinstance(metric, Ratio | Duration):
        row["small"] = shown.value is not None and shown.n < SMALL_SAMPLE
    if isinstance(metric, Ratio):
        row["numerator"] = as_output(METRICS[metric.top].unit, shown.numerator)
        row["denominator"] = as_output(METRICS[metric.bottom].unit, shown.denominator)
    if isinstance(metric, Change):
        row["numerator"] = as_output(METRICS[metric.of].unit, shown.numerator)
        row["denominator"] = as_output(METRICS[metric.of].unit, shown.denominator)
    if isinstance(metric, Duration):
        row["calendar"] = _spread(shown.cell.calendar if shown.cell else None)
        row["working"] = _spread(shown.cell.working if shown.cell else None)
        row["waiting"] = None
    return row


def _spread(spread: Spread | None) -> dict[str, int | str | None]:
    return {
        "mean_s": as_output(Unit.SECONDS, spread.mean if spread else None),
        "median_s": as_output(Unit.SECONDS, spread.median if spread else None),
        "p90_s": as_output(Unit.SECONDS, spread.p90 if spread else None),
    }
