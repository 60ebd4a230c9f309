"""Any sequence of changes: what is stored is what is in memory, and a refused batch leaves nothing behind."""

import copy
import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.sheets import batch, values
from sandbox.sheets.batch.common import Editor
from sandbox.sheets.book import Book, find_range
from sandbox.sheets.calls import create_book
from sandbox.sheets.errors import GoogleError
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.store import Store
from tests.sandbox.sheets.spans import area, lines

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
EDITOR = Editor(email="a@example.com", now=NOW)
TEXTS = st.sampled_from(
    ["x", "1,5", "=A1+B2", "=SUM(A1:C3)", "=$B$2", "", "  a b ", "a;b", "01.02.2026", "=1/0"]
)


@st.composite
def areas(draw: Any) -> dict[str, int]:
    top, left = draw(st.integers(0, 5)), draw(st.integers(0, 4))
    return area(top, top + draw(st.integers(1, 4)), left, left + draw(st.integers(1, 3)))


@st.composite
def spans(draw: Any) -> dict[str, Any]:
    start = draw(st.integers(0, 6))
    return lines(draw(st.sampled_from(["ROWS", "COLUMNS"])), start, start + draw(st.integers(1, 3)))


@st.composite
def changes(draw: Any) -> dict[str, Any]:
    span, other, line = draw(areas()), draw(areas()), draw(spans())
    spot = {"sheetId": 0, "rowIndex": other["startRowIndex"], "columnIndex": other["startColumnIndex"]}
    dimension = line["dimension"]
    return dict(
        draw(
            st.sampled_from(
                [
                    {"insertDimension": {"range": line, "inheritFromBefore": True}},
                    {"deleteDimension": {"range": line}},
                    {"moveDimension": {"source": line, "destinationIndex": other["startRowIndex"]}},
                    {"insertRange": {"range": span, "shiftDimension": dimension}},
                    {"deleteRange": {"range": span, "shiftDimension": dimension}},
                    {"cutPaste": {"source": span, "destination": spot}},
                    {"copyPaste": {"source": span, "destination": other}},
                    {
                        "sortRange": {
                            "range": span,
                            "sortSpecs": [{"dimensionIndex": span["startColumnIndex"]}],
                        }
                    },
                    {"mergeCells": {"range": span, "mergeType": "MERGE_ALL"}},
                    {"unmergeCells": {"range": span}},
                    {"trimWhitespace": {"range": span}},
                    {"deleteDuplicates": {"range": span}},
                    {"textToColumns": {"source": span, "delimiterType": "SEMICOLON"}},
                    {"findReplace": {"find": "a", "replacement": "=B1", "allSheets": True}},
                    {"randomizeRange": {"range": span}},
                    {"updateBorders": {"range": span, "top": {"style": "SOLID"}}},
                    {"repeatCell": {"range": span, "cell": {"note": "n"}, "fields": "note"}},
                    {"addNamedRange": {"namedRange": {"name": "имя", "range": span}}},
                    {"addProtectedRange": {"protectedRange": {"range": span}}},
                    {"addBanding": {"bandedRange": {"range": span, "rowProperties": {"firstBandColor": {}}}}},
                    {"duplicateSheet": {"sourceSheetId": 0}},
                    {
                        "updateSheetProperties": {
                            "properties": {"sheetId": 0, "gridProperties": {"rowCount": 8, "columnCount": 7}},
                            "fields": "gridProperties(rowCount,columnCount)",
                        }
                    },
                ]
            )
        )
    )


def state(book: Book) -> Any:
    """All of a spreadsheet that matters, in one comparable value."""
    # A row whose last cell went may still be there, empty: nobody can see it, and nobody stores it.
    filled = [{n: cells for n, cells in s.rows.items() if cells} for s in book.sheets]
    tabs = [
        (s.properties, rows, s.columns, s.row_properties, s.extras)
        for s, rows in zip(book.sheets, filled, strict=True)
    ]
    return tabs, book.named_ranges, book.metadata, book.properties


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=5), min_size=1, max_size=6),
    st.lists(st.lists(changes(), min_size=1, max_size=3), min_size=1, max_size=6),
)
def test_the_store_holds_what_memory_holds(
    rows: list[list[str]], batches: list[list[dict[str, Any]]]
) -> None:
    store = Store(None)
    try:
        grid = {"rowCount": 10, "columnCount": 9}
        given_book = {"properties": {"locale": "ru_RU"}, "sheets": [{"properties": {"gridProperties": grid}}]}
        book_id = create_book(store, given_book, {EDITOR.email: "owner"}, NOW).book_id
        with store.changing(book_id) as book:
            place = find_range(book, "A1")
            values.write(book, place, {"values": rows}, "USER_ENTERED", EDITOR, text="A1")
        for requests in batches:
            before = copy.deepcopy(state(store.books[book_id]))
            try:
                with store.changing(book_id) as book:
                    batch.apply(book, requests, EDITOR)
            except GoogleError:
                assert state(store.books[book_id]) == before
            assert state(store._load(book_id)) == state(store.books[book_id])
        book = store.books[book_id]
        evaluator = Evaluator(book, NOW)
        for sheet in book.sheets:
            assert all(0 <= row < sheet.row_count for row in sheet.rows)
            for row, cells in sheet.rows.items():
                assert all(0 <= column < sheet.column_count for column in cells)
                for column in cells:
                    evaluator.effective(sheet, row, column)
    finally:
        store.close()
