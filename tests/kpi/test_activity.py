"""New leads, their receivers, and calls: rows in, exact answers out."""

import pytest
from sqlalchemy.orm import Session

from tests.kpi.asking import NOW, build, rows_of, value, values
from tests.support.builders import (
    ACCOUNT,
    NEW,
    SALES,
    TALKS,
    WON,
    a_call,
    a_group,
    a_lead,
    a_link,
    a_pipeline,
    a_task,
    a_user,
    an_account,
    an_event,
    at,
    handed_over,
    in_account,
    moved,
)

PRODUCTION, PRE = 3200, 3300


@pytest.fixture
def account(session: Session) -> Session:
    an_account(session)
    a_pipeline(session)
    a_pipeline(session, PRODUCTION, "Производство", statuses=(4201, 4202), unsorted=None)
    a_pipeline(session, PRE, "Прозвон", statuses=(4301,), unsorted=None)
    a_group(session)
    a_user(session, 501, email="Anna@example.com", name="Анна Тестова")
    a_user(session, 502, phone="+7 (916) 000-00-02", name="Борис")
    return session


def test_new_leads_count_by_creation_in_their_first_pipeline(account: Session) -> None:
    s = account
    # included
    a_lead(s, 1, created="2026-01-01 00:00:00")
    a_lead(s, 2, created="2026-01-31 23:59:59", status=4100)  # unsorted
    a_lead(s, 3, created="2026-01-10 10:00", pipeline=PRE, status=4301)
    a_lead(s, 4, created="2026-01-10 10:00", pipeline=PRODUCTION, status=4201)  # began in sales
    moved(s, 4, "2026-01-11 10:00", (SALES, NEW), (PRODUCTION, 4201))
    a_lead(s, 5, created="2026-01-10 10:00")  # began in pre-sale
    moved(s, 5, "2026-01-11 10:00", (PRE, 4301), (SALES, NEW))
    # excluded
    a_lead(s, 11, created="2025-12-31 23:59:59")
    a_lead(s, 12, created="2026-02-01 00:00:00")
    a_lead(s, 13, is_deleted=True)
    a_lead(s, 14, merged_into=1)
    a_lead(s, 15, pipeline=PRODUCTION, status=4201)
    other = an_account(s, ACCOUNT + 1)
    a_lead(s, 1)
    build(s, other)
    in_account(s, ACCOUNT)
    build(s)
    assert value(s, "leads_new") == 5
    assert values(s, "leads_new", "pipeline") == {SALES: 3, PRE: 2}


@pytest.mark.parametrize(
    ("touch", "receiver"),
    [
        (lambda s: None, 502),  # 24 h after creation, when 502 was responsible
        (lambda s: a_call(s, ("leads", 1), "2026-01-10 11:00", duration=0), 501),
        (lambda s: a_call(s, ("contacts", 8001), "2026-01-10 11:00", duration=0), 501),
        (lambda s: a_call(s, ("companies", 9001), "2026-01-10 11:00", duration=0), 501),
        (lambda s: a_call(s, ("leads", 1), "2026-01-10 11:00", direction="in", duration=0), 502),
        (lambda s: a_call(s, ("leads", 1), "2026-01-10 11:00", direction="in", duration=9), 501),
        (lambda s: an_event(s, "outgoing_chat_message", 1, "2026-01-10 11:00"), 501),
        (lambda s: an_event(s, "outgoing_mail", 8001, "2026-01-10 11:00", entity="contact"), 501),
        (lambda s: an_event(s, "outgoing_chat_message", 1, "2026-01-10 11:00", by=0), 502),
        (lambda s: an_event(s, "incoming_chat_message", 1, "2026-01-10 11:00"), 502),
        (lambda s: a_task(s, 70, ("leads", 1), completed="2026-01-10 11:00"), 501),
        (lambda s: a_task(s, 70, ("leads", 1), completed="2026-01-10 11:00", by=0), 502),
        (lambda s: a_task(s, 70, ("leads", 1), completed="2026-01-10 11:00", result="Встречу отменили"), 502),
        (lambda s: a_task(s, 70, ("leads", 1), completed="2026-01-10 11:00", type=1), 502),
        (
            lambda s: moved(s, 1, "2026-01-10 11:00", NEW, WON) and moved(s, 1, "2026-01-10 11:30", WON, NEW),
            501,
        ),
        # handed over in the second of the touch: that comes after it
        (lambda s: a_call(s, ("leads", 1), "2026-01-10 12:00"), 501),
        (
            lambda s: moved(s, 1, "2026-01-10 12:00", NEW, WON) and moved(s, 1, "2026-01-10 13:00", WON, NEW),
            501,
        ),
        (lambda s: a_call(s, ("leads", 1), "2026-01-10 13:00"), 502),
        (lambda s: a_call(s, ("leads", 1), "2026-01-11 11:00"), 502),  # after the 24 h
        (lambda s: a_call(s, ("contacts", 8002), "2026-01-10 11:00"), 502),  # somebody else's contact
    ],
)
def test_a_new_lead_belongs_to_its_owner_at_the_first_touch_closing_or_after_a_day(
    account: Session, touch: object, receiver: int
) -> None:
    s = account
    a_lead(s, 1, created="2026-01-10 10:00", user=503, contacts=(8001,), companies=(9001,))
    handed_over(s, 1, "2026-01-10 12:00", 501, 502)
    handed_over(s, 1, "2026-01-12 12:00", 502, 503)
    assert callable(touch)
    touch(s)
    build(s)
    assert values(s, "leads_new", "user") == {receiver: 1}


