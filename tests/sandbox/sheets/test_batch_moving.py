"""Cells that move: cut, copy, fill, push, sort; and requests that look into texts."""

from typing import Any

import pytest

from tests.sandbox.sheets.spans import area


def formulas(caller: Any, cells: str) -> list[list[Any]]:
    return list(caller.values(cells, valueRenderOption="FORMULA"))


def spot(row: int, column: int) -> dict[str, int]:
    return {"sheetId": 0, "rowIndex": row, "columnIndex": column}


def test_cut_cells_take_their_references_along(caller: Any) -> None:
    caller.put("A1", [[5, "=A1*2"], ["", "=A1+B1"]], "USER_ENTERED")
    caller.batch({"cutPaste": {"source": area(0, 1, 0, 2), "destination": spot(4, 1)}})
    assert formulas(caller, "A1:C5") == [[], ["", "=B5+C5"], [], [], ["", 5, "=B5*2"]]


def test_copies_repeat_over_the_destination(caller: Any) -> None:
    caller.put("A1", [[1, "=A1+$A$1"]], "USER_ENTERED")
    caller.batch(
        {
            "copyPaste": {
                "source": area(0, 1, 0, 2),
                "destination": area(1, 3, 0, 4),
                "pasteType": "PASTE_NORMAL",
            }
        }
    )
    assert formulas(caller, "A2:D3") == [
        [1, "=A2+$A$1", 1, "=C2+$A$1"],
        [1, "=A3+$A$1", 1, "=C3+$A$1"],
    ]
    caller.batch(
        {
            "copyPaste": {
                "source": area(0, 1, 0, 2),
                "destination": area(9, 10, 5, 6),
                "pasteOrientation": "TRANSPOSE",
            }
        }
    )
    assert [len(row) for row in formulas(caller, "F10:F11")] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("PASTE_VALUES", {"userEnteredValue": {"stringValue": "x"}, "note": "old"}),
        ("PASTE_FORMAT", {"userEnteredFormat": {"wrapStrategy": "WRAP"}, "note": "old"}),
        (
            "PASTE_NORMAL",
            {"userEnteredValue": {"stringValue": "x"}, "userEnteredFormat": {"wrapStrategy": "WRAP"}},
        ),
    ],
)
def test_a_paste_takes_its_parts_only(caller: Any, kind: str, kept: dict[str, Any]) -> None:
    source = {"userEnteredValue": {"stringValue": "x"}, "userEnteredFormat": {"wrapStrategy": "WRAP"}}
    cells = [{"values": [source]}, {"values": [{"note": "old"}]}]
    caller.batch(
        {"updateCells": {"start": spot(0, 0), "rows": cells, "fields": "*"}},
        {"copyPaste": {"source": area(0, 1, 0, 1), "destination": area(1, 2, 0, 1), "pasteType": kind}},
    )
    assert caller.dump()["tabs"][0]["cells"][1] == {"row": 1, "column": 0} | kept


def test_filling_continues_series_and_formulas(caller: Any) -> None:
    caller.put("A1", [[1, "=A1*2", "x"], [3, "=A2*2", "y"]], "USER_ENTERED")
    fill = {"source": area(0, 2, 0, 3), "dimension": "ROWS", "fillLength": 3}
    caller.batch({"autoFill": {"sourceAndDestination": fill}})
    assert formulas(caller, "A3:C5") == [[5, "=A3*2", "x"], [7, "=A4*2", "y"], [9, "=A5*2", "x"]]


def test_ranges_are_pushed_and_pulled(caller: Any) -> None:
    caller.put("A1", [["a", "b"], ["c", "d"]])
    caller.batch({"insertRange": {"range": area(0, 1, 0, 1), "shiftDimension": "ROWS"}})
    assert caller.values("A1:B3") == [["", "b"], ["a", "d"], ["c"]]
    caller.batch({"deleteRange": {"range": area(0, 1, 0, 1), "shiftDimension": "ROWS"}})
    caller.batch({"insertRange": {"range": area(0, 1, 0, 1), "shiftDimension": "COLUMNS"}})
    assert caller.values("A1:C2") == [["", "a", "b"], ["c", "d"]]
    assert "shiftDimension" in caller.refused({"deleteRange": {"range": area(0, 1, 0, 1)}})["message"]


def test_sorted_rows_keep_their_own_formulas(caller: Any) -> None:
    caller.put("A1", [[2, "=A1*10"], [1, "=A2*10"]], "USER_ENTERED")
    caller.batch({"sortRange": {"range": area(0, 2, 0, 2), "sortSpecs": [{"dimensionIndex": 0}]}})
    assert formulas(caller, "A1:B2") == [[1, "=A1*10"], [2, "=A2*10"]]
    caller.batch(
        {
            "sortRange": {
                "range": area(0, 2, 0, 2),
                "sortSpecs": [{"dimensionIndex": 1, "sortOrder": "DESCENDING"}],
            }
        }
    )
    assert caller.values("A1:B2") == [["2", "20"], ["1", "10"]]


