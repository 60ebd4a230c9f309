"""batchUpdate requests that write cells: updateCells, appendCells, repeatCell, updateBorders, sortRange."""

import copy
from collections.abc import Callable
from typing import Any

from sandbox.sheets.a1 import Area, area_of
from sandbox.sheets.book import Book, Cell, Sheet
from sandbox.sheets.entered import MAX_CHARACTERS
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import Mask, overlay, parse_mask
from sandbox.sheets.render import formula_text, plain_value

Body = dict[str, Any]


def area_in(sheet: Sheet, grid_range: Body) -> Area:
    """A GridRange closed by the grid; GoogleError 400 when it starts outside or is empty."""
    area = area_of(grid_range).within(sheet.row_count, sheet.column_count)
    bottom, right = area.bottom or 0, area.right or 0
    if area.top >= sheet.row_count or area.left >= sheet.column_count:
        raise invalid(
            f"range is outside of the grid: row {area.top} of {sheet.row_count}, "
            f"column {area.left} of {sheet.column_count}."
        )
    if bottom <= area.top or right <= area.left:
        raise invalid("range must not be empty.")
    return Area(
        top=area.top,
        left=area.left,
        bottom=min(bottom, sheet.row_count),
        right=min(right, sheet.column_count),
    )


def shown_length(cell: Cell) -> int:
    """Characters the cell needs on the screen, roughly."""
    return min(60, len(str(plain_value(cell))))


def check_cell(cell: Cell) -> Cell:
    """The cell; GoogleError 400 when its value is one Google does not take."""
    value = cell.get("userEnteredValue", {})
    if len(value) > 1:
        raise invalid("Only one kind of value may be set in userEnteredValue.")
    if len(value.get("stringValue", "")) > MAX_CHARACTERS:
        raise invalid(
            f"Your input contains more than the maximum of {MAX_CHARACTERS} characters in a single cell."
        )
    if "formulaValue" in value and not value["formulaValue"].startswith("="):
        raise invalid("formulaValue must start with '='.")
    return cell


def cell_mask(body: Body) -> Mask:
    """The ``fields`` of a request that writes cells; Google insists on one."""
    if not body.get("fields"):
        raise invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    return parse_mask(body["fields"])


def put(sheet: Sheet, row: int, column: int, given: Cell, mask: Mask) -> None:
    """Writes what the mask names of a cell. An empty text is an empty cell."""
    target = sheet.edit(row, column)
    overlay(target, check_cell(given), mask)
    value = target.get("userEnteredValue")
    if value is not None and (not value or value.get("stringValue") == ""):
        del target["userEnteredValue"]


def update_cells(book: Book, body: Body, email: str) -> None:
    mask = cell_mask(body)
    sheet, area = _target(book, body)
    book.check_editable(email, sheet, area)
    rows = body.get("rows", [])
    for offset, row in enumerate(rows):
        _put_row(sheet, area, area.top + offset, row.get("values", []), mask)
    if "range" in body:
        # With a range, what the rows do not cover is cleared under the same mask.
        _clear_rest(sheet, area, rows, mask)


def _target(book: Book, body: Body) -> tuple[Sheet, Area]:
    if "range" in body:
        sheet = book.sheet(body["range"].get("sheetId", 0))
        return sheet, area_in(sheet, body["range"])
    start = body.get("start", {})
    sheet = book.sheet(start.get("sheetId", 0))
    top, left = start.get("rowIndex", 0), start.get("columnIndex", 0)
    rows = body.get("rows", [])
    width = max((len(row.get("values", [])) for row in rows), default=1)
    if top + len(rows) > sheet.row_count:
        raise invalid(
            f"Attempting to write row: {top + len(rows) - 1}, beyond the last row of: {sheet.row_count - 1}"
        )
    if left + width > sheet.column_count:
        raise invalid(
            f"Attempting to write column: {left + width - 1}, "
            f"beyond the last column of: {sheet.column_count - 1}"
        )
    return sheet, Area(top=top, left=left, bottom=top + max(1, len(rows)), right=left + max(1, width))


