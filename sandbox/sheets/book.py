"""A spreadsheet in memory: sheets, dimensions, cells (CellData of the API) and what hangs on ranges."""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.errors import GoogleError, invalid

CELL_LIMIT = 10_000_000
Cell = dict[str, Any]
GridRange = dict[str, Any]
RANGED = ("protectedRanges", "merges", "bandedRanges", "conditionalFormats")


@dataclass(kw_only=True)
class Sheet:
    """One tab. ``rows`` holds the cells that are not empty, by row and column index."""

    properties: dict[str, Any]
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    row_properties: dict[int, dict[str, Any]] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)
    # Row indexes to store; None means all of them.
    dirty: set[int] | None = field(default_factory=set)

    @property
    def sheet_id(self) -> int:
        return int(self.properties["sheetId"])

    @property
    def title(self) -> str:
        return str(self.properties["title"])

    @property
    def grid(self) -> dict[str, Any]:
        grid: dict[str, Any] = self.properties["gridProperties"]
        return grid

    @property
    def row_count(self) -> int:
        return int(self.grid["rowCount"])

    @property
    def column_count(self) -> int:
        return int(self.grid["columnCount"])

    def cell(self, row: int, column: int) -> Cell:
        """The cell, an empty dict when there is nothing in it; not for writing."""
        return self.rows.get(row, {}).get(column, {})

    def edit(self, row: int, column: int) -> Cell:
        """The cell for writing."""
        self.touch(row)
        return self.rows.setdefault(row, {}).setdefault(column, {})

    def touch(self, row: int) -> None:
        """Marks a row as one to store."""
        if self.dirty is not None:
            self.dirty.add(row)

    def tidy(self, row: int) -> None:
        """Forgets cells of the row that hold nothing."""
        cells = {c: cell for c, cell in self.rows.get(row, {}).items() if cell}
        if cells:
            self.rows[row] = cells
        else:
            self.rows.pop(row, None)

    def used(self) -> tuple[int, int]:
        """(rows, columns) up to the last cell with a value."""
        filled = [
            (r, c) for r, cells in self.rows.items() for c, v in cells.items() if "userEnteredValue" in v
        ]
        if not filled:
            return 0, 0
        return max(r for r, _ in filled) + 1, max(c for _, c in filled) + 1

    def dimension(self, name: str) -> tuple[dict[int, dict[str, Any]], str]:
        """Properties of rows or columns by index, and the name of their count in the grid."""
        return (self.row_properties, "rowCount") if name == "ROWS" else (self.columns, "columnCount")


@dataclass(kw_only=True)
class Book:
    """One spreadsheet with the people it is shared with (e-mail → owner, writer, reader)."""

    book_id: str
    properties: dict[str, Any]
    sheets: list[Sheet] = field(default_factory=list)
    named_ranges: list[dict[str, Any]] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    shared: dict[str, str] = field(default_factory=dict)
    next_id: int = 1
    created_at: str = ""
    modified_at: str = ""

    def new_id(self) -> int:
        """A number not used in this spreadsheet yet."""
        self.next_id += 1
        return self.next_id

    def sheet(self, sheet_id: int, where: str = "") -> Sheet:
        """The tab with this id; GoogleError 400 as Google words it."""
        for sheet in self.sheets:
            if sheet.sheet_id == sheet_id:
                return sheet
        raise invalid(f"{where}No grid with id: {sheet_id}")

    def by_title(self, title: str) -> Sheet | None:
        """The tab with this title; Google compares titles without case."""
        return next((s for s in self.sheets if s.title.casefold() == title.casefold()), None)

    def check_size(self) -> None:
        """GoogleError 400 when the grids of all tabs hold more than ten million cells."""
        if sum(s.row_count * s.column_count for s in self.sheets) > CELL_LIMIT:
            raise invalid(
                "This action would increase the number of cells in the workbook above the limit of "
                f"{CELL_LIMIT} cells."
            )

    def reindex(self) -> None:
        """Writes each tab's place into its properties."""
        for index, sheet in enumerate(self.sheets):
            sheet.properties["index"] = index

    def check_editable(self, email: str, sheet: Sheet, area: Area) -> None:
        """GoogleError 400 when a protected range that this person may not edit touches the area."""
        for protected in sheet.extras.get("protectedRanges", []):
            if protected.get("warningOnly") or not overlaps(protected.get("range", {}), sheet, area):
                continue
            if (
                email not in protected.get("editors", {}).get("users", [])
                and self.shared.get(email) != "owner"
            ):
                raise invalid(
                    "You are trying to edit a protected cell or object. Please contact the spreadsheet owner "
                    "to remove protection if you need to edit."
                )


def overlaps(grid_range: GridRange, sheet: Sheet, area: Area) -> bool:
    """Whether a range of the API meets an area of this tab."""
    if grid_range.get("sheetId", 0) != sheet.sheet_id:
        return False
    mine = area.within(sheet.row_count, sheet.column_count)
    rows = (grid_range.get("startRowIndex", 0), grid_range.get("endRowIndex", sheet.row_count))
    columns = (grid_range.get("startColumnIndex", 0), grid_range.get("endColumnIndex", sheet.column_count))
    return bool(
        rows[0] < (mine.bottom or 0)
        and mine.top < rows[1]
        and columns[0] < (mine.right or 0)
        and mine.left < columns[1]
    )


