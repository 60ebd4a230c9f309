"""Requests that look into cells: findReplace, trimWhitespace, textToColumns, deleteDuplicates, pasteData."""

import csv
import io
import random
import re
from html.parser import HTMLParser
from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.cells import check_cell
from sandbox.sheets.batch.common import Body, Editor, Handler, columns_of, editable, grid_range, rows_of
from sandbox.sheets.book import Book, Cell, Sheet
from sandbox.sheets.entered import typed_cell
from sandbox.sheets.errors import invalid
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.render import formula_text, shown_text

_DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "PERIOD": ".", "SPACE": " "}


def type_into(book: Book, sheet: Sheet, row: int, column: int, value: Any, editor: Editor) -> None:
    """Puts a value into a cell as if typed; the format of a cell that has one of its own stays."""
    given = check_cell(typed_cell(value, book.properties["locale"], editor.now.date()))
    put_typed(sheet, row, column, given)


def put_typed(sheet: Sheet, row: int, column: int, given: Cell) -> None:
    """Puts the value of a cell in, and its number format where the target has none."""
    cell = sheet.edit(row, column)
    cell.pop("userEnteredValue", None)
    cell.update({k: v for k, v in given.items() if k == "userEnteredValue"})
    new_format = given.get("userEnteredFormat")
    if new_format and "numberFormat" not in cell.get("userEnteredFormat", {}):
        cell.setdefault("userEnteredFormat", {}).update(new_format)


def find_replace(book: Book, body: Body, editor: Editor) -> Body:
    if not body.get("find"):
        raise invalid("find must not be empty.")
    pattern = _pattern(body)
    counts: dict[str, set[Any]] = {"sheets": set(), "rows": set(), "values": set(), "formulas": set()}
    occurrences = 0
    for sheet, area in _searched(book, body, editor):
        for row, column in _filled(sheet, area):
            changed = _replaced(book, sheet, row, column, body, pattern, editor)
            if not changed:
                continue
            place = (sheet.sheet_id, row, column)
            book.check_editable(
                editor.email, sheet, Area(top=row, left=column, bottom=row + 1, right=column + 1)
            )
            kind = "formulas" if formula_text(sheet.cell(row, column)) else "values"
            counts[kind].add(place)
            counts["rows"].add(place[:2])
            counts["sheets"].add(place[0])
            occurrences += changed[1]
            type_into(book, sheet, row, column, changed[0], editor)
            sheet.tidy(row)
    answer = {f"{name}Changed": len(found) for name, found in counts.items()}
    return {name: n for name, n in (answer | {"occurrencesChanged": occurrences}).items() if n}


def _pattern(body: Body) -> re.Pattern[str]:
    text = body["find"] if body.get("searchByRegex") else re.escape(body["find"])
    if body.get("matchEntireCell"):
        text = rf"\A(?:{text})\Z"
    try:
        return re.compile(text, 0 if body.get("matchCase") else re.IGNORECASE)
    except re.error as err:
        raise invalid(f"Invalid regular expression: {body['find']}") from err


def _searched(book: Book, body: Body, editor: Editor) -> list[tuple[Sheet, Area]]:
    scopes = [name for name in ("range", "sheetId", "allSheets") if name in body]
    if len(scopes) != 1:
        raise invalid("Exactly one of range, sheetId or allSheets must be specified.")
    if scopes == ["range"]:
        return [editable(book, body["range"], editor)]
    sheets = book.sheets if scopes == ["allSheets"] else [book.sheet(body["sheetId"])]
    return [(sheet, Area(bottom=sheet.row_count, right=sheet.column_count)) for sheet in sheets]


def _filled(sheet: Sheet, area: Area) -> list[tuple[int, int]]:
    return [
        (row, column)
        for row in sorted(r for r in sheet.rows if r in rows_of(area))
        for column in sorted(c for c in sheet.rows[row] if c in columns_of(area))
    ]


def _replaced(
    book: Book, sheet: Sheet, row: int, column: int, body: Body, pattern: re.Pattern[str], editor: Editor
) -> tuple[str, int] | None:
    """The new text of a cell and how many finds it had; None where there was none."""
    cell = sheet.cell(row, column)
    formula = formula_text(cell)
    if formula is not None and not body.get("includeFormulas"):
        return None
    effective = Evaluator(book, editor.now).effective(sheet, row, column)
    text = formula or shown_text(cell, effective, book.properties["locale"])
    replacement = body.get("replacement", "")
    if body.get("searchByRegex"):
        replacement = re.sub(r"\$(\d)", r"\\\1", replacement)
        new, count = pattern.subn(replacement, text)
    else:
        new, count = pattern.subn(lambda _: replacement, text)
    return (new, count) if count else None


def trim_whitespace(book: Book, body: Body, editor: Editor) -> Body:
    sheet, area = editable(book, body.get("range", {}), editor)
    changed = 0
    for row, column in _filled(sheet, area):
        text = sheet.cell(row, column).get("userEnteredValue", {}).get("stringValue")
        if text is None or (new := re.sub(r"\s+", " ", text).strip()) == text:
            continue
        changed += 1
        put_typed(sheet, row, column, {"userEnteredValue": {"stringValue": new}} if new else {})
        sheet.tidy(row)
    return {"cellsChangedCount": changed} if changed else {}


