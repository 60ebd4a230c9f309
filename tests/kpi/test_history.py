"""Statuses, responsible users and prices over time, from clean and from dirty logs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widget_backend.crm.history import (
    LeadRow,
    RawEvent,
    holding_at,
    holding_before,
    owner_intervals,
    price_intervals,
    status_visits,
)

START = datetime(2026, 1, 10, 7, tzinfo=UTC)
P, A, B, C, WON, LOST = 3100, 4101, 4102, 4103, 142, 143


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def lead(status: int = A, user: int | None = 501, price: Any = 100, **columns: Any) -> LeadRow:
    defaults: dict[str, Any] = {"updated_at": minute(900), "closed_at": None, "pipeline_id": P}
    return LeadRow(
        id=1,
        created_at=START,
        status_id=status,
        responsible_user_id=user,
        price=Decimal(str(price)) if price is not None else None,
        **{**defaults, **columns},
    )


def place(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [{"lead_status": {"id": value, "pipeline_id": P}}]


def user(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [{"responsible_user": {"id": value}}]


def sale(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [{"sale_field_value": {"sale": value}}]


VALUES = {
    "lead_status_changed": place,
    "entity_responsible_changed": user,
    "sale_field_changed": sale,
}


def events(type_: str, *rows: tuple[int, Any, Any], first_id: int = 0) -> list[RawEvent]:
    """(minute, before, after) → events with growing ids."""
    shape = VALUES[type_]
    return [
        RawEvent(
            id=f"01{first_id + number:06}",
            type=type_,
            created_at=minute(at),
            created_by=7,
            value_before=shape(before),
            value_after=shape(after),
        )
        for number, (at, before, after) in enumerate(rows)
    ]


def minutes(moment: datetime | None) -> int | None:
    return None if moment is None else int((moment - START).total_seconds() // 60)


def visits(row: LeadRow, log: list[RawEvent]) -> list[tuple[int | None, int | None, int | None]]:
    return [(v.place.status_id, minutes(v.started_at), minutes(v.ended_at)) for v in status_visits(row, log)]


STATUS_CASES = {
    "no events: always where it is": (lead(B), [], [(B, 0, None)]),
    "the first status is value_before of the first event": (lead(B), [(5, A, B)], [(A, 0, 5), (B, 5, None)]),
    "a self-move is no visit": (lead(A), [(5, A, A)], [(A, 0, None)]),
    "a repeated event is one visit": (lead(B), [(5, A, B), (5, A, B)], [(A, 0, 5), (B, 5, None)]),
    "there and back": (lead(A), [(5, A, B), (9, B, A)], [(A, 0, 5), (B, 5, 9), (A, 9, None)]),
    "a chain within one second, logged backwards": (
        lead(WON, closed_at=minute(5)),
        [(5, C, WON), (5, B, C), (5, A, B)],
        [(A, 0, 5), (B, 5, 5), (C, 5, 5), (WON, 5, None)],
    ),
    "a circle within one second": (
        lead(B),
        [(5, B, A), (5, A, B), (2, A, B), (7, A, B)],
        [(A, 0, 2), (B, 2, 5), (A, 5, 5), (B, 5, None)],
    ),
    "an event that does not say where to is passed over": (
        lead(B),
        [(5, A, []), (6, A, B)],
        [(A, 0, 6), (B, 6, None)],
    ),
    "an event that does not say where from": (
        lead(B),
        [(5, [], B), (3, A, C)],
        [(A, 0, 3), (C, 3, 5), (B, 5, None)],
    ),
    "the log ends elsewhere: the present row wins": (
        lead(C, updated_at=minute(20)),
        [(5, A, B)],
        [(A, 0, 5), (B, 5, 20), (C, 20, None)],
    ),
    "the log ends elsewhere, now closed": (
        lead(WON, closed_at=minute(15)),
        [(5, A, B)],
        [(A, 0, 5), (B, 5, 15), (WON, 15, None)],
    ),
    "the row is older than the log": (
        lead(A, updated_at=minute(1)),
        [(5, A, B)],
        [(A, 0, 5), (B, 5, 5), (A, 5, None)],
    ),
    "an event before the creation": (lead(B), [(-5, A, B)], [(A, 0, 0), (B, 0, None)]),
    "values of odd shapes": (
        lead(A),
        [(5, [None], [{"lead_status": []}]), (6, [{}], [{"lead_status": {"id": "x"}}])],
        [(A, 0, None)],
    ),
}


@pytest.mark.parametrize("name", STATUS_CASES)
def test_status_visits(name: str) -> None:
    row, rows, expected = STATUS_CASES[name]
    assert visits(row, events("lead_status_changed", *rows)) == expected


def test_a_pipeline_move_is_a_move_even_between_equal_statuses() -> None:
    log = events("lead_status_changed", (5, [{"lead_status": {"id": WON, "pipeline_id": 1}}], WON))
    found = status_visits(lead(WON), log)
    assert [(visit.place.pipeline_id, visit.place.status_id) for visit in found] == [(1, WON), (P, WON)]


OWNER_CASES = {
    "no events": (lead(user=1), [], [(1, 0, None)]),
    "a chain": (lead(user=3), [(5, 1, 2), (9, 2, 3)], [(1, 0, 5), (2, 5, 9), (3, 9, None)]),
    "nobody now": (lead(user=0), [(5, 1, 0)], [(1, 0, 5), (None, 5, None)]),
    "a broken link in the middle": (
        lead(user=3),
        [(5, 1, 2), (9, 8, 3)],
        [(None, 0, 5), (8, 5, 9), (3, 9, None)],
    ),
    "a broken last link": (lead(user=3), [(5, 1, 2)], [(None, 0, 5), (3, 5, None)]),
    "an empty value breaks the chain": (
        lead(user=3),
        [(5, 1, 2), (9, [], 3)],
        [(None, 0, 9), (3, 9, None)],
    ),
    "repeated events": (lead(user=2), [(5, 1, 2), (5, 1, 2)], [(1, 0, 5), (2, 5, None)]),
    "a chain within one second": (
        lead(user=4),
        [(5, 3, 4), (5, 1, 2), (5, 2, 3)],
        [(1, 0, 5), (2, 5, 5), (3, 5, 5), (4, 5, None)],
    ),
}


@pytest.mark.parametrize("name", OWNER_CASES)
def test_owner_intervals(name: str) -> None:
    row, rows, expected = OWNER_CASES[name]
    found = owner_intervals(row, events("entity_responsible_changed", *rows))
    assert [(o.user_id, minutes(o.started_at), minutes(o.ended_at)) for o in found] == expected


PRICE_CASES = {
    "no events: the present price": (lead(price=100), [], [("100", 0, None)]),
    "no price": (lead(price=None), [], [("0", 0, None)]),
    "before the first change its value_before": (
        lead(price=30),
        [(5, 10, 20), (9, 20, 30)],
        [("10", 0, 5), ("20", 5, 9), ("30", 9, None)],
    ),
    "empty means none": (lead(price=30), [(5, [], 30)], [("0", 0, 5), ("30", 5, None)]),
    "the fraction comes from the row": (
        lead(price="30.50"),
        [(5, 10, 30)],
        [("10", 0, 5), ("30.50", 5, None)],
    ),
    "a change that was missed": (
        lead(price=70, updated_at=minute(20)),
        [(5, 10, 30)],
        [("10", 0, 5), ("30", 5, 20), ("70", 20, None)],
    ),
    "an unreadable change is passed over": (
        lead(price=30),
        [(3, 10, [{"sale_field_value": {"sale": "many"}}]), (5, 10, 30)],
        [("10", 0, 5), ("30", 5, None)],
    ),
}


@pytest.mark.parametrize("name", PRICE_CASES)
def test_price_intervals(name: str) -> None:
    row, rows, expected = PRICE_CASES[name]
    found = price_intervals(row, events("sale_field_changed", *rows))
    assert [(str(p.price), minutes(p.started_at), minutes(p.ended_at)) for p in found] == expected


def test_looking_up_a_moment_and_the_moment_before() -> None:
    found = owner_intervals(lead(user=2), events("entity_responsible_changed", (5, 1, 2)))
    assert holding_at(found, minute(-1)) is None
    assert [getattr(holding_at(found, minute(m)), "user_id", None) for m in (0, 4, 5, 6)] == [1, 1, 2, 2]
    assert [holding_before(found, minute(m)).user_id for m in (-1, 0, 5, 6)] == [1, 1, 1, 2]


# --- any log -------------------------------------------------------------------------------------------

ODD = st.sampled_from([[], [None], [{}], {}, None, [{"lead_status": None}], [{"lead_status": {"id": "x"}}]])


@st.composite
def logs(draw: st.DrawFn) -> list[RawEvent]:
    """Anything amoCRM could have written, and more: loops, gaps, empty values, one second for all."""
    kinds = {
        "lead_status_changed": st.sampled_from([A, B, WON, LOST]).map(place),
        "entity_responsible_changed": st.sampled_from([0, 501, 502, 503]).map(user),
        "sale_field_changed": st.sampled_from([0, 100, 250]).map(sale),
    }
    log = []
    for number in range(draw(st.integers(0, 9))):
        kind = draw(st.sampled_from(sorted(kinds)))
        value = st.one_of(kinds[kind], kinds[kind], kinds[kind], ODD)
        log.append(
            RawEvent(
                id=f"01{number:04}",
                type=kind,
                created_at=minute(draw(st.integers(-2, 6))),
                created_by=draw(st.sampled_from([0, 501])),
                value_before=draw(value),
                value_after=draw(value),
            )
        )
    return log


@given(logs(), st.data())
def test_any_arrival_gives_the_same_tiles(log: list[RawEvent], data: st.DataObject) -> None:
    row = lead(
        status=data.draw(st.sampled_from([A, B, WON])),
        user=data.draw(st.sampled_from([None, 0, 501, 502])),
        updated_at=minute(data.draw(st.integers(0, 9))),
        closed_at=data.draw(st.sampled_from([None, minute(3)])),
    )
    shuffled = data.draw(
        st.permutations(log + data.draw(st.lists(st.sampled_from(log or [None])) if log else st.just([])))
    )
    for derive in (status_visits, owner_intervals, price_intervals):
        found: Any = derive(row, log)
        assert derive(row, shuffled) == found
        assert found[0].started_at == row.created_at
        assert found[-1].ended_at is None
        for left, right in pairwise(found):
            assert left.ended_at == right.started_at
            assert left.started_at <= left.ended_at
    assert status_visits(row, log)[-1].place.status_id == row.status_id
    assert owner_intervals(row, log)[-1].user_id == (row.responsible_user_id or None)
    assert price_intervals(row, log)[-1].price == row.price


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([A, B, C, WON, LOST])), max_size=9))
def test_a_true_history_is_told_as_it_was(steps: list[tuple[int, int]]) -> None:
    at, now, rows, expected = 0, A, [], [A]
    for gap, status in steps:
        at += gap
        if status != now:
            rows.append((at, now, status))
            expected.append(status)
            now = status
    found = status_visits(lead(now), events("lead_status_changed", *rows))
    assert [visit.place.status_id for visit in found] == expected
    assert [minutes(visit.started_at) for visit in found] == [0, *(row[0] for row in rows)]
