"""The ``values`` calls: reading, writing, appending and clearing ranges given in A1 notation."""

import datetime as dt
from typing import Any

from sandbox.sheets.a1 import Area, area_of, format_area, parse_cells, split_title
from sandbox.sheets.batch_cells import check_cell
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.entered import raw_cell, typed_cell
from sandbox.sheets.errors import GoogleError, invalid
from sandbox.sheets.render import shown_value

Body = dict[str, Any]


def find_range(book: Book, text: str) -> tuple[Sheet, Area]:
    """The tab and the area (open sides kept) of an A1 text or a named range; GoogleError 400 for others."""
    title, cells = split_title(text)
    if title is None and cells is not None:
        found = _without_title(book, cells)
    else:
        sheet = book.by_title(title or "")
        area = Area() if cells is None else parse_cells(cells)
        found = (sheet, area) if sheet is not None and area is not None else None
    if found is None:
        raise invalid(f"Unable to parse range: {text}")
    return found


def _without_title(book: Book, text: str) -> tuple[Sheet, Area] | None:
    for named in book.named_ranges:
        if named["name"].casefold() == text.casefold():
            return book.sheet(named["range"].get("sheetId", 0)), area_of(named["range"])
    whole = book.by_title(text)
    if whole is not None:
        return whole, Area()
    area = parse_cells(text)
    return (book.sheets[0], area) if area is not None else None


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


def read(book: Book, text: str, query: Body) -> Body:
    """A ValueRange: trailing empty rows and cells are left out, as Google does."""
    sheet, open_area = find_range(book, text)
    area = _inside(sheet, open_area)
    used_rows, used_columns = sheet.used()
    option = query.get("valueRenderOption", "FORMATTED_VALUE")
    moments = query.get("dateTimeRenderOption", "SERIAL_NUMBER")
    locale = book.properties["locale"]
    rows = []
    for row in range(area.top, min(area.bottom or 0, used_rows)):
        columns = range(area.left, min(area.right or 0, used_columns))
        rows.append([shown_value(sheet.cell(row, c), option, moments, locale) for c in columns])
    dimension = query.get("majorDimension", "ROWS")
    if dimension == "COLUMNS":
        rows = [list(column) for column in zip(*rows, strict=True)]
    answer: Body = {"range": format_area(sheet.title, area), "majorDimension": dimension}
    trimmed = _trimmed(rows)
    return answer | {"values": trimmed} if trimmed else answer


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
    if any(not isinstance(row, list) for row in rows):
        raise invalid("Invalid data: every row of values must be a list.")
    for row in rows:
        for value in row:
            if isinstance(value, dict | list):
                kind = "struct_value" if isinstance(value, dict) else "list_value"
                raise invalid(f"Invalid values[0][0]: {kind} is not a cell value.")
    if body.get("majorDimension", "ROWS") == "COLUMNS":
        height = max((len(column) for column in rows), default=0)
        return [[c[i] if i < len(c) else None for c in rows] for i in range(height)]
    return rows


def input_option(option: str | None) -> str:
    """RAW or USER_ENTERED; GoogleError 400 when neither is given, as Google has no default."""
    if option not in ("RAW", "USER_ENTERED"):
        raise invalid("'valueInputOption' is required but not specified")
    return option


def write(book: Book, text: str, body: Body, option: str, email: str, today: dt.date) -> Body:
    """Writes a ValueRange (None leaves a cell alone, an empty text clears it); an UpdateValuesResponse."""
    sheet, open_area = find_range(book, text)
    area = _inside(sheet, open_area)
    rows = _grid(body)
    single = parse_cells(split_title(text)[1] or "")
    start_only = single is not None and area.bottom == area.top + 1 and area.right == area.left + 1
    _check_fit(sheet, area, rows, start_only)
    return _put(book, sheet, area.top, area.left, rows, option, email, today)


