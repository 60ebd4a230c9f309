"""The API methods: one function per method id of the discovery document, in a table."""

import copy
import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.sheets import batch, values
from sandbox.sheets.a1 import Area
from sandbox.sheets.batch_extras import matching_metadata, sheet_of
from sandbox.sheets.book import Book, Sheet, new_sheet, not_found
from sandbox.sheets.errors import FORBIDDEN_TEXT, GoogleError
from sandbox.sheets.masks import parse_mask
from sandbox.sheets.render import plain_value, shown_text
from sandbox.sheets.store import Store

Body = dict[str, Any]


@dataclass(kw_only=True)
class Call:
    """One authenticated request, already checked against the schema."""

    store: Store
    email: str
    path: dict[str, str]
    query: Body
    body: Body
    now: dt.datetime
    origin: str
    limits: Body = field(default_factory=dict)

    @property
    def book_id(self) -> str:
        return self.path["spreadsheetId"]


def book_for(call: Call, *, write: bool) -> Book:
    """The spreadsheet of the call; GoogleError 404 when there is none, 403 when it is not shared (enough)."""
    book = call.store.books.get(call.book_id)
    if book is None:
        raise not_found()
    role = book.shared.get(call.email)
    if role is None or (write and role == "reader"):
        raise GoogleError(403, FORBIDDEN_TEXT)
    return book


def create_book(store: Store, given: Body, shared: dict[str, str], now: dt.datetime) -> Book:
    """A new spreadsheet with Google's defaults, stored."""
    properties = {
        "title": "Untitled spreadsheet",
        "locale": "en_US",
        "autoRecalc": "ON_CHANGE",
        "timeZone": "Etc/GMT",
    }
    stamp = now.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    book = Book(
        book_id=secrets.token_urlsafe(33).replace("_", "A").replace("-", "B"),
        properties=properties | given.get("properties", {}),
        shared=shared,
        created_at=stamp,
        modified_at=stamp,
    )
    for sheet in given.get("sheets") or [{}]:
        new_sheet(book, sheet.get("properties", {}))
    store.save(book)
    return book


def url_of(origin: str, book: Book) -> str:
    """Where a person opens the spreadsheet."""
    return f"{origin}/spreadsheets/d/{book.book_id}/edit"


def spreadsheet(call: Call, book: Book) -> Body:
    """The Spreadsheet answer; grid data when asked for, by the query or by the field mask."""
    wanted = call.query.get("fields")
    parts = _data_parts(wanted) if wanted else _ALL_PARTS if call.query.get("includeGridData") else ()
    ranges = [values.find_range(book, text) for text in call.query.get("ranges", [])]
    shown = [s for s in book.sheets if not ranges or any(s is sheet for sheet, _ in ranges)]
    sheets = [_sheet(book, s, [a for sheet, a in ranges if sheet is s], parts) for s in shown]
    answer: Body = {
        "spreadsheetId": book.book_id,
        "properties": book.properties,
        "sheets": sheets,
        "spreadsheetUrl": url_of(call.origin, book),
    }
    if book.named_ranges:
        answer["namedRanges"] = book.named_ranges
    metadata = [m for m in book.metadata if m["location"]["locationType"] == "SPREADSHEET"]
    return answer | {"developerMetadata": metadata} if metadata else answer


_ALL_PARTS = ("rowData", "rowMetadata", "columnMetadata")


def _data_parts(fields: str) -> tuple[str, ...]:
    """Which parts of the grid a field mask asks for: row metadata of a large tab are not made for nothing."""
    mask = parse_mask(fields)
    data = {} if "*" in mask else mask.get("sheets", None)
    if data:
        data = {} if "*" in data else data.get("data", None)
    if data is None:
        return ()
    return tuple(part for part in _ALL_PARTS if not data or "*" in data or part in data)


def _sheet(book: Book, sheet: Sheet, areas: list[Area], parts: tuple[str, ...]) -> Body:
    answer: Body = {"properties": sheet.properties}
    answer |= {name: value for name, value in sheet.extras.items() if value}
    own = [
        m
        for m in book.metadata
        if m["location"]["locationType"] == "SHEET" and m["location"].get("sheetId") == sheet.sheet_id
    ]
    if own:
        answer["developerMetadata"] = own
    if parts:
        answer["data"] = [_grid_data(book, sheet, area, parts) for area in areas or [Area()]]
    return copy.deepcopy(answer)


