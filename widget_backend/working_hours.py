"""Working time: how many seconds of an account's opening hours lie between two moments."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from widget_backend.periods import DAY, local_day

NINE_TO_SIX = (time(9), time(18))
WEEKDAYS: Mapping[int, tuple[time, time]] = dict.fromkeys(range(5), NINE_TO_SIX)


@dataclass(frozen=True, kw_only=True)
class WorkingCalendar:
    """Opening hours by weekday (0 = Monday) in the account's zone, and the days on which nobody works.

    A closing time of 00:00 means the end of the day. Hours follow the wall clock; a DST change inside them
    lengthens or shortens that day.
    """

    zone: ZoneInfo
    hours: Mapping[int, tuple[time, time]] = field(default_factory=lambda: WEEKDAYS)
    holidays: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether anybody works on this local day."""
        return day.weekday() in self.hours and day not in self.holidays

    def working_days(self, start_on: date, end_on: date) -> int:
        """How many working days lie between two local dates, both included."""
        span = range((end_on - start_on).days + 1)
        return sum(self.is_working(start_on + timedelta(days=i)) for i in span)

    def intervals(self, start_on: date, end_on: date) -> list[tuple[datetime, datetime]]:
        """Opening intervals of these local days (both included) as UTC moments, in order."""
        found = []
        day = start_on
        while day <= end_on:
            if self.is_working(day):
                opens, closes = self.hours[day.weekday()]
                last_day = day + DAY if closes == time(0) else day
                begin = datetime.combine(day, opens, tzinfo=self.zone).astimezone(UTC)
                end = datetime.combine(last_day, closes, tzinfo=self.zone).astimezone(UTC)
                if begin < end:
                    found.append((begin, end))
            day += DAY
        return found

    def seconds_between(self, start: datetime, end: datetime) -> int:
        """Working seconds from ``start`` to ``end``; 0 when ``end`` is not later."""
        if end <= start:
            return 0
        timeline = self.timeline(local_day(start, self.zone) - DAY, local_day(end, self.zone) + DAY)
        return timeline.elapsed_s(end) - timeline.elapsed_s(start)

    def timeline(self, start_on: date, end_on: date) -> "Timeline":
        """Cumulative working time over these days, for many questions or for the database."""
        intervals = self.intervals(start_on, end_on)
        before, total = [], 0
        for begin, end in intervals:
            before.append(total)
            total += int((end - begin).total_seconds())
        return Timeline(
            starts=tuple(begin for begin, _ in intervals),
            ends=tuple(end for _, end in intervals),
            before_s=tuple(before),
        )


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Opening intervals in order, each with the working seconds that lie before it."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    before_s: tuple[int, ...]

    def elapsed_s(self, moment: datetime) -> int:
        """Working seconds from the timeline's beginning to ``moment``."""
        index = bisect_right(self.starts, moment) - 1
        if index < 0:
            return 0
        inside = min(moment, self.ends[index]) - self.starts[index]
        return self.before_s[index] + int(inside.total_seconds())
