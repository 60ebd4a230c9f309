"""spreadsheets.batchUpdate: one function per kind of request, in a table; all or nothing."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.sheets import batch_cells, batch_extras
from sandbox.sheets.a1 import Area
from sandbox.sheets.book import (
    Book,
    Sheet,
    delete_lines,
    insert_lines,
    move_lines,
    new_sheet,
    overlaps,
)
from sandbox.sheets.errors import GoogleError, invalid
from sandbox.sheets.masks import Mask, overlay, parse_mask

Body = dict[str, Any]
Handler = Callable[[Book, Body, str], Body | None]


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


def apply(book: Book, requests: list[Body], email: str) -> list[Body]:
    """Applies the requests in order and returns a reply for each; GoogleError leaves the book half-changed.

    The caller throws the changed book away on an error: that makes the call atomic.
    """
    if not requests:
        raise invalid("Must specify at least one request.")
    replies = []
    for index, request in enumerate(requests):
        if len(request) != 1:
            raise invalid(f"Invalid requests[{index}]: exactly one kind of request must be set.")
        ((kind, body),) = request.items()
        handler = HANDLERS.get(kind)
        if handler is None:
            raise GoogleError(501, f"requests[{index}].{kind} is part of the API, but not of this simulator.")
        try:
            reply = handler(book, body, email)
        except GoogleError as err:
            if err.code != 400 or err.message.startswith("Invalid requests["):
                raise
            raise invalid(f"Invalid requests[{index}].{kind}: {err.message}") from err
        replies.append({kind: reply} if reply is not None else {})
    return replies


def mask_of(body: Body) -> Mask:
    """The ``fields`` of a request; GoogleError 400 when it names nothing, as Google insists on one."""
    if not body.get("fields"):
        raise invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    return parse_mask(body["fields"])


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


def add_sheet(book: Book, body: Body, _email: str) -> Body:
    sheet = new_sheet(book, body.get("properties", {}))
    return {"properties": copy.deepcopy(sheet.properties)}


def delete_sheet(book: Book, body: Body, email: str) -> None:
    sheet = book.sheet(body.get("sheetId", 0))
    if len(book.sheets) == 1:
        raise invalid("You can't remove all the sheets in a document.")
    book.check_editable(email, sheet, Area())
    book.sheets.remove(sheet)
    book.named_ranges = [n for n in book.named_ranges if n["range"].get("sheetId", 0) != sheet.sheet_id]
    book.metadata = [m for m in book.metadata if batch_extras.sheet_of(m) != sheet.sheet_id]
    book.reindex()


def duplicate_sheet(book: Book, body: Body, _email: str) -> Body:
    source = book.sheet(body.get("sourceSheetId", 0))
    properties = copy.deepcopy(source.properties)
    properties["title"] = body.get("newSheetName") or f"{source.title} (copy)"
    properties["sheetId"] = body.get("newSheetId") or 1_000_000 + book.new_id()
    properties["index"] = body.get("insertSheetIndex", len(book.sheets))
    sheet = new_sheet(book, properties)
    for name in ("rows", "columns", "row_properties", "extras"):
        setattr(sheet, name, copy.deepcopy(getattr(source, name)))
    # The copy carries the original's developer metadata: the harder case for a client that looks for its own.
    for metadata in [m for m in book.metadata if batch_extras.sheet_of(m) == source.sheet_id]:
        twin = copy.deepcopy(metadata) | {"metadataId": book.new_id()}
        for place in (twin["location"], twin["location"].get("dimensionRange", {})):
            if "sheetId" in place:
                place["sheetId"] = sheet.sheet_id
        book.metadata.append(twin)
    return {"properties": copy.deepcopy(sheet.properties)}


def update_sheet_properties(book: Book, body: Body, _email: str) -> None:
    given = body.get("properties", {})
    sheet, mask = book.sheet(given.get("sheetId", 0)), mask_of(body)
    title = given.get("title")
    taken = book.by_title(title) if "title" in mask and title else None
    if taken is not None and taken is not sheet:
        raise invalid(f'A sheet with the name "{title}" already exists. Please enter another name.')
    old = (sheet.row_count, sheet.column_count)
    overlay(sheet.properties, given | {"sheetId": sheet.sheet_id}, mask)
    sheet.properties.setdefault("sheetId", given.get("sheetId", 0))
    for name, count in zip(("rowCount", "columnCount"), old, strict=True):
        sheet.grid.setdefault(name, count)
    _cut(sheet)
    if "index" in mask and "index" in given:
        book.sheets.remove(sheet)
        book.sheets.insert(given["index"], sheet)
    book.reindex()
    book.check_size()


def _cut(sheet: Sheet) -> None:
    rows, columns = sheet.row_count, sheet.column_count
    if any(r >= rows or any(c >= columns for c in cells) for r, cells in sheet.rows.items()):
        sheet.rows = {
            r: {c: cell for c, cell in cells.items() if c < columns}
            for r, cells in sheet.rows.items()
            if r < rows
        }
        sheet.dirty = None


def update_spreadsheet_properties(book: Book, body: Body, _email: str) -> None:
    overlay(book.properties, body.get("properties", {}), mask_of(body))


def append_dimension(book: Book, body: Body, _email: str) -> None:
    sheet = book.sheet(body.get("sheetId", 0))
    if body.get("length", 0) < 1:
        raise invalid("length must be positive.")
    if body.get("dimension", "DIMENSION_UNSPECIFIED") == "DIMENSION_UNSPECIFIED":
        raise invalid("dimension must be specified.")
    sheet.grid[sheet.dimension(body["dimension"])[1]] += body["length"]
    book.check_size()


def insert_dimension(book: Book, body: Body, email: str) -> None:
    lines = lines_of(book, body.get("range", {}))
    count = lines.sheet.grid[lines.sheet.dimension(lines.dimension)[1]]
    before = body.get("inheritFromBefore", False)
    if lines.start > count or (lines.start == count and not before):
        raise invalid(
            f"range.startIndex[{lines.start}] must be less than the grid size ({count}) "
            "if inheritFromBefore is false."
        )
    book.check_editable(email, lines.sheet, lines.area)
    insert_lines(book, lines.sheet, lines.dimension, lines.start, lines.end - lines.start)


def delete_dimension(book: Book, body: Body, email: str) -> None:
    lines = _inside(lines_of(book, body.get("range", {})))
    book.check_editable(email, lines.sheet, lines.area)
    delete_lines(book, lines.sheet, lines.dimension, lines.start, lines.end)


def move_dimension(book: Book, body: Body, email: str) -> None:
    lines = _inside(lines_of(book, body.get("source", {})))
    to = body.get("destinationIndex", 0)
    if lines.start < to < lines.end or to > lines.sheet.grid[lines.sheet.dimension(lines.dimension)[1]]:
        raise invalid(f"destinationIndex[{to}] must be outside of the source and inside the grid.")
    book.check_editable(email, lines.sheet, lines.area)
    move_lines(book, lines.sheet, lines.dimension, lines.start, lines.end, to)


def update_dimension_properties(book: Book, body: Body, _email: str) -> None:
    lines = _inside(lines_of(book, body.get("range", {})))
    properties, _ = lines.sheet.dimension(lines.dimension)
    mask = mask_of(body)
    for index in range(lines.start, lines.end):
        overlay(properties.setdefault(index, {}), body.get("properties", {}), mask)


def auto_resize_dimensions(book: Book, body: Body, _email: str) -> None:
    lines = _inside(lines_of(book, body.get("dimensions", {})))
    if lines.dimension != "COLUMNS":
        return
    for index in range(lines.start, lines.end):
        texts = (cells.get(index) for cells in lines.sheet.rows.values())
        longest = max((batch_cells.shown_length(cell) for cell in texts if cell), default=0)
        lines.sheet.columns.setdefault(index, {})["pixelSize"] = max(21, 8 * longest + 12) if longest else 100


def merge_cells(book: Book, body: Body, _email: str) -> None:
    span = body.get("range", {})
    sheet = book.sheet(span.get("sheetId", 0))
    merges = sheet.extras.setdefault("merges", [])
    if any(overlaps(merge, sheet, batch_cells.area_in(sheet, span)) for merge in merges):
        raise invalid("You can't merge cells that overlap an existing merge.")
    merges.append(copy.deepcopy(span))


def unmerge_cells(book: Book, body: Body, _email: str) -> None:
    span = body.get("range", {})
    sheet = book.sheet(span.get("sheetId", 0))
    area = batch_cells.area_in(sheet, span)
    sheet.extras["merges"] = [m for m in sheet.extras.get("merges", []) if not overlaps(m, sheet, area)]


HANDLERS: dict[str, Handler] = {
    "addSheet": add_sheet,
    "deleteSheet": delete_sheet,
    "duplicateSheet": duplicate_sheet,
    "updateSheetProperties": update_sheet_properties,
    "updateSpreadsheetProperties": update_spreadsheet_properties,
    "appendDimension": append_dimension,
    "insertDimension": insert_dimension,
    "deleteDimension": delete_dimension,
    "moveDimension": move_dimension,
    "updateDimensionProperties": update_dimension_properties,
    "autoResizeDimensions": auto_resize_dimensions,
    "mergeCells": merge_cells,
    "unmergeCells": unmerge_cells,
    **batch_cells.HANDLERS,
    **batch_extras.HANDLERS,
}
