"""What hangs on ranges: protection, names, merges, filters, rules, looks, groups, objects."""

from typing import Any

import pytest

from tests.sandbox.sheets.spans import area, lines


def protect(caller: Any, **protected: Any) -> int:
    (reply,) = caller.batch({"addProtectedRange": {"protectedRange": protected}})
    return int(reply["addProtectedRange"]["protectedRange"]["protectedRangeId"])


PROTECTED = "You are trying to edit a protected cell or object."


@pytest.mark.parametrize(
    "change",
    [
        {"updateCells": {"start": {"sheetId": 0}, "rows": [{"values": [{}]}], "fields": "*"}},
        {"repeatCell": {"range": area(0, 1, 0, 1), "cell": {}, "fields": "note"}},
        {"sortRange": {"range": area(0, 3, 0, 3), "sortSpecs": [{"dimensionIndex": 0}]}},
        {"deleteDimension": {"range": lines("ROWS", 1, 2)}},
        {"insertDimension": {"range": lines("ROWS", 1, 2)}},
        {"moveDimension": {"source": lines("ROWS", 0, 1), "destinationIndex": 5}},
        {"mergeCells": {"range": area(0, 2, 0, 2), "mergeType": "MERGE_ALL"}},
        {"cutPaste": {"source": area(0, 1, 0, 1), "destination": {"sheetId": 0, "rowIndex": 9}}},
        {"copyPaste": {"source": area(9, 10, 0, 1), "destination": area(0, 1, 0, 1)}},
        {"setDataValidation": {"range": area(0, 1, 0, 1)}},
        {"updateBorders": {"range": area(0, 1, 0, 1), "top": {"style": "SOLID"}}},
        {"deleteRange": {"range": area(0, 1, 0, 1), "shiftDimension": "ROWS"}},
        {"trimWhitespace": {"range": area(0, 1, 0, 1)}},
        {
            "updateSheetProperties": {
                "properties": {"sheetId": 0, "gridProperties": {"rowCount": 1}},
                "fields": "gridProperties.rowCount",
            }
        },
    ],
    ids=lambda change: next(iter(change)),
)
def test_strangers_change_nothing_in_a_protected_range(caller: Any, other: Any, change: Any) -> None:
    caller.put("A1", [["  x  "], ["y"]])
    protect(caller, range=area(0, 3, 0, 3))
    assert PROTECTED in other.refused(change)["message"]
    caller.batch(change)