def test_a_repeated_formula_follows_its_cell(caller: Any) -> None:
    cell = {"userEnteredValue": {"formulaValue": "=A1*$C$1"}}
    caller.batch({"repeatCell": {"range": area(0, 3, 1, 2), "cell": cell, "fields": "userEnteredValue"}})
    assert formulas(caller, "B1:B3") == [["=A1*$C$1"], ["=A2*$C$1"], ["=A3*$C$1"]]


def test_find_and_replace(caller: Any) -> None:
    caller.put("A1", [["Анна", "анна Б", 12], ["=A1", "нет", "1.5"]], "USER_ENTERED")
    (reply,) = caller.batch({"findReplace": {"find": "АННА", "replacement": "Яна", "allSheets": True}})
    assert reply["findReplace"] == {
        "valuesChanged": 2,
        "rowsChanged": 1,
        "sheetsChanged": 1,
        "occurrencesChanged": 2,
    }
    caller.batch(
        {"findReplace": {"find": r"^(\d)(\d)$", "replacement": "$2$1", "searchByRegex": True, "sheetId": 0}}
    )
    caller.batch(
        {
            "findReplace": {
                "find": "A1",
                "replacement": "B1",
                "includeFormulas": True,
                "range": area(0, 2, 0, 3),
            }
        }
    )
    assert formulas(caller, "A1:C2") == [["Яна", "Яна Б", 21], ["=B1", "нет", 1.5]]
    assert "Exactly one of" in caller.refused({"findReplace": {"find": "x"}})["message"]
    bad = {"find": "(", "searchByRegex": True, "allSheets": True}
    assert "regular expression" in caller.refused({"findReplace": bad})["message"]


def test_texts_are_trimmed_split_and_freed_of_duplicates(caller: Any) -> None:
    caller.put("A1", [["  a   b "], ["c;1"], ["C;1"], ["c;1"]])
    (reply,) = caller.batch({"trimWhitespace": {"range": area(0, 4, 0, 1)}})
    assert reply["trimWhitespace"] == {"cellsChangedCount": 1}
    (reply,) = caller.batch({"deleteDuplicates": {"range": area(0, 4, 0, 1)}})
    assert reply["deleteDuplicates"] == {"duplicatesRemovedCount": 2}
    caller.batch({"textToColumns": {"source": area(0, 2, 0, 1), "delimiterType": "SEMICOLON"}})
    assert caller.values("A1:B4", valueRenderOption="UNFORMATTED_VALUE") == [["a b"], ["c", 1]]


def test_pasted_texts_and_pages(russian: Any) -> None:
    russian.batch(
        {"pasteData": {"coordinate": spot(998, 0), "data": 'a\t"b\tc"\n1,5\t=1+1\nlast', "delimiter": "\t"}}
    )
    assert formulas(russian, "A999:B1001") == [["a", "b\tc"], [1.5, "=1+1"], ["last"]]
    page = "<table><tr><td>x</td><td>01.02.2026</td></tr></table>"
    russian.batch({"pasteData": {"coordinate": spot(0, 0), "data": page, "html": True}})
    assert formulas(russian, "A1:B1") == [["x", 46054]]


def test_shuffled_rows_are_the_same_rows(caller: Any) -> None:
    caller.put("A1", [[n, n * n] for n in range(20)])
    caller.batch({"randomizeRange": {"range": area(0, 20, 0, 2)}})
    rows = caller.values("A1:B20", valueRenderOption="UNFORMATTED_VALUE")
    assert rows != sorted(rows)
    assert sorted(rows) == [[n, n * n] for n in range(20)]


def test_new_lines_take_the_looks_of_their_neighbour(caller: Any) -> None:
    bold = {"userEnteredFormat": {"textFormat": {"bold": True}}, "userEnteredValue": {"stringValue": "x"}}
    caller.batch({"updateCells": {"start": spot(0, 0), "rows": [{"values": [bold]}], "fields": "*"}})
    span = {"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
    caller.batch({"insertDimension": {"range": span, "inheritFromBefore": True}})
    cells = caller.dump()["tabs"][0]["cells"]
    assert [(c["row"], "userEnteredValue" in c) for c in cells] == [(0, True), (1, False)]
    assert cells[1]["userEnteredFormat"] == bold["userEnteredFormat"]
