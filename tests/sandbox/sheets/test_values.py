"""Values: how typed texts are read by locale, how cells are shown, how ranges are read and written."""

import datetime as dt
from typing import Any

import pytest
import requests
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
        ("1,234", ("numberValue", 1234, "NUMBER"), ("numberValue", 1.234)),
        ("1 234,50", ("stringValue", "1 234,50"), ("numberValue", 1234.5, "NUMBER")),
        ("1\u00a0234", ("stringValue", "1\u00a0234"), ("numberValue", 1234, "NUMBER")),
        ("25%", ("numberValue", 0.25, "PERCENT"), ("numberValue", 0.25, "PERCENT")),
        ("$5.50", ("numberValue", 5.5, "CURRENCY"), ("stringValue", "$5.50")),
        ("5,50 ₽", ("stringValue", "5,50 ₽"), ("numberValue", 5.5, "CURRENCY")),
        ("1e3", ("numberValue", 1000, "SCIENTIFIC"), ("numberValue", 1000, "SCIENTIFIC")),
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
        ("+7 999 123", ("formulaValue", "=+7 999 123"), ("numberValue", 7999123, "NUMBER")),
        (
            "+7 (999) 123-45-67",
            ("formulaValue", "=+7 (999) 123-45-67"),
            ("formulaValue", "=+7 (999) 123-45-67"),
        ),
        ("89991234567", ("numberValue", 89991234567), ("numberValue", 89991234567)),
        (
            "40702810123456789012",
            ("numberValue", 4.07028101234568e19),
            ("numberValue", 4.07028101234568e19),
        ),
        ("0.1", ("numberValue", 0.1), ("stringValue", "0.1")),
        ("(1,50)", ("stringValue", "(1,50)"), ("numberValue", -1.5)),
        ("(5)", ("numberValue", -5), ("numberValue", -5)),
        ("-$3", ("numberValue", -3, "CURRENCY"), ("formulaValue", "=-$3")),
        ("12,5%", ("stringValue", "12,5%"), ("numberValue", 0.125, "PERCENT")),
        ("1e400", ("stringValue", "1e400"), ("stringValue", "1e400")),
        ("Feb 1, 2026", ("numberValue", 46054, "DATE"), ("stringValue", "Feb 1, 2026")),
        ("1 февраля 2026", ("stringValue", "1 февраля 2026"), ("numberValue", 46054, "DATE")),
        ("2026-02-01 18:00", ("numberValue", 46054.75, "DATE_TIME"), ("numberValue", 46054.75, "DATE_TIME")),
        (
            "2026-02-01T18:00:00",
            ("stringValue", "2026-02-01T18:00:00"),
            ("stringValue", "2026-02-01T18:00:00"),
        ),
        ("1-2", ("numberValue", 46024, "DATE"), ("stringValue", "1-2")),
        ("30:00:00", ("numberValue", 1.25, "TIME"), ("numberValue", 1.25, "TIME")),
        ("13:00 PM", ("stringValue", "13:00 PM"), ("stringValue", "13:00 PM")),
        ("истина", ("stringValue", "истина"), ("boolValue", True)),
        ("-", ("stringValue", "-"), ("stringValue", "-")),
        ("--", ("stringValue", "--"), ("stringValue", "--")),
        ("-A1", ("formulaValue", "=-A1"), ("formulaValue", "=-A1")),
        ("'", (None, None), (None, None)),
        ("'007", ("stringValue", "007"), ("stringValue", "007")),
        ("  12 ", ("numberValue", 12), ("numberValue", 12)),
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
        typed_one = typed_cell(text, locale, TODAY)
        value = typed_one.get("userEnteredValue", {})
        shown_text(typed_one, {} if "formulaValue" in value else value, locale)


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
        (1e300, "DATE", "", "1E+300", "1E+300"),
        (1 / 3, "", "", "0.3333333333", "0,3333333333"),
        (79991234567, "", "", "79991234567", "79991234567"),
        (123456789012345678, "", "", "1.23457E+17", "1,23457E+17"),
        (1e-10, "", "", "1E-10", "1E-10"),
        (1234.5, "SCIENTIFIC", "", "1.23E+03", "1,23E+03"),
        (7, "NUMBER", "00000", "00007", "00007"),
        (-5, "NUMBER", "#,##0;(#,##0)", "(5)", "(5)"),
        (0, "NUMBER", '0;-0;"нет"', "нет", "нет"),
        (-3.5, "CURRENCY", "$#,##0.00", "-$3.50", "-$3,50"),
        (-0.001, "NUMBER", "0.00", "0.00", "0,00"),
        (46054.75, "DATE", "d mmmm yyyy", "1 February 2026", "1 февраль 2026"),
        (46054.75, "DATE", "ddd h:mm am/pm", "Sun 6:00 PM", "Вс 6:00 PM"),
        (46054.5, "TEXT", "", "46054.5", "46054,5"),
    ],
)
def test_showing(value: Any, kind: str, pattern: str, english: str, russian: str) -> None:
    name = "boolValue" if isinstance(value, bool) else "numberValue"
    cell: dict[str, Any] = {"userEnteredValue": {name: value}}
    if kind:
        cell["userEnteredFormat"] = {"numberFormat": {"type": kind, "pattern": pattern}}
    assert shown_text(cell, cell["userEnteredValue"], "en_US") == english
    assert shown_text(cell, cell["userEnteredValue"], "ru_RU") == russian


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
        ("R2C3", Area(top=1, left=2, bottom=2, right=3)),
        ("R1C1:R2C2", Area(top=0, left=0, bottom=2, right=2)),
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
        [1.5, "1,5", True, 2],
    ]
    assert russian.values("A2:D2", valueRenderOption="FORMULA") == [[1.5, "=A1", True, 2]]
    assert russian.values("A2:D2") == [["1,5", "1,5", "ИСТИНА", "2"]]


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
        ("A1:B2", [[1, 2, 3]], "tried writing to column [C]"),
        ("A1", [[{"a": 1}]], "Invalid values[0][0]: struct_value"),
        (
            "A1",
            [["x"], "y"],
            "Invalid value at 'data.values[1]' (type.googleapis.com/google.protobuf.ListValue)",
        ),
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


