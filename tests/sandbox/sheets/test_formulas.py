"""Formulas: what they come to, how they are shown, and how their references follow the cells."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sheets.book import Book, new_sheet
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.references import rewritten, shifted
from tests.sandbox.sheets.spans import area, lines

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def book_of(rows: list[list[Any]], locale: str = "en_US") -> Book:
    """A spreadsheet with one tab; texts with = in front are formulas."""
    book = Book(book_id="b", properties={"title": "B", "locale": locale})
    sheet = new_sheet(book, {"title": "Sheet1"})
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            if value is not None:
                sheet.edit(row, column)["userEnteredValue"] = entered(value)
    return book


def entered(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"formulaValue" if value.startswith("=") else "stringValue": value}
    return {"boolValue" if isinstance(value, bool) else "numberValue": value}


def result(formula: str, rows: list[list[Any]] | None = None, locale: str = "en_US") -> Any:
    """The value, or the kind of error, of a formula in Z9 of a tab with these rows."""
    book = book_of(rows or [], locale)
    book.sheets[0].edit(8, 25)["userEnteredValue"] = {"formulaValue": formula}
    value = Evaluator(book, NOW).effective(book.sheets[0], 8, 25)
    return value["errorValue"]["type"] if "errorValue" in value else next(iter(value.values()))


NUMBERS = [[1, 2, "x"], [3, None, True], ["total", 10.5]]


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("=1+2*3", 7),
        ("=(1+2)*3", 9),
        ("=-2^2", 4),
        ("=2^3^2", 64),
        ("=10%", 0.1),
        ("=A1", 1),
        ("=$A$2+B1", 5),
        ("=C1", "x"),
        ("=B2", 0),
        ("=Sheet1!A2", 3),
        ("='Sheet1'!A2*2", 6),
        ("=SUM(A1:B2)", 6),
        ("=SUM(A:A)", 4),
        ("=SUM(1:1)", 3),
        ("=SUM(A1,B1,5)", 8),
        ("=sum(A1;B1)", 3),
        ("=AVERAGE(A1:A2)", 2),
        ("=MIN(A1:B3)", 1),
        ("=MAX(A1:B3)", 10.5),
        ("=COUNT(A1:C3)", 4),
        ("=COUNTA(A1:C3)", 7),
        ('=COUNTIF(A1:B3,">2")', 2),
        ('=COUNTIF(A1:C3,"t*")', 1),
        ('=SUMIF(A1:A2,">1",B1:B2)', 0),
        ('=IF(A1<B1,"less","more")', "less"),
        ("=IF(A1>B1,1)", False),
        ("=IFERROR(1/0,-1)", -1),
        ("=ROUND(2.345,2)", 2.35),
        ("=ROUND(-2.5)", -3),
        ('="a"&1&TRUE', "a1TRUE"),
        ('="say ""hi"""', 'say "hi"'),
        ('=UPPER(LEFT("abc",2))', "AB"),
        ('=MID("abcd",2,2)', "bc"),
        ("=TODAY()", 46348),
        ("=AND(TRUE,A1=1)", True),
        ("=1/0", "DIVIDE_BY_ZERO"),
        ("=A3+1", "VALUE"),
        ("=Nowhere!A1", "REF"),
        ("=#REF!+1", "REF"),
        ("=nonsense", "NAME"),
        ("=Z9+1", "REF"),
        ("=+7 (999) 123-45-67", "ERROR"),
        ("=1+", "ERROR"),
        ("=SUM(1,", "ERROR"),
        ("=SQRT(-1)", "NUM"),
        ("=MOD(5)", "N_A"),
        ("=ISERROR()", "N_A"),
        ("=ROUND(10^300,9)", "NUM"),
        ("=" + "(" * 5000, "ERROR"),
        ('=VLOOKUP("x",A1:B3,2)', ""),
        ("=SUM(1,QUERY(A1:B2))", ""),
    ],
)
def test_what_a_formula_comes_to(formula: str, value: Any) -> None:
    assert result(formula, NUMBERS) == value


def test_russian_formulas_part_arguments_by_semicolons() -> None:
    assert result("=SUM(1,5;2)", locale="ru_RU") == 3.5
    assert result('=IF(ИСТИНА;"да";"нет")', locale="ru_RU") == "да"
    assert result('="x"&1,5', locale="ru_RU") == "x1,5"
    assert result("=SUM(1,5)", locale="ru_RU") == 1.5


@given(st.text(max_size=40))
def test_any_text_after_an_equals_sign_has_a_value(text: str) -> None:
    for locale in ("en_US", "ru_RU"):
        result(f"={text}", NUMBERS, locale)


