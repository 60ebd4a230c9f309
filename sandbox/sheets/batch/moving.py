"""Requests that carry cells about: cutPaste, copyPaste, autoFill."""

import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.common import (
    Body,
    Editor,
    Handler,
    area_in,
    columns_of,
    editable,
    grid_range,
    rows_of,
)
from sandbox.sheets.book import Book, Cell, Sheet
from sandbox.sheets.errors import invalid
from sandbox.sheets.references import Corner, Reference, shifted

_PARTS = {
    "PASTE_NORMAL": None,
    "PASTE_VALUES": ("userEnteredValue",),
    "PASTE_FORMAT": ("userEnteredFormat",),
    "PASTE_NO_BORDERS": None,
    "PASTE_FORMULA": ("userEnteredValue",),
    "PASTE_DATA_VALIDATION": ("dataValidation",),
}
Block = dict[tuple[int, int], Cell]


def _block(sheet: Sheet, area: Area) -> Block:
    """Copies of the filled cells of an area, by their places inside it."""
    return {
        (row - area.top, column - area.left): copy.deepcopy(cell)
        for row in rows_of(area)
        for column, cell in sheet.rows.get(row, {}).items()
        if column in columns_of(area)
    }


def _paste(sheet: Sheet, row: int, column: int, given: Cell, kind: str) -> None:
    """Puts the parts of a cell that a kind of paste takes."""
    target, parts = sheet.edit(row, column), _PARTS[kind]
    if parts is None:
        borders = target.get("userEnteredFormat", {}).get("borders") if kind == "PASTE_NO_BORDERS" else None
        target.clear()
        target.update(copy.deepcopy(given))
        if kind == "PASTE_NO_BORDERS":
            target.get("userEnteredFormat", {}).pop("borders", None)
            if borders:
                target.setdefault("userEnteredFormat", {})["borders"] = borders
        return
    for name in parts:
        target.pop(name, None)
        if name in given:
            target[name] = copy.deepcopy(given[name])


def _kind(body: Body) -> str:
    kind = str(body.get("pasteType", "PASTE_NORMAL"))
    if kind not in _PARTS:
        raise invalid(f"pasteType {kind} is not supported for this request.")
    return kind


def _followed(cell: Cell, rows: int, columns: int) -> Cell:
    value = cell.get("userEnteredValue", {})
    if "formulaValue" in value:
        value["formulaValue"] = shifted(value["formulaValue"], rows, columns)
    return cell


def cut_paste(book: Book, body: Body, editor: Editor) -> None:
    sheet, area = editable(book, body.get("source", {}), editor)
    spot = body.get("destination", {})
    target = book.sheet(spot.get("sheetId", sheet.sheet_id))
    top, left = spot.get("rowIndex", 0), spot.get("columnIndex", 0)
    height, width = len(rows_of(area)), len(columns_of(area))
    there = Area(top=top, left=left, bottom=top + height, right=left + width)
    _check_inside(target, there)
    book.check_editable(editor.email, target, there)
    kind, block = _kind(body), _block(sheet, area)
    for row, column in block:
        del sheet.rows[area.top + row][area.left + column]
        sheet.touch(area.top + row)
    for row in rows_of(area):
        sheet.tidy(row)
    for row in range(height):
        for column in range(width):
            if (row, column) in block or target.cell(top + row, left + column):
                _paste(target, top + row, left + column, block.get((row, column), {}), kind)
        target.tidy(top + row)
    _follow_cut(book, sheet, area, target, top - area.top, left - area.left)


def _follow_cut(book: Book, source: Sheet, area: Area, target: Sheet, rows: int, columns: int) -> None:
    """References to cells that were cut follow them to their new place."""

    def change(home: Sheet, reference: Reference) -> Reference:
        meant = home if reference.title is None else book.by_title(reference.title)
        named = reference.area
        if meant is not source or named.bottom is None or named.right is None or not area.contains(named):
            return reference
        title = reference.title if target is source else target.title

        def corner(old: Corner) -> Corner:
            return replace(old, row=(old.row or 0) + rows, column=(old.column or 0) + columns)

        last = corner(reference.last) if reference.last is not None else None
        return Reference(title=title, first=corner(reference.first), last=last)

    book.rewrite_formulas(change)


