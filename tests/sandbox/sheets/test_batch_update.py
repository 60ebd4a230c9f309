"""spreadsheets.batchUpdate: tabs, rows and columns, cells, and what moves along with them."""

from typing import Any

import pytest


def cell(value: Any) -> dict[str, Any]:
    return {"userEnteredValue": {"stringValue" if isinstance(value, str) else "numberValue": value}}


def column_mark(index: int, key: str = "k") -> dict[str, Any]:
    span = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": index, "endIndex": index + 1}
    metadata = {"metadataKey": key, "metadataValue": "v", "visibility": "DOCUMENT"}
    return {
        "createDeveloperMetadata": {"developerMetadata": metadata | {"location": {"dimensionRange": span}}}
    }


def lines(dimension: str, start: int, end: int) -> dict[str, Any]:
    return {"sheetId": 0, "dimension": dimension, "startIndex": start, "endIndex": end}


def marked_columns(caller: Any) -> list[int]:
    fields = "sheets.data.columnMetadata.developerMetadata.metadataKey"
    data = caller.get(fields=fields)["sheets"][0]["data"][0]["columnMetadata"]
    return [index for index, column in enumerate(data) if column]


def test_tabs_are_added_renamed_moved_copied_and_deleted(caller: Any) -> None:
    (reply,) = caller.batch({"addSheet": {"properties": {"title": "Two", "sheetId": 7, "index": 0}}})
    assert reply["addSheet"]["properties"]["sheetId"] == 7
    change = {"properties": {"sheetId": 7, "title": "Three", "gridProperties": {"frozenRowCount": 1}}}
    caller.batch({"updateSheetProperties": change | {"fields": "title,gridProperties.frozenRowCount"}})
    caller.batch({"duplicateSheet": {"sourceSheetId": 7, "newSheetName": "Copy", "insertSheetIndex": 2}})
    caller.batch({"deleteSheet": {"sheetId": 0}})
    sheets = [s["properties"] for s in caller.get()["sheets"]]
    assert [(s["title"], s["index"]) for s in sheets] == [("Three", 0), ("Copy", 1)]
    assert sheets[0]["gridProperties"] == {"rowCount": 1000, "columnCount": 26, "frozenRowCount": 1}


def test_titles_and_ids_are_unique_and_one_tab_remains(caller: Any) -> None:
    assert "already exists" in caller.refused({"addSheet": {"properties": {"title": "SHEET1"}}})["message"]
    assert "already exists" in caller.refused({"addSheet": {"properties": {"sheetId": 0}}})["message"]
    assert "can't remove all the sheets" in caller.refused({"deleteSheet": {"sheetId": 0}})["message"]


def test_update_cells_sets_only_what_the_mask_names(caller: Any) -> None:
    bold = {"userEnteredFormat": {"textFormat": {"bold": True}, "horizontalAlignment": "RIGHT"}}
    start = {"sheetId": 0, "rowIndex": 1, "columnIndex": 1}
    rows = [{"values": [cell("=1+1") | bold, cell(5)]}]
    caller.batch({"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}})
    caller.batch(
        {
            "updateCells": {
                "start": start,
                "rows": [{"values": [bold]}],
                "fields": "userEnteredFormat.textFormat",
            }
        }
    )
    cells = caller.dump()["tabs"][0]["cells"]
    assert cells == [
        {"row": 1, "column": 1, **cell("=1+1"), "userEnteredFormat": {"textFormat": {"bold": True}}},
        {"row": 1, "column": 2, **cell(5)},
    ]
    caller.batch(
        {"updateCells": {"start": start, "rows": [{"values": [{}, {}]}], "fields": "userEnteredValue"}}
    )
    assert caller.dump()["tabs"][0]["values"] == []


def test_update_cells_with_a_range_clears_the_rest(caller: Any) -> None:
    caller.put("A1", [[1, 2], [3, 4]])
    area = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2}
    caller.batch(
        {"updateCells": {"range": area, "rows": [{"values": [cell(9)]}], "fields": "userEnteredValue"}}
    )
    assert caller.dump()["tabs"][0]["values"] == [[9]]


@pytest.mark.parametrize(
    "start", [{"rowIndex": 1000, "columnIndex": 0}, {"rowIndex": 0, "columnIndex": 26}], ids=["row", "column"]
)
def test_update_cells_does_not_grow_the_grid(caller: Any, start: dict[str, int]) -> None:
    change = {"start": {"sheetId": 0, **start}, "rows": [{"values": [cell(1)]}], "fields": "*"}
    assert "beyond the last" in caller.refused({"updateCells": change})["message"]


def test_two_kinds_of_value_in_one_cell_are_refused(caller: Any) -> None:
    both = {"userEnteredValue": {"numberValue": 1, "stringValue": "x"}}
    change = {"start": {"sheetId": 0}, "rows": [{"values": [both]}], "fields": "*"}
    assert "Only one kind" in caller.refused({"updateCells": change})["message"]


def test_repeat_cell_and_append_cells(caller: Any) -> None:
    area = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2}
    number = {"userEnteredFormat": {"numberFormat": {"type": "PERCENT", "pattern": "0%"}}}
    caller.batch(
        {
            "repeatCell": {
                "range": area,
                "cell": cell(0.5) | number,
                "fields": "userEnteredValue,userEnteredFormat",
            }
        },
        {"appendCells": {"sheetId": 0, "rows": [{"values": [cell("end")]}], "fields": "userEnteredValue"}},
    )
    assert caller.values("A1:B3") == [["50%", "50%"], ["50%", "50%"], ["end"]]