def test_missing_options_are_named_as_google_names_them(caller: Any) -> None:
    answers = [
        caller.send("PUT", "/values/A1", {"values": [[1]]}),
        caller.send("POST", "/values/A1:append", {"values": [[1]]}),
        caller.send("POST", "/values:batchUpdate", {"data": [{"range": "A1", "values": [[1]]}]}),
        caller.send(
            "PUT", "/values/A1", {"values": [[1]]}, valueInputOption="INPUT_VALUE_OPTION_UNSPECIFIED"
        ),
    ]
    for answer in answers:
        assert answer.json()["error"] == {
            "code": 400,
            "message": "'valueInputOption' is required but not specified",
            "status": "INVALID_ARGUMENT",
        }


def append(caller: Any, cells: str, rows: list[list[Any]], **params: Any) -> dict[str, Any]:
    answer = caller.send(
        "POST", f"/values/{cells}:append", {"values": rows}, **({"valueInputOption": "RAW"} | params)
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_appending_finds_the_table_that_the_range_touches(caller: Any) -> None:
    caller.put("B2", [["name", "sum"], ["a", 1]])
    caller.put("F1", [["other"]])
    answer = append(caller, "B2:C2", [["b", 2]])
    assert (answer["tableRange"], answer["updates"]["updatedRange"]) == ("Sheet1!B2:C3", "Sheet1!B4:C4")
    answer = append(caller, "C2", [["c", 3]])
    assert answer["updates"]["updatedRange"] == "Sheet1!B5:C5"
    answer = append(caller, "H9", [["alone"]])
    assert (answer.get("tableRange"), answer["updates"]["updatedRange"]) == (None, "Sheet1!H9")
    answer = append(caller, "F1", [["more"]], includeValuesInResponse="true")
    assert answer["updates"]["updatedData"]["values"] == [["more"]]


def test_appended_rows_overwrite_or_push_down(caller: Any) -> None:
    caller.put("A1", [["a"], ["", ""], ["below"]])
    append(caller, "A1", [["b"]])
    assert caller.values("A1:A4") == [["a"], ["b"], ["below"]]
    caller.put("A1:A4", [["a"], [""], ["below"], [""]])
    append(caller, "A1", [["b"], ["c"]], insertDataOption="INSERT_ROWS")
    assert caller.values("A1:A6") == [["a"], ["b"], ["c"], [], ["below"]]
    assert caller.get()["sheets"][0]["properties"]["gridProperties"]["rowCount"] == 1002


def test_written_values_come_back_when_asked_for(russian: Any) -> None:
    params = {"valueInputOption": "USER_ENTERED", "includeValuesInResponse": "true"}
    body = {"values": [["1,5", "=A1*2", "25%"]]}
    answer = russian.send("PUT", "/values/A1", body, **params).json()
    assert answer["updatedData"]["values"] == [["1,5", "3", "25%"]]
    answer = russian.send("PUT", "/values/A1", body, **params, responseValueRenderOption="FORMULA").json()
    assert answer["updatedData"]["values"] == [[1.5, "=A1*2", 0.25]]


def test_calls_by_data_filter(caller: Any) -> None:
    location = {"dimensionRange": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2}}
    mark = {"metadataKey": "sum", "visibility": "DOCUMENT", "location": location}
    caller.batch({"createDeveloperMetadata": {"developerMetadata": mark}})
    caller.put("A1", [["a", 1], ["b", 2]])
    lookup = {"developerMetadataLookup": {"metadataKey": "sum"}}
    grid = {"gridRange": {"sheetId": 0, "startRowIndex": 1, "endRowIndex": 2}}
    body = {"dataFilters": [lookup, grid, {"a1Range": "A1"}]}
    read = caller.send("POST", "/values:batchGetByDataFilter", body).json()["valueRanges"]
    assert [r["valueRange"]["values"] for r in read] == [[["1"], ["2"]], [["b", "2"]], [["a"]]]
    assert read[0]["dataFilters"] == [lookup]
    data = [{"dataFilter": lookup, "values": [[7], [8]]}]
    body = {"valueInputOption": "RAW", "data": data, "includeValuesInResponse": True}
    wrote = caller.send("POST", "/values:batchUpdateByDataFilter", body).json()
    assert (wrote["totalUpdatedCells"], wrote["responses"][0]["dataFilter"]) == (2, lookup)
    assert wrote["responses"][0]["updatedData"]["values"] == [["7"], ["8"]]
    found = caller.send(
        "POST", ":getByDataFilter", {"dataFilters": [{"a1Range": "B1"}], "includeGridData": True}
    )
    assert found.json()["sheets"][0]["data"][0]["rowData"][0]["values"][0]["formattedValue"] == "7"
    caller.send("POST", "/values:batchClearByDataFilter", {"dataFilters": [lookup]})
    assert caller.values("A1:B2") == [["a"], ["b"]]
    assert caller.send("POST", "/values:batchGetByDataFilter", {"dataFilters": [{}]}).status_code == 400


