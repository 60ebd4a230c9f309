"""Requests about charts, slicers and tables: kept as they are given and shown again, never drawn."""

import copy

from sandbox.sheets.batch.common import (
    Body,
    Editor,
    Handler,
    area_in,
    check_new_id,
    grid_range,
    item_by_id,
    mask_of,
)
from sandbox.sheets.book import Book, Sheet, new_sheet, overlaps
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def _anchored(book: Book, item: Body) -> Sheet:
    """The tab that an object's position names; a chart may ask for a tab of its own."""
    position = item.setdefault("position", {})
    if position.pop("newSheet", False):
        sheet = new_sheet(book, {"title": f"Chart{book.new_id()}", "sheetType": "OBJECT"})
        position["sheetId"] = sheet.sheet_id
    if "sheetId" in position:
        return book.sheet(position["sheetId"])
    anchor = position.setdefault("overlayPosition", {}).setdefault("anchorCell", {})
    return book.sheet(anchor.setdefault("sheetId", 0))


def add_chart(book: Book, body: Body, _editor: Editor) -> Body:
    chart = copy.deepcopy(body.get("chart", {}))
    if not chart.get("spec"):
        raise invalid("chart.spec must be specified.")
    sheet = _anchored(book, chart)
    check_new_id(book, "charts", "chartId", chart)
    sheet.extras.setdefault("charts", []).append(chart)
    return {"chart": copy.deepcopy(chart)}


def update_chart_spec(book: Book, body: Body, _editor: Editor) -> None:
    _, chart = item_by_id(book, "charts", "chartId", body.get("chartId"))
    chart["spec"] = copy.deepcopy(body.get("spec", {}))


def add_slicer(book: Book, body: Body, _editor: Editor) -> Body:
    slicer = copy.deepcopy(body.get("slicer", {}))
    sheet = _anchored(book, slicer)
    check_new_id(book, "slicers", "slicerId", slicer)
    sheet.extras.setdefault("slicers", []).append(slicer)
    return {"slicer": copy.deepcopy(slicer)}


def update_slicer_spec(book: Book, body: Body, _editor: Editor) -> None:
    _, slicer = item_by_id(book, "slicers", "slicerId", body.get("slicerId"))
    overlay(slicer.setdefault("spec", {}), body.get("spec", {}), mask_of(body, "SlicerSpec"))


def _object(book: Book, object_id: int | None) -> tuple[Sheet, str, Body]:
    for sheet in book.sheets:
        for kind, id_name in (("charts", "chartId"), ("slicers", "slicerId")):
            for item in sheet.extras.get(kind, []):
                if item[id_name] == object_id:
                    return sheet, kind, item
    raise invalid(f"No embedded object with id: {object_id}")


def delete_object(book: Book, body: Body, _editor: Editor) -> None:
    sheet, kind, item = _object(book, body.get("objectId"))
    sheet.extras[kind].remove(item)


def move_object(book: Book, body: Body, _editor: Editor) -> Body:
    sheet, kind, item = _object(book, body.get("objectId"))
    wanted = copy.deepcopy(item)
    mask = mask_of(body, "OverlayPosition") if body.get("fields") else {"*": {}}
    given = body.get("newPosition", {})
    if "overlayPosition" in given and "*" not in mask:
        overlay(wanted["position"].setdefault("overlayPosition", {}), given["overlayPosition"], mask)
    else:
        wanted["position"] = copy.deepcopy(given)
    home = _anchored(book, wanted)
    sheet.extras[kind].remove(item)
    home.extras.setdefault(kind, []).append(wanted)
    return {"position": copy.deepcopy(wanted["position"])}


def add_table(book: Book, body: Body, _editor: Editor) -> Body:
    table = copy.deepcopy(body.get("table", {}))
    sheet = book.sheet(table.setdefault("range", {}).setdefault("sheetId", 0))
    area = area_in(sheet, table["range"])
    if any(overlaps(other["range"], sheet, area) for other in sheet.extras.get("tables", [])):
        raise invalid("A table cannot overlap another table.")
    table["range"] = grid_range(sheet, area)
    table["tableId"] = table.get("tableId") or str(book.new_id())
    names = {t.get("name", "").casefold() for s in book.sheets for t in s.extras.get("tables", [])}
    table.setdefault("name", f"Table{len(names) + 1}")
    if table["name"].casefold() in names:
        raise invalid(f"A table with the name '{table['name']}' already exists.")
    sheet.extras.setdefault("tables", []).append(table)
    return {"table": copy.deepcopy(table)}


def update_table(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("table", {})
    _, table = item_by_id(book, "tables", "tableId", given.get("tableId"))
    overlay(table, given, mask_of(body, "Table"))
    table["tableId"] = given["tableId"]


def delete_table(book: Book, body: Body, _editor: Editor) -> None:
    """Takes the table away with what stands in it, as Google does."""
    sheet, table = item_by_id(book, "tables", "tableId", body.get("tableId"))
    sheet.extras["tables"].remove(table)
    span = table["range"]
    for row in [r for r in sheet.rows if span["startRowIndex"] <= r < span["endRowIndex"]]:
        for column in [c for c in sheet.rows[row] if span["startColumnIndex"] <= c < span["endColumnIndex"]]:
            del sheet.rows[row][column]
        sheet.touch(row)
        sheet.tidy(row)


HANDLERS: dict[str, Handler] = {
    "addChart": add_chart,
    "updateChartSpec": update_chart_spec,
    "addSlicer": add_slicer,
    "updateSlicerSpec": update_slicer_spec,
    "deleteEmbeddedObject": delete_object,
    "updateEmbeddedObjectPosition": move_object,
    "addTable": add_table,
    "updateTable": update_table,
    "deleteTable": delete_table,
}