def new_sheet(book: Book, given: dict[str, Any]) -> Sheet:
    """A new tab, Google's defaults under the given properties; GoogleError 400 on a taken title or id."""
    properties = copy.deepcopy(given)
    properties.setdefault("sheetId", 0 if not book.sheets else 1_000_000 + book.new_id())
    base = "Лист" if book.properties.get("locale", "").startswith("ru") else "Sheet"
    properties.setdefault("title", free_title(book, base))
    if book.by_title(properties["title"]) is not None:
        raise invalid(
            f'A sheet with the name "{properties["title"]}" already exists. Please enter another name.'
        )
    if any(s.sheet_id == properties["sheetId"] for s in book.sheets):
        raise invalid(f"Sheet with id {properties['sheetId']} already exists.")
    properties.setdefault("sheetType", "GRID")
    grid = properties.setdefault("gridProperties", {})
    grid.setdefault("rowCount", 1000)
    grid.setdefault("columnCount", 26)
    if grid["rowCount"] < 1 or grid["columnCount"] < 1 or grid["columnCount"] > 18_278:
        raise invalid("Invalid grid size.")
    sheet = Sheet(properties=properties, dirty=None)
    index = properties.get("index", len(book.sheets))
    book.sheets.insert(min(index, len(book.sheets)), sheet)
    book.reindex()
    book.check_size()
    return sheet


def free_title(book: Book, base: str) -> str:
    """``Sheet1``, ``Sheet2`` … whichever is free."""
    number = 1
    while book.by_title(f"{base}{number}") is not None:
        number += 1
    return f"{base}{number}"


def insert_lines(book: Book, sheet: Sheet, dimension: str, start: int, count: int) -> None:
    """Makes room for ``count`` empty rows or columns before ``start``; references inside formulas stay."""
    _, count_name = sheet.dimension(dimension)
    sheet.grid[count_name] += count
    book.check_size()
    _renumber(book, sheet, dimension, lambda index: index if index < start else index + count)
    for span in _spans(book, sheet, dimension):
        for side, limit in ((0, start), (1, start + 1)):
            name = span[1][side]
            if span[0].get(name) is not None and span[0][name] >= limit:
                span[0][name] += count


def delete_lines(book: Book, sheet: Sheet, dimension: str, start: int, end: int) -> None:
    """Takes rows or columns away with everything in them; GoogleError 400 when none would be left."""
    _, count_name = sheet.dimension(dimension)
    if end - start >= sheet.grid[count_name]:
        raise invalid(f"You can't delete all the {dimension.lower()} on the sheet.")
    sheet.grid[count_name] -= end - start
    _renumber(book, sheet, dimension, lambda i: i if i < start else (None if i < end else i - (end - start)))
    for span in _spans(book, sheet, dimension):
        for name in span[1]:
            if span[0].get(name) is not None:
                span[0][name] = _pulled(span[0][name], start, end)


def move_lines(book: Book, sheet: Sheet, dimension: str, start: int, end: int, to: int) -> None:
    """Moves rows or columns before the line that is now ``to``."""
    _, count_name = sheet.dimension(dimension)
    order = list(range(sheet.grid[count_name]))
    moved, rest = order[start:end], order[:start] + order[end:]
    at = to if to <= start else to - (end - start)
    order = rest[:at] + moved + rest[at:]
    places = {old: new for new, old in enumerate(order)}
    _renumber(book, sheet, dimension, lambda index: places[index])


def _pulled(index: int, start: int, end: int) -> int:
    return index if index <= start else max(start, index - (end - start))


def _renumber(book: Book, sheet: Sheet, dimension: str, place: Any) -> None:
    properties, _ = sheet.dimension(dimension)
    _rekey(properties, place)
    if dimension == "ROWS":
        _rekey(sheet.rows, place)
    else:
        for cells in sheet.rows.values():
            _rekey(cells, place)
    sheet.dirty = None
    book.metadata = [m for m in book.metadata if _moved_metadata(m, sheet, dimension, place)]


def _rekey(lines: dict[int, Any], place: Any) -> None:
    moved = {place(index): value for index, value in lines.items()}
    lines.clear()
    lines.update({index: value for index, value in moved.items() if index is not None})


def _moved_metadata(metadata: dict[str, Any], sheet: Sheet, dimension: str, place: Any) -> bool:
    span = metadata["location"].get("dimensionRange")
    if not span or span["sheetId"] != sheet.sheet_id or span["dimension"] != dimension:
        return True
    new = place(span["startIndex"])
    if new is None:
        return False
    span["startIndex"], span["endIndex"] = new, new + 1
    return True


def _spans(book: Book, sheet: Sheet, dimension: str) -> list[tuple[dict[str, Any], tuple[str, str]]]:
    names = (
        ("startRowIndex", "endRowIndex") if dimension == "ROWS" else ("startColumnIndex", "endColumnIndex")
    )
    found = [n["range"] for n in book.named_ranges if n["range"].get("sheetId", 0) == sheet.sheet_id]
    for kind in RANGED:
        for item in sheet.extras.get(kind, []):
            found.extend(item["ranges"] if "ranges" in item else [item.get("range", item)])
    if "basicFilter" in sheet.extras:
        found.append(sheet.extras["basicFilter"].setdefault("range", {"sheetId": sheet.sheet_id}))
    return [(span, names) for span in found]


def not_found() -> GoogleError:
    """Google's 404."""
    return GoogleError(404, "Requested entity was not found.")