def test_a_batch_of_values_is_all_or_nothing_and_names_the_bad_item(caller: Any) -> None:
    data = [{"range": "A1", "values": [[1]]}, {"range": "Nowhere!A1", "values": [[2]]}]
    answer = caller.send("POST", "/values:batchUpdate", {"valueInputOption": "RAW", "data": data})
    assert answer.json()["error"]["message"] == "Invalid data[1]: Unable to parse range: Nowhere!A1"
    assert caller.values("A1") == []


def test_the_range_of_the_body_must_be_that_of_the_call(caller: Any) -> None:
    body = {"range": "B1", "values": [[1]]}
    assert caller.send("PUT", "/values/A1", body, valueInputOption="RAW").status_code == 400
    body = {"range": "Sheet1!A1", "values": [[1]]}
    assert caller.send("PUT", "/values/A1", body, valueInputOption="RAW").status_code == 200


@pytest.mark.parametrize("title", ["Мой лист", "it's", "A1", "a!b", "R1C1", "1,5", "Σ/%:"])
def test_odd_titles(caller: Any, title: str) -> None:
    caller.batch({"addSheet": {"properties": {"title": title}}})
    quoted = "'" + title.replace("'", "''") + "'"
    path = requests.utils.quote(f"{quoted}!B2", safe="")
    caller.put(path, [["x"]])
    read = caller.get(f"/values/{requests.utils.quote(quoted, safe='')}")
    assert (read["range"], read["values"]) == (f"{quoted}!A1:Z1000", [[], ["", "x"]])


