"""Requests about whole tabs and the spreadsheet itself."""

import copy
import re
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.sheets.a1 import Area
from sandbox.sheets.batch.common import Body, Editor, Handler, mask_of
from sandbox.sheets.batch.metadata import sheet_of
from sandbox.sheets.book import Book, Sheet, check_properties, new_sheet
from sandbox.sheets.entered import language
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def add_sheet(book: Book, body: Body, _editor: Editor) -> Body:
    sheet = new_sheet(book, body.get("properties", {}))
    return {"properties": copy.deepcopy(sheet.properties)}


def delete_sheet(book: Book, body: Body, editor: Editor) -> None:
    sheet = book.sheet(body.get("sheetId", 0))
    if len(book.sheets) == 1:
        raise invalid("You can't remove all the sheets in a document.")
    if not any(s is not sheet and not s.properties.get("hidden") for s in book.sheets):
        raise invalid("You can't remove all the visible sheets in a document.")
    book.check_editable(editor.email, sheet, Area())
    title = sheet.title.casefold()
    book.sheets.remove(sheet)
    book.rewrite_formulas(
        lambda _home, reference: None if (reference.title or "").casefold() == title else reference
    )
    book.named_ranges = [n for n in book.named_ranges if n["range"].get("sheetId", 0) != sheet.sheet_id]
    book.metadata = [m for m in book.metadata if sheet_of(m) != sheet.sheet_id]
    book.reindex()


def duplicate_sheet(book: Book, body: Body, _editor: Editor) -> Body:
    source = book.sheet(body.get("sourceSheetId", 0))
    properties = copy.deepcopy(source.properties)
    properties["title"] = body.get("newSheetName") or copy_title(book, source.title)
    properties["sheetId"] = body.get("newSheetId") or book.new_sheet_id()
    properties["index"] = body.get("insertSheetIndex", 0)
    sheet = copied_sheet(source, book, properties)
    # The copy carries the original's developer metadata: the harder case for a client that looks for its own.
    for metadata in [m for m in book.metadata if sheet_of(m) == source.sheet_id]:
        twin = copy.deepcopy(metadata) | {"metadataId": book.new_id()}
        for place in (twin["location"], twin["location"].get("dimensionRange", {})):
            if "sheetId" in place:
                place["sheetId"] = sheet.sheet_id
        book.metadata.append(twin)
    return {"properties": copy.deepcopy(sheet.properties)}


def copy_title(book: Book, title: str) -> str:
    """``Copy of …``, with a number when that is taken."""
    base = f"{title} (копия)" if language(book.properties["locale"]) == "ru" else f"Copy of {title}"
    number = 1
    while book.by_title(shown := base if number == 1 else f"{base} {number}") is not None:
        number += 1
    return shown


def copied_sheet(source: Sheet, book: Book, properties: Body) -> Sheet:
    """A tab of ``book`` with everything that stands in ``source``, under new ids."""
    sheet = new_sheet(book, properties)
    for name in ("rows", "columns", "row_properties", "extras"):
        setattr(sheet, name, copy.deepcopy(getattr(source, name)))
    for kind, items in sheet.extras.items():
        for item in items if isinstance(items, list) else [items]:
            spans = item.get("ranges", []) or [item.get("range", item if kind == "merges" else {})]
            for span in spans:
                span["sheetId"] = sheet.sheet_id
            for id_name in ("protectedRangeId", "filterViewId", "bandedRangeId", "chartId", "slicerId"):
                if id_name in item:
                    item[id_name] = book.new_id()
            if "tableId" in item:
                item["tableId"] = str(book.new_id())
    return sheet


