"""Sales cycle and open leads: rows in, exact answers out."""

from datetime import date, time

import pytest
from sqlalchemy.orm import Session

from tests.kpi.asking import build, rows_of, value, values
from tests.support.builders import (
    LOST,
    MOSCOW,
    NEW,
    SALES,
    TALKS,
    UNSORTED,
    WON,
    a_group,
    a_lead,
    a_pipeline,
    a_user,
    an_account,
    at,
    handed_over,
    moved,
    repriced,
)
from widget_backend.working_hours import WorkingCalendar

HOUR = 3600
PRODUCTION = 3200


@pytest.fixture
def account(session: Session) -> Session:
    an_account(session)
    a_pipeline(session)
    a_pipeline(session, PRODUCTION, "Производство", statuses=(4201,), unsorted=None)
    a_group(session)
    a_user(session, 501)
    a_user(session, 502)
    return session


def test_the_sales_cycle_in_calendar_and_working_time(account: Session) -> None:
    s = account
    # Friday 17:00 → Monday 10:00: 65 h, of which 1 + 1 working
    a_lead(s, 1, created="2026-01-09 17:00", status=WON, closed="2026-01-12 10:00")
    # Monday 10:00 → 12:30
    a_lead(s, 2, created="2026-01-12 10:00", status=WON, closed="2026-01-12 12:30")
    # Saturday to Sunday
    a_lead(s, 3, created="2026-01-17 10:00", status=WON, closed="2026-01-18 10:00")
    # closed before it was created: an import
    a_lead(s, 4, created="2026-01-17 10:00", status=WON, closed="2026-01-15 10:00")
    # excluded: lost
    a_lead(s, 5, created="2026-01-12 10:00", status=LOST, closed="2026-01-13 10:00")
    build(s)
    (row,) = rows_of(s, "sales_cycle")
    calendar = [0, 2.5 * HOUR, 24 * HOUR, 65 * HOUR]
    working = [0, 0, 2 * HOUR, 2.5 * HOUR]
    assert row["value"] == row["calendar"]["median_s"] == (calendar[1] + calendar[2]) / 2
    assert row["calendar"]["mean_s"] == sum(calendar) / 4
    assert row["calendar"]["p90_s"] == round(calendar[2] + 0.7 * (calendar[3] - calendar[2]))
    assert row["working"] == {
        "mean_s": sum(working) / 4,
        "median_s": HOUR,
        "p90_s": working[2] + 0.7 * 0.5 * HOUR,
    }
    assert (row["n"], row["waiting"], row["reason"]) == (4, None, None)


