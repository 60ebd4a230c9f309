"""The oracle's calls: which of them are one, answered, whose, and for which lead."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.oracle_tables import LOST, NEW, PRODUCING, PRODUCTION, SALES, Tables

MAY = (date(2026, 5, 1), date(2026, 5, 31))
AT = "2026-05-10T10:00:00"


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    tables = Tables(tmp_path / "snapshot")
    tables.lead(7001, "2026-05-01T10:00", NEW)
    return tables


def test_a_call_logged_twice_is_one(tables: Tables) -> None:
    # one call by its uniq: the longest leg stays, on whatever card it stands
    tables.call(1, AT, uniq="a", duration=10)
    tables.call(2, "2026-05-10T10:03:00", on=("contacts", 81), uniq="a", duration=70)
    tables.call(3, AT, uniq="a", duration=70)  # as long, but a lower id stays
    tables.call(4, AT, uniq="a", kind="call_in", duration=5)  # the other direction is another call
    # one call by phone, direction, duration within five seconds of the first
    tables.call(5, "2026-05-10T11:00:00", phone="+7 (900) 111-22-33", duration=20)
    tables.call(6, "2026-05-10T11:00:05", phone="89001112233", duration=20)
    tables.call(7, "2026-05-10T11:00:06", phone="89001112233", duration=20)  # six seconds: another
    tables.call(8, "2026-05-10T11:00:00", phone="89001112233", duration=21)  # other duration: another
    tables.call(9, "2026-05-10T11:00:00", phone="89001112244", duration=20)
    # without a number nothing says that they are one
    tables.call(10, AT, phone=None, duration=1)
    tables.call(11, AT, phone="", duration=1)
    oracle = tables.oracle()
    assert oracle.rows("calls_total", *MAY) == [2, 4, 5, 7, 8, 9, 10, 11]
    assert oracle.metric("calls_in", *MAY) == {None: 1}
    assert oracle.metric("calls_out", *MAY) == {None: 7}


def test_talk_is_what_lasted_and_was_not_marked_missed(tables: Tables) -> None:
    tables.call(1, AT, duration=1)
    tables.call(2, AT, duration=60, call_status=4)
    tables.call(3, AT, kind="call_in", duration=59, call_status="4")
    tables.call(4, AT, kind="call_in", duration=61, call_status=2)
    tables.call(11, AT, duration=0, call_status=4)
    tables.call(12, AT, duration=120, call_status=6)
    tables.call(13, AT, kind="call_in", duration=20, call_status=1)
    tables.call(14, AT, kind="call_in", duration=None)  # type: ignore[arg-type]
    tables.call(15, AT, kind="call_in", duration=9, call_status="7")
    oracle = tables.oracle()
    assert oracle.rows("calls_answered", *MAY) == [1, 2, 3, 4]
    assert oracle.rows("calls_missed", *MAY) == [13, 14, 15]
    assert oracle.rows("calls_effective", *MAY) == [2, 4]
    assert oracle.metric("call_minutes", *MAY) == {None: "3.02"}  # 181 s
    assert oracle.metric("call_avg_duration", *MAY) == {None: 45}
    empty = (date(2026, 1, 1), date(2026, 1, 31))
    assert oracle.metric("call_minutes", *empty) == {None: "0.00"}
    assert oracle.metric("call_avg_duration", *empty) == {None: None}
    assert oracle.metric("call_minutes", *empty, by="user") == {}


@pytest.mark.parametrize(
    ("responsible", "by", "performer"),
    [
        (502, 501, 502), ("502", 501, 502), (777, 503, 503), ("Борис", 501, 502), ("борис", 501, 501),
        ("U502@DEMO.example", 0, 502), ("8 (495) 0000502", 0, 502), ("доб. 502", 503, 503), (None, 503, 503),
        (None, 0, 501), ("кто-то", 0, 501), (0, 502, 502), ("", 502, 502),
    ],
)  # fmt: skip
def test_a_call_belongs_to_its_performer(tables: Tables, responsible: Any, by: int, performer: int) -> None:
    tables.call(1, AT, by=by, call_responsible=responsible)
    assert tables.oracle().metric("calls_total", *MAY, by="user") == {performer: 1}


def test_the_pipeline_of_a_call_is_that_of_its_lead_then(tables: Tables) -> None:
    tables.lead(7002, "2026-05-01T10:00", PRODUCING)
    tables.move(7002, "2026-05-10T10:00:01", NEW, PRODUCING)
    tables.lead(7003, "2026-05-01T10:00", NEW, is_deleted=True)
    tables.call(1, AT, on=("leads", 7002))
    tables.call(2, "2026-05-10T10:00:01", on=("leads", 7002))
    tables.call(3, AT, on=("leads", 7003))
    tables.call(4, AT, on=("leads", 9999))
    oracle = tables.oracle()
    assert oracle.metric("calls_total", *MAY, by="pipeline") == {SALES: 1, PRODUCTION: 1, "none": 2}
    assert oracle.metric("calls_total", *MAY) == {None: 4}


@pytest.mark.parametrize(
    ("by", "at", "lead_id"),
    [
        (501, AT, 2),  # two are his: the latest created, of these the highest id
        (502, AT, 5),  # only this one was his then
        (503, AT, 5),  # none is his: the latest of all that were open
        (501, "2026-05-01T09:00:00", None),  # nothing had been created yet
        (501, "2026-05-30T10:00:00", 2),
    ],
)
def test_a_call_on_a_contact_finds_its_lead(tables: Tables, by: int, at: str, lead_id: int | None) -> None:
    tables.lead(1, "2026-05-02T10:00", NEW, contacts=[81])
    tables.lead(2, "2026-05-02T10:00", NEW, contacts=[81])
    tables.lead(3, "2026-05-03T10:00", NEW, contacts=[82])
    tables.lead(4, "2026-05-04T10:00", LOST, closed="2026-05-09T10:00", contacts=[81])
    tables.move(4, "2026-05-09T10:00", NEW, LOST)
    tables.lead(5, "2026-05-05T10:00", NEW, contacts=[81], responsible_user_id=503)
    tables.owner(5, "2026-05-20T10:00", 502, 503)
    tables.lead(6, "2026-05-20T10:00", LOST, contacts=[81], is_deleted=True)
    tables.call(1, at, on=("contacts", 81), by=by)
    assert [call.lead_id for call in tables.oracle().calls] == [lead_id]


def test_a_call_counts_on_its_local_day(tables: Tables) -> None:
    tables.call(1, "2026-04-30T21:00")
    tables.call(2, "2026-05-31T20:59:59")
    tables.call(11, "2026-04-30T20:59:59")
    tables.call(12, "2026-05-31T21:00")
    assert tables.oracle().rows("calls_total", *MAY) == [1, 2]
