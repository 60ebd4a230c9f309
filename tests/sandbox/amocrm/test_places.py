"""Deep pages: remembered places never change what a page holds."""

import random
import sqlite3
from collections.abc import Iterator

import pytest

from sandbox.amocrm.storage import places
from sandbox.amocrm.storage.places import Listing, Places

PAGES = 9


class Table:
    """A table of a few hundred rows with repeated, missing and textual moments; writing moves its version."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("CREATE TABLE events (id, created_at)")
        self.version = 0
        self.places = Places(lambda: self.version)
        self.random = random.Random(3)
        self.statements: list[str] = []
        self.connection.set_trace_callback(self.statements.append)
        for _ in range(400):
            self.write()

    def write(self, moment: object = None) -> None:
        """One more row somewhere among the others."""
        some = self.random.choice([None, "late", *range(20)]) if moment is None else moment
        row_id = f"{self.random.randrange(10**9):09d}"
        self.connection.execute("INSERT INTO events VALUES (?, ?)", (row_id, some))
        self.version += 2

    def page(self, number: int, column: str, *, descending: bool) -> tuple[list[int], list[int]]:
        """The page as it is answered, and as counting every row gives it."""
        listing = Listing(
            table="events", where="id != ?", values=("x",), column=column, descending=descending,
            offset=number * 40, limit=40,
        )  # fmt: skip
        counted = Places(lambda: 1).rowids(self.connection, listing)
        return self.places.rowids(self.connection, listing), counted


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.setattr(places, "STRIDE", 40)
    made = Table()
    yield made
    made.connection.close()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["id", "created_at"])
def test_pages_are_what_counting_gives(table: Table, column: str, descending: bool) -> None:
    for _ in range(3):
        numbers = [*range(PAGES), *table.random.sample(range(PAGES + 3), PAGES)]
        for number in numbers:
            answered, counted = table.page(number, column, descending=descending)
            assert answered == counted
        table.write()


def test_a_place_saves_the_counting(table: Table) -> None:
    table.connection.execute("DELETE FROM events WHERE created_at IS NULL")
    for number in range(PAGES - 2):
        table.page(number, "created_at", descending=True)
    table.statements.clear()
    answered, counted = table.page(PAGES - 2, "created_at", descending=True)
    assert answered == counted
    assert "OFFSET 0" in table.statements[-1] or "OFFSET 0" in table.statements[-2]


def test_a_row_written_while_a_page_is_read_is_counted_again(table: Table) -> None:
    for number in range(PAGES):
        table.page(number, "id", descending=False)
    seen = iter([table.version, table.version + 2])
    table.places._version = lambda: next(seen, table.version + 2)
    answered, counted = table.page(PAGES - 1, "id", descending=False)
    assert answered == counted
    assert f"OFFSET {(PAGES - 1) * 40}" in table.statements[-1]


def test_few_places_are_kept(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "STRIDE", 100)
    for number in [*range(PAGES), *range(PAGES)]:
        table.page(number, "id", descending=False)
    (kept,) = table.places._lists.values()
    assert [place[0] for place in kept] == [120, 240, 360]
