"""Requests about what hangs on ranges: protection, names, merges."""

import copy
import re

from sandbox.sheets.a1 import MAX_COLUMNS, Area, area_of, column_index
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
from sandbox.sheets.book import PROTECTED_TEXT, Book, Sheet, overlaps
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def add_protected_range(book: Book, body: Body, editor: Editor) -> Body:
    protected = copy.deepcopy(body.get("protectedRange", {}))
    protected.pop("requestingUserCanEdit", None)
    if "namedRangeId" in protected:
        span = _named(book, protected["namedRangeId"])["range"]
    else:
        span = protected.setdefault("range", {})
    sheet = book.sheet(span.setdefault("sheetId", 0))
    area_in(sheet, span)
    check_new_id(book, "protectedRanges", "protectedRangeId", protected)
    _check_protected(protected)
    if not protected.get("warningOnly"):
        editors = protected.setdefault("editors", {}).setdefault("users", [])
        # Who protects a range can always edit it; so can the spreadsheet's owner.
        owners = [email for email, role in book.shared.items() if role == "owner"]
        editors += [email for email in dict.fromkeys((editor.email, *owners)) if email not in editors]
    sheet.extras.setdefault("protectedRanges", []).append(protected)
    return {"protectedRange": shown_protected(book, protected, editor.email)}


def _check_protected(protected: Body) -> None:
    if protected.get("warningOnly") and protected.get("editors"):
        raise invalid("Editors cannot be set on a protected range with 'warningOnly' set to true.")
    whole = {"startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex"}
    if protected.get("unprotectedRanges") and whole & set(protected.get("range", {})):
        raise invalid("Unprotected ranges are only supported on protected sheets.")


def shown_protected(book: Book, protected: Body, email: str) -> Body:
    """A protected range as this person sees it: only those who may edit it see who else may."""
    shown = copy.deepcopy(protected)
    if book.may_edit(email, protected):
        return shown | {"requestingUserCanEdit": True}
    shown.pop("editors", None)
    return shown


def update_protected_range(book: Book, body: Body, editor: Editor) -> None:
    given = body.get("protectedRange", {})
    _, item = item_by_id(book, "protectedRanges", "protectedRangeId", given.get("protectedRangeId"))
    if not book.may_edit(editor.email, item):
        raise invalid(PROTECTED_TEXT)
    mask = mask_of(body, "ProtectedRange")
    kept = item["protectedRangeId"]
    overlay(item, given, {name: below for name, below in mask.items() if name != "requestingUserCanEdit"})
    item["protectedRangeId"] = kept
    _check_protected(item)
    if not item.get("warningOnly"):
        editors = item.setdefault("editors", {}).setdefault("users", [])
        if editor.email not in editors and book.shared.get(editor.email) != "owner":
            raise invalid("You can't remove yourself as an editor.")


def delete_protected_range(book: Book, body: Body, editor: Editor) -> None:
    sheet, item = item_by_id(book, "protectedRanges", "protectedRangeId", body.get("protectedRangeId"))
    if not book.may_edit(editor.email, item):
        raise invalid(PROTECTED_TEXT)
    sheet.extras["protectedRanges"].remove(item)


_NAME = re.compile(r"[^\W\d]\w{0,249}")


def _check_name(book: Book, named: Body) -> None:
    """GoogleError 400 for a name that is taken, or that reads as a cell, as R1C1 or as a boolean."""
    name = named.get("name", "")
    cell = re.fullmatch(r"([A-Za-z]{1,3})\d+", name)
    like_cell = cell is not None and column_index(cell[1]) < MAX_COLUMNS
    odd = like_cell or re.fullmatch(r"(?i)(R\d*C\d*|true|false)", name)
    if odd or not _NAME.fullmatch(name):
        raise invalid(f"The name '{name}' is not a valid range name.")
    for other in book.named_ranges:
        if other["name"].casefold() == name.casefold() and other["namedRangeId"] != named.get("namedRangeId"):
            raise invalid(f"A named range with the name '{name}' already exists.")


