"""Values: how typed texts are read by locale, how cells are shown, how ranges are read and written."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sheets.a1 import Area, column_index, column_letters, format_area, parse_cells, split_title
from sandbox.sheets.entered import typed_cell
from sandbox.sheets.render import shown_text

TODAY = dt.date(2026, 11, 22)


def typed(text: Any, locale: str) -> Any:
    cell = typed_cell(text, locale, TODAY)
    kind = cell.get("userEnteredFormat", {}).get("numberFormat", {}).get("type")
    value = next(iter(cell.get("userEnteredValue", {}).items()), (None, None))
    return (*value, kind) if kind else value


@pytest.mark.parametrize(
    ("text", "english", "russian"),
    [
        ("12", ("numberValue", 12), ("numberValue", 12)),
        ("-3", ("numberValue", -3), ("numberValue", -3)),
        ("007", ("numberValue", 7), ("numberValue", 7)),
        ("1.5", ("numberValue", 1.5), ("numberValue", 46143, "DATE")),
        ("1,5", ("stringValue", "1,5"), ("numberValue", 1.5)),
        ("1,234", ("numberValue", 1234), ("numberValue", 1.234)),
        ("1 234,50", ("stringValue", "1 234,50"), ("numberValue", 1234.5)),
        ("1\u00a0234", ("stringValue", "1\u00a0234"), ("numberValue", 1234)),
        ("25%", ("numberValue", 0.25, "PERCENT"), ("numberValue", 0.25, "PERCENT")),
        ("$5.50", ("numberValue", 5.5, "CURRENCY"), ("stringValue", "$5.50")),
        ("5,50 ₽", ("stringValue", "5,50 ₽"), ("numberValue", 5.5, "CURRENCY")),
        ("1e3", ("numberValue", 1000), ("numberValue", 1000)),
        ("2026-02-01", ("numberValue", 46054, "DATE"), ("numberValue", 46054, "DATE")),
        ("2/1/2026", ("numberValue", 46054, "DATE"), ("stringValue", "2/1/2026")),
        ("01.02.2026", ("stringValue", "01.02.2026"), ("numberValue", 46054, "DATE")),
        ("01.02.26 12:00", ("stringValue", "01.02.26 12:00"), ("numberValue", 46054.5, "DATE_TIME")),
        ("31.02.2026", ("stringValue", "31.02.2026"), ("stringValue", "31.02.2026")),
        ("6:00 PM", ("numberValue", 0.75, "TIME"), ("numberValue", 0.75, "TIME")),
        ("TRUE", ("boolValue", True), ("boolValue", True)),
        ("ложь", ("stringValue", "ложь"), ("boolValue", False)),
        ("=A1+1", ("formulaValue", "=A1+1"), ("formulaValue", "=A1+1")),
        ("=", ("stringValue", "="), ("stringValue", "=")),
        ("'=A1", ("stringValue", "=A1"), ("stringValue", "=A1")),
        ("+79991234567", ("numberValue", 79991234567), ("numberValue", 79991234567)),
        ("+7 999 123", ("formulaValue", "=+7 999 123"), ("numberValue", 7999123)),
        (
            "+7 (999) 123-45-67",
            ("formulaValue", "=+7 (999) 123-45-67"),
            ("formulaValue", "=+7 (999) 123-45-67"),
        ),
        ("Анна", ("stringValue", "Анна"), ("stringValue", "Анна")),
        ("", (None, None), (None, None)),
        (5, ("numberValue", 5), ("numberValue", 5)),
    ],
)
def test_typing(text: Any, english: Any, russian: Any) -> None:
    assert typed(text, "en_US") == english
    assert typed(text, "ru_RU") == russian


@given(st.text(max_size=30))
def test_typing_anything_never_fails(text: str) -> None:
    for locale in ("en_US", "ru_RU"):
        shown_text(typed_cell(text, locale, TODAY), locale)


@pytest.mark.parametrize(
    ("value", "kind", "pattern", "english", "russian"),
    [
        (1234.5, "", "", "1234.5", "1234,5"),
        (1234567.891, "NUMBER", "#,##0.00", "1,234,567.89", "1\u00a0234\u00a0567,89"),
        (1234, "NUMBER", "#,##0", "1,234", "1\u00a0234"),
        (0.125, "PERCENT", "0.0%", "12.5%", "12,5%"),
        (45000.5, "CURRENCY", '#,##0.00 "₽"', "45,000.50 ₽", "45\u00a0000,50 ₽"),
        (1.5, "NUMBER", "0.##", "1.5", "1,5"),
        (46054.5, "DATE", "dd.mm.yyyy", "01.02.2026", "01.02.2026"),
        (46054.52, "DATE_TIME", "yyyy-mm-dd hh:mm", "2026-02-01 12:28", "2026-02-01 12:28"),
        (1.25, "TIME", "[h]:mm:ss", "30:00:00", "30:00:00"),
        (True, "", "", "TRUE", "ИСТИНА"),
        (1e300, "DATE", "", "1e+300", "1e+300"),
    ],
)
def test_showing(value: Any, kind: str, pattern: str, english: str, russian: str) -> None:
    name = "boolValue" if isinstance(value, bool) else "numberValue"
    cell: dict[str, Any] = {"userEnteredValue": {name: value}}
    if kind:
        cell["userEnteredFormat"] = {"numberFormat": {"type": kind, "pattern": pattern}}
    assert shown_text(cell, "en_US") == english
    assert shown_text(cell, "ru_RU") == russian


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("A1", Area(top=0, left=0, bottom=1, right=1)),
        ("$B$2:C$4", Area(top=1, left=1, bottom=4, right=3)),
        ("C4:B2", Area(top=1, left=1, bottom=4, right=3)),
        ("A:B", Area(top=0, left=0, bottom=None, right=2)),
        ("2:3", Area(top=1, left=0, bottom=3, right=None)),
        ("B2:D", Area(top=1, left=1, bottom=None, right=4)),
        ("A", None),
        ("1", None),
        ("hello", None),
        ("A0", None),
        ("A1:", None),
    ],
)
def test_a1(text: str, area: Area | None) -> None:
    assert parse_cells(text) == area


@given(st.integers(min_value=0, max_value=18_000))
def test_column_letters_are_read_back(index: int) -> None:
    assert column_index(column_letters(index)) == index


@given(st.text(min_size=1, max_size=20).filter(lambda title: "\n" not in title))
def test_titles_are_quoted_so_that_they_are_read_back(title: str) -> None:
    printed = format_area(title, Area(top=0, left=0, bottom=2, right=2))
    assert split_title(printed) == (title, "A1:B2")


def test_raw_texts_stay_and_typed_ones_are_read(russian: Any) -> None:
    russian.put("A1", [["1,5", "=1", "+7 999"]], "RAW")
    russian.put("A2", [["1,5", "=A1", "ИСТИНА", 2]], "USER_ENTERED")
    assert russian.values("A1:D2", valueRenderOption="UNFORMATTED_VALUE") == [
        ["1,5", "=1", "+7 999"],
        [1.5, "", True, 2],
    ]
    assert russian.values("A2:D2", valueRenderOption="FORMULA") == [[1.5, "=A1", True, 2]]
    assert russian.values("A2:D2") == [["1,5", "", "ИСТИНА", "2"]]


def test_dates_as_numbers_or_texts(russian: Any) -> None:
    russian.put("A1", [["01.02.2026"]], "USER_ENTERED")
    plain = {"valueRenderOption": "UNFORMATTED_VALUE"}
    assert russian.values("A1", **plain, dateTimeRenderOption="SERIAL_NUMBER") == [[46054]]
    assert russian.values("A1", **plain, dateTimeRenderOption="FORMATTED_STRING") == [["01.02.2026"]]


def test_null_leaves_a_cell_alone_and_an_empty_text_clears_it(caller: Any) -> None:
    caller.put("A1", [["a", "b", "c"]])
    answer = caller.put("A1", [[None, "", "d"]]).json()
    assert (answer["updatedRange"], answer["updatedCells"]) == ("Sheet1!A1:C1", 2)
    assert caller.values("A1:C1") == [["a", "", "d"]]


def test_reading_leaves_out_trailing_blanks_and_turns_columns(caller: Any) -> None:
    caller.put("B2", [["x", ""], ["", ""], ["y", "z"]])
    read = caller.get("/values/Sheet1")
    assert (read["range"], read["values"]) == ("Sheet1!A1:Z1000", [[], ["", "x"], [], ["", "y", "z"]])
    assert caller.values("B2:C4", majorDimension="COLUMNS") == [["x", "", "y"], ["", "", "z"]]
    assert "values" not in caller.get("/values/E5:F6")


@pytest.mark.parametrize(
    ("cells", "rows", "message"),
    [
        ("Nowhere!A1", [[1]], "Unable to parse range: Nowhere!A1"),
        ("A1001", [[1]], "exceeds grid limits. Max rows: 1000, max columns: 26"),
        ("Z1", [[1, 2]], "exceeds grid limits"),
        ("A1:A1000", [[1]] * 1001, "tried writing to row [1001]"),
        ("A1:B2", [[1, 2, 3]], "tried writing to column [3]"),
        ("A1", [[{"a": 1}]], "struct_value"),
    ],
)
def test_writes_that_do_not_fit_are_400(caller: Any, cells: str, rows: Any, message: str) -> None:
    answer = caller.put(cells, rows)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_an_input_option_must_be_given(caller: Any) -> None:
    assert caller.send("PUT", "/values/A1", {"values": [[1]]}).status_code == 400


def test_appending_grows_the_grid(caller: Any) -> None:
    caller.put("A999", [["last but one"], ["last"]])
    answer = caller.send(
        "POST", "/values/Sheet1:append", {"values": [["new"], ["newer"]]}, valueInputOption="RAW"
    ).json()
    assert answer["updates"]["updatedRange"] == "Sheet1!A1001:A1002"
    assert caller.get()["sheets"][0]["properties"]["gridProperties"]["rowCount"] == 1002


def test_batch_calls(caller: Any) -> None:
    data = [{"range": "A1:B1", "values": [[1, 2]]}, {"range": "A3", "values": [["x"]]}]
    answer = caller.send("POST", "/values:batchUpdate", {"valueInputOption": "RAW", "data": data}).json()
    assert (answer["totalUpdatedCells"], answer["totalUpdatedSheets"]) == (3, 1)
    read = caller.get("/values:batchGet", ranges=["A1:B1", "A3"])
    assert [r["values"] for r in read["valueRanges"]] == [[["1", "2"]], [["x"]]]
    caller.send("POST", "/values:batchClear", {"ranges": ["A1:A3"]})
    assert caller.values("A1:B3") == [["", "2"]]
    assert caller.send("POST", "/values/B1:clear", {}).json()["clearedRange"] == "Sheet1!B1"
