"""Whatever people do to the sheet between exports, our cells come out right and theirs stay."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.sheets.server import SheetsServer

TAB = "Менеджеры"
NOTES = "Мои заметки"
KEYS = st.lists(st.integers(501, 508), unique=True, max_size=6)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("export"), KEYS),
        st.tuples(st.just("sort"), st.integers(0, 3)),
        st.tuples(st.just("insert_column"), st.integers(0, 6)),
        st.tuples(st.just("insert_row"), st.integers(1, 6)),
        st.tuples(st.just("note"), st.integers(501, 508)),
        st.tuples(st.just("move_column"), st.tuples(st.integers(0, 5), st.integers(0, 5))),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def simulated() -> Iterator[SheetsServer]:
    with SheetsServer() as server:
        yield server


class Person:
    """Acts on the tab, and remembers which note stands beside which key."""

    def __init__(self, google: Any) -> None:
        self.google = google
        self.notes: dict[str, str] = {}
        self.sheet_id = google.tab(TAB)["properties"]["sheetId"]

    def act(self, name: str, argument: Any) -> None:
        getattr(self, name)(argument)

    def change(self, **change: Any) -> None:
        self.google.book.batch_update({"requests": [change]})

    def table(self) -> tuple[list[Any], list[list[Any]]]:
        head, *rows = self.google.values(TAB)
        return head, rows

    def sort(self, offset: int) -> None:
        head, rows = self.table()
        span = {"sheetId": self.sheet_id, "startRowIndex": 1, "endRowIndex": len(rows) + 1}
        if rows:
            spec = {"dimensionIndex": offset % len(head), "sortOrder": "DESCENDING"}
            self.change(sortRange={"range": span, "sortSpecs": [spec]})

    def insert_column(self, at: int) -> None:
        self.change(insertDimension={"range": self._span("COLUMNS", at)})

    def insert_row(self, at: int) -> None:
        self.change(insertDimension={"range": self._span("ROWS", at)})

    def move_column(self, places: tuple[int, int]) -> None:
        source, to = places
        if not source < to < source + 1:
            self.change(moveDimension={"source": self._span("COLUMNS", source), "destinationIndex": to})

    def note(self, user_id: int) -> None:
        head, rows = self.table()
        key_at, notes_at = head.index("ID"), head.index(NOTES)
        for index, row in enumerate(rows, start=2):
            if row[key_at] == f"user:{user_id}":
                text = f"=заметка {len(self.notes)}"
                self.google.book.worksheet(TAB).update_cell(index, notes_at + 1, text.removeprefix("="))
                self.notes[row[key_at]] = text.removeprefix("=")

    def _span(self, dimension: str, at: int) -> dict[str, Any]:
        return {"sheetId": self.sheet_id, "dimension": dimension, "startIndex": at, "endIndex": at + 1}


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=KEYS, actions=ACTIONS, last=KEYS)
def test_any_mixture_of_exports_and_edits(
    simulated: SheetsServer,
    google_on: Any,
    meta: Any,
    table: Any,
    first: list[int],
    actions: list[tuple[str, Any]],
    last: list[int],
) -> None:
    with google_on(simulated) as google:
        google.door("POST", "limits", {"quotas": False})

        def export(keys: list[int]) -> None:
            rows = [(f"user:{k}", f"Имя {k}", Decimal(k), Decimal(k) / 10, k) for k in keys]
            google.sink().write([table(*rows)], meta)

        export(first)
        google.book.worksheet(TAB).update([[NOTES]], "F1", raw=True)
        person = Person(google)
        for name, argument in actions:
            export(argument) if name == "export" else person.act(name, argument)
        export(last)
        before = google.values(TAB)
        export(last)
        assert google.values(TAB) == before

        head, rows = person.table()
        places = {
            title: head.index(title) for title in ("ID", "Менеджер", "Объём продаж", "Цикл сделки", NOTES)
        }
        found = {row[places["ID"]]: row for row in rows if row[places["ID"]] is not None}
        assert len(found) == len([row for row in rows if row[places["ID"]] is not None])
        for key, row in found.items():
            number = int(key.removeprefix("user:"))
            alive = number in last
            assert row[places["Менеджер"]] == f"Имя {number}"
            assert row[places["Объём продаж"]] == (number if alive else None)
            assert row[places["Цикл сделки"]] == (pytest.approx(number / 86400) if alive else None)
            assert row[places[NOTES]] == person.notes.get(key)
        assert {f"user:{number}" for number in last} | set(person.notes) <= set(found)
