"""Reading a list to its end while people go on working: no row that stays as it is may be missed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from widget_backend.amocrm.limiter import Priority
from widget_backend.sync.drain import WINDOW_S, drain, start_position
from widget_backend.sync.filters import obeys
from widget_backend.sync.streams import BY_NAME, Stream

UNTIL = 1_000


def in_pages_of_three(name: str) -> Stream:
    """The stream as it is, with a page cap small enough for every list here to have several pages."""
    stream = BY_NAME[name]
    return replace(stream, resource=replace(stream.resource, limit=3))


LEADS = in_pages_of_three("leads")
EVENTS = in_pages_of_three("events")
Row = dict[str, Any]


@dataclass
class List:
    """A list of amoCRM: filters, orders, pages. Rows that are equal in the order come as chance has it."""

    rows: list[Row]
    key: str = "leads"
    cursor: str = "updated_at"
    filters: bool = True
    between: Callable[["List"], None] = lambda _: None
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    asked: int = 0

    def get(self, _path: str, params: dict[str, Any], *, priority: Priority) -> Any:
        self.asked += 1
        assert self.asked < 500, "it never ends"
        shown = [row for row in self.rows if not self.filters or self._passes(row, params)]
        self.chance.shuffle(shown)
        if "order[id]" in params:
            shown.sort(key=lambda row: row["id"])
        elif "order[updated_at]" in params:
            down = params["order[updated_at]"] == "desc"
            shown.sort(key=lambda row: row[self.cursor], reverse=down)
        else:  # the log: newest first, always the same
            shown.sort(key=lambda row: (-row[self.cursor], row["id"]))
        start = (params["page"] - 1) * params["limit"]
        page = [dict(row) for row in shown[start : start + params["limit"]]]
        more = len(shown) > start + params["limit"]
        self.between(self)
        if not page:
            return None
        return {"_embedded": {self.key: page}, "_links": {"next": {"href": "…"}} if more else {}}

    def _passes(self, row: Row, params: dict[str, Any]) -> bool:
        low = params.get(f"filter[{self.cursor}][from]")
        high = params.get(f"filter[{self.cursor}][to]")
        moment = row[self.cursor]
        return (low is None or moment >= low) and (high is None or moment <= high)


def read(source: List, stream: Any = LEADS, since: int = 0, **more: Any) -> list[int]:
    """The ids read, in order; each position goes through JSON as it does through the database."""
    options = {"filters": source.filters, "first": None, **more}
    position = start_position(stream, since, UNTIL, **options)
    found: list[int] = []
    for page in drain(source, stream, position, Priority.BACKFILL):  # type: ignore[arg-type]
        assert all(value is None or isinstance(value, int | str) for value in (page.position or {}).values())
        found += [row["id"] for row in page.items]
    return found


def rows(*moments: int) -> list[Row]:
    return [{"id": number, "updated_at": moment} for number, moment in enumerate(moments, start=1)]


moments = st.lists(st.integers(0, UNTIL) | st.sampled_from([7, 8]), max_size=40)


@given(moments=moments, since=st.integers(0, 20), seed=st.integers())
def test_every_row_of_the_span_is_read_however_many_share_a_second(
    moments: list[int], since: int, seed: int
) -> None:
    source = List(rows(*moments), chance=random.Random(seed))
    wanted = {number for number, moment in enumerate(moments, start=1) if moment >= since}
    assert set(read(source, since=since)) == wanted


@given(moments=st.lists(st.sampled_from([3, 7, 8, 9, 500]), max_size=30), seed=st.integers())
def test_rows_that_change_meanwhile_push_no_other_row_out(moments: list[int], seed: int) -> None:
    chance = random.Random(seed)
    changed: set[int] = set()

    def somebody_edits(source: List) -> None:
        if source.rows and chance.random() < 0.5:
            row = chance.choice(source.rows)
            row["updated_at"] = UNTIL + 5
            changed.add(row["id"])

    source = List(rows(*moments), between=somebody_edits, chance=chance)
    missing = {row["id"] for row in source.rows} - set(read(source))
    assert missing <= changed, "those are read by the next run"


@given(count=st.integers(0, 60), seed=st.integers(), stream=st.sampled_from(["tasks", "leads"]))
def test_rows_that_vanish_meanwhile_push_no_other_row_out(count: int, seed: int, stream: str) -> None:
    chance = random.Random(seed)

    def somebody_deletes(source: List) -> None:
        if source.rows and chance.random() < 0.7:
            source.rows.remove(chance.choice(source.rows))

    key = BY_NAME[stream].resource.key
    source = List(rows(*[5] * count), key=key, between=somebody_deletes, chance=chance)
    source.filters = stream == "tasks"
    found = set(read(source, in_pages_of_three(stream)))
    assert {row["id"] for row in source.rows} <= found


def test_the_last_page_is_found_with_few_requests() -> None:
    source = List(rows(*[5] * 300), key="tasks")
    assert set(read(source, in_pages_of_three("tasks"))) == set(range(1, 301))
    assert source.asked <= 100 + 15


def test_a_second_with_more_rows_than_a_page_is_read_by_id() -> None:
    source = List(rows(5, *[7] * 10, 9))
    assert sorted(set(read(source))) == list(range(1, 13))
    assert source.asked < 15


@given(
    moments=st.lists(st.integers(1, UNTIL), max_size=20, unique=True),
    since=st.integers(0, UNTIL),
)
def test_without_filters_the_newest_are_read_until_the_known_past(moments: list[int], since: int) -> None:
    source = List(rows(*moments), filters=False)
    wanted = {number for number, moment in enumerate(moments, start=1) if moment >= since}
    assert wanted <= set(read(source, since=since))


def test_rows_without_a_moment_end_nothing() -> None:
    source = List(rows(5, 6, 7, 8, 9), filters=False)
    source.rows[3]["updated_at"] = 0
    assert set(read(source, since=0)) == {1, 2, 3, 4, 5}
    position = start_position(LEADS, 5, UNTIL, filters=True, first=None)
    page = next(drain(source, LEADS, position, Priority.BACKFILL))  # type: ignore[arg-type]
    unreadable = replace(page, items=[{"id": 1, "updated_at": None}, {"id": 2, "updated_at": 0}])
    assert obeys(LEADS, position, unreadable), "no proof that filters are off"
    assert not obeys(LEADS, position, replace(page, items=[{"id": 1, "updated_at": 4}]))


@given(
    days=st.lists(st.integers(0, 400), max_size=12),
    first=st.none() | st.integers(0, 400),
)
def test_windows_of_the_log_leave_no_gap(days: list[int], first: int | None) -> None:
    day = 86_400
    events = [{"id": number, "created_at": when * day} for number, when in enumerate(days, start=1)]
    source = List(events, key="events", cursor="created_at")
    position = start_position(
        EVENTS, 0, 400 * day, filters=True, first=None if first is None else first * day
    )
    found = [
        row["id"]
        for page in drain(source, EVENTS, position, Priority.BACKFILL)  # type: ignore[arg-type]
        for row in page.items
    ]
    assert sorted(found) == [event["id"] for event in events], "each once"


def test_empty_years_cost_few_requests() -> None:
    source = List([{"id": 1, "created_at": 1}], key="events", cursor="created_at")
    until = 20 * 365 * 86_400
    list(drain(source, EVENTS, start_position(EVENTS, 0, until, filters=True, first=None), Priority.BACKFILL))  # type: ignore[arg-type]
    assert source.asked < 20 < until / WINDOW_S
