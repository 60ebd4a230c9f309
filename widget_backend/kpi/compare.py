"""Spans of time and their counterparts: the previous comparable period, the same dates a year earlier."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from widget_backend.periods import (
    DAY,
    INSTANT,
    Bucket,
    Period,
    add_months,
    bucket_start,
    day_start,
    local_day,
    year_earlier,
)


class Compare(StrEnum):
    """What stands beside a value."""

    PREVIOUS = "previous"
    YEAR = "year"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A bucket of a span, or the whole of it (``first_day`` None): [start_at, end_at)."""

    first_day: date | None
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, kw_only=True)
class Span:
    """A period as it could be seen at ``as_of``: what came later is not counted in it.

    ``as_of`` itself is included. A running period ends there; a finished one ends with its last day, and
    ``as_of`` says how old it is. ``shown_to`` lets in what has come since; counterparts are cut by ``as_of``.
    """

    period: Period
    zone: ZoneInfo
    as_of: datetime
    bucket: Bucket | None = None
    shown_to: datetime | None = None

    @property
    def cut_at(self) -> datetime:
        """The first instant that is not known any more."""
        return max(self.as_of, self.shown_to or self.as_of) + INSTANT

    @property
    def start_at(self) -> datetime:
        return day_start(self.period.start_on, self.zone)

    @property
    def end_at(self) -> datetime:
        """The exclusive end: of the last day, or of what is known; never before the start."""
        return max(self.start_at, min(day_start(self.period.end_on + DAY, self.zone), self.cut_at))

    def steps(self) -> list[Step]:
        """Its buckets that have begun, labelled with their first day; without buckets the whole span."""
        if self.bucket is None:
            return [Step(first_day=None, start_at=self.start_at, end_at=self.end_at)]
        steps = []
        for part in self.period.buckets(self.bucket):
            start_at, end_at = part.moments(self.zone)
            if start_at < self.cut_at:
                label = bucket_start(part.start_on, self.bucket)
                steps.append(Step(first_day=label, start_at=start_at, end_at=min(end_at, self.cut_at)))
        return steps


def counterpart(span: Span, compare: Compare) -> Span:
    """The span to compare with, seen at the same age.

    A running one is cut after as many local days at the same local time of day, but not beyond its end; for a
    finished one the age counts from the end of its last day.
    """
    period = previous_period(span.period) if compare is Compare.PREVIOUS else _year_earlier(span.period)
    today = local_day(span.as_of, span.zone)
    if today <= span.period.end_on:
        day = min(period.start_on + (today - span.period.start_on), period.end_on + DAY)
        late = day > period.end_on
    else:
        day = period.end_on + (today - span.period.end_on)
        late = False
    wall = span.as_of.astimezone(span.zone)
    if late:
        as_of = day_start(day, span.zone) - INSTANT
    else:
        as_of = datetime.combine(day, wall.timetz()).replace(fold=wall.fold).astimezone(UTC)
    return Span(period=period, zone=span.zone, as_of=as_of, bucket=span.bucket)


def previous_period(period: Period) -> Period:
    """The previous calendar week, month, quarter or year of one such; else the equal span right before."""
    before = period.start_on - DAY
    for months in (1, 3, 12):
        if _is_calendar(period, months):
            return Period(start_on=add_months(period.start_on, -months), end_on=before)
    return Period(start_on=period.start_on - timedelta(days=period.days), end_on=before)


def _is_calendar(period: Period, months: int) -> bool:
    start = period.start_on
    aligned = start.day == 1 and (start.month - 1) % months == 0
    return aligned and period.end_on == add_months(start, months) - DAY


def _year_earlier(period: Period) -> Period:
    return Period(start_on=year_earlier(period.start_on), end_on=year_earlier(period.end_on))
