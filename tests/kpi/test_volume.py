"""Revenue, won, lost: rows in, exact answers out."""

import pytest
from sqlalchemy.orm import Session

from tests.kpi.asking import build, rows_of, value, values
from tests.support.builders import (
    ACCOUNT,
    LOST,
    NEW,
    SALES,
    TALKS,
    WON,
    a_group,
    a_lead,
    a_pipeline,
    a_user,
    an_account,
    at,
    handed_over,
    in_account,
    joined,
    moved,
)

PRODUCTION, PRE = 3200, 3300


@pytest.fixture
def account(session: Session) -> Session:
    an_account(session)
    a_pipeline(session)
    a_pipeline(session, PRODUCTION, "Производство", statuses=(4201, 4202), unsorted=None)
    a_pipeline(session, PRE, "Квалификация", statuses=(4301,), unsorted=None)
    a_group(session)
    a_user(session, 501)
    a_user(session, 502, group_id=None)
    return session


def test_revenue_counts_what_was_won_in_the_period(account: Session) -> None:
    s = account
    # included
    a_lead(s, 1, status=WON, closed="2026-01-01 00:00:00", price="100.10")
    a_lead(s, 2, status=WON, closed="2026-01-31 23:59:59", price="200.20")
    a_lead(s, 3, status=WON, closed="2026-01-15 12:00", price=None)
    a_lead(s, 4, pipeline=PRODUCTION, status=4201, price=400)  # won, then handed to production
    moved(s, 4, "2026-01-20 10:00", NEW, WON)
    moved(s, 4, "2026-01-20 10:01", WON, (PRODUCTION, 4201))
    a_lead(s, 5, status=WON, updated="2026-01-21 10:00", price=1000)  # no closed_at, no event
    # excluded
    a_lead(s, 11, status=WON, closed="2025-12-31 23:59:59")
    a_lead(s, 12, status=WON, closed="2026-02-01 00:00:00")
    a_lead(s, 13, status=WON, closed="2026-01-15 12:00", is_deleted=True)
    a_lead(s, 14, status=WON, closed="2026-01-15 12:00", merged_into=1)
    a_lead(s, 15, status=TALKS)  # won, then reopened
    moved(s, 15, "2026-01-12 10:00", NEW, WON)
    moved(s, 15, "2026-01-13 10:00", WON, TALKS)
    a_lead(s, 16, pipeline=PRE, status=WON, closed="2026-01-15 12:00")  # qualified, not sold
    a_lead(s, 17, pipeline=PRODUCTION, status=WON, closed="2026-01-15 12:00")  # was never sold
    a_lead(s, 18, pipeline=PRODUCTION, status=LOST, closed="2026-01-25 12:00")  # won, production failed
    moved(s, 18, "2026-01-12 10:00", NEW, WON)
    moved(s, 18, "2026-01-13 10:00", WON, (PRODUCTION, 4201))
    moved(s, 18, "2026-01-25 12:00", (PRODUCTION, 4201), (PRODUCTION, LOST))
    a_lead(s, 19, status=LOST, closed="2026-01-15 12:00")
    other = an_account(s, ACCOUNT + 1)
    a_lead(s, 1, status=WON, closed="2026-01-15 12:00")
    build(s, other)
    in_account(s, ACCOUNT)
    build(s)
    assert rows_of(s, "revenue") == [
        {
            "key": {},
            "bucket": None,
            "value": "1700.30",
            "n": 5,
            "state": "live",
            "previous": None,
            "reason": None,
        }
    ]
    assert value(s, "won_count") == 5
    assert value(s, "average_deal") == "340.06"


