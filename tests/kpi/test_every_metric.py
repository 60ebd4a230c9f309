"""Tests that every registered metric gets for free."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.kpi.asking import a_request, build, rows_of
from tests.support.builders import (
    ACCOUNT,
    LOST,
    NEW,
    TALKS,
    WON,
    a_call,
    a_contact,
    a_group,
    a_lead,
    a_pipeline,
    a_user,
    an_account,
    at,
    handed_over,
    in_account,
    moved,
)
from widget_backend.kpi.drilldown import rows
from widget_backend.kpi.kinds import Measure, Ratio, Stock, Unit
from widget_backend.kpi.query import Scope, answer
from widget_backend.kpi.registry import LISTED, METRICS, dimensions
from widget_backend.money import format_value

ADDITIVE = [id for id in LISTED if isinstance(METRICS[id], Measure | Stock)]
EMPTY_IS_ZERO = {Unit.COUNT: 0, Unit.MONEY: "0.00", Unit.MINUTES: "0.00"}
PERIODS = {
    "a month": ("2026-01-01", "2026-01-31"),
    "the running month": ("2026-02-01", "2026-02-28"),
    "a day": ("2026-01-20", "2026-01-20"),
}


@pytest.fixture
def department(session: Session) -> Session:
    """A believable January and February: wins, losses, calls, hand-overs, things not assigned to anybody."""
    fill(session, ACCOUNT)
    return session


def fill(s: Session, account_id: int, price: int = 1000) -> None:
    an_account(s, account_id)
    a_pipeline(s)
    a_pipeline(s, 3300, "Квалификация", statuses=(4301,), unsorted=None)
    a_group(s)
    a_user(s, 501)
    a_user(s, 502, group_id=None)
    for number in range(1, 25):
        day = f"2026-{1 + number % 2:02}-{number:02}" if number % 2 == 0 or number < 20 else "2026-01-20"
        lead_id = 7000 + number
        pre_sale = number % 7 == 0
        status = 4301 if pre_sale else (WON, LOST, NEW, TALKS)[number % 4]
        closed = f"{day} 15:00" if status in (WON, LOST) else None
        a_lead(
            s,
            lead_id,
            created=f"{day} 10:00",
            status=status,
            pipeline=3300 if pre_sale else 3100,
            closed=closed,
            price=price * number,
            user=(501, 502, None)[number % 3],
            contacts=(8000 + number % 5,),
            source_id=(11, None)[number % 2],
        )
        if closed and number % 8 < 4:
            moved(s, lead_id, f"{day} 15:00", TALKS, status)
        if number % 6 == 0:
            handed_over(s, lead_id, f"{day} 12:00", 502, 501)
        a_call(
            s,
            ("contacts", 8000 + number % 5) if number % 2 else ("leads", lead_id),
            f"{day} 11:{number:02}",
            direction=("in", "out")[number % 3 == 0],
            duration=number * 7 % 100,
            responsible=(501, 502)[number % 2],
        )
    a_contact(s, 8001)
    build(s, account_id)


def test_titles_and_formulas_exist_in_both_languages() -> None:
    for metric in METRICS.values():
        assert metric.title.in_language("ru")
        assert metric.title.in_language("en")
        assert metric.title.ru != metric.title.en
        assert metric.formula.ru != metric.formula.en


@pytest.mark.parametrize("metric", LISTED)
def test_an_empty_account_answers(session: Session, metric: str) -> None:
    an_account(session)
    build(session)
    (row,) = rows_of(session, metric, compare="previous")
    expected = EMPTY_IS_ZERO[METRICS[metric].unit] if metric in ADDITIVE else None
    assert (row["value"], row["previous"], row["n"]) == (expected, expected, 0)
    assert row["reason"] == (None if metric in ADDITIVE else "no_data")
    assert rows_of(session, metric, by=("user",)) == []
    assert rows(session, ACCOUNT, metric, a_request(metric), None, 50) == ([], None, 0)


@pytest.mark.parametrize("period", PERIODS)
def test_parts_add_up_over_every_dimension_and_pair(department: Session, period: str) -> None:
    start, end = PERIODS[period]
    for metric in ADDITIVE:
        (total,) = rows_of(department, metric, start=start, end=end)
        names = sorted(dimensions(metric))
        for by in [(name,) for name in names] + [(a, b) for a in names for b in names if a < b]:
            parts = rows_of(department, metric, start=start, end=end, by=by)
            assert sum(row["n"] for row in parts) == total["n"], (metric, by)
            summed = sum(Decimal(row["value"]) for row in parts)
            # Minutes are rounded in each row, money and counts are exact.
            tolerance = Decimal("0.005") * len(parts) if METRICS[metric].unit is Unit.MINUTES else 0
            assert abs(summed - Decimal(total["value"])) <= tolerance, (metric, by)


@pytest.mark.parametrize("bucket", ["day", "week", "month"])
def test_buckets_add_up(department: Session, bucket: str) -> None:
    for metric in ADDITIVE:
        if isinstance(METRICS[metric], Measure):
            fields: dict[str, Any] = {"start": "2026-01-07", "end": "2026-02-18"}
            (total,) = rows_of(department, metric, **fields)
            parts = rows_of(department, metric, bucket=bucket, **fields)
            assert len(parts) == {"day": 43, "week": 7, "month": 2}[bucket]
            assert sum(row["n"] for row in parts) == total["n"], metric


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("metric", LISTED)
def test_the_drill_down_adds_up(department: Session, metric: str, period: str) -> None:
    start, end = PERIODS[period]
    request = a_request(metric, start=start, end=end)
    (row,) = answer(department, ACCOUNT, request)["metrics"][0]["rows"]
    items = everything_behind(department, metric, request)
    declared = METRICS[metric]
    if metric == "sales_cycle":
        assert len(items) == row["n"]
    elif isinstance(declared, Ratio):
        assert_part(declared.top, row["numerator"], [i for i in items if i["part"] == "numerator"])
        assert_part(declared.bottom, row["denominator"], [i for i in items if i["part"] == "denominator"])
    elif metric == "revenue_growth":
        now, then = ([i for i in items if i["part"] == part] for part in ("current", "previous"))
        assert Decimal(row["numerator"]) == amount(now) - amount(then)
        assert Decimal(row["denominator"]) == amount(then)
    else:
        assert_part(metric, row["value"], items)
    for item in items:
        assert set(item) == {
            "entity",
            "id",
            "name",
            "amount",
            "seconds",
            "at",
            "user_id",
            "pipeline_id",
            "url",
            "part",
        }
        assert item["url"].split("/")[1] in ("leads", "contacts")


def assert_part(metric: str, shown: Any, items: list[dict[str, Any]]) -> None:
    unit = METRICS[metric].unit
    seconds = sum(item["seconds"] or 0 for item in items)
    found: dict[Unit, Callable[[], Any]] = {
        Unit.COUNT: lambda: len(items),
        Unit.MONEY: lambda: f"{amount(items):.2f}",
        Unit.SECONDS: lambda: seconds,
        Unit.MINUTES: lambda: str((Decimal(seconds) / 60).quantize(Decimal("0.01"))),
    }
    assert found[unit]() == shown, metric


def amount(items: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(item["amount"]) for item in items), Decimal(0))


def everything_behind(session: Session, metric: str, request: Any) -> list[dict[str, Any]]:
    """All pages of three items, and no item twice."""
    items, cursor, total = [], None, -1
    while True:
        page, cursor, total = rows(session, ACCOUNT, metric, request, cursor, 3)
        items += page
        if cursor is None:
            break
        assert len(page) == 3
    assert len(items) == total
    assert len({(item["part"], item["entity"], item["id"]) for item in items}) == total
    return items


def test_a_second_account_changes_nothing(department: Session) -> None:
    before = answer(department, ACCOUNT, a_request(by=("user",)))
    fill(department, ACCOUNT + 1, price=7)
    in_account(department, ACCOUNT)
    assert answer(department, ACCOUNT, a_request(by=("user",))) == before


def test_the_value_of_the_previous_period_is_what_that_period_answers(department: Session) -> None:
    request = a_request(
        start="2026-02-01", end="2026-02-28", compare="previous", as_of=at("2026-03-20 12:00")
    )
    january = a_request(as_of=at("2026-03-20 12:00"))
    now = answer(department, ACCOUNT, request)
    then = answer(department, ACCOUNT, january)
    assert now["compare"]["start_on"] == "2026-01-01"
    for left, right in zip(now["metrics"], then["metrics"], strict=True):
        assert left["rows"][0]["previous"] == right["rows"][0]["value"], left["id"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_dst_day_is_one_day(session: Session, day: str, hours: int) -> None:
    an_account(session, timezone="Europe/Berlin")
    a_pipeline(session)
    a_user(session)
    first = at(f"{day} 00:00:00+{'01' if hours == 23 else '02'}:00")
    last = at(f"{day} 23:59:59+{'02' if hours == 23 else '01'}:00")
    assert (last - first).total_seconds() == hours * 3600 - 1
    for number, moment in enumerate((first, last)):
        a_lead(session, 1 + number, created=moment, status=WON, closed=moment, price=1)
        a_lead(session, 11 + number, created=moment, status=LOST, closed=moment)
        a_lead(session, 21 + number, created=moment)
        a_call(session, ("leads", 1), moment, direction="in", duration=0)
        a_call(session, ("leads", 1), moment, duration=90)
    build(session, as_of=at("2026-12-01"))
    zone = {"timezone": "Europe/Berlin", "as_of": at("2026-12-01")}
    for bucket in (None, "day"):
        found = answer(session, ACCOUNT, a_request(start=day, end=day, bucket=bucket, **zone))
        values = {metric["id"]: metric["rows"][0]["value"] for metric in found["metrics"]}
        assert values["revenue"] == "2.00"
        assert (values["won_count"], values["lost_count"], values["leads_new"]) == (2, 2, 6)
        assert (values["calls_total"], values["calls_missed"], values["calls_effective"]) == (4, 2, 2)
        assert values["pipeline_count"] == 2
        assert values["call_minutes"] == "3.00"
    for next_to in (-1, 1):
        other = f"{day[:-2]}{int(day[-2:]) + next_to}"
        found = answer(
            session, ACCOUNT, a_request("leads_new", "calls_total", start=other, end=other, **zone)
        )
        assert [metric["rows"][0]["value"] for metric in found["metrics"]] == [0, 0]


@pytest.mark.parametrize("metric", LISTED)
def test_visibility_limits_numbers_and_lists_alike(department: Session, metric: str) -> None:
    allowed = {row["key"]["user_id"]: row for row in rows_of(department, metric, by=("user",))}
    (own,) = rows_of(department, metric, scope=Scope.of_user(501))
    if metric in ADDITIVE:
        empty = EMPTY_IS_ZERO[METRICS[metric].unit]
        assert own["value"] == (allowed[501]["value"] if 501 in allowed else empty)
    (group,) = rows_of(department, metric, scope=Scope.of_group(88, 501))
    assert group["value"] == own["value"]  # 501 is alone in the group
    (nothing,) = rows_of(department, metric, scope=Scope.nothing())
    assert (nothing["value"], nothing["n"], nothing["reason"]) == (None, 0, "no_access")
    assert rows_of(department, metric, by=("user",), scope=Scope.nothing()) == []
    hidden = rows(department, ACCOUNT, metric, a_request(metric, scope=Scope.nothing()), None, 50)
    assert hidden == ([], None, 0)
    items, _, _ = rows(department, ACCOUNT, metric, a_request(metric, scope=Scope.of_user(501)), None, 500)
    assert {item["user_id"] for item in items} <= {501}


@pytest.mark.parametrize("metric", LISTED)
def test_a_filter_gives_the_rows_own_value(department: Session, metric: str) -> None:
    for name in dimensions(metric):
        for row in rows_of(department, metric, by=(name,)):
            (part,) = row["key"].values()
            (alone,) = rows_of(department, metric, where={name: (part,)})
            assert (alone["value"], alone["n"]) == (row["value"], row["n"]), (name, part)


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_values_are_shown_in_both_languages(department: Session, lang: str) -> None:
    for metric in answer(department, ACCOUNT, a_request())["metrics"]:
        assert format_value(metric["unit"], metric["rows"][0]["value"], metric["currency"], lang)