def _check_inside(sheet: Sheet, area: Area) -> None:
    if (area.bottom or 0) > sheet.row_count or (area.right or 0) > sheet.column_count:
        raise invalid(
            f"destination is outside of the grid: row {(area.bottom or 0) - 1} of {sheet.row_count}, "
            f"column {(area.right or 0) - 1} of {sheet.column_count}."
        )


def copy_paste(book: Book, body: Body, editor: Editor) -> None:
    """Repeats the source over the destination; a smaller destination takes the source whole."""
    source_range = body.get("source", {})
    source = book.sheet(source_range.get("sheetId", 0))
    area, kind = area_in(source, source_range), _kind(body)
    spot = body.get("destination", {})
    target = book.sheet(spot.get("sheetId", 0))
    turned = body.get("pasteOrientation") == "TRANSPOSE"
    block, size = _block(source, area), (len(rows_of(area)), len(columns_of(area)))
    if turned:
        block, size = {(c, r): cell for (r, c), cell in block.items()}, size[::-1]
    there = _repeated(area_in(target, spot), size)
    _check_inside(target, there)
    book.check_editable(editor.email, target, there)
    for row in rows_of(there):
        for column in columns_of(there):
            place = ((row - there.top) % size[0], (column - there.left) % size[1])
            home = place[::-1] if turned else place
            cell = copy.deepcopy(block.get(place, {}))
            moved = _followed(cell, row - area.top - home[0], column - area.left - home[1])
            if moved or target.cell(row, column):
                _paste(target, row, column, moved, kind)
        target.tidy(row)


def _repeated(area: Area, size: tuple[int, int]) -> Area:
    """The destination in whole repetitions of the source, at least one."""
    height = max(size[0], len(rows_of(area)) // size[0] * size[0])
    width = max(size[1], len(columns_of(area)) // size[1] * size[1])
    return Area(top=area.top, left=area.left, bottom=area.top + height, right=area.left + width)


def auto_fill(book: Book, body: Body, editor: Editor) -> None:
    """Continues a source into the cells beside it: series go on, formulas follow, others repeat."""
    if "sourceAndDestination" not in body:
        raise invalid(
            "autoFill needs sourceAndDestination: a range alone is not supported by this simulator."
        )
    given = body["sourceAndDestination"]
    sheet = book.sheet(given.get("source", {}).get("sheetId", 0))
    area, length = area_in(sheet, given.get("source", {})), given.get("fillLength", 0)
    rows = given.get("dimension") != "COLUMNS"
    span = rows_of(area) if rows else columns_of(area)
    if not length:
        raise invalid("fillLength must not be zero.")
    start = span.stop if length > 0 else span.start + length
    filled = range(start, start + abs(length))
    fill = (
        Area(top=filled.start, bottom=filled.stop, left=area.left, right=area.right)
        if rows
        else Area(top=area.top, bottom=area.bottom, left=filled.start, right=filled.stop)
    )
    if filled.start < 0:
        raise invalid("The cells to fill are outside of the grid.")
    _check_inside(sheet, fill)
    editable(book, grid_range(sheet, fill), editor)
    for cross in columns_of(area) if rows else rows_of(area):
        line = [sheet.cell(at, cross) if rows else sheet.cell(cross, at) for at in span]
        for at in filled:
            cell = _continued(line, at - span.start, rows=rows)
            row, column = (at, cross) if rows else (cross, at)
            _paste(sheet, row, column, cell, "PASTE_NORMAL")
            sheet.tidy(row)


def _continued(line: list[Cell], offset: int, *, rows: bool) -> Cell:
    origin = offset % len(line)
    cell = copy.deepcopy(line[origin])
    numbers: list[Any] = [one.get("userEnteredValue", {}).get("numberValue") for one in line]
    if len(line) > 1 and all(n is not None for n in numbers):
        step = numbers[1] - numbers[0]
        if all(b - a == step for a, b in pairwise(numbers)):
            cell["userEnteredValue"] = {"numberValue": numbers[0] + step * offset}
    moved = offset - origin
    return _followed(cell, moved if rows else 0, 0 if rows else moved)


HANDLERS: dict[str, Handler] = {
    "cutPaste": cut_paste,
    "copyPaste": copy_paste,
    "autoFill": auto_fill,
}
