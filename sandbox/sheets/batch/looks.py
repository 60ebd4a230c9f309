"""Requests about looks that hang on ranges: borders, banding, conditional formats. Kept, not run."""

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
from sandbox.sheets.book import Book, Sheet, overlaps
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def update_borders(book: Book, body: Body, editor: Editor) -> None:
    """Outer borders go to the cells at the edge, inner ones between cells; NONE takes a border away."""
    sheet, area = editable(book, body.get("range", {}), editor)
    for row in rows_of(area):
        for column in columns_of(area):
            sides = {
                "top": "top" if row == area.top else "innerHorizontal",
                "bottom": "bottom" if row + 1 == area.bottom else "innerHorizontal",
                "left": "left" if column == area.left else "innerVertical",
                "right": "right" if column + 1 == area.right else "innerVertical",
            }
            given = {side: body[name] for side, name in sides.items() if name in body}
            if given:
                _put_borders(sheet, row, column, given)
        sheet.tidy(row)


def _put_borders(sheet: Sheet, row: int, column: int, given: Body) -> None:
    cell = sheet.edit(row, column)
    looks = cell.setdefault("userEnteredFormat", {})
    borders = looks.setdefault("borders", {})
    for side, border in given.items():
        if border.get("style", "NONE") == "NONE":
            borders.pop(side, None)
        else:
            borders[side] = copy.deepcopy(border)
    if not borders:
        del looks["borders"]
    if not looks:
        del cell["userEnteredFormat"]


def add_banding(book: Book, body: Body, _editor: Editor) -> Body:
    banded = copy.deepcopy(body.get("bandedRange", {}))
    sheet = book.sheet(banded.setdefault("range", {}).setdefault("sheetId", 0))
    area = area_in(sheet, banded["range"])
    if any(overlaps(other["range"], sheet, area) for other in sheet.extras.get("bandedRanges", [])):
        raise invalid("You cannot add alternating background colors to a range that already has them.")
    if not (banded.get("rowProperties") or banded.get("columnProperties")):
        raise invalid("At least one of rowProperties or columnProperties must be specified.")
    banded["range"] = grid_range(sheet, area)
    check_new_id(book, "bandedRanges", "bandedRangeId", banded)
    sheet.extras.setdefault("bandedRanges", []).append(banded)
    return {"bandedRange": copy.deepcopy(banded)}


def update_banding(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("bandedRange", {})
    _, item = item_by_id(book, "bandedRanges", "bandedRangeId", given.get("bandedRangeId"))
    overlay(item, given, mask_of(body, "BandedRange"))
    item["bandedRangeId"] = given["bandedRangeId"]


def delete_banding(book: Book, body: Body, _editor: Editor) -> None:
    sheet, item = item_by_id(book, "bandedRanges", "bandedRangeId", body.get("bandedRangeId"))
    sheet.extras["bandedRanges"].remove(item)


def add_conditional_format(book: Book, body: Body, _editor: Editor) -> None:
    rule = copy.deepcopy(body.get("rule", {}))
    sheet = _checked_rule(book, rule)
    rules = sheet.extras.setdefault("conditionalFormats", [])
    if body.get("index", 0) > len(rules):
        raise invalid(f"index {body['index']} is after the last rule.")
    rules.insert(body.get("index", 0), rule)


def _checked_rule(book: Book, rule: Body) -> Sheet:
    if not rule.get("ranges"):
        raise invalid("rule.ranges must not be empty.")
    if not ({"booleanRule", "gradientRule"} & set(rule)):
        raise invalid("rule must have a booleanRule or a gradientRule.")
    sheet = book.sheet(rule["ranges"][0].setdefault("sheetId", 0))
    for span in rule["ranges"]:
        if span.setdefault("sheetId", 0) != sheet.sheet_id:
            raise invalid("All ranges of a rule must be on the same sheet.")
        area_in(sheet, span)
    return sheet


def _rule_at(book: Book, body: Body) -> tuple[list[Body], int]:
    rules: list[Body] = book.sheet(body.get("sheetId", 0)).extras.get("conditionalFormats", [])
    index = body.get("index", 0)
    if not 0 <= index < len(rules):
        raise invalid(f"No conditional format on sheet: {body.get('sheetId', 0)} at index: {index}")
    return rules, index


def update_conditional_format(book: Book, body: Body, _editor: Editor) -> Body:
    """Replaces the rule at an index, or moves it to ``newIndex``."""
    if "sheetId" not in body and body.get("rule", {}).get("ranges"):
        body = body | {"sheetId": body["rule"]["ranges"][0].get("sheetId", 0)}
    rules, index = _rule_at(book, body)
    old = rules.pop(index)
    if "newIndex" in body:
        if body["newIndex"] > len(rules):
            raise invalid(f"newIndex {body['newIndex']} is after the last rule.")
        rules.insert(body["newIndex"], old)
        moved = copy.deepcopy(old)
        return {"newRule": moved, "newIndex": body["newIndex"], "oldIndex": index}
    rule = copy.deepcopy(body.get("rule", {}))
    _checked_rule(book, rule)
    rules.insert(index, rule)
    return {"newRule": copy.deepcopy(rule), "newIndex": index, "oldRule": old}


def delete_conditional_format(book: Book, body: Body, _editor: Editor) -> Body:
    rules, index = _rule_at(book, body)
    return {"rule": rules.pop(index)}


HANDLERS: dict[str, Handler] = {
    "updateBorders": update_borders,
    "addBanding": add_banding,
    "updateBanding": update_banding,
    "deleteBanding": delete_banding,
    "addConditionalFormatRule": add_conditional_format,
    "updateConditionalFormatRule": update_conditional_format,
    "deleteConditionalFormatRule": delete_conditional_format,
}