def add_named_range(book: Book, body: Body, _editor: Editor) -> Body:
    named = copy.deepcopy(body.get("namedRange", {}))
    sheet = book.sheet(named.setdefault("range", {}).get("sheetId", 0))
    named["range"].setdefault("sheetId", sheet.sheet_id)
    area_in(sheet, named["range"])
    _check_name(book, named)
    taken = {other["namedRangeId"] for other in book.named_ranges}
    if named.setdefault("namedRangeId", str(book.new_id())) in taken:
        raise invalid(f"A named range with id {named['namedRangeId']} already exists.")
    book.named_ranges.append(named)
    return {"namedRange": copy.deepcopy(named)}


def _named(book: Book, named_range_id: str | None) -> Body:
    for named in book.named_ranges:
        if named["namedRangeId"] == named_range_id:
            return named
    raise invalid(f"No named range with id: {named_range_id}")


def update_named_range(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("namedRange", {})
    named = _named(book, given.get("namedRangeId"))
    wanted = copy.deepcopy(named)
    overlay(wanted, given, mask_of(body, "NamedRange"))
    wanted["namedRangeId"] = named["namedRangeId"]
    sheet = book.sheet(wanted.setdefault("range", {}).setdefault("sheetId", 0))
    area_in(sheet, wanted["range"])
    _check_name(book, wanted)
    named.clear()
    named.update(wanted)


def delete_named_range(book: Book, body: Body, _editor: Editor) -> None:
    book.named_ranges.remove(_named(book, body.get("namedRangeId")))


def merge_cells(book: Book, body: Body, editor: Editor) -> None:
    sheet, area = editable(book, body.get("range", {}), editor)
    parts = [area]
    if body.get("mergeType") == "MERGE_ROWS":
        parts = [Area(top=r, bottom=r + 1, left=area.left, right=area.right) for r in rows_of(area)]
    elif body.get("mergeType") == "MERGE_COLUMNS":
        parts = [Area(top=area.top, bottom=area.bottom, left=c, right=c + 1) for c in columns_of(area)]
    merges = sheet.extras.setdefault("merges", [])
    for part in parts:
        if len(rows_of(part)) * len(columns_of(part)) > 1:
            _merge(sheet, part, merges)


def _merge(sheet: Sheet, part: Area, merges: list[Body]) -> None:
    """Merges inside a larger one are swallowed; what stood in the other cells is lost, as Google loses it."""
    for merge in [m for m in merges if overlaps(m, sheet, part)]:
        if not part.contains(area_of(merge)):
            raise invalid("You must select all cells in a merged range to merge or unmerge them.")
        merges.remove(merge)
    merges.append(grid_range(sheet, part))
    spots = [
        (r, c) for r in rows_of(part) for c in columns_of(part) if "userEnteredValue" in sheet.cell(r, c)
    ]
    if not spots:
        return
    value = sheet.cell(*spots[0])["userEnteredValue"]
    for row, column in spots:
        del sheet.edit(row, column)["userEnteredValue"]
        sheet.tidy(row)
    sheet.edit(part.top, part.left)["userEnteredValue"] = value


def unmerge_cells(book: Book, body: Body, editor: Editor) -> None:
    sheet, area = editable(book, body.get("range", {}), editor)
    for merge in [m for m in sheet.extras.get("merges", []) if overlaps(m, sheet, area)]:
        if not area.contains(area_of(merge)):
            raise invalid("You must select all cells in a merged range to merge or unmerge them.")
        sheet.extras["merges"].remove(merge)


HANDLERS: dict[str, Handler] = {
    "addProtectedRange": add_protected_range,
    "updateProtectedRange": update_protected_range,
    "deleteProtectedRange": delete_protected_range,
    "addNamedRange": add_named_range,
    "updateNamedRange": update_named_range,
    "deleteNamedRange": delete_named_range,
    "mergeCells": merge_cells,
    "unmergeCells": unmerge_cells,
}
