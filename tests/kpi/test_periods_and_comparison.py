"""Local days, buckets, comparable periods, working hours, exact amounts."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widget_backend.errors import InputError
from widget_backend.kpi.compare import Compare, Span, counterpart
from widget_backend.money import DASH, as_output, format_value, round_half_up
from widget_backend.periods import (
    Bucket,
    Period,
    day_start,
    local_day,
    parse_day,
    parse_period,
    year_earlier,
)
from widget_backend.working_hours import WorkingCalendar

ZONES = [
    "Europe/Moscow",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Pacific/Pago_Pago",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
]
MOSCOW = ZoneInfo("Europe/Moscow")
TODAY = date(2026, 5, 20)

days = st.dates(date(2000, 1, 1), date(2037, 12, 1))
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])


def period(text: str) -> Period:
    return parse_period(text, TODAY)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-05-20", "2026-05-20"),
        ("yesterday", "2026-05-19", "2026-05-19"),
        ("week", "2026-05-18", "2026-05-24"),
        ("last_week", "2026-05-11", "2026-05-17"),
        ("Month", "2026-05-01", "2026-05-31"),
        ("last_month", "2026-04-01", "2026-04-30"),
        ("quarter", "2026-04-01", "2026-06-30"),
        ("last_quarter", "2026-01-01", "2026-03-31"),
        ("year", "2026-01-01", "2026-12-31"),
        ("last_year", "2025-01-01", "2025-12-31"),
        ("30d", "2026-04-21", "2026-05-20"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2025-q4", "2025-10-01", "2025-12-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2026-01-31", "2026-01-31", "2026-01-31"),
        ("2026-01-01..2026-02-10", "2026-01-01", "2026-02-10"),
    ],
)
def test_periods_are_read(text: str, start: str, end: str) -> None:
    assert period(text) == Period(start_on=date.fromisoformat(start), end_on=date.fromisoformat(end))


@pytest.mark.parametrize(
    "text", ["", "soon", "0d", "2026-13", "2026-02-30", "2026-02-10..2026-02-01", "last_today"]
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        period(text)


def test_a_date_names_its_field() -> None:
    assert parse_day("2026-01-31", "start") == date(2026, 1, 31)
    with pytest.raises(InputError) as caught:
        parse_day("31.01.2026", "start")
    assert caught.value.field == "start"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Moscow", "2026-01-10", "2026-01-09T21:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),  # no midnight: 00:00 became 01:00
        ("America/Havana", "2026-11-01", "2026-11-01T04:00", 25),  # two midnights: the first
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", 0),  # a day that never was
    ],
)
def test_local_days(zone: str, day: str, begins: str, hours: int) -> None:
    one = Period(start_on=date.fromisoformat(day), end_on=date.fromisoformat(day))
    start, end = one.moments(ZoneInfo(zone))
    assert start == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert end - start == timedelta(hours=hours)


@given(days, st.integers(0, 120), zones, st.sampled_from(Bucket))
def test_buckets_tile_their_period(start: date, length: int, zone: ZoneInfo, bucket: Bucket) -> None:
    whole = Period(start_on=start, end_on=start + timedelta(days=length))
    parts = list(whole.buckets(bucket))
    assert parts[0].start_on == whole.start_on
    assert parts[-1].end_on == whole.end_on
    moments = [part.moments(zone) for part in parts]
    assert (moments[0][0], moments[-1][1]) == whole.moments(zone)
    assert all(left[1] == right[0] for left, right in pairwise(moments))
    assert sum(part.days for part in parts) == whole.days


@given(days, zones, st.integers(0, 86399))
def test_every_moment_of_a_day_is_in_that_day(day: date, zone: ZoneInfo, second: int) -> None:
    start, end = Period(start_on=day, end_on=day).moments(zone)
    moment = start + timedelta(seconds=second)
    assert (moment < end) == (local_day(moment, zone) == day)


# --- comparison ----------------------------------------------------------------------------------------


def span(text: str, as_of: str, zone: str = "Europe/Moscow") -> Span:
    moment = datetime.fromisoformat(as_of).replace(tzinfo=ZoneInfo(zone))
    return Span(period=period(text), zone=ZoneInfo(zone), as_of=moment)


@pytest.mark.parametrize(
    ("text", "compare", "expected"),
    [
        ("2026-03", Compare.PREVIOUS, "2026-02"),
        ("2026-01", Compare.PREVIOUS, "2025-12"),
        ("2026-Q1", Compare.PREVIOUS, "2025-Q4"),
        ("2024", Compare.PREVIOUS, "2023"),
        ("2026-05-18..2026-05-24", Compare.PREVIOUS, "2026-05-11..2026-05-17"),
        ("2026-03-01..2026-03-30", Compare.PREVIOUS, "2026-01-30..2026-02-28"),
        ("2026-03-02..2026-04-01", Compare.PREVIOUS, "2026-01-30..2026-03-01"),
        ("2026-05-20", Compare.PREVIOUS, "2026-05-19"),
        ("2026-05-20", Compare.YEAR, "2025-05-20"),
        ("2024-02", Compare.YEAR, "2023-02"),
        ("2024-02-29", Compare.YEAR, "2023-02-28"),
        ("2025-02", Compare.YEAR, "2024-02-01..2024-02-28"),
    ],
)
def test_comparable_periods(text: str, compare: Compare, expected: str) -> None:
    assert counterpart(span(text, "2027-01-01T00:00"), compare).period == period(expected)


@pytest.mark.parametrize(
    ("text", "as_of", "ends"),
    [
        ("2026-03", "2026-03-10T15:30:00", "2026-02-10T15:30:00"),  # running: as many days, same time
        ("2026-03", "2026-03-31T12:00:00", "2026-02-28T23:59:59.999999"),  # clipped to February's end
        ("2026-03", "2026-04-05T12:00:00", "2026-02-28T23:59:59.999999"),  # finished: whole
        ("2026-03", "2026-02-20T12:00:00", "2026-01-31T23:59:59.999999"),  # not begun: nothing of either
    ],
)
def test_a_running_period_is_compared_with_as_much_of_the_other(text: str, as_of: str, ends: str) -> None:
    other = counterpart(span(text, as_of), Compare.PREVIOUS)
    last = other.end_at - timedelta(microseconds=1)
    assert last.astimezone(MOSCOW).replace(tzinfo=None).isoformat() == ends


def test_the_age_of_a_finished_cohort_counts_from_its_end() -> None:
    other = counterpart(span("2026-03", "2026-04-05T12:00"), Compare.PREVIOUS)
    assert other.as_of == datetime(2026, 3, 5, 12, tzinfo=MOSCOW)


def test_what_has_come_since_as_of_is_shown_but_does_not_lengthen_the_counterpart() -> None:
    synced = span("2026-05", "2026-05-20T12:00")
    shown = replace(synced, shown_to=synced.as_of + timedelta(hours=2))
    assert shown.end_at - synced.end_at == timedelta(hours=2)
    for compare in Compare:
        assert counterpart(shown, compare) == counterpart(synced, compare)


def test_the_same_wall_clock_across_a_change_of_offset() -> None:
    other = counterpart(span("2026-04", "2026-04-02T10:00", "Europe/Berlin"), Compare.PREVIOUS)
    assert other.as_of == datetime(2026, 3, 2, 9, tzinfo=UTC)


@given(days, st.integers(0, 400), zones, st.sampled_from(Compare), st.integers(-30, 500))
def test_a_counterpart_lies_before_and_is_not_longer(
    start: date, length: int, zone: ZoneInfo, compare: Compare, age: int
) -> None:
    whole = Period(start_on=start, end_on=start + timedelta(days=length))
    now = day_start(start, zone) + timedelta(days=age, hours=11)
    one = Span(period=whole, zone=zone, as_of=now)
    other = counterpart(one, compare)
    assert other.period.end_on < whole.end_on
    assert other.start_at <= other.end_at <= day_start(other.period.end_on + timedelta(days=1), zone)
    if now >= day_start(whole.end_on + timedelta(days=1), zone):
        assert other.end_at == day_start(other.period.end_on + timedelta(days=1), zone)
    if compare is Compare.PREVIOUS:
        assert other.period.end_on + timedelta(days=1) == whole.start_on


def test_a_year_before_a_leap_day() -> None:
    assert year_earlier(date(2024, 2, 29)) == date(2023, 2, 28)
    assert year_earlier(date(2025, 2, 28)) == date(2024, 2, 28)


# --- working hours -------------------------------------------------------------------------------------


def at(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-01-12T10:00", "2026-01-12T12:30", 2.5),
        ("2026-01-09T17:00", "2026-01-12T10:00", 2),  # over a week-end
        ("2026-01-10T10:00", "2026-01-11T10:00", 0),
        ("2026-01-12T00:00", "2026-01-13T00:00", 9),
        ("2026-01-12T12:00", "2026-01-12T11:00", 0),
        ("2026-01-13T10:00", "2026-01-15T10:00", 9),  # the 14th is a holiday
    ],
)
def test_working_time(start: str, end: str, hours: float) -> None:
    calendar = WorkingCalendar(zone=MOSCOW, holidays=frozenset({date(2026, 1, 14)}))
    assert calendar.seconds_between(at(start), at(end)) == hours * 3600


def test_a_dst_change_inside_the_hours_changes_the_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    calendar = WorkingCalendar(zone=berlin, hours={6: (time(0), time(0))})
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-01", 24)):
        start = at(f"{day}T00:00", berlin)
        assert calendar.seconds_between(start, start + timedelta(days=3)) == hours * 3600
    assert calendar.working_days(date(2026, 3, 1), date(2026, 3, 31)) == 5


@given(
    st.integers(0, 300 * 86400),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=2),
)
def test_working_time_adds_up(start: int, steps: list[int]) -> None:
    calendar = WorkingCalendar(zone=ZoneInfo("Europe/Berlin"))
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    middle = first + timedelta(seconds=steps[0])
    last = middle + timedelta(seconds=steps[1])
    parts = calendar.seconds_between(first, middle) + calendar.seconds_between(middle, last)
    assert calendar.seconds_between(first, last) == parts


# --- amounts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (Fraction(1, 200), 2, "0.01"),
        (Fraction(-1, 200), 2, "-0.01"),
        (Decimal("2.345"), 2, "2.35"),
        (Fraction(200, 3), 4, "66.6667"),
        (5, 0, "5"),
        (Fraction(5, 2), 0, "3"),
    ],
)
def test_a_half_goes_away_from_zero(value: Fraction, places: int, expected: str) -> None:
    assert f"{round_half_up(value, places):f}" == expected


@given(st.fractions(-(10**9), 10**9), st.integers(0, 4))
def test_rounding_is_never_off_by_more_than_half(value: Fraction, places: int) -> None:
    rounded = Fraction(round_half_up(value, places))
    assert abs(rounded - value) <= Fraction(1, 2 * 10**places)


@pytest.mark.parametrize(
    ("unit", "value", "currency", "ru", "en"),
    [
        ("money", "45000.00", "RUB", "45 000 ₽", "RUB 45,000"),
        ("money", "45000.50", "USD", "45 000,50 $", "$45,000.50"),
        ("percent", "12.5000", None, "12,5 %", "12.5%"),
        ("percent", "33.3333", None, "33,3 %", "33.3%"),
        ("count", 12345, None, "12 345", "12,345"),
        ("minutes", "2.50", None, "3 мин", "3 min"),
        ("duration", 3 * 86400 + 4 * 3600 + 50, None, "3 дн. 4 ч", "3 d 4 h"),
        ("seconds", 65, None, "1 мин 5 с", "1 min 5 s"),
        ("duration", 0, None, "0 с", "0 s"),
        ("ratio", "1.2500", None, "1,25", "1.25"),
        ("money", None, "RUB", DASH, DASH),
    ],
)
def test_values_for_people(
    unit: str, value: int | str | None, currency: str | None, ru: str, en: str
) -> None:
    shown = [format_value(unit, value, currency, lang).replace("\u00a0", " ") for lang in ("ru", "en")]
    assert shown == [ru, en]


def test_output_by_unit() -> None:
    assert as_output("money", Fraction(1, 3)) == "0.33"
    assert as_output("percent", Fraction(1, 3)) == "0.3333"
    assert as_output("seconds", Fraction(5, 2)) == 3
    assert as_output("money", None) is None