@pytest.mark.parametrize("text", ["A1:B2:C3", "Sheet1!", "!A1", "AAAA1", "A0", "Sheet1!A1!B2", "'open!A1"])
def test_ranges_that_are_none(caller: Any, text: str) -> None:
    answer = caller.send("GET", f"/values/{text}")
    assert answer.json()["error"]["message"] == f"Unable to parse range: {text}"


def test_open_ranges(caller: Any) -> None:
    caller.put("A1", [["a", "b"], ["c", "d"], ["e"]])
    assert caller.get("/values/B:B")["range"] == "Sheet1!B1:B1000"
    assert caller.values("2:2") == [["c", "d"]]
    assert caller.values("A2:B") == [["c", "d"], ["e"]]
    assert caller.values("R2C1:R2C2") == [["c", "d"]]


def test_typed_formats_are_kept_where_the_cell_has_its_own(russian: Any) -> None:
    look = {"userEnteredFormat": {"numberFormat": {"type": "NUMBER", "pattern": "0.000"}}}
    start = {"sheetId": 0, "rowIndex": 0, "columnIndex": 0}
    russian.batch(
        {"updateCells": {"start": start, "rows": [{"values": [look]}], "fields": "userEnteredFormat"}}
    )
    russian.put("A1", [["25%", "25%"]], "USER_ENTERED")
    assert russian.values("A1:B1") == [["0,250", "25%"]]


def test_a_created_spreadsheet_has_its_cells(caller: Any) -> None:
    caller.door("POST", "limits", {"service_accounts_may_create": True})
    cells = [{"userEnteredValue": {"stringValue": "x"}}, {"userEnteredValue": {"formulaValue": "=1+1"}}]
    sheet = {"properties": {"title": "T"}, "data": [{"startRow": 1, "rowData": [{"values": cells}]}]}
    made = caller.session.post(f"{caller.url}/v4/spreadsheets", json={"sheets": [sheet]}, timeout=10).json()
    caller.book_id = made["spreadsheetId"]
    assert caller.values("T") == [[], ["x", "2"]]
    assert made["properties"]["locale"] == "en_US"


def test_a_tab_is_copied_into_another_spreadsheet(caller: Any) -> None:
    caller.put("A1", [["x", "=A1"]], "USER_ENTERED")
    source, target = caller.book_id, caller.new_book()
    answer = caller.send("POST", "/sheets/0:copyTo", {"destinationSpreadsheetId": target}).json()
    assert (answer["title"], answer["index"]) == ("Copy of Sheet1", 1)
    caller.book_id = target
    assert caller.values("Copy of Sheet1") == [["x", "x"]]
    caller.book_id = source
    assert caller.send("POST", "/sheets/7:copyTo", {"destinationSpreadsheetId": target}).status_code == 400
    missing = caller.send("POST", "/sheets/0:copyTo", {"destinationSpreadsheetId": "nothing"})
    assert missing.status_code == 404
