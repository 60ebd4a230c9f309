"""Local days and the moments at which they begin and end. Periods are inclusive outside, half-open inside."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from widget_backend.errors import InputError

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


class Bucket(StrEnum):
    """The steps of a trend; weeks are ISO weeks."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Period:
    """Local dates, both included."""

    start_on: date
    end_on: date

    def __post_init__(self) -> None:
        if self.start_on > self.end_on:
            raise InputError(
                f"The period starts on {self.start_on} and ends on {self.end_on}.",
                field="start",
                remedy="Give a start that is not after the end.",
            )

    @property
    def days(self) -> int:
        """Its length in local days."""
        return (self.end_on - self.start_on).days + 1

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """When it begins, and when the day after it begins (UTC)."""
        return day_start(self.start_on, zone), day_start(self.end_on + DAY, zone)

    def buckets(self, bucket: Bucket) -> Iterator["Period"]:
        """Its parts by day, ISO week or month; the first and the last are clipped to the period."""
        start = self.start_on
        while start <= self.end_on:
            following = next_bucket(start, bucket)
            yield Period(start_on=start, end_on=min(following - DAY, self.end_on))
            start = following


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC. Where midnight is skipped, the moment of the skip."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The local date of a moment."""
    return moment.astimezone(zone).date()


def bucket_start(day: date, bucket: Bucket) -> date:
    """The first day of the day, ISO week or month that holds ``day``."""
    if bucket is Bucket.WEEK:
        return day - timedelta(days=day.weekday())
    if bucket is Bucket.MONTH:
        return day.replace(day=1)
    return day


def next_bucket(day: date, bucket: Bucket) -> date:
    """The first day of the bucket after the one that holds ``day``."""
    start = bucket_start(day, bucket)
    if bucket is Bucket.WEEK:
        return start + timedelta(days=7)
    if bucket is Bucket.MONTH:
        return add_months(start, 1)
    return start + DAY


def add_months(day: date, months: int) -> date:
    """The first day of the month that many months from ``day``'s."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def year_earlier(day: date) -> date:
    """The same date a year earlier; 28 February for the 29th."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


_TRAILING = re.compile(r"(\d{1,4})d")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-[Qq]([1-4])")
_YEAR = re.compile(r"\d{4}")
ALLOWED = (
    "today, yesterday, week, month, quarter, year, last_week, last_month, last_quarter, last_year, "
    "30d, 2026, 2026-01, 2026-Q1, 2026-01-31, 2026-01-01..2026-01-31"
)


def parse_day(text: str, field: str) -> date:
    """An ISO date; ``InputError`` names the field."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as err:
        raise InputError(f"{text!r} is not a date.", field=field, remedy="Write it as 2026-01-31.") from err


def parse_period(text: str, today: date) -> Period:
    """The period a person means: a name, a month, a quarter, a year, a day, ``30d`` or ``start..end``.

    Running periods are whole ("month" ends on the month's last day). Raises ``InputError`` for anything else.
    """
    word = text.strip()
    named = _named(word.casefold(), today)
    if named is not None:
        return named
    try:
        return _written(word, today)
    except ValueError as err:
        raise InputError(
            f"{text!r} is not a period.", field="period", remedy=f"Use one of: {ALLOWED}."
        ) from err


def _named(word: str, today: date) -> Period | None:
    last = word.startswith("last_")
    unit = word.removeprefix("last_")
    if word in ("today", "yesterday"):
        day = today - DAY if word == "yesterday" else today
        return Period(start_on=day, end_on=day)
    if unit == "week":
        start = bucket_start(today, Bucket.WEEK) - timedelta(days=7 if last else 0)
        return Period(start_on=start, end_on=start + timedelta(days=6))
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is None:
        return None
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    return _months(add_months(first, -months if last else 0), months)


def _written(word: str, today: date) -> Period:
    if match := _TRAILING.fullmatch(word):
        days = int(match[1])
        if days < 1:
            raise ValueError(word)
        return Period(start_on=today - timedelta(days=days - 1), end_on=today)
    if match := _RANGE.fullmatch(word):
        return Period(start_on=date.fromisoformat(match[1]), end_on=date.fromisoformat(match[2]))
    if match := _MONTH.fullmatch(word):
        return _months(date(int(match[1]), int(match[2]), 1), 1)
    if match := _QUARTER.fullmatch(word):
        return _months(date(int(match[1]), int(match[2]) * 3 - 2, 1), 3)
    if _YEAR.fullmatch(word):
        return _months(date(int(word), 1, 1), 12)
    day = date.fromisoformat(word)
    return Period(start_on=day, end_on=day)


def _months(first: date, count: int) -> Period:
    return Period(start_on=first, end_on=add_months(first, count) - DAY)