def test_strangers_write_no_values_into_a_protected_range(caller: Any, other: Any) -> None:
    protect(caller, range=area(0, 3, 0, 3))
    answers = [
        other.put("C3", [["x"]]),
        other.send("POST", "/values/A1:append", {"values": [["x"]]}, valueInputOption="RAW"),
        other.send("POST", "/values/A1:A9:clear", {}),
        other.send("POST", "/values:batchClear", {"ranges": ["A9", "A1"]}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert other.put("D4", [["x"]]).status_code == 200


def test_a_stranger_sees_no_editors_and_cannot_lift_the_protection(caller: Any, other: Any) -> None:
    number = protect(caller, range=area(0, 1, 0, 1))
    seen = other.get()["sheets"][0]["protectedRanges"][0]
    assert "editors" not in seen
    assert "requestingUserCanEdit" not in seen
    mine = caller.get()["sheets"][0]["protectedRanges"][0]
    assert mine["requestingUserCanEdit"] is True
    assert mine["editors"]["users"] == [caller.email]
    lift = {"deleteProtectedRange": {"protectedRangeId": number}}
    assert PROTECTED in other.refused(lift)["message"]
    change = {"protectedRangeId": number, "editors": {"users": [caller.email, other.email]}}
    update = {"updateProtectedRange": {"protectedRange": change, "fields": "editors"}}
    assert PROTECTED in other.refused(update)["message"]
    caller.batch(update)
    assert other.put("A1", [["now I may"]]).status_code == 200
    other.batch(lift)


def test_a_protected_tab_with_a_hole(caller: Any, other: Any) -> None:
    protect(caller, range={"sheetId": 0}, unprotectedRanges=[area(1, 3, 0, 2)])
    assert other.put("A2:B3", [["x", "y"]]).status_code == 200
    assert PROTECTED in other.put("A3:A4", [["x"], ["y"]]).json()["error"]["message"]
    other.batch({"addSheet": {"properties": {"title": "Mine"}}})
    assert PROTECTED in other.refused({"deleteSheet": {"sheetId": 0}})["message"]


def test_a_warning_stops_nobody_and_has_no_editors(caller: Any, other: Any) -> None:
    protect(caller, range=area(0, 1, 0, 1), warningOnly=True, description="careful")
    assert other.put("A1", [["x"]]).status_code == 200
    both = {"range": area(0, 1, 0, 1), "warningOnly": True, "editors": {"users": ["a@b"]}}
    assert "warningOnly" in caller.refused({"addProtectedRange": {"protectedRange": both}})["message"]


def test_a_protected_named_range_moves_with_its_name(caller: Any, other: Any) -> None:
    named = {"namedRangeId": "n1", "name": "plan", "range": area(0, 1, 0, 1)}
    caller.batch({"addNamedRange": {"namedRange": named}})
    protect(caller, namedRangeId="n1")
    assert PROTECTED in other.put("A1", [["x"]]).json()["error"]["message"]
    moved = {"namedRangeId": "n1", "range": area(5, 6, 0, 1)}
    caller.batch({"updateNamedRange": {"namedRange": moved, "fields": "range"}})
    assert other.put("A1", [["x"]]).status_code == 200
    assert PROTECTED in other.put("A6", [["x"]]).json()["error"]["message"]


def test_named_ranges_are_renamed_and_deleted(caller: Any) -> None:
    (reply,) = caller.batch({"addNamedRange": {"namedRange": {"name": "one", "range": area(0, 2, 0, 2)}}})
    number = reply["addNamedRange"]["namedRange"]["namedRangeId"]
    caller.batch(
        {"updateNamedRange": {"namedRange": {"namedRangeId": number, "name": "two"}, "fields": "name"}}
    )
    assert caller.get()["namedRanges"][0]["name"] == "two"
    caller.put("two", [[1, 2]])
    assert caller.get("/values/TWO")["range"] == "Sheet1!A1:B2"
    caller.batch({"deleteNamedRange": {"namedRangeId": number}})
    assert "namedRanges" not in caller.get()
    assert caller.send("GET", "/values/two").status_code == 400


@pytest.mark.parametrize("name", ["", "A1", "R1C1", "true", "two words", "1st", "x" * 251])
def test_names_that_are_none(caller: Any, name: str) -> None:
    named = {"name": name, "range": area(0, 1, 0, 1)}
    assert "not a valid range name" in caller.refused({"addNamedRange": {"namedRange": named}})["message"]


def test_ranges_are_gone_with_all_their_rows(caller: Any) -> None:
    caller.batch(
        {"addNamedRange": {"namedRange": {"name": "gone", "range": area(2, 4, 0, 1)}}},
        {"addNamedRange": {"namedRange": {"name": "kept", "range": area(3, 5, 0, 1)}}},
        {"addProtectedRange": {"protectedRange": {"range": area(2, 3, 0, 1)}}},
    )
    caller.batch({"deleteDimension": {"range": lines("ROWS", 2, 4)}})
    book = caller.get()
    assert [(n["name"], n["range"]["startRowIndex"]) for n in book["namedRanges"]] == [("kept", 2)]
    assert "protectedRanges" not in book["sheets"][0]


def test_merging_keeps_the_first_value(caller: Any) -> None:
    caller.put("A1", [["", "b"], ["c", "d"]])
    caller.batch({"mergeCells": {"range": area(0, 2, 0, 2), "mergeType": "MERGE_ALL"}})
    assert caller.values("A1:B2") == [["b"]]
    assert caller.get()["sheets"][0]["merges"] == [area(0, 2, 0, 2)]
    error = caller.refused({"mergeCells": {"range": area(1, 3, 0, 2), "mergeType": "MERGE_ALL"}})
    assert "must select all cells in a merged range" in error["message"]
    caller.batch({"mergeCells": {"range": area(0, 3, 0, 2), "mergeType": "MERGE_ALL"}})
    assert caller.get()["sheets"][0]["merges"] == [area(0, 3, 0, 2)]
    caller.batch({"unmergeCells": {"range": area(0, 3, 0, 2)}})
    caller.batch({"mergeCells": {"range": area(0, 2, 0, 2), "mergeType": "MERGE_ROWS"}})
    assert caller.get()["sheets"][0]["merges"] == [area(0, 1, 0, 2), area(1, 2, 0, 2)]


def test_filters_and_their_views(caller: Any) -> None:
    caller.batch({"setBasicFilter": {"filter": {"range": area(0, 9, 0, 2)}}})
    (reply,) = caller.batch({"addFilterView": {"filter": {"title": "mine", "range": area(0, 9, 0, 2)}}})
    number = reply["addFilterView"]["filter"]["filterViewId"]
    (reply,) = caller.batch({"duplicateFilterView": {"filterId": number}})
    twin = reply["duplicateFilterView"]["filter"]
    assert (twin["title"], twin["filterViewId"] != number) == ("Copy of mine", True)
    change = {"filterViewId": number, "title": "ours"}
    caller.batch({"updateFilterView": {"filter": change, "fields": "title"}})
    caller.batch(
        {"deleteFilterView": {"filterId": twin["filterViewId"]}}, {"clearBasicFilter": {"sheetId": 0}}
    )
    sheet = caller.get()["sheets"][0]
    assert [view["title"] for view in sheet["filterViews"]] == ["ours"]
    assert "basicFilter" not in sheet


def test_conditional_formats_keep_their_order(caller: Any) -> None:
    def rule(value: str) -> dict[str, Any]:
        condition = {"type": "TEXT_EQ", "values": [{"userEnteredValue": value}]}
        look = {"textFormat": {"bold": True}}
        return {"ranges": [area(0, 9, 0, 1)], "booleanRule": {"condition": condition, "format": look}}

    def order() -> list[str]:
        rules = caller.get()["sheets"][0]["conditionalFormats"]
        return [r["booleanRule"]["condition"]["values"][0]["userEnteredValue"] for r in rules]

    for index, value in enumerate("abc"):
        caller.batch({"addConditionalFormatRule": {"rule": rule(value), "index": index}})
    caller.batch({"updateConditionalFormatRule": {"sheetId": 0, "index": 2, "newIndex": 0}})
    assert order() == ["c", "a", "b"]
    (reply,) = caller.batch({"updateConditionalFormatRule": {"index": 1, "rule": rule("z")}})
    assert reply["updateConditionalFormatRule"]["oldRule"] == rule("a")
    (reply,) = caller.batch({"deleteConditionalFormatRule": {"sheetId": 0, "index": 0}})
    assert (reply["deleteConditionalFormatRule"]["rule"], order()) == (rule("c"), ["z", "b"])
    error = caller.refused({"deleteConditionalFormatRule": {"sheetId": 0, "index": 5}})
    assert "No conditional format on sheet: 0 at index: 5" in error["message"]


def test_banding_does_not_overlap(caller: Any) -> None:
    banded = {"range": area(0, 9, 0, 2), "rowProperties": {"headerColor": {"red": 1}}}
    (reply,) = caller.batch({"addBanding": {"bandedRange": banded}})
    number = reply["addBanding"]["bandedRange"]["bandedRangeId"]
    assert (
        "alternating background colors" in caller.refused({"addBanding": {"bandedRange": banded}})["message"]
    )
    wider = {"bandedRangeId": number, "range": area(0, 20, 0, 2)}
    caller.batch({"updateBanding": {"bandedRange": wider, "fields": "range"}})
    assert caller.get()["sheets"][0]["bandedRanges"][0]["range"] == area(0, 20, 0, 2)
    caller.batch({"deleteBanding": {"bandedRangeId": number}})
    assert "bandedRanges" not in caller.get()["sheets"][0]


def test_data_validation_and_borders_lie_in_the_cells(caller: Any) -> None:
    rule = {"condition": {"type": "BOOLEAN"}, "strict": True}
    solid = {"style": "SOLID"}
    caller.batch(
        {"setDataValidation": {"range": area(0, 1, 0, 1), "rule": rule}},
        {"updateBorders": {"range": area(0, 2, 0, 2), "top": solid, "innerVertical": solid}},
    )
    cells = {(c["row"], c["column"]): c for c in caller.dump()["tabs"][0]["cells"]}
    assert cells[0, 0]["dataValidation"] == rule
    assert cells[0, 0]["userEnteredFormat"]["borders"] == {"top": solid, "right": solid}
    assert cells[1, 1]["userEnteredFormat"]["borders"] == {"left": solid}
    none = {"style": "NONE"}
    caller.batch(
        {"setDataValidation": {"range": area(0, 1, 0, 1)}},
        {"updateBorders": {"range": area(0, 2, 0, 2), "top": none, "innerVertical": none}},
    )
    assert caller.dump()["tabs"][0]["cells"] == []


def test_groups_of_lines_nest(caller: Any) -> None:
    caller.batch({"addDimensionGroup": {"range": lines("ROWS", 1, 9)}})
    (reply,) = caller.batch({"addDimensionGroup": {"range": lines("ROWS", 2, 4)}})
    assert [g["depth"] for g in reply["addDimensionGroup"]["dimensionGroups"]] == [1, 2]
    group = {"range": lines("ROWS", 2, 4), "depth": 2, "collapsed": True}
    caller.batch({"updateDimensionGroup": {"dimensionGroup": group, "fields": "collapsed"}})
    assert caller.get()["sheets"][0]["rowGroups"][1]["collapsed"] is True
    caller.batch({"deleteDimensionGroup": {"range": lines("ROWS", 2, 4)}})
    assert len(caller.get()["sheets"][0]["rowGroups"]) == 1


def test_charts_slicers_and_tables_are_kept(caller: Any) -> None:
    anchor = {"overlayPosition": {"anchorCell": {"sheetId": 0, "rowIndex": 3}}}
    chart = {"spec": {"title": "KPI", "basicChart": {"chartType": "BAR"}}, "position": anchor}
    (reply,) = caller.batch({"addChart": {"chart": chart}})
    chart_id = reply["addChart"]["chart"]["chartId"]
    caller.batch({"updateChartSpec": {"chartId": chart_id, "spec": {"title": "Новый"}}})
    caller.batch({"addSlicer": {"slicer": {"spec": {"dataRange": area(0, 9, 0, 1)}, "position": anchor}}})
    table = {"name": "Отчёт", "range": area(0, 3, 0, 2)}
    (reply,) = caller.batch({"addTable": {"table": table}})
    sheet = caller.get()["sheets"][0]
    assert (sheet["charts"][0]["spec"], len(sheet["slicers"])) == ({"title": "Новый"}, 1)
    assert sheet["tables"][0]["range"] == area(0, 3, 0, 2)
    caller.put("A1", [["x"]])
    caller.batch({"deleteEmbeddedObject": {"objectId": chart_id}})
    caller.batch({"deleteTable": {"tableId": reply["addTable"]["table"]["tableId"]}})
    sheet = caller.get()["sheets"][0]
    assert ("charts" in sheet, "tables" in sheet, caller.values("A1")) == (False, False, [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"properties": {"title": ""}, "fields": "title"}, "between 1 and 100"),
        ({"properties": {"title": "x" * 101}, "fields": "title"}, "between 1 and 100"),
        ({"properties": {"hidden": True}, "fields": "hidden"}, "can't hide all the sheets"),
        (
            {
                "properties": {"gridProperties": {"frozenRowCount": 1000}},
                "fields": "gridProperties.frozenRowCount",
            },
            "can't freeze all visible rows",
        ),
        (
            {
                "properties": {"gridProperties": {"columnCount": 18_279}},
                "fields": "gridProperties.columnCount",
            },
            "above the limit of 18278 columns",
        ),
        ({"properties": {}, "fields": "colour"}, "Cannot find matching fields for path 'colour'"),
        (
            {"properties": {"gridProperties": {"rowCount": 0}}, "fields": "gridProperties.rowCount"},
            "must be greater than zero",
        ),
    ],
)
def test_tabs_that_cannot_be(caller: Any, change: dict[str, Any], message: str) -> None:
    change = change | {"properties": {"sheetId": 0} | change["properties"]}
    assert message in caller.refused({"updateSheetProperties": change})["message"]


@pytest.mark.parametrize(
    ("properties", "message"),
    [({"locale": "russian"}, "Unsupported locale"), ({"timeZone": "Mars/Base"}, "Invalid time zone")],
)
def test_spreadsheet_properties_that_cannot_be(caller: Any, properties: Any, message: str) -> None:
    change = {"properties": properties, "fields": "*"}
    assert message in caller.refused({"updateSpreadsheetProperties": change})["message"]
