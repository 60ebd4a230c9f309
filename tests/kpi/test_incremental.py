"""Building what changed gives the same rows as building everything."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tests.kpi.asking import NOW, all_facts, build, values
from tests.support.builders import (
    ACCOUNT,
    NEW,
    TALKS,
    WON,
    a_call,
    a_lead,
    a_link,
    a_pipeline,
    a_task,
    a_user,
    an_account,
    an_event,
    at,
    handed_over,
    joined,
    moved,
)
from widget_backend.crm.models import Lead, Link, Note
from widget_backend.kpi.build import mark_all_stale, mark_stale, rebuild, rebuild_stale
from widget_backend.kpi.histories import table_of
from widget_backend.kpi.models import StaleSubject


@pytest.fixture
def account(session: Session) -> Session:
    s = session
    an_account(s)
    a_pipeline(s)
    a_user(s, 501)
    a_user(s, 502)
    a_lead(s, 1, contacts=(8001,), companies=(9001,))
    a_lead(s, 2, created="2026-01-11 10:00", user=502, contacts=(8001,))
    a_lead(s, 3, created="2026-01-12 10:00", contacts=(8002,))
    a_call(s, ("contacts", 8001), "2026-01-13 10:00", uniq="a", duration=30, id=1)
    a_call(s, ("contacts", 8002), "2026-01-13 10:01", uniq="a", duration=20, id=2)
    a_call(s, ("leads", 3), "2026-01-13 11:00", phone="9160000001", duration=5, id=3)
    a_call(s, ("companies", 9001), "2026-01-13 11:00:04", phone="9160000001", duration=5, id=4)
    a_call(s, ("contacts", 8001), "2026-01-13 11:00:08", phone="9160000001", duration=5, id=5)
    build(s)
    return s


def edit(s: Session, lead_id: int, **columns: object) -> None:
    table = table_of(Lead)
    s.execute(update(table).where(table.c.id == lead_id).values(**columns))


def forget_call(s: Session, note_id: int) -> None:
    table = table_of(Note)
    s.execute(update(table).where(table.c.id == note_id).values(is_deleted=True))


def move_call(s: Session, note_id: int, kind: str, entity_id: int) -> None:
    table = table_of(Note)
    s.execute(update(table).where(table.c.id == note_id).values(entity_type=kind, entity_id=entity_id))


def unlink(s: Session, lead_id: int) -> None:
    table = table_of(Link)
    s.execute(delete(table).where(table.c.lead_id == lead_id))


def win(s: Session) -> None:
    moved(s, 1, "2026-01-15 10:00", TALKS, WON)
    edit(s, 1, status_id=WON, closed_at=at("2026-01-15 10:00"))


Change = tuple[Callable[[Session], object], list[tuple[str, int]]]
CHANGES: dict[str, Change] = {
    "a lead is won": (win, [("leads", 1)]),
    "a late event of an old day": (lambda s: moved(s, 1, "2026-01-12 10:00", NEW, TALKS), [("lead", 1)]),
    "a lead is deleted": (lambda s: edit(s, 2, is_deleted=True), [("leads", 2)]),
    "a lead is merged": (lambda s: edit(s, 2, merged_into=1), [("leads", 2)]),
    "a lead comes back": (
        lambda s: (
            edit(s, 2, is_deleted=True),
            rebuild(s, ACCOUNT, None, as_of=NOW),
            edit(s, 2, is_deleted=False),
        ),
        [("leads", 2)],
    ),
    "a lead changes hands": (lambda s: handed_over(s, 2, "2026-01-12 11:00", 502, 501), [("leads", 2)]),
    "a new lead of a contact with calls": (
        lambda s: a_lead(s, 4, created="2026-01-13 09:00", contacts=(8001,)),
        [("leads", 4)],
    ),
    "a contact is unlinked": (lambda s: unlink(s, 2), [("leads", 2)]),
    "a contact is linked": (lambda s: a_link(s, 3, "contacts", 8001), [("leads", 3)]),
    "a longer leg of a known call": (
        lambda s: a_call(s, ("leads", 3), "2026-01-13 10:00", uniq="a", duration=50, id=6),
        [("leads", 3)],
    ),
    "a first leg that shifts the runs of five seconds": (
        lambda s: a_call(s, ("leads", 2), "2026-01-13 10:59:57", phone="9160000001", duration=5, id=7),
        [("leads", 2)],
    ),
    "the longest leg is deleted": (lambda s: forget_call(s, 1), [("contacts", 8001)]),
    "the middle leg is deleted": (lambda s: forget_call(s, 4), [("companies", 9001)]),
    "a call moves to another record": (
        lambda s: move_call(s, 1, "contacts", 8002),
        [("contacts", 8001), ("contacts", 8002)],
    ),
    "a call moves and only its new record is marked": (
        lambda s: move_call(s, 1, "contacts", 8002),
        [("contacts", 8002)],
    ),
    "somebody writes to a contact": (
        lambda s: an_event(s, "outgoing_mail", 8001, "2026-01-10 10:30", entity="contact"),
        [("contact", 8001)],
    ),
    "a meeting is held": (
        lambda s: a_task(s, 70, ("leads", 1), completed="2026-01-10 11:00"),
        [("tasks", 70)],
    ),
    "a mark on what has no facts": (lambda s: None, [("customers", 5), ("catalog_12", 7)]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_rebuilt_by_itself_equals_a_full_build(account: Session, name: str) -> None:
    change, marks = CHANGES[name]
    change(account)
    mark_stale(account, ACCOUNT, marks)
    while rebuild_stale(account, ACCOUNT, as_of=NOW):
        pass
    incremental = all_facts(account)
    build(account)
    assert incremental == all_facts(account)


def test_time_alone_settles_the_receiver(session: Session) -> None:
    s = session
    an_account(s)
    a_pipeline(s)
    a_user(s, 501)
    a_user(s, 502)
    a_lead(s, 1, created="2026-01-10 10:00", user=502)
    handed_over(s, 1, "2026-01-11 12:00", 501, 502)
    early, later = at("2026-01-11 09:00"), at("2026-01-12 10:00")
    build(s, as_of=early)
    assert values(s, "leads_new", "user") == {502: 1}
    assert rebuild_stale(s, ACCOUNT, as_of=early) == 0
    assert rebuild_stale(s, ACCOUNT, as_of=later) == 1
    assert values(s, "leads_new", "user") == {501: 1}
    assert rebuild_stale(s, ACCOUNT, as_of=later) == 0


def test_an_unsettled_lead_follows_its_user_into_another_group(session: Session) -> None:
    s = session
    an_account(s)
    a_pipeline(s)
    a_user(s, 501)
    a_lead(s, 1, created="2026-01-10 10:00")
    build(s, as_of=at("2026-01-10 11:00"))
    joined(s, 501, "2026-01-10 12:00", 99)
    now = at("2026-01-10 13:00")
    while rebuild_stale(s, ACCOUNT, as_of=now):
        pass
    incremental = all_facts(s)
    build(s, as_of=now)
    assert incremental == all_facts(s)


def test_a_mark_set_again_during_the_rebuild_stays(account: Session) -> None:
    from widget_backend.kpi.stale import oldest_marks, take_off

    mark_stale(account, ACCOUNT, [("leads", 1), ("leads", 2)])
    seen = oldest_marks(account, ACCOUNT, 10)
    mark_stale(account, ACCOUNT, [("leads", 1)])
    take_off(account, ACCOUNT, seen)
    assert oldest_marks(account, ACCOUNT, 10) == [("leads", 1, 2)]


def test_marking_everything_rebuilds_everything_and_takes_the_marks_off(account: Session) -> None:
    before = all_facts(account)
    mark_all_stale(account, ACCOUNT)
    mark_all_stale(account, ACCOUNT, at=NOW)
    marked = list(
        account.execute(select(StaleSubject.entity_type, StaleSubject.entity_id, StaleSubject.version))
    )
    assert sorted(tuple(mark) for mark in marked) == [
        ("companies", 9001, 2),
        ("contacts", 8001, 2),
        ("contacts", 8002, 2),
        ("leads", 1, 2),
        ("leads", 2, 2),
        ("leads", 3, 2),
    ]
    assert rebuild_stale(account, ACCOUNT, as_of=NOW, limit=4) == 4
    assert rebuild_stale(account, ACCOUNT, as_of=NOW, limit=4) == 2
    assert rebuild_stale(account, ACCOUNT, as_of=NOW) == 0
    assert all_facts(account) == before


def test_a_whole_build_takes_the_marks_off(account: Session) -> None:
    mark_stale(account, ACCOUNT, [("leads", 1)])
    result = rebuild(account, ACCOUNT, None, as_of=NOW)
    assert (result.leads, result.calls) == (3, 3)
    assert rebuild_stale(account, ACCOUNT, as_of=NOW) == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("call"),
            st.integers(1, 3),
            st.integers(0, 20),
            st.sampled_from(["a", None]),
            st.integers(0, 2),
        ),
        st.tuples(st.just("move"), st.integers(1, 3), st.integers(0, 40), st.sampled_from([NEW, TALKS, WON])),
        st.tuples(st.just("own"), st.integers(1, 3), st.integers(0, 40), st.sampled_from([501, 502])),
        st.tuples(st.just("delete"), st.integers(1, 3)),
        st.tuples(st.just("link"), st.integers(1, 3), st.integers(8001, 8003)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_changes_rebuilt_one_by_one_equal_a_full_build(
    account: Session, steps: list[tuple[object, ...]]
) -> None:
    """Each example runs in a savepoint of its own and leaves nothing."""
    with account.begin_nested() as savepoint:
        for number, step in enumerate(steps):
            mark_stale(account, ACCOUNT, [_apply(account, number, step)])
            while rebuild_stale(account, ACCOUNT, as_of=NOW):
                pass
        incremental = all_facts(account)
        build(account)
        assert incremental == all_facts(account)
        savepoint.rollback()


def _apply(s: Session, number: int, step: tuple[object, ...]) -> tuple[str, int]:
    kind, lead_id = step[0], int(str(step[1]))
    if kind == "call":
        _, _, second, uniq, where = step
        on = (("leads", lead_id), ("contacts", 8000 + lead_id), ("companies", 9001))[int(str(where))]
        moment = at("2026-01-13 11:00") + timedelta(seconds=int(str(second)))
        a_call(s, on, moment, uniq=uniq if uniq is None else str(uniq), duration=5, id=5000 + number)
        return on
    if kind == "move":
        moment = at("2026-01-12 00:00") + timedelta(hours=int(str(step[2])))
        moved(s, lead_id, moment, NEW, int(str(step[3])))
        edit(s, lead_id, status_id=step[3], closed_at=moment if step[3] == WON else None)
    elif kind == "own":
        moment = at("2026-01-12 00:00") + timedelta(hours=int(str(step[2])))
        user_id = int(str(step[3]))
        handed_over(s, lead_id, moment, 1003 - user_id, user_id)
        edit(s, lead_id, responsible_user_id=user_id)
    elif kind == "delete":
        edit(s, lead_id, is_deleted=True)
    else:
        unlink(s, lead_id)
        a_link(s, lead_id, "contacts", int(str(step[2])))
    return "leads", lead_id