def test_a_meeting_is_dated_by_its_completion_event(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-10 10:00", user=502)
    handed_over(s, 1, "2026-01-10 12:00", 501, 502)
    a_task(s, 70, ("leads", 1), completed="2026-01-15 11:00", by=0)  # a robot edited it later
    an_event(s, "task_completed", 70, "2026-01-10 11:00", entity="task")
    build(s)
    assert values(s, "leads_new", "user") == {501: 1}


def test_before_a_day_has_passed_the_present_user_has_the_lead(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-10 10:00", user=502)
    handed_over(s, 1, "2026-01-10 12:00", 501, 502)
    build(s, as_of=at("2026-01-10 13:00"))
    assert values(s, "leads_new", "user") == {502: 1}


def test_calls_by_direction_answer_and_length(account: Session) -> None:
    s = account
    on = ("leads", 1)
    a_lead(s, 1, created="2026-01-01 10:00")
    a_call(s, on, "2026-01-10 10:00", duration=60)
    a_call(s, on, "2026-01-10 11:00", duration="59", call_status="4")
    a_call(s, on, "2026-01-10 12:00", duration=70, call_status=6)  # says itself: no answer
    a_call(s, on, "2026-01-10 13:00", duration=0)
    a_call(s, on, "2026-01-10 14:00", direction="in", duration=1)
    a_call(s, on, "2026-01-10 15:00", direction="in", duration=0)
    a_call(s, on, "2026-01-10 16:00", direction="in", duration=30, call_status=1)
    a_call(s, ("leads", 404), "2026-01-10 17:00", direction="in", duration=5)  # a lead we do not have
    # excluded
    a_call(s, on, "2025-12-31 23:59:59")
    a_call(s, on, "2026-02-01 00:00:00")
    a_call(s, on, "2026-01-11 10:00", is_deleted=True)
    build(s)
    expected = {
        "calls_total": 8,
        "calls_out": 4,
        "calls_in": 4,
        "calls_answered": 4,
        "calls_missed": 2,
        "calls_effective": 1,
        "call_minutes": "2.08",
        "call_avg_duration": 31,  # 125 / 4 = 31.25
    }
    assert {metric: value(s, metric) for metric in expected} == expected
    assert values(s, "calls_total", "pipeline") == {SALES: 7, None: 1}
    (row,) = rows_of(s, "call_avg_duration")
    assert (row["numerator"], row["denominator"], row["n"]) == (125, 4, 4)


def test_one_call_is_counted_once(account: Session) -> None:
    s = account
    day = "2026-01-10"
    # one uniq, two legs: the longer one stands
    a_call(s, ("contacts", 8001), f"{day} 10:00:00", uniq="a", duration=20, by=501)
    a_call(s, ("leads", 1), f"{day} 10:00:30", uniq="a", duration=50, by=502, user=502)
    # the same uniq in the other direction is another call
    a_call(s, ("leads", 1), f"{day} 10:00:30", uniq="a", duration=50, direction="in")
    # without uniq: same phone, direction, duration, within 5 s of the first
    a_call(s, ("leads", 1), f"{day} 11:00:00", phone="8 916 000 00 01", duration=10)
    a_call(s, ("contacts", 8001), f"{day} 11:00:04", phone="+79160000001", duration=10)
    a_call(s, ("contacts", 8001), f"{day} 11:00:08", phone="+79160000001", duration=10)  # another one
    a_call(s, ("contacts", 8001), f"{day} 11:00:09", phone="+79160000001", duration=11)  # and another
    # without both nothing is known to be the same
    a_call(s, ("leads", 1), f"{day} 12:00:00", phone=None, duration=10)
    a_call(s, ("leads", 1), f"{day} 12:00:00", phone=None, duration=10)
    build(s)
    assert value(s, "calls_total") == 7
    assert value(s, "call_minutes") == "2.52"  # 50 + 50 + 10 + 10 + 11 + 10 + 10 = 151 s
    assert values(s, "calls_out", "user") == {501: 5, 502: 1}


@pytest.mark.parametrize(
    ("responsible", "by", "user", "performer"),
    [
        (502, 501, 501, 502),
        ("502", 501, 501, 502),
        ("anna@EXAMPLE.com", 502, 502, 501),
        ("8 916 000-00-02", 501, 501, 502),
        ("Борис", 501, 501, 502),
        ("Борис Неизвестный", 501, 502, 501),
        (999, 501, 502, 501),  # no such user
        (None, 0, 502, 502),
        ("", 0, None, None),
        (None, 0, 0, None),
    ],
)
def test_the_performer_of_a_call(
    account: Session, responsible: object, by: int, user: int | None, performer: int | None
) -> None:
    a_call(account, ("contacts", 8001), "2026-01-10 10:00", responsible=responsible, by=by, user=user)
    build(account)
    assert values(account, "calls_total", "user") == {performer: 1}


def test_a_call_on_a_contact_belongs_to_the_open_lead_of_the_performer_or_the_latest(
    account: Session,
) -> None:
    s = account
    a_lead(s, 1, created="2026-01-01 10:00", user=501, contacts=(8001,), source_id=11)
    a_lead(s, 2, created="2026-01-02 10:00", user=502, contacts=(8001,), source_id=22)
    a_lead(s, 3, created="2026-01-20 10:00", user=501, contacts=(8001,), source_id=33)
    a_lead(s, 4, created="2026-01-03 10:00", user=501, contacts=(8001,), is_deleted=True)
    a_call(s, ("contacts", 8001), "2026-01-10 10:00", responsible=501)  # lead 1
    a_call(s, ("contacts", 8001), "2026-01-10 11:00", responsible=502)  # lead 2
    a_call(s, ("contacts", 8001), "2026-01-10 12:00", by=777)  # nobody's: lead 2, the latest
    a_call(s, ("contacts", 8001), "2026-01-21 10:00", responsible=501)  # lead 3
    a_call(s, ("contacts", 8001), "2025-12-31 10:00", responsible=501)  # before any lead, out of period
    a_call(s, ("contacts", 8002), "2026-01-10 14:00")  # no lead at all
    build(s)
    assert values(s, "calls_total", "source") == {11: 1, 22: 2, 33: 1, None: 1}


def test_a_call_after_the_lead_was_closed_has_no_lead(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-01 10:00", status=WON, closed="2026-01-10 10:00", contacts=(8001,))
    moved(s, 1, "2026-01-10 10:00", TALKS, WON)
    a_call(s, ("contacts", 8001), "2026-01-10 09:59:59")
    a_call(s, ("contacts", 8001), "2026-01-10 10:00:00", duration=61)
    a_call(s, ("leads", 1), "2026-01-11 10:00:00")  # on the lead itself: that lead, whatever its status
    build(s)
    assert values(s, "calls_total", "pipeline") == {SALES: 2, None: 1}


def test_a_call_has_the_pipeline_of_its_lead_at_that_moment(account: Session) -> None:
    s = account
    a_lead(s, 1, created="2026-01-01 10:00", pipeline=PRODUCTION, status=4201)
    moved(s, 1, "2026-01-10 10:00", TALKS, (PRODUCTION, 4201))
    a_call(s, ("leads", 1), "2026-01-09 10:00")
    a_call(s, ("leads", 1), "2026-01-11 10:00")
    build(s)
    assert values(s, "calls_total", "pipeline") == {SALES: 1, PRODUCTION: 1}


def test_conversions_and_the_earlier_cohort_at_the_same_age(account: Session) -> None:
    s = account
    # January cohort: 4 leads, one won in January, one won on 25 February
    a_lead(s, 1, created="2026-01-05 10:00", status=WON, closed="2026-01-20 10:00")
    a_lead(s, 2, created="2026-01-06 10:00", status=WON, closed="2026-02-25 10:00")
    a_lead(s, 3, created="2026-01-07 10:00")
    a_lead(s, 4, created="2026-01-08 10:00")
    # February cohort: 2 leads, one won
    a_lead(s, 5, created="2026-02-03 10:00", status=WON, closed="2026-02-10 10:00")
    a_lead(s, 6, created="2026-02-04 10:00")
    build(s)
    (january,) = rows_of(s, "conversion_cohort", as_of=at("2026-03-15 12:00"))
    assert (january["value"], january["numerator"], january["denominator"]) == ("50.0000", 2, 4)
    (early,) = rows_of(s, "conversion_cohort", as_of=NOW)
    assert early["value"] == "25.0000"
    (february,) = rows_of(
        s,
        "conversion_cohort",
        start="2026-02-01",
        end="2026-02-28",
        as_of=at("2026-03-15 12:00"),
        compare="previous",
    )
    assert (february["value"], february["previous"]) == ("50.0000", "25.0000")
    (plain,) = rows_of(s, "conversion", start="2026-02-01", end="2026-02-28", as_of=at("2026-03-15 12:00"))
    assert (plain["value"], plain["numerator"], plain["denominator"]) == ("100.0000", 2, 2)
    a_link(s, 1, "contacts", 8001)  # links alone change no conversion