def test_the_sales_cycle_follows_the_calendar_it_is_given(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-12 10:00", status=WON, closed="2026-01-13 12:00")
    build(s)
    hours = WorkingCalendar(
        zone=MOSCOW, hours={0: (time(8), time(0)), 1: (time(8), time(20))}, holidays=frozenset()
    )
    (row,) = rows_of(s, "sales_cycle", calendar=hours)
    assert row["working"]["median_s"] == 14 * HOUR + 4 * HOUR
    closed = WorkingCalendar(zone=MOSCOW, hours=hours.hours, holidays=frozenset({date(2026, 1, 13)}))
    (row,) = rows_of(s, "sales_cycle", calendar=closed)
    assert row["working"]["median_s"] == 14 * HOUR


def test_the_sales_cycle_by_user_and_month(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-12 10:00", status=WON, closed="2026-01-12 11:00", user=501)
    a_lead(s, 2, created="2026-01-12 10:00", status=WON, closed="2026-01-12 13:00", user=502)
    a_lead(s, 3, created="2026-02-12 10:00", status=WON, closed="2026-02-12 15:00", user=502)
    build(s)
    rows = rows_of(s, "sales_cycle", by=("user",), bucket="month", end="2026-02-28")
    found = {(row["key"]["user_id"], row["bucket"]): row["value"] for row in rows}
    assert found == {
        (501, "2026-01-01"): HOUR,
        (501, "2026-02-01"): None,
        (502, "2026-01-01"): 3 * HOUR,
        (502, "2026-02-01"): 5 * HOUR,
    }


def test_the_pipeline_at_the_end_of_the_period_as_history_has_it(account: Session) -> None:
    s = account
    # included
    a_lead(s, 1, created="2026-01-31 23:59:59", price=1)
    a_lead(s, 2, status=WON, closed="2026-02-01 00:00:00", price=2)  # won a moment later
    moved(s, 2, "2026-02-01 00:00:00", TALKS, WON)
    a_lead(s, 3, price=30)  # repriced later
    repriced(s, 3, "2026-02-05 10:00", 4, 30)
    a_lead(s, 4, price=8, status=TALKS, user=502)  # reopened in January, handed over later
    moved(s, 4, "2026-01-12 10:00", NEW, LOST)
    moved(s, 4, "2026-01-13 10:00", LOST, TALKS)
    handed_over(s, 4, "2026-02-02 10:00", 501, 502)
    a_lead(s, 5, price=None)
    # excluded
    a_lead(s, 11, created="2026-02-01 00:00:00", price=100)
    a_lead(s, 12, status=WON, closed="2026-01-31 23:59:59", price=100)
    moved(s, 12, "2026-01-31 23:59:59", TALKS, WON)
    a_lead(s, 13, status=UNSORTED, price=100)
    a_lead(s, 14, pipeline=PRODUCTION, status=4201, price=100)
    a_lead(s, 15, is_deleted=True, price=100)
    a_lead(s, 16, merged_into=1, price=100)
    a_lead(s, 17, status=NEW, price=100)  # in January still lost
    moved(s, 17, "2026-01-12 10:00", NEW, LOST)
    moved(s, 17, "2026-02-02 10:00", LOST, NEW)
    build(s)
    assert value(s, "pipeline_value") == "15.00"
    assert value(s, "pipeline_count") == 5
    assert values(s, "pipeline_count", "status") == {NEW: 3, TALKS: 2}
    assert values(s, "pipeline_value", "user") == {501: "15.00"}
    assert values(s, "pipeline_value", "group") == {88: "15.00"}
    (pair, _) = rows_of(s, "pipeline_value", by=("pipeline", "status"))
    assert pair["key"] == {"pipeline_id": SALES, "status_id": NEW}


def test_the_pipeline_of_a_running_period_is_the_present_one(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-02-19 10:00", price=1)
    a_lead(s, 2, created="2026-02-20 12:00:00", price=2)  # the very moment of as_of
    a_lead(s, 3, created="2026-02-20 12:00:01", price=4)  # not known yet
    build(s)
    running = {"start": "2026-02-01", "end": "2026-02-28"}
    assert value(s, "pipeline_value", **running) == "3.00"
    assert value(s, "leads_new", **running) == 2
    assert value(s, "pipeline_value", **running, cut_at=at("2026-02-21 12:00")) == "7.00"


def test_the_pipeline_at_the_end_of_each_month(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2025-12-10 10:00", status=WON, closed="2026-02-10 10:00", price=1)
    moved(s, 1, "2026-02-10 10:00", NEW, WON)
    a_lead(s, 2, created="2026-01-10 10:00", price=2)
    build(s)
    rows = rows_of(s, "pipeline_value", start="2025-12-01", end="2026-03-31", bucket="month")
    assert [(row["bucket"], row["value"]) for row in rows] == [
        ("2025-12-01", "1.00"),
        ("2026-01-01", "3.00"),
        ("2026-02-01", "2.00"),
    ]


def test_nothing_is_said_before_the_history_begins_or_of_the_future(account: Session) -> None:
    s = account
    a_lead(s, 1)
    build(s)
    since = {"events": at("2026-02-01 00:00"), "calls": at("2026-01-15 00:00")}
    for metric in ("pipeline_value", "calls_total", "call_avg_duration"):
        (row,) = rows_of(s, metric, covered_from=since, end="2026-01-30")
        assert (row["value"], row["n"], row["reason"]) == (None, 0, "no_history")
        (row,) = rows_of(s, metric, start="2027-01-01", end="2027-01-31")
        assert (row["value"], row["reason"]) == (None, "no_history")
    assert value(s, "pipeline_value", covered_from=since) == "1000.00"  # the end of January is covered
    assert value(s, "leads_new", covered_from=since) == 1
    (row,) = rows_of(
        s, "calls_total", covered_from=since, start="2026-02-01", end="2026-02-10", compare="previous"
    )
    assert (row["value"], row["previous"]) == (0, 0)
    (row,) = rows_of(
        s, "calls_total", covered_from=since, start="2026-02-01", end="2026-02-28", compare="previous"
    )
    assert (row["value"], row["previous"]) == (0, None)
