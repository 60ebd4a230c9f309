"""The oracle's new leads, their receivers, cohorts and the open stock."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.oracle_tables import (
    LOST,
    NEW,
    PRODUCING,
    QUALIFYING,
    REPEAT,
    SALES,
    UNSORTED,
    WON,
    WORK,
    Tables,
)

MAY = (date(2026, 5, 1), date(2026, 5, 31))


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path / "snapshot")


def test_new_leads_are_counted_in_their_first_pipeline(tables: Tables) -> None:
    # included
    tables.lead(1, "2026-04-30T21:00", NEW)  # 1 May, 00:00 in Moscow
    tables.lead(2, "2026-05-31T20:59:59", UNSORTED)
    tables.lead(3, "2026-05-10T10:00", PRODUCING)
    tables.move(3, "2026-05-11T10:00", NEW, PRODUCING)
    tables.lead(4, "2026-05-10T10:00", NEW)
    tables.move(4, "2026-05-11T10:00", (QUALIFYING, 4401), NEW)
    # excluded
    tables.lead(11, "2026-04-30T20:59:59", NEW)
    tables.lead(12, "2026-05-31T21:00", NEW)
    tables.lead(13, "2026-05-10T10:00", PRODUCING)
    tables.lead(14, "2026-05-10T10:00", NEW)  # came back from production
    tables.move(14, "2026-05-11T10:00", PRODUCING, NEW)
    tables.lead(15, "2026-05-10T10:00", NEW, is_deleted=True)
    tables.lead(16, "2026-05-10T10:00", (3500, 4501))
    oracle = tables.oracle()
    assert oracle.rows("leads_new", *MAY) == [1, 2, 3, 4]
    assert oracle.metric("leads_new", *MAY, by="pipeline") == {SALES: 3, QUALIFYING: 1}
    assert oracle.buckets("leads_new", *MAY, "month") == {date(2026, 5, 1): 4}
    weeks = oracle.buckets("leads_new", *MAY, "week")
    assert weeks == {date(2026, 4, 27): 1, date(2026, 5, 4): 2, date(2026, 5, 11): 0, date(2026, 5, 18): 0,
                     date(2026, 5, 25): 1}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "receiver"),
    [
        ("nothing", 502),  # 24 hours after creation it belonged to 502
        ("outgoing call by 501 at 10:30", 501),
        ("missed incoming call at 10:30", 502),
        ("answered incoming call at 10:30", 501),
        ("chat by a person at 10:30", 501),
        ("chat by a robot at 10:30", 502),
        ("incoming chat at 10:30", 502),
        ("mail by a person at 10:30", 501),
        ("held meeting at 10:30", 501),
        ("held meeting with a result at 10:30", 501),
        ("meeting that was called off at 10:30", 502),
        ("meeting closed by a robot at 10:30", 502),
        ("call on the contact at 10:30", 501),
        ("call on the company at 10:30", 501),
        ("chat on the contact at 10:30", 501),
        ("lost at 10:30", 501),
        ("call in the second of the change", 501),
        ("call before the lead was created", 502),
    ],
)
def test_a_new_lead_belongs_to_its_receiver(tables: Tables, what: str, receiver: int) -> None:
    place, closed, at = NEW, None, "2026-05-10T10:30"
    lead, contact = ("leads", 1), ("contacts", 81)
    match what:
        case "outgoing call by 501 at 10:30":
            tables.call(1, at, on=lead, duration=0)
        case "missed incoming call at 10:30":
            tables.call(1, at, on=lead, kind="call_in", duration=30, call_status=6)
        case "answered incoming call at 10:30":
            tables.call(1, at, on=lead, kind="call_in", duration=30)
        case "chat by a person at 10:30":
            tables.event("outgoing_chat_message", ("lead", 1), at)
        case "chat by a robot at 10:30":
            tables.event("outgoing_chat_message", ("lead", 1), at, by=0)
        case "incoming chat at 10:30":
            tables.event("incoming_chat_message", ("lead", 1), at, by=501)
        case "mail by a person at 10:30":
            tables.event("outgoing_mail", ("lead", 1), at)
        case "held meeting at 10:30":
            tables.meeting(1, at, on=contact)
        case "held meeting with a result at 10:30":
            tables.meeting(1, at, on=lead, result="Прошла хорошо")
        case "meeting that was called off at 10:30":
            tables.meeting(1, at, on=lead, result="ПЕРЕНЕСЛИ на среду")
        case "meeting closed by a robot at 10:30":
            tables.meeting(1, at, on=lead, by=0)
        case "call on the contact at 10:30":
            tables.call(1, at, on=contact, duration=0)
        case "call on the company at 10:30":
            tables.call(1, at, on=("companies", 91), duration=0)
        case "chat on the contact at 10:30":
            tables.event("outgoing_chat_message", ("contact", 81), at)
        case "lost at 10:30":
            place, closed = LOST, at
            tables.move(1, at, NEW, LOST)
        case "call in the second of the change":
            tables.call(1, "2026-05-10T11:00", on=lead)
        case "call before the lead was created":
            tables.call(1, "2026-05-10T09:59:59", on=lead)
    tables.owner(1, "2026-05-10T11:00", 501, 502)
    tables.owner(1, "2026-05-12T11:00", 502, 503)
    tables.lead(
        1, "2026-05-10T10:00", place, closed=closed, responsible_user_id=503, contacts=[81], companies=[91]
    )
    assert tables.oracle().metric("leads_new", *MAY, by="user") == {receiver: 1}


def test_a_lead_nobody_touched_within_its_first_day_belongs_to_its_owner_now(tables: Tables) -> None:
    tables.lead(1, "2026-05-10T10:00", responsible_user_id=502)
    tables.owner(1, "2026-05-10T11:00", 501, 502)
    assert tables.oracle("2026-05-11T09:59:59").metric("leads_new", *MAY, by="user") == {502: 1}


def test_a_touch_on_a_contact_answers_only_its_leads_open_then(tables: Tables) -> None:
    for lead_id, at in ((1, "2026-05-10T08:00"), (2, "2026-05-10T09:00"), (3, "2026-05-10T12:00")):
        closed = "2026-05-10T08:30" if lead_id == 1 else None
        tables.lead(
            lead_id, at, LOST if closed else NEW, closed=closed, responsible_user_id=503, contacts=[81]
        )
        tables.owner(lead_id, "2026-05-10T20:00", 502, 503)
    tables.move(1, "2026-05-10T08:30", NEW, LOST)
    tables.call(1, "2026-05-10T10:00", on=("contacts", 81))
    # 1 was closed by 502, 2 was called while 502 owned it, 3 came later: 503 has it after 24 hours.
    assert tables.oracle().metric("leads_new", *MAY, by="user") == {502: 2, 503: 1}


def test_cohort_conversion_keeps_the_keys_of_the_lead(tables: Tables) -> None:
    tables.lead(1, "2026-05-01T10:00", (REPEAT, 142), closed="2026-06-10T10:00", responsible_user_id=502)
    tables.move(1, "2026-05-20T10:00", NEW, (REPEAT, 4201))
    tables.owner(1, "2026-05-25T10:00", 501, 502)
    tables.move(1, "2026-06-10T10:00", (REPEAT, 4201), (REPEAT, 142))
    tables.lead(2, "2026-05-02T10:00", NEW)
    tables.lead(3, "2026-05-02T10:00", NEW)
    tables.lead(4, "2026-03-02T10:00", WON, closed="2026-05-05T10:00", responsible_user_id=502)
    oracle = tables.oracle()
    assert oracle.metric("conversion_cohort", *MAY) == {None: "33.3333"}
    assert oracle.metric("conversion_cohort", *MAY, by="user") == {501: "33.3333"}
    assert oracle.metric("conversion_cohort", *MAY, by="pipeline") == {SALES: "33.3333"}
    assert oracle.metric("conversion", *MAY) == {None: "33.3333"}  # lead 4 is the win of May
    assert oracle.metric("conversion", *MAY, by="user") == {501: "0.0000", 502: None}
    assert oracle.metric("conversion", date(2026, 1, 1), date(2026, 1, 31)) == {None: None}
    assert tables.oracle("2026-06-01T10:00").metric("conversion_cohort", *MAY) == {None: "0.0000"}


def test_the_stock_is_rebuilt_as_it_stood_at_the_end_of_the_day(tables: Tables) -> None:
    # included: open in sales on the evening of 31 May, at the price and with the owner of then
    tables.lead(1, "2026-05-01T10:00", WON, closed="2026-05-31T21:00:01", price=500, responsible_user_id=502)
    tables.move(1, "2026-05-31T21:00:01", WORK, WON)
    tables.price(1, "2026-05-10T10:00", 100, 200.5)
    tables.price(1, "2026-06-10T10:00", 200.5, 500)
    tables.owner(1, "2026-05-31T20:59:59", 501, 502)
    tables.lead(2, "2026-05-31T20:59:59", NEW, price=3)
    tables.price(2, "2026-06-02T10:00", 1, 3)
    tables.lead(3, "2026-05-01T10:00", (QUALIFYING, 4401), price=10, price_with_minor_units=None)
    # excluded
    tables.lead(11, "2026-05-31T21:00", NEW, price=1)
    tables.lead(12, "2026-05-01T10:00", UNSORTED, price=1)
    tables.lead(13, "2026-05-01T10:00", NEW, price=1)  # unsorted until June
    tables.move(13, "2026-06-01T10:00", UNSORTED, NEW)
    tables.lead(14, "2026-05-01T10:00", LOST, closed="2026-05-31T20:59:59", price=1)
    tables.move(14, "2026-05-31T20:59:59", NEW, LOST)
    tables.lead(15, "2026-05-01T10:00", PRODUCING, price=1)
    tables.lead(16, "2026-05-01T10:00", NEW, price=1, is_deleted=True)
    oracle = tables.oracle()
    assert oracle.rows("pipeline_count", *MAY) == [1, 2, 3]
    assert oracle.metric("pipeline_value", *MAY) == {None: "211.50"}
    assert oracle.metric("pipeline_value", *MAY, by="user") == {502: "200.50", 501: "11.00"}
    assert oracle.metric("pipeline_count", *MAY, by="pipeline") == {SALES: 2, QUALIFYING: 1}
    assert oracle.metric("pipeline_count", date(2026, 5, 9), date(2026, 5, 9)) == {None: 3}


def test_the_stock_of_a_running_period_is_that_of_now(tables: Tables) -> None:
    tables.lead(1, "2026-05-10T10:00", NEW, price=5)
    oracle = tables.oracle("2026-05-10T10:00:00")
    assert oracle.metric("pipeline_value", *MAY) == {None: "5.00"}


def test_a_day_of_clock_change_is_one_day(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "berlin", zone="Europe/Berlin")
    day = date(2026, 3, 29)  # 23 hours long
    tables.lead(1, "2026-03-28T23:00", NEW)
    tables.lead(2, "2026-03-29T21:59:59", NEW)
    tables.lead(3, "2026-03-29T22:00", NEW)
    oracle = tables.oracle()
    assert oracle.rows("leads_new", day, day) == [1, 2]
    assert oracle.buckets("leads_new", day, date(2026, 3, 30), "day") == {day: 2, date(2026, 3, 30): 1}