def test_long_chains_are_computed_from_their_start() -> None:
    book = book_of([[1], *[[f"=A{row}+1"] for row in range(1, 500)]])
    values = Evaluator(book, NOW)
    assert [values.value(book.sheets[0], row, 0) for row in range(500)] == list(range(1, 501))


@pytest.mark.parametrize(
    ("formula", "copied"),
    [
        ("=A1+$B$1+A$1+$A1", "=B3+$B$1+B$1+$A3"),
        ('="A1"&A1', '="A1"&B3'),
        ("=SUM(A1:B2)", "=SUM(B3:C4)"),
        ("=SUM(A:A)", "=SUM(B:B)"),
        ("='Мой лист'!A1+Other!$C$3", "='Мой лист'!B3+Other!$C$3"),
        ("=LOG10(A1)+A1B", "=LOG10(B3)+A1B"),
    ],
)
def test_copied_formulas_follow(formula: str, copied: str) -> None:
    assert shifted(formula, 2, 1) == copied


def test_a_reference_that_leaves_the_grid_is_an_error() -> None:
    assert shifted("=A1*2", -1, 0) == "=#REF!*2"


@given(st.text(max_size=30))
def test_rewriting_without_a_change_keeps_the_text(text: str) -> None:
    assert rewritten(f"={text}", lambda reference: reference) == f"={text}"


def formulas(caller: Any, cells: str) -> list[list[Any]]:
    return list(caller.values(cells, valueRenderOption="FORMULA"))


def test_references_follow_inserted_deleted_and_moved_lines(caller: Any) -> None:
    caller.put("A1", [[1], [2], [3], ["=SUM(A1:A3)"], ["=A2"]], "USER_ENTERED")
    caller.batch({"insertDimension": {"range": lines("ROWS", 1, 2)}})
    assert formulas(caller, "A5:A6") == [["=SUM(A1:A4)"], ["=A3"]]
    caller.batch({"deleteDimension": {"range": lines("ROWS", 1, 3)}})
    assert formulas(caller, "A3:A4") == [["=SUM(A1:A2)"], ["=#REF!"]]
    assert caller.values("A3:A4") == [["4"], ["#REF!"]]
    caller.batch({"insertDimension": {"range": lines("COLUMNS", 0, 1)}})
    assert formulas(caller, "B3") == [["=SUM(B1:B2)"]]
    caller.batch({"moveDimension": {"source": lines("ROWS", 0, 2), "destinationIndex": 3}})
    assert formulas(caller, "B1:B3") == [["=SUM(B2:B3)"], [1], [3]]


def test_references_follow_a_renamed_tab_and_break_with_a_deleted_one(caller: Any) -> None:
    caller.batch({"addSheet": {"properties": {"sheetId": 5, "title": "Data"}}})
    caller.put("Data!A1", [[7]])
    caller.put("A1", [["=data!A1*2"]], "USER_ENTERED")
    rename = {"properties": {"sheetId": 5, "title": "Мои данные"}, "fields": "title"}
    caller.batch({"updateSheetProperties": rename})
    assert (formulas(caller, "A1"), caller.values("A1")) == ([["='Мои данные'!A1*2"]], [["14"]])
    caller.batch({"deleteSheet": {"sheetId": 5}})
    assert (formulas(caller, "A1"), caller.values("A1")) == ([["=#REF!*2"]], [["#REF!"]])


def test_named_ranges_work_in_formulas(caller: Any) -> None:
    caller.put("A1", [[2], [3]])
    caller.batch({"addNamedRange": {"namedRange": {"name": "доход", "range": area(0, 2, 0, 1)}}})
    caller.put("B1", [["=SUM(Доход)"]], "USER_ENTERED")
    assert caller.values("B1", valueRenderOption="UNFORMATTED_VALUE") == [[5]]


def test_formulas_in_the_grid_data(caller: Any) -> None:
    caller.put("A1", [[2, "=A1*1.5", "=1/0"]], "USER_ENTERED")
    cells = caller.get(ranges="A1:C1", includeGridData="true")["sheets"][0]["data"][0]["rowData"][0]["values"]
    assert cells[1]["userEnteredValue"] == {"formulaValue": "=A1*1.5"}
    assert (cells[1]["effectiveValue"], cells[1]["formattedValue"]) == ({"numberValue": 3}, "3")
    assert (cells[2]["effectiveValue"]["errorValue"]["type"], cells[2]["formattedValue"]) == (
        "DIVIDE_BY_ZERO",
        "#DIV/0!",
    )


def test_a_phone_number_typed_with_brackets_is_an_error_for_people(russian: Any) -> None:
    russian.put("A1", [["+7 (999) 123-45-67", "+79991234567"]], "USER_ENTERED")
    assert russian.values("A1:B1") == [["#ERROR!", "79991234567"]]
    assert formulas(russian, "A1") == [["=+7 (999) 123-45-67"]]
