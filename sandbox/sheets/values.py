"""The ``values`` calls: reading, writing, appending and clearing ranges."""

import datetime as dt
import json
from typing import Any

from sandbox.sheets.a1 import Area, column_letters, format_area, parse_cells, split_title
from sandbox.sheets.batch.cells import check_cell
from sandbox.sheets.batch.common import Editor
from sandbox.sheets.batch.texts import put_typed
from sandbox.sheets.book import Book, Sheet, find_range
from sandbox.sheets.entered import raw_cell, typed_cell
from sandbox.sheets.errors import GoogleError, invalid
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.lines import insert_lines
from sandbox.sheets.render import shown_value

Body = dict[str, Any]
Place = tuple[Sheet, Area]


def _inside(sheet: Sheet, area: Area) -> Area:
    closed = area.within(sheet.row_count, sheet.column_count)
    outside = area.top >= sheet.row_count or area.left >= sheet.column_count
    if outside or (area.bottom or 0) > sheet.row_count or (area.right or 0) > sheet.column_count:
        raise _beyond(sheet, area.top, area.left, closed.bottom or 0, closed.right or 0)
    return closed


def _beyond(sheet: Sheet, top: int, left: int, bottom: int, right: int) -> GoogleError:
    whole = Area(top=top, left=left, bottom=max(bottom, top + 1), right=max(right, left + 1))
    return invalid(
        f"Range ({format_area(sheet.title, whole)}) exceeds grid limits. "
        f"Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
    )


class Reader:
    """Reads ranges of a spreadsheet for one answer: formulas are computed once."""

    def __init__(self, book: Book, query: Body, now: dt.datetime) -> None:
        self.book = book
        self.option = query.get("valueRenderOption", "FORMATTED_VALUE")
        self.moments = query.get("dateTimeRenderOption", "SERIAL_NUMBER")
        self.dimension = query.get("majorDimension", "ROWS")
        if self.dimension == "DIMENSION_UNSPECIFIED":
            self.dimension = "ROWS"
        self.values = Evaluator(book, now)

    def read(self, place: Place) -> Body:
        """A ValueRange: trailing empty rows and cells are left out, as Google does."""
        sheet, open_area = place
        area = _inside(sheet, open_area)
        used_rows, used_columns = sheet.used()
        rows = []
        for row in range(area.top, min(area.bottom or 0, used_rows)):
            columns = range(area.left, min(area.right or 0, used_columns))
            rows.append([self._shown(sheet, row, column) for column in columns])
        if self.dimension == "COLUMNS":
            rows = [list(column) for column in zip(*rows, strict=True)]
        answer: Body = {"range": format_area(sheet.title, area), "majorDimension": self.dimension}
        trimmed = _trimmed(rows)
        return answer | {"values": trimmed} if trimmed else answer

    def _shown(self, sheet: Sheet, row: int, column: int) -> Any:
        cell = sheet.cell(row, column)
        if not cell:
            return ""
        effective = self.values.effective(sheet, row, column)
        return shown_value(cell, effective, self.option, self.moments, self.book.properties["locale"])


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    kept = []
    for row in rows:
        end = len(row)
        while end and row[end - 1] == "":
            end -= 1
        kept.append(row[:end])
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _grid(body: Body) -> list[list[Any]]:
    rows: list[list[Any]] = body.get("values", [])
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if isinstance(value, dict | list):
                kind = "struct_value" if isinstance(value, dict) else "list_value"
                shown = json.dumps(value, ensure_ascii=False)
                raise invalid(f"Invalid values[{i}][{j}]: {kind} {shown}")
    if body.get("majorDimension", "ROWS") == "COLUMNS":
        height = max((len(column) for column in rows), default=0)
        return [[c[i] if i < len(c) else None for c in rows] for i in range(height)]
    return rows


def input_option(option: str | None) -> str:
    """RAW or USER_ENTERED; GoogleError 400 when neither is given, as Google has no default."""
    if option not in ("RAW", "USER_ENTERED"):
        raise invalid("'valueInputOption' is required but not specified")
    return option


def place_of(book: Book, text: str, body: Body) -> Place:
    """Where a ValueRange goes: the range of the call; one of another range in the body is refused."""
    given = body.get("range")
    place = find_range(book, text)
    if given and find_range(book, given) != place:
        raise invalid(f"Requested writing within range [{text}], but the body's range is [{given}]")
    return place


def write(book: Book, place: Place, body: Body, option: str, editor: Editor, *, text: str = "") -> Body:
    """Writes a ValueRange (None leaves a cell alone, an empty text clears it); an UpdateValuesResponse.

    ``text`` is the range as it was asked for: from a single cell the values may reach any size.
    """
    sheet, open_area = place
    area = _inside(sheet, open_area)
    rows = _grid(body)
    single = parse_cells(split_title(text)[1] or "")
    start_only = single is not None and area.bottom == area.top + 1 and area.right == area.left + 1
    _check_fit(sheet, area, rows, start_only)
    return _put(book, sheet, area.top, area.left, rows, option, editor)


