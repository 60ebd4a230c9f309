"""The Spreadsheet answer: tabs, cells with what they come to, rows and columns; and the dump for tests."""

import copy
import datetime as dt
from dataclasses import dataclass
from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.metadata import sheet_of
from sandbox.sheets.batch.ranges import shown_protected
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.masks import parse_mask
from sandbox.sheets.render import plain_value, shown_text

Body = dict[str, Any]
Place = tuple[Sheet, Area]
_ALL_PARTS = ("rowData", "rowMetadata", "columnMetadata")


def url_of(origin: str, book: Book) -> str:
    """Where a person opens the spreadsheet."""
    return f"{origin}/spreadsheets/d/{book.book_id}/edit"


@dataclass(frozen=True, kw_only=True)
class View:
    """A spreadsheet for one person: ``places`` limits tabs and cells, ``fields`` the parts made."""

    book: Book
    email: str
    origin: str
    now: dt.datetime
    places: list[Place]
    fields: str | None = None
    grid_data: bool = False

    def answer(self) -> Body:
        """The Spreadsheet; grid data when asked for, by the query or by the field mask."""
        parts = _data_parts(self.fields) if self.fields else _ALL_PARTS if self.grid_data else ()
        values = Evaluator(self.book, self.now)
        shown = [
            s for s in self.book.sheets if not self.places or any(s is sheet for sheet, _ in self.places)
        ]
        answer: Body = {
            "spreadsheetId": self.book.book_id,
            "properties": self.book.properties,
            "sheets": [self._sheet(sheet, parts, values) for sheet in shown],
            "spreadsheetUrl": url_of(self.origin, self.book),
        }
        if self.book.named_ranges:
            answer["namedRanges"] = self.book.named_ranges
        metadata = [m for m in self.book.metadata if m["location"]["locationType"] == "SPREADSHEET"]
        return answer | {"developerMetadata": metadata} if metadata else answer

    def _sheet(self, sheet: Sheet, parts: tuple[str, ...], values: Evaluator) -> Body:
        book = self.book
        answer: Body = {"properties": sheet.properties}
        answer |= {name: value for name, value in sheet.extras.items() if value}
        if "protectedRanges" in answer:
            answer["protectedRanges"] = [
                shown_protected(book, p, self.email) for p in answer["protectedRanges"]
            ]
        own = [
            m
            for m in book.metadata
            if m["location"]["locationType"] == "SHEET" and m["location"].get("sheetId") == sheet.sheet_id
        ]
        if own:
            answer["developerMetadata"] = own
        if parts:
            areas = [area for place, area in self.places if place is sheet] or [Area()]
            answer["data"] = [_grid_data(values, sheet, area, parts) for area in areas]
        return copy.deepcopy(answer)


def _data_parts(fields: str) -> tuple[str, ...]:
    """Which parts of the grid a field mask asks for: row metadata of a large tab are not made for nothing."""
    mask = parse_mask(fields)
    data = {} if "*" in mask else mask.get("sheets", None)
    if data:
        data = {} if "*" in data else data.get("data", None)
    if data is None:
        return ()
    return tuple(part for part in _ALL_PARTS if not data or "*" in data or part in data)


def _grid_data(values: Evaluator, sheet: Sheet, open_area: Area, parts: tuple[str, ...]) -> Body:
    area = open_area.within(sheet.row_count, sheet.column_count)
    data: Body = {k: v for k, v in (("startRow", area.top), ("startColumn", area.left)) if v}
    if "rowData" in parts:
        last = max((r for r in sheet.rows if r < (area.bottom or 0)), default=-1)
        data["rowData"] = [_row(values, sheet, row, area) for row in range(area.top, last + 1)]
    if "rowMetadata" in parts:
        data["rowMetadata"] = [
            _line(values.book, sheet, "ROWS", r) for r in range(area.top, area.bottom or 0)
        ]
    if "columnMetadata" in parts:
        columns = range(area.left, area.right or 0)
        data["columnMetadata"] = [_line(values.book, sheet, "COLUMNS", c) for c in columns]
    return data


def _row(values: Evaluator, sheet: Sheet, row: int, area: Area) -> Body:
    cells = sheet.rows.get(row, {})
    last = max((c for c in cells if c < (area.right or 0)), default=-1)
    shown = [_cell(values, sheet, row, c) for c in range(area.left, last + 1)]
    return {"values": shown} if shown else {}


def _cell(values: Evaluator, sheet: Sheet, row: int, column: int) -> Body:
    cell = sheet.cell(row, column)
    answer = dict(cell)
    if "userEnteredValue" in cell:
        effective = values.effective(sheet, row, column)
        answer["effectiveValue"] = effective
        answer["formattedValue"] = shown_text(cell, effective, values.book.properties["locale"])
    if "userEnteredFormat" in cell:
        answer["effectiveFormat"] = _laid_over(values.book.properties.get("defaultFormat", {}), cell)
    return answer


def _laid_over(default: Body, cell: Body) -> Body:
    """The spreadsheet's default format with the cell's own over it."""
    own: Body = cell["userEnteredFormat"]
    text: Body = default.get("textFormat", {}) | own.get("textFormat", {})
    return default | own | ({"textFormat": text} if text else {})


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
    entered = cell.get("userEnteredValue", {})
    value = entered["formulaValue"] if "formulaValue" in entered else plain_value(entered)
    return None if value == "" else value