def _check_fit(sheet: Sheet, area: Area, rows: list[list[Any]], start_only: bool) -> None:
    width = max((len(row) for row in rows), default=0)
    bottom, right = area.top + len(rows), area.left + width
    if start_only:
        if bottom > sheet.row_count or right > sheet.column_count:
            raise _beyond(sheet, area.top, area.left, bottom, right)
        return
    allowed = f"Requested writing within range [{format_area(sheet.title, area)}], but tried writing to"
    if bottom > (area.bottom or 0):
        raise invalid(f"{allowed} row [{bottom}]")
    if right > (area.right or 0):
        raise invalid(f"{allowed} column [{right}]")


def _put(
    book: Book,
    sheet: Sheet,
    top: int,
    left: int,
    rows: list[list[Any]],
    option: str,
    email: str,
    today: dt.date,
) -> Body:
    width = max((len(row) for row in rows), default=0)
    area = Area(top=top, left=left, bottom=top + max(1, len(rows)), right=left + max(1, width))
    book.check_editable(email, sheet, area)
    written: list[tuple[int, int]] = []
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value is not None:
                _put_value(book, sheet, top + i, left + j, value, option, today)
                written.append((i, j))
        sheet.tidy(top + i)
    answer: Body = {"spreadsheetId": book.book_id, "updatedRange": format_area(sheet.title, area)}
    if written:
        answer["updatedRows"] = len({i for i, _ in written})
        answer["updatedColumns"] = len({j for _, j in written})
        answer["updatedCells"] = len(written)
    return answer


def _put_value(
    book: Book, sheet: Sheet, row: int, column: int, value: Any, option: str, today: dt.date
) -> None:
    raw = option == "RAW"
    given = check_cell(raw_cell(value) if raw else typed_cell(value, book.properties["locale"], today))
    cell = sheet.edit(row, column)
    cell.pop("userEnteredValue", None)
    cell.update({k: v for k, v in given.items() if k == "userEnteredValue"})
    new_format = given.get("userEnteredFormat")
    # Typing a date or a percent sets the format of a cell that has none of its own.
    if new_format and "numberFormat" not in cell.get("userEnteredFormat", {}):
        cell.setdefault("userEnteredFormat", {}).update(new_format)


def append(book: Book, text: str, body: Body, query: Body, email: str, today: dt.date) -> Body:
    """Writes rows after the table that the range touches; grows the grid when needed."""
    sheet, open_area = find_range(book, text)
    area = _inside(sheet, open_area)
    rows = _grid(body)
    top = _table_end(sheet, area, open_below=open_area.bottom is None)
    width = max((len(row) for row in rows), default=0)
    sheet.grid["rowCount"] = max(sheet.row_count, top + len(rows))
    sheet.grid["columnCount"] = max(sheet.column_count, area.left + width)
    book.check_size()
    updates = _put(book, sheet, top, area.left, rows, query["valueInputOption"], email, today)
    answer: Body = {"spreadsheetId": book.book_id, "updates": updates}
    if top > area.top:
        table = Area(top=area.top, left=area.left, bottom=top, right=max(area.left + 1, sheet.used()[1]))
        answer["tableRange"] = format_area(sheet.title, table)
    return answer


def _table_end(sheet: Sheet, area: Area, *, open_below: bool) -> int:
    """The row after the table that the range touches; the range's first row when it touches none."""
    columns = range(area.left, area.right or 0)

    def filled(row: int) -> bool:
        return any("userEnteredValue" in sheet.cell(row, c) for c in columns)

    inside = [row for row in sheet.rows if area.top <= row < (area.bottom or 0) and filled(row)]
    if not inside:
        return area.top
    end = max(inside) + 1
    while not open_below and filled(end):
        end += 1
    return end


def clear(book: Book, text: str, email: str) -> str:
    """Takes values away (formats stay) and returns the cleared range."""
    sheet, open_area = find_range(book, text)
    area = _inside(sheet, open_area)
    book.check_editable(email, sheet, area)
    for row in [r for r in sheet.rows if area.top <= r < (area.bottom or 0)]:
        for column, cell in sheet.rows[row].items():
            if area.left <= column < (area.right or 0):
                cell.pop("userEnteredValue", None)
        sheet.touch(row)
        sheet.tidy(row)
    return format_area(sheet.title, area)