def test_a_lead_lost_and_moved_on_is_lost_and_a_later_win_undoes_it(account: Session) -> None:
    s = account
    a_lead(s, 1, status=LOST, closed="2026-01-15 12:00")
    a_lead(s, 2, pipeline=PRODUCTION, status=4201)
    moved(s, 2, "2026-01-12 10:00", NEW, LOST)
    moved(s, 2, "2026-01-13 10:00", LOST, (PRODUCTION, 4201))
    a_lead(s, 3, pipeline=PRODUCTION, status=4201)
    moved(s, 3, "2026-01-12 10:00", NEW, LOST)
    moved(s, 3, "2026-01-13 10:00", LOST, WON)
    moved(s, 3, "2026-01-14 10:00", WON, (PRODUCTION, 4201))
    a_lead(s, 4, pipeline=PRODUCTION, status=LOST, closed="2026-01-15 12:00")
    build(s)
    assert value(s, "lost_count") == 2
    assert value(s, "won_count") == 1
    (row,) = rows_of(s, "win_rate")
    assert (row["value"], row["numerator"], row["denominator"], row["n"]) == ("33.3333", 1, 3, 3)


def test_a_win_belongs_to_the_user_responsible_just_before_it(account: Session) -> None:
    s = account
    a_lead(s, 1, status=WON, closed="2026-01-15 12:00", user=502)
    moved(s, 1, "2026-01-15 12:00", NEW, WON)
    handed_over(s, 1, "2026-01-15 12:00", 501, 502)  # the same second comes after
    a_lead(s, 2, status=WON, closed="2026-01-16 12:00", user=502)
    moved(s, 2, "2026-01-16 12:00", NEW, WON)
    handed_over(s, 2, "2026-01-16 11:59:59", 501, 502)
    a_lead(s, 3, status=WON, closed="2026-01-17 12:00", user=501)
    handed_over(s, 3, "2026-01-18 12:00", 777, 502)  # a broken link: nobody knows who before
    build(s)
    assert values(s, "won_count", "user") == {501: 1, 502: 1, None: 1}
    assert values(s, "won_count", "user", attribution="current") == {501: 1, 502: 2}


def test_a_win_belongs_to_the_group_of_that_moment(account: Session) -> None:
    s = account
    joined(s, 501, "2026-01-16 00:00", 99)
    a_lead(s, 1, status=WON, closed="2026-01-15 12:00", price=10)
    a_lead(s, 2, status=WON, closed="2026-01-16 12:00", price=20)
    a_lead(s, 3, status=WON, closed="2026-01-16 12:00", price=40, user=502)
    build(s)
    assert values(s, "revenue", "group") == {88: "10.00", 99: "20.00", None: "40.00"}
    pairs = rows_of(s, "revenue", by=("user", "group"))
    assert [row["key"] for row in pairs] == [
        {"user_id": 501, "group_id": 88},
        {"user_id": 501, "group_id": 99},
        {"user_id": 502, "group_id": None},
    ]


def test_the_pipeline_of_a_win_is_where_it_was_won(account: Session) -> None:
    s = account
    a_lead(s, 1, pipeline=PRODUCTION, status=4202, price=10)
    moved(s, 1, "2026-01-15 12:00", NEW, WON)
    moved(s, 1, "2026-01-15 12:00", WON, (PRODUCTION, 4201))
    moved(s, 1, "2026-01-18 12:00", (PRODUCTION, 4201), (PRODUCTION, 4202))
    build(s)
    assert values(s, "revenue", "pipeline") == {SALES: "10.00"}


def test_growth_is_measured_against_the_previous_calendar_month(account: Session) -> None:
    s = account
    a_lead(s, 1, status=WON, closed="2026-02-10 12:00", price=150)
    a_lead(s, 2, status=WON, closed="2026-01-31 12:00", price=100)
    build(s)
    fields = {"start": "2026-02-01", "end": "2026-02-28", "as_of": at("2026-03-05 00:00")}
    (row,) = rows_of(s, "revenue_growth", **fields)
    assert (row["value"], row["numerator"], row["denominator"]) == ("50.0000", "50.00", "100.00")
    (row,) = rows_of(s, "revenue_growth", compare="previous", **fields)
    assert row["previous"] is None  # nothing in December: no growth of January
    (row,) = rows_of(s, "revenue", compare="previous", **fields)
    assert row["previous"] == "100.00"