def _put_row(sheet: Sheet, area: Area, row: int, values: list[Cell], mask: Mask) -> None:
    if row >= (area.bottom or 0):
        raise invalid(
            f"Attempting to write row: {row}, beyond the last requested row of: {(area.bottom or 0) - 1}"
        )
    if area.left + len(values) > (area.right or 0):
        last = (area.right or 0) - 1
        raise invalid(
            f"Attempting to write column: {area.left + len(values) - 1}, "
            f"beyond the last requested column of: {last}"
        )
    for offset, given in enumerate(values):
        put(sheet, row, area.left + offset, given, mask)
    sheet.tidy(row)


def _clear_rest(sheet: Sheet, area: Area, rows: list[Body], mask: Mask) -> None:
    for row in range(area.top, area.bottom or 0):
        given = rows[row - area.top].get("values", []) if row - area.top < len(rows) else []
        for column in [c for c in sheet.rows.get(row, {}) if area.left + len(given) <= c < (area.right or 0)]:
            put(sheet, row, column, {}, mask)
        sheet.tidy(row)


def append_cells(book: Book, body: Body, email: str) -> None:
    sheet, mask = book.sheet(body.get("sheetId", 0)), cell_mask(body)
    rows = body.get("rows", [])
    top = sheet.used()[0]
    width = max((len(row.get("values", [])) for row in rows), default=0)
    sheet.grid["rowCount"] = max(sheet.row_count, top + len(rows))
    sheet.grid["columnCount"] = max(sheet.column_count, width)
    book.check_size()
    book.check_editable(email, sheet, Area(top=top, bottom=top + len(rows), right=width))
    for offset, row in enumerate(rows):
        for column, given in enumerate(row.get("values", [])):
            put(sheet, top + offset, column, given, mask)
        sheet.tidy(top + offset)


def repeat_cell(book: Book, body: Body, email: str) -> None:
    span = body.get("range", {})
    sheet, mask = book.sheet(span.get("sheetId", 0)), cell_mask(body)
    area = area_in(sheet, span)
    book.check_editable(email, sheet, area)
    for row in range(area.top, area.bottom or 0):
        for column in range(area.left, area.right or 0):
            put(sheet, row, column, body.get("cell", {}), mask)
        sheet.tidy(row)


def update_borders(book: Book, body: Body, email: str) -> None:
    span = body.get("range", {})
    sheet = book.sheet(span.get("sheetId", 0))
    area = area_in(sheet, span)
    book.check_editable(email, sheet, area)
    borders = {side: body[side] for side in ("top", "bottom", "left", "right") if side in body}
    for row in range(area.top, area.bottom or 0):
        for column in range(area.left, area.right or 0):
            cell_format = sheet.edit(row, column).setdefault("userEnteredFormat", {})
            cell_format["borders"] = copy.deepcopy(borders)


def sort_range(book: Book, body: Body, email: str) -> None:
    """Sorts the rows of a range: values, formats and notes move, rows' and columns' own properties stay."""
    span = body.get("range", {})
    sheet = book.sheet(span.get("sheetId", 0))
    area = area_in(sheet, span)
    book.check_editable(email, sheet, area)
    columns = range(area.left, area.right or 0)
    rows = list(range(area.top, area.bottom or 0))
    order = rows
    for spec in reversed(body.get("sortSpecs", [])):
        column = spec.get("dimensionIndex", area.left)
        filled = [r for r in order if "userEnteredValue" in sheet.cell(r, column)]
        filled.sort(
            key=lambda r: _sort_key(sheet.cell(r, column)), reverse=spec.get("sortOrder") == "DESCENDING"
        )
        order = filled + [r for r in order if "userEnteredValue" not in sheet.cell(r, column)]
    before = {r: {c: sheet.rows[r][c] for c in columns if c in sheet.rows.get(r, {})} for r in rows}
    for target, source in zip(rows, order, strict=True):
        kept = {c: v for c, v in sheet.rows.get(target, {}).items() if c not in columns}
        sheet.rows[target] = kept | before[source]
        sheet.touch(target)
        sheet.tidy(target)


def _sort_key(cell: Cell) -> tuple[int, float, str]:
    value = plain_value(cell) if formula_text(cell) is None else str(formula_text(cell))
    if isinstance(value, str):
        return 1, 0.0, value.casefold()
    return (2, float(value), "") if isinstance(value, bool) else (0, float(value), "")


HANDLERS: dict[str, Callable[[Book, Body, str], Body | None]] = {
    "updateCells": update_cells,
    "appendCells": append_cells,
    "repeatCell": repeat_cell,
    "updateBorders": update_borders,
    "sortRange": sort_range,
}
