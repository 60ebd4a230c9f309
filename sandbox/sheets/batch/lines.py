"""Requests about rows and columns: their number, order, properties and groups; ranges pushed aside."""

import copy
from dataclasses import dataclass, replace

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.common import Body, Editor, Handler, columns_of, editable, mask_of, rows_of
from sandbox.sheets.book import PROTECTED_TEXT, Book, Cell, Sheet
from sandbox.sheets.errors import GoogleError, invalid
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.lines import delete_lines, insert_lines, move_lines
from sandbox.sheets.masks import overlay
from sandbox.sheets.render import shown_text


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A DimensionRange with its ends closed by the grid."""

    sheet: Sheet
    dimension: str
    start: int
    end: int

    @property
    def area(self) -> Area:
        if self.dimension == "ROWS":
            return Area(top=self.start, bottom=self.end)
        return Area(left=self.start, right=self.end)


def lines_of(book: Book, span: Body) -> Lines:
    """A DimensionRange on its sheet; GoogleError 400 when it is empty or beyond the grid."""
    sheet = book.sheet(span.get("sheetId", 0))
    dimension = span.get("dimension", "DIMENSION_UNSPECIFIED")
    if dimension == "DIMENSION_UNSPECIFIED":
        raise invalid("dimension must be specified.")
    count = sheet.grid[sheet.dimension(dimension)[1]]
    start, end = span.get("startIndex", 0), span.get("endIndex", count)
    if not 0 <= start < end:
        raise invalid(f"range.startIndex[{start}] must be less than range.endIndex[{end}].")
    return Lines(sheet=sheet, dimension=dimension, start=start, end=end)


def _inside(lines: Lines) -> Lines:
    count = lines.sheet.grid[lines.sheet.dimension(lines.dimension)[1]]
    if lines.end > count:
        raise invalid(
            f"range.endIndex[{lines.end}] is after the last {lines.dimension[:-1].lower()} [{count}]."
        )
    return lines


def append_dimension(book: Book, body: Body, _editor: Editor) -> None:
    sheet = book.sheet(body.get("sheetId", 0))
    if body.get("length", 0) < 1:
        raise invalid("length must be positive.")
    if body.get("dimension", "DIMENSION_UNSPECIFIED") == "DIMENSION_UNSPECIFIED":
        raise invalid("dimension must be specified.")
    sheet.grid[sheet.dimension(body["dimension"])[1]] += body["length"]
    book.check_size()


def insert_dimension(book: Book, body: Body, editor: Editor) -> None:
    lines = lines_of(book, body.get("range", {}))
    count = lines.sheet.grid[lines.sheet.dimension(lines.dimension)[1]]
    before = body.get("inheritFromBefore", False)
    if lines.start > count or (lines.start == count and not before):
        raise invalid(
            f"range.startIndex[{lines.start}] must be less than the grid size ({count}) "
            "if inheritFromBefore is false."
        )
    _check_insertable(book, lines, editor)
    insert_lines(book, lines.sheet, lines.dimension, lines.start, lines.end - lines.start)
    neighbour = lines.start - 1 if before else lines.end
    _inherit(lines, neighbour)


def _check_insertable(book: Book, lines: Lines, editor: Editor) -> None:
    """New lines may not stand inside a range that is protected from this person; beside it they may."""
    around = [replace(lines, start=at, end=at + 1) for at in (lines.start - 1, lines.start) if at >= 0]
    for protected in lines.sheet.extras.get("protectedRanges", []):
        alone = Sheet(properties=lines.sheet.properties, extras={"protectedRanges": [protected]})
        if all(_refused(book, alone, line.area, editor) for line in around):
            raise invalid(PROTECTED_TEXT)


def _refused(book: Book, sheet: Sheet, area: Area, editor: Editor) -> bool:
    try:
        book.check_editable(editor.email, sheet, area)
    except GoogleError:
        return True
    return False


def _inherit(lines: Lines, neighbour: int) -> None:
    """New lines take the formats of the line beside them."""
    sheet = lines.sheet
    if lines.dimension == "ROWS":
        pairs = [(column, cell) for column, cell in sheet.rows.get(neighbour, {}).items()]
        spots = [(row, column, cell) for row in range(lines.start, lines.end) for column, cell in pairs]
    else:
        pairs = [(row, cells[neighbour]) for row, cells in sheet.rows.items() if neighbour in cells]
        spots = [(row, column, cell) for column in range(lines.start, lines.end) for row, cell in pairs]
    for row, column, cell in spots:
        if "userEnteredFormat" in cell:
            sheet.edit(row, column)["userEnteredFormat"] = copy.deepcopy(cell["userEnteredFormat"])


def delete_dimension(book: Book, body: Body, editor: Editor) -> None:
    lines = _inside(lines_of(book, body.get("range", {})))
    book.check_editable(editor.email, lines.sheet, lines.area)
    delete_lines(book, lines.sheet, lines.dimension, lines.start, lines.end)


def move_dimension(book: Book, body: Body, editor: Editor) -> None:
    lines = _inside(lines_of(book, body.get("source", {})))
    to = body.get("destinationIndex", 0)
    if lines.start < to < lines.end or to > lines.sheet.grid[lines.sheet.dimension(lines.dimension)[1]]:
        raise invalid(f"destinationIndex[{to}] must be outside of the source and inside the grid.")
    book.check_editable(editor.email, lines.sheet, lines.area)
    move_lines(book, lines.sheet, lines.dimension, lines.start, lines.end, to)


def update_dimension_properties(book: Book, body: Body, _editor: Editor) -> None:
    lines = _inside(lines_of(book, body.get("range", {})))
    properties, _ = lines.sheet.dimension(lines.dimension)
    mask = mask_of(body, "DimensionProperties")
    if body.get("properties", {}).get("pixelSize", 0) < 0:
        raise invalid("pixelSize must not be negative.")
    for index in range(lines.start, lines.end):
        overlay(properties.setdefault(index, {}), body.get("properties", {}), mask)


def auto_resize_dimensions(book: Book, body: Body, editor: Editor) -> None:
    lines = _inside(lines_of(book, body.get("dimensions", {})))
    if lines.dimension != "COLUMNS":
        for index in range(lines.start, lines.end):
            lines.sheet.row_properties.get(index, {}).pop("pixelSize", None)
        return
    values, locale = Evaluator(book, editor.now), book.properties["locale"]
    for index in range(lines.start, lines.end):
        shown = [
            shown_text(cells[index], values.effective(lines.sheet, row, index), locale)
            for row, cells in lines.sheet.rows.items()
            if index in cells
        ]
        longest = min(60, max((len(line) for text in shown for line in text.split("\n")), default=0))
        lines.sheet.columns.setdefault(index, {})["pixelSize"] = max(21, 8 * longest + 12) if longest else 100


def add_dimension_group(book: Book, body: Body, _editor: Editor) -> Body:
    lines = _inside(lines_of(book, body.get("range", {})))
    kind = _groups(lines)
    span = {
        "sheetId": lines.sheet.sheet_id,
        "dimension": lines.dimension,
        "startIndex": lines.start,
        "endIndex": lines.end,
    }
    around = [g for g in lines.sheet.extras.get(kind, []) if _covers(g["range"], span)]
    lines.sheet.extras.setdefault(kind, []).append({"range": span, "depth": len(around) + 1})
    return {"dimensionGroups": _copies(lines, kind)}


def delete_dimension_group(book: Book, body: Body, _editor: Editor) -> Body:
    lines = _inside(lines_of(book, body.get("range", {})))
    kind = _groups(lines)
    found = [g for g in lines.sheet.extras.get(kind, []) if _span(g["range"]) == (lines.start, lines.end)]
    if not found:
        raise invalid("There is no group with this range.")
    lines.sheet.extras[kind].remove(max(found, key=lambda group: group["depth"]))
    return {"dimensionGroups": _copies(lines, kind)}


def update_dimension_group(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("dimensionGroup", {})
    lines = _inside(lines_of(book, given.get("range", {})))
    kind = _groups(lines)
    for group in lines.sheet.extras.get(kind, []):
        if _span(group["range"]) == (lines.start, lines.end) and group["depth"] == given.get("depth"):
            mask = mask_of(body, "DimensionGroup")
            overlay(group, given, {name: below for name, below in mask.items() if name == "collapsed"})
            return
    raise invalid("There is no group with this range and depth.")


def _groups(lines: Lines) -> str:
    return "rowGroups" if lines.dimension == "ROWS" else "columnGroups"


def _span(span: Body) -> tuple[int, int]:
    return span["startIndex"], span["endIndex"]


def _covers(outer: Body, inner: Body) -> bool:
    return bool(outer["startIndex"] <= inner["startIndex"] and inner["endIndex"] <= outer["endIndex"])


def _copies(lines: Lines, kind: str) -> list[Body]:
    return copy.deepcopy(lines.sheet.extras.get(kind, []))


def insert_range(book: Book, body: Body, editor: Editor) -> None:
    """Pushes the cells of a range down or to the right; the grid grows when something would fall off."""
    sheet, area = editable(book, body.get("range", {}), editor)
    rows = _shift_dimension(body) == "ROWS"
    count = (area.bottom or 0) - area.top if rows else (area.right or 0) - area.left
    tail = Area(
        top=area.top, left=area.left, bottom=None if rows else area.bottom, right=area.right if rows else None
    )
    book.check_editable(editor.email, sheet, tail)
    moved = _taken(sheet, tail)
    last = max((r if rows else c for r, c, _ in moved), default=0) + count + 1
    name = "rowCount" if rows else "columnCount"
    sheet.grid[name] = max(sheet.grid[name], last)
    book.check_size()
    for row, column, cell in moved:
        sheet.edit(row + count * rows, column + count * (not rows)).update(cell)


def delete_range(book: Book, body: Body, editor: Editor) -> None:
    """Takes the cells of a range away; what lies below (or to the right) moves up to the gap."""
    sheet, area = editable(book, body.get("range", {}), editor)
    rows = _shift_dimension(body) == "ROWS"
    count = (area.bottom or 0) - area.top if rows else (area.right or 0) - area.left
    tail = Area(
        top=area.top, left=area.left, bottom=None if rows else area.bottom, right=area.right if rows else None
    )
    book.check_editable(editor.email, sheet, tail)
    for row, column, cell in _taken(sheet, tail):
        if row >= (area.bottom or 0) or column >= (area.right or 0):
            sheet.edit(row - count * rows, column - count * (not rows)).update(cell)


def _shift_dimension(body: Body) -> str:
    dimension = str(body.get("shiftDimension", "DIMENSION_UNSPECIFIED"))
    if dimension == "DIMENSION_UNSPECIFIED":
        raise invalid("shiftDimension must be specified.")
    return dimension


def _taken(sheet: Sheet, open_area: Area) -> list[tuple[int, int, Cell]]:
    """The cells of an area, taken out of the sheet."""
    area = open_area.within(sheet.row_count, sheet.column_count)
    found = []
    for row in [r for r in sheet.rows if r in rows_of(area)]:
        for column in [c for c in sheet.rows[row] if c in columns_of(area)]:
            found.append((row, column, sheet.rows[row].pop(column)))
        sheet.touch(row)
        sheet.tidy(row)
    return found


HANDLERS: dict[str, Handler] = {
    "appendDimension": append_dimension,
    "insertDimension": insert_dimension,
    "deleteDimension": delete_dimension,
    "moveDimension": move_dimension,
    "updateDimensionProperties": update_dimension_properties,
    "autoResizeDimensions": auto_resize_dimensions,
    "addDimensionGroup": add_dimension_group,
    "deleteDimensionGroup": delete_dimension_group,
    "updateDimensionGroup": update_dimension_group,
    "insertRange": insert_range,
    "deleteRange": delete_range,
}
