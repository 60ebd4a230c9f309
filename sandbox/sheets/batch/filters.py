"""Requests about filters and data validation. Filters are kept, nobody's rows are hidden by them."""

import copy

from sandbox.sheets.batch.common import (
    Body,
    Editor,
    Handler,
    area_in,
    check_new_id,
    columns_of,
    editable,
    grid_range,
    item_by_id,
    mask_of,
    rows_of,
)
from sandbox.sheets.book import Book
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def set_basic_filter(book: Book, body: Body, _editor: Editor) -> None:
    given = copy.deepcopy(body.get("filter", {}))
    sheet = book.sheet(given.setdefault("range", {}).setdefault("sheetId", 0))
    area = area_in(sheet, given["range"])
    given["range"] = grid_range(sheet, area)
    sheet.extras["basicFilter"] = given


def clear_basic_filter(book: Book, body: Body, _editor: Editor) -> None:
    book.sheet(body.get("sheetId", 0)).extras.pop("basicFilter", None)


def add_filter_view(book: Book, body: Body, _editor: Editor) -> Body:
    given = copy.deepcopy(body.get("filter", {}))
    sheet = book.sheet(given.setdefault("range", {}).setdefault("sheetId", 0))
    given["range"] = grid_range(sheet, area_in(sheet, given["range"]))
    given.setdefault("title", f"Filter {len(sheet.extras.get('filterViews', [])) + 1}")
    check_new_id(book, "filterViews", "filterViewId", given)
    _check_title(sheet.extras.get("filterViews", []), given)
    sheet.extras.setdefault("filterViews", []).append(given)
    return {"filter": copy.deepcopy(given)}


def _check_title(others: list[Body], view: Body) -> None:
    if any(v["title"] == view["title"] and v["filterViewId"] != view["filterViewId"] for v in others):
        raise invalid(f"A filter view with the title '{view['title']}' already exists.")


def duplicate_filter_view(book: Book, body: Body, _editor: Editor) -> Body:
    sheet, view = item_by_id(book, "filterViews", "filterViewId", body.get("filterId"))
    twin = copy.deepcopy(view) | {"filterViewId": book.new_id(), "title": f"Copy of {view['title']}"}
    _check_title(sheet.extras["filterViews"], twin)
    sheet.extras["filterViews"].append(twin)
    return {"filter": copy.deepcopy(twin)}


def update_filter_view(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("filter", {})
    sheet, view = item_by_id(book, "filterViews", "filterViewId", given.get("filterViewId"))
    mask = mask_of(body, "FilterView")
    overlay(view, given, {name: below for name, below in mask.items() if name != "filterViewId"})
    view["filterViewId"] = given["filterViewId"]
    _check_title(sheet.extras["filterViews"], view)


def delete_filter_view(book: Book, body: Body, _editor: Editor) -> None:
    sheet, view = item_by_id(book, "filterViews", "filterViewId", body.get("filterId"))
    sheet.extras["filterViews"].remove(view)


def set_data_validation(book: Book, body: Body, editor: Editor) -> None:
    """Puts the rule on the cells; values that break it are not refused (a strict rule binds people)."""
    sheet, area = editable(book, body.get("range", {}), editor)
    rule = body.get("rule")
    if rule is not None and not rule.get("condition", {}).get("type"):
        raise invalid("rule.condition.type must be specified.")
    for row in rows_of(area):
        for column in columns_of(area):
            if rule is not None:
                sheet.edit(row, column)["dataValidation"] = copy.deepcopy(rule)
            elif "dataValidation" in sheet.cell(row, column):
                del sheet.edit(row, column)["dataValidation"]
        sheet.tidy(row)


HANDLERS: dict[str, Handler] = {
    "setBasicFilter": set_basic_filter,
    "clearBasicFilter": clear_basic_filter,
    "addFilterView": add_filter_view,
    "duplicateFilterView": duplicate_filter_view,
    "updateFilterView": update_filter_view,
    "deleteFilterView": delete_filter_view,
    "setDataValidation": set_data_validation,
}