def test_inserted_moved_and_deleted_columns_take_their_metadata_along(caller: Any) -> None:
    caller.put("A1", [["a", "b", "c", "d"]])
    caller.batch(column_mark(1), column_mark(3))
    caller.batch({"insertDimension": {"range": lines("COLUMNS", 1, 3)}})
    assert (caller.values("A1:F1"), marked_columns(caller)) == ([["a", "", "", "b", "c", "d"]], [3, 5])
    caller.batch({"moveDimension": {"source": lines("COLUMNS", 3, 4), "destinationIndex": 1}})
    assert (caller.values("A1:F1"), marked_columns(caller)) == ([["a", "b", "", "", "c", "d"]], [1, 5])
    caller.batch({"deleteDimension": {"range": lines("COLUMNS", 1, 4)}})
    assert (caller.values("A1:F1"), marked_columns(caller)) == ([["a", "c", "d"]], [2])
    assert caller.get()["sheets"][0]["properties"]["gridProperties"]["columnCount"] == 25


def test_ranges_follow_inserted_and_deleted_rows(caller: Any) -> None:
    area = {"sheetId": 0, "startRowIndex": 2, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2}
    caller.batch(
        {"addNamedRange": {"namedRange": {"name": "mine", "range": area}}},
        {"addProtectedRange": {"protectedRange": {"range": area, "warningOnly": True}}},
        {"setBasicFilter": {"filter": {"range": area}}},
        {"mergeCells": {"range": area, "mergeType": "MERGE_ALL"}},
    )
    caller.batch(
        {"insertDimension": {"range": lines("ROWS", 0, 3)}},
        {"deleteDimension": {"range": lines("ROWS", 6, 8)}},
    )
    after = area | {"startRowIndex": 5, "endRowIndex": 6}
    book = caller.get()
    assert book["namedRanges"][0]["range"] == after
    sheet = book["sheets"][0]
    assert sheet["protectedRanges"][0]["range"] == after
    assert sheet["basicFilter"]["range"] == after
    assert sheet["merges"] == [after]
    assert caller.get("/values/mine")["range"] == "Sheet1!A6:B6"


def test_rows_past_the_end_are_inserted_only_when_asked_to_inherit(caller: Any) -> None:
    beyond = {"range": lines("ROWS", 1000, 1002)}
    assert "inheritFromBefore" in caller.refused({"insertDimension": beyond})["message"]
    caller.batch({"insertDimension": beyond | {"inheritFromBefore": True}})
    assert caller.get()["sheets"][0]["properties"]["gridProperties"]["rowCount"] == 1002


def test_sorting_moves_values_and_formats_blanks_last(caller: Any) -> None:
    caller.put("A1", [["b", 2], ["", 3], ["A", 1], [10, 0]])
    area = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2}
    caller.batch(
        {"sortRange": {"range": area, "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "ASCENDING"}]}}
    )
    assert caller.dump()["tabs"][0]["values"] == [[10, 0], ["A", 1], ["b", 2], [None, 3]]
    caller.batch(
        {"sortRange": {"range": area, "sortSpecs": [{"dimensionIndex": 1, "sortOrder": "DESCENDING"}]}}
    )
    assert [row[1] for row in caller.dump()["tabs"][0]["values"]] == [3, 2, 1, 0]


def test_metadata_are_searched_changed_and_deleted(caller: Any) -> None:
    caller.batch(column_mark(1), column_mark(2, "other"))
    lookup = {"developerMetadataLookup": {"metadataKey": "k"}}
    found = caller.send("POST", "/developerMetadata:search", {"dataFilters": [lookup]}).json()
    metadata = found["matchedDeveloperMetadata"][0]["developerMetadata"]
    assert (metadata["location"]["locationType"], metadata["metadataValue"]) == ("COLUMN", "v")
    assert caller.get(f"/developerMetadata/{metadata['metadataId']}") == metadata
    change = {"dataFilters": [lookup], "developerMetadata": {"metadataValue": "w"}, "fields": "metadataValue"}
    caller.batch({"updateDeveloperMetadata": change})
    assert caller.get(f"/developerMetadata/{metadata['metadataId']}")["metadataValue"] == "w"
    caller.batch({"deleteDeveloperMetadata": {"dataFilter": lookup}})
    assert marked_columns(caller) == [2]


def test_a_protected_range_stops_others_but_not_its_editors(caller: Any, other: Any) -> None:
    area = {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 1}
    protected = {"range": area, "editors": {"users": ["boss@example.com"]}}
    (reply,) = caller.batch({"addProtectedRange": {"protectedRange": protected}})
    assert caller.put("A1", [["mine"]]).status_code == 200
    assert "protected cell" in other.put("A1", [["x"]]).json()["error"]["message"]
    assert other.put("A2", [["x"]]).status_code == 200
    protected_id = reply["addProtectedRange"]["protectedRange"]["protectedRangeId"]
    caller.batch({"deleteProtectedRange": {"protectedRangeId": protected_id}})
    assert "protectedRanges" not in caller.get()["sheets"][0]


def test_columns_fit_their_texts(caller: Any) -> None:
    caller.put("A1", [["a rather long heading"]])
    caller.batch({"autoResizeDimensions": {"dimensions": lines("COLUMNS", 0, 2)}})
    data = caller.get(includeGridData="true")["sheets"][0]["data"][0]["columnMetadata"]
    assert data[0]["pixelSize"] > data[1]["pixelSize"]