def _grid_data(book: Book, sheet: Sheet, open_area: Area, parts: tuple[str, ...]) -> Body:
    area = open_area.within(sheet.row_count, sheet.column_count)
    data: Body = {k: v for k, v in (("startRow", area.top), ("startColumn", area.left)) if v}
    if "rowData" in parts:
        last = max((r for r in sheet.rows if r < (area.bottom or 0)), default=-1)
        data["rowData"] = [_row(book, sheet, row, area) for row in range(area.top, last + 1)]
    if "rowMetadata" in parts:
        data["rowMetadata"] = [_line(book, sheet, "ROWS", r) for r in range(area.top, area.bottom or 0)]
    if "columnMetadata" in parts:
        columns = range(area.left, area.right or 0)
        data["columnMetadata"] = [_line(book, sheet, "COLUMNS", c) for c in columns]
    return data


def _row(book: Book, sheet: Sheet, row: int, area: Area) -> Body:
    cells = sheet.rows.get(row, {})
    last = max((c for c in cells if c < (area.right or 0)), default=-1)
    shown = [_cell(book, cells.get(c, {})) for c in range(area.left, last + 1)]
    return {"values": shown} if shown else {}


def _cell(book: Book, cell: Body) -> Body:
    answer = dict(cell)
    value = cell.get("userEnteredValue")
    if value:
        effective = {"stringValue": ""} if "formulaValue" in value else value
        answer["effectiveValue"] = effective
        answer["formattedValue"] = shown_text(cell, book.properties["locale"])
    if "userEnteredFormat" in cell:
        answer["effectiveFormat"] = cell["userEnteredFormat"]
    return answer


def _line(book: Book, sheet: Sheet, dimension: str, index: int) -> Body:
    properties, _ = sheet.dimension(dimension)
    answer = {"pixelSize": 21 if dimension == "ROWS" else 100} | properties.get(index, {})
    own = [
        m
        for m in book.metadata
        if sheet_of(m) == sheet.sheet_id
        and m["location"].get("dimensionRange", {}).get("dimension") == dimension
        and m["location"]["dimensionRange"]["startIndex"] == index
    ]
    return answer | {"developerMetadata": own} if own else answer


def spreadsheets_create(call: Call) -> Body:
    if not call.limits.get("service_accounts_may_create"):
        raise GoogleError(403, FORBIDDEN_TEXT)
    return spreadsheet(call, create_book(call.store, call.body, {call.email: "owner"}, call.now))


def spreadsheets_get(call: Call) -> Body:
    return spreadsheet(call, book_for(call, write=False))


def spreadsheets_batch_update(call: Call) -> Body:
    book_for(call, write=True)
    with _writing(call) as book:
        replies = batch.apply(book, call.body.get("requests", []), call.email)
    answer: Body = {"spreadsheetId": call.book_id, "replies": replies}
    if call.body.get("includeSpreadsheetInResponse"):
        asked = {"includeGridData": call.body.get("responseIncludeGridData", False)}
        call.query = asked | {"ranges": call.body.get("responseRanges", [])}
        answer["updatedSpreadsheet"] = spreadsheet(call, book)
    return answer


def _writing(call: Call) -> Any:
    book = call.store.books[call.book_id]
    stamp = call.now.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    book.modified_at = stamp
    return call.store.changing(call.book_id)


def metadata_search(call: Call) -> Body:
    book = book_for(call, write=False)
    found = []
    for data_filter in call.body.get("dataFilters", []):
        hits = matching_metadata(book, data_filter)
        found += [{"developerMetadata": m, "dataFilters": [data_filter]} for m in hits]
    return {"matchedDeveloperMetadata": copy.deepcopy(found)} if found else {}


def metadata_get(call: Call) -> Body:
    book = book_for(call, write=False)
    for metadata in book.metadata:
        if str(metadata["metadataId"]) == call.path["metadataId"]:
            return copy.deepcopy(metadata)
    raise not_found()


def values_get(call: Call) -> Body:
    return values.read(book_for(call, write=False), call.path["range"], call.query)


def values_batch_get(call: Call) -> Body:
    book = book_for(call, write=False)
    read = [values.read(book, text, call.query) for text in call.query.get("ranges", [])]
    return {"spreadsheetId": book.book_id, "valueRanges": read}