def update_sheet_properties(book: Book, body: Body, editor: Editor) -> None:
    given = body.get("properties", {})
    sheet, mask = book.sheet(given.get("sheetId", 0)), mask_of(body, "SheetProperties")
    old = (sheet.title, sheet.row_count, sheet.column_count)
    wanted = copy.deepcopy(sheet.properties)
    overlay(wanted, given | {"sheetId": sheet.sheet_id}, mask)
    wanted["sheetId"] = sheet.sheet_id
    for name, kept in (("title", old[0]), ("sheetType", sheet.properties["sheetType"])):
        wanted.setdefault(name, kept)
    grid = wanted.setdefault("gridProperties", {})
    grid.setdefault("rowCount", old[1])
    grid.setdefault("columnCount", old[2])
    check_properties(wanted)
    _check_shrunk(book, sheet, grid, editor)
    taken = book.by_title(wanted["title"])
    if taken is not None and taken is not sheet:
        raise invalid(f'A sheet with the name "{wanted["title"]}" already exists. Please enter another name.')
    if wanted.get("hidden") and all(s is sheet or s.properties.get("hidden") for s in book.sheets):
        raise invalid("You can't hide all the sheets in a document.")
    sheet.properties.clear()
    sheet.properties.update(wanted)
    _cut(sheet)
    _renamed(book, old[0], sheet.title)
    if ("index" in mask or "*" in mask) and "index" in given:
        # The index counts the places before the move: behind its own place, a tab lands one further left.
        at = book.sheets.index(sheet)
        book.sheets.remove(sheet)
        book.sheets.insert(given["index"] - (given["index"] > at), sheet)
    book.reindex()
    book.check_size()


def _check_shrunk(book: Book, sheet: Sheet, grid: Body, editor: Editor) -> None:
    """Cutting rows or columns off is an edit of what lies there."""
    if grid["rowCount"] < sheet.row_count:
        book.check_editable(editor.email, sheet, Area(top=grid["rowCount"]))
    if grid["columnCount"] < sheet.column_count:
        book.check_editable(editor.email, sheet, Area(left=grid["columnCount"]))


def _renamed(book: Book, old: str, new: str) -> None:
    if old != new:
        book.rewrite_formulas(
            lambda _home, reference: (
                replace(reference, title=new)
                if (reference.title or "").casefold() == old.casefold()
                else reference
            )
        )


def _cut(sheet: Sheet) -> None:
    rows, columns = sheet.row_count, sheet.column_count
    if any(r >= rows or any(c >= columns for c in cells) for r, cells in sheet.rows.items()):
        sheet.rows = {
            r: {c: cell for c, cell in cells.items() if c < columns}
            for r, cells in sheet.rows.items()
            if r < rows
        }
        sheet.dirty = None


def update_spreadsheet_properties(book: Book, body: Body, _editor: Editor) -> None:
    given = body.get("properties", {})
    check_spreadsheet_properties(given)
    overlay(book.properties, given, mask_of(body, "SpreadsheetProperties"))
    for name in ("title", "locale", "timeZone"):
        book.properties.setdefault(name, DEFAULT_PROPERTIES[name])


_WHITE, _BLACK = {"red": 1, "green": 1, "blue": 1}, dict[str, float]()
DEFAULT_FORMAT: Body = {
    "backgroundColor": _WHITE,
    "backgroundColorStyle": {"rgbColor": _WHITE},
    "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
    "verticalAlignment": "BOTTOM",
    "wrapStrategy": "OVERFLOW_CELL",
    "textFormat": {
        "foregroundColor": _BLACK,
        "foregroundColorStyle": {"rgbColor": _BLACK},
        "fontFamily": "arial,sans,sans-serif",
        "fontSize": 10,
        "bold": False,
        "italic": False,
        "strikethrough": False,
        "underline": False,
    },
}
DEFAULT_PROPERTIES: Body = {
    "title": "Untitled spreadsheet",
    "locale": "en_US",
    "autoRecalc": "ON_CHANGE",
    "timeZone": "Etc/GMT",
    "defaultFormat": DEFAULT_FORMAT,
}


def check_spreadsheet_properties(properties: Body) -> None:
    """GoogleError 400 for a locale or a time zone that does not exist."""
    locale, zone = properties.get("locale"), properties.get("timeZone")
    if locale is not None and not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", locale):
        raise invalid(f"Unsupported locale: {locale}")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as err:
            raise invalid(f"Invalid time zone: {zone}") from err


HANDLERS: dict[str, Handler] = {
    "addSheet": add_sheet,
    "deleteSheet": delete_sheet,
    "duplicateSheet": duplicate_sheet,
    "updateSheetProperties": update_sheet_properties,
    "updateSpreadsheetProperties": update_spreadsheet_properties,
}