def text_to_columns(book: Book, body: Body, editor: Editor) -> None:
    sheet, area = editable(book, body.get("source", {}), editor)
    if len(columns_of(area)) != 1:
        raise invalid("The source of textToColumns must span exactly one column.")
    texts = {
        row: text
        for row in rows_of(area)
        if (text := sheet.cell(row, area.left).get("userEnteredValue", {}).get("stringValue"))
    }
    sign = _delimiter(body, list(texts.values()))
    for row, text in texts.items():
        parts = text.split(sign)
        there = Area(top=row, bottom=row + 1, left=area.left, right=area.left + len(parts))
        sheet.grid["columnCount"] = max(sheet.column_count, area.left + len(parts))
        book.check_size()
        book.check_editable(editor.email, sheet, there)
        for offset, part in enumerate(parts):
            type_into(book, sheet, row, area.left + offset, part.strip(), editor)
        sheet.tidy(row)


def _delimiter(body: Body, texts: list[str]) -> str:
    kind = body.get("delimiterType", "DELIMITER_TYPE_UNSPECIFIED")
    if kind == "CUSTOM":
        if not body.get("delimiter"):
            raise invalid("delimiter must be set when delimiterType is CUSTOM.")
        return str(body["delimiter"])
    if kind == "AUTODETECT":
        signs = [*_DELIMITERS.values()]
        return max(signs, key=lambda sign: sum(text.count(sign) for text in texts))
    if kind not in _DELIMITERS:
        raise invalid("delimiterType must be specified.")
    return _DELIMITERS[kind]


def delete_duplicates(book: Book, body: Body, editor: Editor) -> Body:
    """Takes away rows of the range that repeat an earlier one; rows below move up inside the range."""
    sheet, area = editable(book, body.get("range", {}), editor)
    columns = [c for span in body.get("comparisonColumns", []) for c in _columns(span)] or [*columns_of(area)]
    values, locale = Evaluator(book, editor.now), book.properties["locale"]
    seen: set[tuple[str, ...]] = set()
    kept: list[dict[int, Cell]] = []
    removed = 0
    last = max((r for r in sheet.rows if r in rows_of(area)), default=-1)
    for row in range(area.top, last + 1):
        shown = (shown_text(sheet.cell(row, c), values.effective(sheet, row, c), locale) for c in columns)
        key = tuple(text.casefold() for text in shown)
        if key in seen:
            removed += 1
            continue
        seen.add(key)
        kept.append({c: cell for c, cell in sheet.rows.get(row, {}).items() if c in columns_of(area)})
    for offset, row in enumerate(range(area.top, last + 1)):
        other = {c: cell for c, cell in sheet.rows.get(row, {}).items() if c not in columns_of(area)}
        sheet.rows[row] = other | (kept[offset] if offset < len(kept) else {})
        sheet.touch(row)
        sheet.tidy(row)
    return {"duplicatesRemovedCount": removed} if removed else {}


def _columns(span: Body) -> range:
    if span.get("dimension", "COLUMNS") != "COLUMNS" or "endIndex" not in span:
        raise invalid("comparisonColumns must be closed ranges of columns.")
    return range(span.get("startIndex", 0), span["endIndex"])


def randomize_range(book: Book, body: Body, editor: Editor) -> None:
    """Shuffles the rows of a range; the same spreadsheet state is shuffled the same way."""
    sheet, area = editable(book, body.get("range", {}), editor)
    rows = [*rows_of(area)]
    order = rows.copy()
    random.Random(book.next_id).shuffle(order)
    inside = {r: {c: v for c, v in sheet.rows.get(r, {}).items() if c in columns_of(area)} for r in rows}
    for target, source in zip(rows, order, strict=True):
        outside = {c: v for c, v in sheet.rows.get(target, {}).items() if c not in columns_of(area)}
        sheet.rows[target] = outside | inside[source]
        sheet.touch(target)
        sheet.tidy(target)


class _TableReader(HTMLParser):
    """Rows of the first table of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows = self.rows or [[]]
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def paste_data(book: Book, body: Body, editor: Editor) -> None:
    """Text with a delimiter, or a page with a table, as if pasted: the grid grows where it must."""
    spot = body.get("coordinate", {})
    sheet = book.sheet(spot.get("sheetId", 0))
    top, left = spot.get("rowIndex", 0), spot.get("columnIndex", 0)
    if body.get("html"):
        reader = _TableReader()
        reader.feed(body.get("data", ""))
        rows = reader.rows
    elif body.get("delimiter"):
        rows = [*csv.reader(io.StringIO(body.get("data", ""), newline=""), delimiter=body["delimiter"][0])]
    else:
        raise invalid("Either delimiter or html must be specified.")
    width = max((len(row) for row in rows), default=0)
    sheet.grid["rowCount"] = max(sheet.row_count, top + len(rows))
    sheet.grid["columnCount"] = max(sheet.column_count, left + width)
    book.check_size()
    area = Area(top=top, left=left, bottom=top + max(1, len(rows)), right=left + max(1, width))
    editable(book, grid_range(sheet, area), editor)
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            type_into(book, sheet, top + i, left + j, text, editor)
        sheet.tidy(top + i)


HANDLERS: dict[str, Handler] = {
    "findReplace": find_replace,
    "trimWhitespace": trim_whitespace,
    "textToColumns": text_to_columns,
    "deleteDuplicates": delete_duplicates,
    "randomizeRange": randomize_range,
    "pasteData": paste_data,
}