def _check_fit(sheet: Sheet, area: Area, rows: list[list[Any]], start_only: bool) -> None:
    width = max((len(row) for row in rows), default=0)
    bottom, right = area.top + len(rows), area.left + width
    if start_only:
        if bottom > sheet.row_count or right > sheet.column_count:
            raise _beyond(sheet, area.top, area.left, bottom, right)
        return
    allowed = f"Requested writing within range [{format_area(sheet.title, area)}], but tried writing to"
    if bottom > (area.bottom or 0):
        raise invalid(f"{allowed} row [{(area.bottom or 0) + 1}]")
    if right > (area.right or 0):
        raise invalid(f"{allowed} column [{column_letters(area.right or 0)}]")


def _put(
    book: Book, sheet: Sheet, top: int, left: int, rows: list[list[Any]], option: str, editor: Editor
) -> Body:
    width = max((len(row) for row in rows), default=0)
    area = Area(top=top, left=left, bottom=top + max(1, len(rows)), right=left + max(1, width))
    book.check_editable(editor.email, sheet, area)
    locale, today = book.properties["locale"], editor.now.date()
    written: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value is not None:
                given = raw_cell(value) if option == "RAW" else typed_cell(value, locale, today)
                put_typed(sheet, top + i, left + j, check_cell(given))
                written.append((i, j))
        sheet.tidy(top + i)
    answer: Body = {"spreadsheetId": book.book_id, "updatedRange": format_area(sheet.title, area)}
    if written:
        answer["updatedRows"] = len({i for i, _ in written})
        answer["updatedColumns"] = len({j for _, j in written})
        answer["updatedCells"] = len(written)
    return answer


def append(book: Book, place: Place, body: Body, query: Body, editor: Editor) -> Body:
    """Writes rows after the table that the range touches; grows the grid, or pushes rows down when asked."""
    sheet, open_area = place
    area = _inside(sheet, open_area)
    rows = _grid(body)
    table = _table(sheet, area)
    top, left = (table.bottom or 0, table.left) if table is not None else (area.top, area.left)
    width = max((len(row) for row in rows), default=0)
    if query.get("insertDataOption") == "INSERT_ROWS" and rows and top < sheet.row_count:
        insert_lines(book, sheet, "ROWS", top, len(rows))
    sheet.grid["rowCount"] = max(sheet.row_count, top + len(rows))
    sheet.grid["columnCount"] = max(sheet.column_count, left + width)
    book.check_size()
    updates = _put(book, sheet, top, left, rows, query["valueInputOption"], editor)
    answer: Body = {"spreadsheetId": book.book_id, "updates": updates}
    if table is not None:
        answer["tableRange"] = format_area(sheet.title, table)
    return answer


def _table(sheet: Sheet, area: Area) -> Area | None:
    """The block of filled cells that the last filled cell of the area belongs to; None in an empty area.

    A block ends where a whole row and a whole column beside it are empty.
    """

    def filled(row: int, column: int) -> bool:
        return "userEnteredValue" in sheet.cell(row, column)

    spots = [
        (row, column)
        for row in sheet.rows
        if area.top <= row < (area.bottom or 0)
        for column in sheet.rows[row]
        if area.left <= column < (area.right or 0) and filled(row, column)
    ]
    if not spots:
        return None
    top, left = max(spots)
    bottom, right = top + 1, left + 1
    grown = True
    while grown:
        old = (top, left, bottom, right)
        while top and any(filled(top - 1, c) for c in range(max(0, left - 1), right + 1)):
            top -= 1
        while any(filled(bottom, c) for c in range(max(0, left - 1), right + 1)):
            bottom += 1
        if left and any(filled(r, left - 1) for r in range(max(0, top - 1), bottom + 1)):
            left -= 1
        if any(filled(r, right) for r in range(max(0, top - 1), bottom + 1)):
            right += 1
        grown = old != (top, left, bottom, right)
    return Area(top=top, left=left, bottom=bottom, right=right)


def clear(book: Book, place: Place, editor: Editor) -> str:
    """Takes values away (formats stay) and returns the cleared range."""
    sheet, open_area = place
    area = _inside(sheet, open_area)
    book.check_editable(editor.email, sheet, area)
    for row in [r for r in sheet.rows if area.top <= r < (area.bottom or 0)]:
        for column, cell in sheet.rows[row].items():
            if area.left <= column < (area.right or 0):
                cell.pop("userEnteredValue", None)
        sheet.touch(row)
        sheet.tidy(row)
    return format_area(sheet.title, area)