def values_update(call: Call) -> Body:
    book_for(call, write=True)
    option = values.input_option(call.query.get("valueInputOption"))
    with _writing(call) as book:
        answer = values.write(book, call.path["range"], call.body, option, call.email, call.now.date())
    if call.query.get("includeValuesInResponse"):
        answer["updatedData"] = values.read(book, answer["updatedRange"], _echo(call.query))
    return answer


def _echo(asked: Body) -> Body:
    return {
        "valueRenderOption": asked.get("responseValueRenderOption", "FORMATTED_VALUE"),
        "dateTimeRenderOption": asked.get("responseDateTimeRenderOption", "SERIAL_NUMBER"),
    }


def values_batch_update(call: Call) -> Body:
    book_for(call, write=True)
    option = values.input_option(call.body.get("valueInputOption"))
    with _writing(call) as book:
        answers = [
            values.write(book, data.get("range", ""), data, option, call.email, call.now.date())
            for data in call.body.get("data", [])
        ]
    if call.body.get("includeValuesInResponse"):
        for answer in answers:
            answer["updatedData"] = values.read(book, answer["updatedRange"], _echo(call.body))
    return {
        "spreadsheetId": call.book_id,
        "totalUpdatedRows": sum(a.get("updatedRows", 0) for a in answers),
        "totalUpdatedColumns": sum(a.get("updatedColumns", 0) for a in answers),
        "totalUpdatedCells": sum(a.get("updatedCells", 0) for a in answers),
        "totalUpdatedSheets": len({values.find_range(book, a["updatedRange"])[0].sheet_id for a in answers}),
        "responses": answers,
    }


def values_append(call: Call) -> Body:
    book_for(call, write=True)
    values.input_option(call.query.get("valueInputOption"))
    with _writing(call) as book:
        return values.append(book, call.path["range"], call.body, call.query, call.email, call.now.date())


def values_clear(call: Call) -> Body:
    book_for(call, write=True)
    with _writing(call) as book:
        return {
            "spreadsheetId": book.book_id,
            "clearedRange": values.clear(book, call.path["range"], call.email),
        }


def values_batch_clear(call: Call) -> Body:
    book_for(call, write=True)
    with _writing(call) as book:
        cleared = [values.clear(book, text, call.email) for text in call.body.get("ranges", [])]
    return {"spreadsheetId": call.book_id, "clearedRanges": cleared}


def dump(book: Book) -> Body:
    """Everything in the spreadsheet, for tests: values, formulas, formats by tab, row and column."""
    tabs = []
    for sheet in book.sheets:
        rows, columns = sheet.used()
        tabs.append(
            {
                "title": sheet.title,
                "properties": sheet.properties,
                "values": [[_dumped(sheet.cell(r, c)) for c in range(columns)] for r in range(rows)],
                "cells": [
                    {"row": r, "column": c, **cell}
                    for r, cells in sorted(sheet.rows.items())
                    for c, cell in sorted(cells.items())
                ],
                "columns": {str(c): p for c, p in sheet.columns.items()},
                "metadata": [m for m in book.metadata if sheet_of(m) == sheet.sheet_id],
                **sheet.extras,
            }
        )
    return {
        "spreadsheet_id": book.book_id,
        "properties": book.properties,
        "shared_with": book.shared,
        "named_ranges": book.named_ranges,
        "tabs": tabs,
    }


def _dumped(cell: Body) -> Any:
    formula = cell.get("userEnteredValue", {}).get("formulaValue")
    value = plain_value(cell) if formula is None else formula
    return None if value == "" else value


METHODS: dict[str, Callable[[Call], Body]] = {
    "spreadsheets.create": spreadsheets_create,
    "spreadsheets.get": spreadsheets_get,
    "spreadsheets.batchUpdate": spreadsheets_batch_update,
    "spreadsheets.developerMetadata.search": metadata_search,
    "spreadsheets.developerMetadata.get": metadata_get,
    "spreadsheets.values.get": values_get,
    "spreadsheets.values.batchGet": values_batch_get,
    "spreadsheets.values.update": values_update,
    "spreadsheets.values.batchUpdate": values_batch_update,
    "spreadsheets.values.append": values_append,
    "spreadsheets.values.clear": values_clear,
    "spreadsheets.values.batchClear": values_batch_clear,
}
READS = frozenset(name for name in METHODS if name.endswith(("get", "Get", "search")))
