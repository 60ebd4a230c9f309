"""Requests that write cells: updateCells, appendCells, repeatCell, sortRange."""

from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.common import Body, Editor, Handler, area_in, columns_of, editable, mask_of, rows_of
from sandbox.sheets.book import Book, Cell, Sheet
from sandbox.sheets.entered import MAX_CHARACTERS
from sandbox.sheets.errors import invalid
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.masks import Mask, overlay
from sandbox.sheets.references import shifted
from sandbox.sheets.render import plain_value

WRITABLE = (
    "userEnteredValue",
    "userEnteredFormat",
    "note",
    "textFormatRuns",
    "dataValidation",
    "pivotTable",
    "dataSourceTable",
    "chipRuns",
)


def check_cell(cell: Cell) -> Cell:
    """The cell; GoogleError 400 when its value is one Google does not take."""
    value = cell.get("userEnteredValue", {})
    if len(value) > 1:
        raise invalid("Only one kind of value may be set in userEnteredValue.")
    if "errorValue" in value:
        raise invalid("errorValue is read-only and cannot be set in userEnteredValue.")
    if len(value.get("stringValue", "")) > MAX_CHARACTERS:
        raise invalid(
            f"Your input contains more than the maximum of {MAX_CHARACTERS} characters in a single cell."
        )
    if "formulaValue" in value and not value["formulaValue"].startswith("="):
        raise invalid("formulaValue must start with '='.")
    return cell


def put(sheet: Sheet, row: int, column: int, given: Cell, mask: Mask) -> None:
    """Writes what the mask names of a cell. An empty text is an empty cell."""
    target = sheet.edit(row, column)
    # What Google computes itself (effectiveValue, formattedValue …) is not taken from a request.
    overlay(target, {name: part for name, part in check_cell(given).items() if name in WRITABLE}, mask)
    value = target.get("userEnteredValue")
    if value is not None and (not value or value.get("stringValue") == ""):
        del target["userEnteredValue"]


def update_cells(book: Book, body: Body, editor: Editor) -> None:
    mask = mask_of(body, "CellData")
    sheet, area = _target(book, body)
    book.check_editable(editor.email, sheet, area)
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


def append_cells(book: Book, body: Body, editor: Editor) -> None:
    sheet, mask = book.sheet(body.get("sheetId", 0)), mask_of(body, "CellData")
    rows = body.get("rows", [])
    top = sheet.used()[0]
    width = max((len(row.get("values", [])) for row in rows), default=0)
    sheet.grid["rowCount"] = max(sheet.row_count, top + len(rows))
    sheet.grid["columnCount"] = max(sheet.column_count, width)
    book.check_size()
    book.check_editable(editor.email, sheet, Area(top=top, bottom=top + len(rows), right=width))
    for offset, row in enumerate(rows):
        for column, given in enumerate(row.get("values", [])):
            put(sheet, top + offset, column, given, mask)
        sheet.tidy(top + offset)


def repeat_cell(book: Book, body: Body, editor: Editor) -> None:
    sheet, area = editable(book, body.get("range", {}), editor)
    mask, given = mask_of(body, "CellData"), body.get("cell", {})
    formula = given.get("userEnteredValue", {}).get("formulaValue")
    for row in rows_of(area):
        for column in columns_of(area):
            if formula is not None:
                # Relative references mean the first cell; in the others they follow.
                here = {"formulaValue": shifted(formula, row - area.top, column - area.left)}
                given = given | {"userEnteredValue": here}
            put(sheet, row, column, given, mask)
        sheet.tidy(row)


def sort_range(book: Book, body: Body, editor: Editor) -> None:
    """Sorts the rows of a range: values, formats and notes move, rows' and columns' own properties stay."""
    sheet, area = editable(book, body.get("range", {}), editor)
    columns, rows = columns_of(area), list(rows_of(area))
    order, values = rows, Evaluator(book, editor.now)
    for spec in reversed(body.get("sortSpecs", [])):
        column = spec.get("dimensionIndex", area.left)
        if column not in columns:
            raise invalid(f"Cannot sort by column {column}: it is outside of the range.")
        order = _sorted(order, sheet, column, values, descending=spec.get("sortOrder") == "DESCENDING")
    before = {r: {c: sheet.rows[r][c] for c in columns if c in sheet.rows.get(r, {})} for r in rows}
    for target, source in zip(rows, order, strict=True):
        kept = {c: v for c, v in sheet.rows.get(target, {}).items() if c not in columns}
        for cell in before[source].values():
            if "formulaValue" in (value := cell.get("userEnteredValue", {})):
                cell["userEnteredValue"] = {
                    "formulaValue": shifted(value["formulaValue"], target - source, 0)
                }
        sheet.rows[target] = kept | before[source]
        sheet.touch(target)
        sheet.tidy(target)


def _sorted(rows: list[int], sheet: Sheet, column: int, values: Evaluator, *, descending: bool) -> list[int]:
    """Blank cells come last whatever the order."""
    filled = [r for r in rows if "userEnteredValue" in sheet.cell(r, column)]
    filled.sort(key=lambda r: _sort_key(values.effective(sheet, r, column)), reverse=descending)
    return filled + [r for r in rows if "userEnteredValue" not in sheet.cell(r, column)]


def _sort_key(effective: Body) -> tuple[int, float, str]:
    value: Any = plain_value(effective)
    if isinstance(value, str):
        return 3 if "errorValue" in effective else 1, 0.0, value.casefold()
    return (2, float(value), "") if isinstance(value, bool) else (0, float(value), "")


HANDLERS: dict[str, Handler] = {
    "updateCells": update_cells,
    "appendCells": append_cells,
    "repeatCell": repeat_cell,
    "sortRange": sort_range,
}
