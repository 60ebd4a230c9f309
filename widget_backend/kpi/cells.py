"""Runs the SQL of base metrics: one statement per fact, everything counted by the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Numeric,
    Select,
    Subquery,
    and_,
    bindparam,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session

from widget_backend.kpi.compare import Span
from widget_backend.kpi.facts import FACTS, MOMENTS, Attribution, Frame
from widget_backend.kpi.kinds import Duration, Measure, Metric, Moment, Stock
from widget_backend.kpi.registry import fact_of
from widget_backend.kpi.request import KpiRequest
from widget_backend.periods import DAY, local_day
from widget_backend.working_hours import Timeline

Key = tuple[int | None, ...]
MEDIAN, P90 = Decimal("0.5"), Decimal("0.9")


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Mean, median and 90th percentile in seconds, exact."""

    mean: Fraction
    median: Fraction
    p90: Fraction


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One exact value and the number of facts it rests on; durations have both spreads beside."""

    value: Fraction
    n: int
    calendar: Spread | None = None
    working: Spread | None = None


Cells = dict[tuple[Key, int], Cell]  # by key and step (from 0)


def base_cells(
    session: Session, account_id: int, metrics: Iterable[Metric], span: Span, request: KpiRequest
) -> dict[str, Cells]:
    """Values of measures, stocks and durations over the span, by metric id. Nothing counted: no cell."""
    by_fact: dict[str, list[Metric]] = defaultdict(list)
    found: dict[str, Cells] = {}
    for metric in {metric.id: metric for metric in metrics}.values():
        if isinstance(metric, Duration):
            found[metric.id] = _durations(session, account_id, metric, span, request)
        else:
            by_fact[fact_of(metric)].append(metric)
    for fact, grouped in by_fact.items():
        found |= _sums(session, account_id, fact, grouped, span, request)
    return found


def facts_in(account_id: int, metric: Metric, span: Span, request: KpiRequest) -> Select[Any]:
    """The facts behind a base metric over the whole span, before its own condition; with ``step`` from 1."""
    return _in_span(account_id, fact_of(metric), span, request)


def _in_span(account_id: int, fact: str, span: Span, request: KpiRequest) -> Select[Any]:
    steps = span.steps()
    attribution = Attribution(request.attribution)
    if fact == "leads_open":
        frame = Frame(
            account_id=account_id, attribution=attribution, moments=tuple(step.end_at for step in steps)
        )
        relation = FACTS[fact].relation(frame).subquery()
        return select(relation).where(request.condition(relation))
    relation = FACTS[fact].relation(Frame(account_id=account_id, attribution=attribution)).subquery()
    starts = bindparam(None, [step.start_at for step in steps], type_=MOMENTS)
    step = literal(1) if span.bucket is None else func.width_bucket(relation.c.at, starts)
    return select(relation, step.label("step")).where(
        relation.c.at >= span.start_at, relation.c.at < span.end_at, request.condition(relation)
    )


def condition_of(metric: Metric, relation: Subquery, span: Span) -> ColumnElement[bool]:
    """Which facts of its relation a metric counts."""
    if isinstance(metric, Measure) and metric.where is not None:
        return metric.where(relation, Moment(cut_at=span.cut_at))
    return true()


def _sums(
    session: Session,
    account_id: int,
    fact: str,
    metrics: Sequence[Metric],
    span: Span,
    request: KpiRequest,
) -> dict[str, Cells]:
    found: dict[str, Cells] = {metric.id: {} for metric in metrics}
    if not span.steps():
        return found
    relation = _in_span(account_id, fact, span, request).subquery()
    keys = [relation.c[dimension.column] for dimension in request.dimensions]
    columns: list[ColumnElement[Any]] = []
    for metric in metrics:
        condition = condition_of(metric, relation, span)
        columns.append(func.count().filter(condition))
        if isinstance(metric, Measure | Stock) and metric.amount is not None:
            columns.append(func.sum(metric.amount(relation)).filter(condition))
        else:
            columns.append(func.count().filter(condition))
    wanted = select(*keys, relation.c.step, *columns).group_by(*keys, relation.c.step)
    for row in session.execute(wanted):
        values = tuple(row)
        place = values[: len(keys)], int(values[len(keys)]) - 1
        numbers = values[len(keys) + 1 :]
        for index, metric in enumerate(metrics):
            n, total = numbers[2 * index], numbers[2 * index + 1]
            if n:
                per = metric.per if isinstance(metric, Measure) else 1
                found[metric.id][place] = Cell(value=Fraction(total) / per, n=n)
    return found


# --- durations -----------------------------------------------------------------------------------------


def _durations(session: Session, account_id: int, metric: Duration, span: Span, asked: KpiRequest) -> Cells:
    """Percentiles by linear interpolation, exact: each fact weighs by its distance from the rank."""
    if not span.steps():
        return {}
    relation = facts_in(account_id, metric, span, asked).subquery()
    start, end = metric.start(relation), metric.end(relation)
    earliest = session.scalar(select(func.min(start)))
    if earliest is None:
        return {}
    keys = [relation.c[dimension.column].label(f"key_{i}") for i, dimension in enumerate(asked.dimensions)]
    calendar = asked.working_calendar
    timeline = calendar.timeline(
        local_day(earliest, calendar.zone) - DAY, local_day(span.end_at, calendar.zone) + DAY
    )
    timed = _timed(relation, keys, start, end, timeline).subquery()
    ranked = _ranked(timed, len(keys)).subquery()
    labels = [ranked.c[f"key_{i}"] for i in range(len(keys))]
    n = func.max(ranked.c.n)
    columns: list[Any] = [n]
    for name in ("calendar", "working"):
        seconds, rank = ranked.c[f"{name}_s"], ranked.c[f"{name}_rank"]
        columns.append(func.sum(seconds))
        for share in (MEDIAN, P90):
            distance = func.abs(rank - literal(share, Numeric) * (ranked.c.n - 1))
            columns.append(func.sum(seconds * func.greatest(literal(0, Numeric), 1 - distance)))
    wanted = select(*labels, ranked.c.step, *columns).group_by(*labels, ranked.c.step)
    cells: Cells = {}
    for row in session.execute(wanted):
        values = tuple(row)
        place = values[: len(keys)], int(values[len(keys)]) - 1
        count, *numbers = values[len(keys) + 1 :]
        shown, working = _spread(count, numbers[:3]), _spread(count, numbers[3:])
        cells[place] = Cell(value=shown.median, n=count, calendar=shown, working=working)
    return cells


def _spread(n: int, numbers: Sequence[Decimal]) -> Spread:
    total, median, p90 = (Fraction(number) for number in numbers)
    return Spread(mean=total / n, median=median, p90=p90)


def seconds_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[Any]:
    """Calendar seconds, never negative: an import may bring a closing before the creation."""
    return func.greatest(cast(func.extract("epoch", end - start), Numeric), literal(0, Numeric))


def _timed(
    relation: Subquery,
    keys: Sequence[ColumnElement[Any]],
    start: ColumnElement[datetime],
    end: ColumnElement[datetime],
    timeline: Timeline,
) -> Select[Any]:
    """Each fact with its calendar and working seconds: elapsed(end) − elapsed(start) on the timeline."""
    opens = bindparam(None, list(timeline.starts), type_=MOMENTS)

    def hours(name: str) -> Any:
        return (
            func.unnest(
                opens,
                bindparam(None, list(timeline.ends), type_=MOMENTS),
                bindparam(None, list(timeline.before_s), type_=ARRAY(BigInteger)),
            )
            .table_valued("opens", "closes", "before_s", with_ordinality="number", name=name)
            .render_derived()
        )

    def elapsed(moment: ColumnElement[datetime], table: Any) -> ColumnElement[Any]:
        inside = func.extract("epoch", func.least(moment, table.c.closes) - table.c.opens)
        return func.coalesce(table.c.before_s + cast(inside, Numeric), 0)

    first, last = hours("hours_at_start"), hours("hours_at_end")
    working = func.greatest(elapsed(end, last) - elapsed(start, first), literal(0, Numeric))
    return select(
        *keys,
        relation.c.step,
        seconds_between(start, end).label("calendar_s"),
        working.label("working_s"),
    ).select_from(
        relation.join(first, first.c.number == func.width_bucket(start, opens), isouter=True).join(
            last, and_(last.c.number == func.width_bucket(end, opens)), isouter=True
        )
    )


def _ranked(timed: Subquery, key_count: int) -> Select[Any]:
    groups = [*(timed.c[f"key_{i}"] for i in range(key_count)), timed.c.step]

    def rank(name: str) -> ColumnElement[Any]:
        number = func.row_number().over(partition_by=groups, order_by=timed.c[name])
        return cast(number - 1, Numeric)

    return select(
        *groups,
        timed.c.calendar_s,
        timed.c.working_s,
        rank("calendar_s").label("calendar_rank"),
        rank("working_s").label("working_rank"),
        func.count().over(partition_by=groups).label("n"),
    )
