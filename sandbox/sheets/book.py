"""A spreadsheet in memory: sheets, dimensions, cells (CellData of the API) and what hangs on ranges."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.sheets.a1 import MAX_COLUMNS, Area, area_of, parse_cells, split_title
from sandbox.sheets.entered import language
from sandbox.sheets.errors import GoogleError, invalid
from sandbox.sheets.references import Reference, rewritten

CELL_LIMIT = 10_000_000
Cell = dict[str, Any]
GridRange = dict[str, Any]
PROTECTED_TEXT = (
    "You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove "
    "protection if you need to edit."
)


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

    def line_count(self, dimension: str) -> int:
        """How many rows or columns the grid has."""
        return self.row_count if dimension == "ROWS" else self.column_count

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
    # The role of whoever has the link, None when nobody but those it is shared with may open it.
    anyone: str | None = None
    trashed: bool = False

    def role(self, email: str) -> str | None:
        """owner, writer, commenter or reader; None for a stranger."""
        return self.shared.get(email) or self.anyone

    def new_id(self) -> int:
        """A number not used in this spreadsheet yet."""
        self.next_id += 1
        return self.next_id

    def new_sheet_id(self) -> int:
        """An id for a tab, large as Google's are."""
        taken = {sheet.sheet_id for sheet in self.sheets}
        while (number := 1_000_000 + self.new_id()) in taken:
            pass
        return number

    def sheet(self, sheet_id: int, where: str = "") -> Sheet:
        """The tab with this id; GoogleError 400 as Google words it."""
        for sheet in self.sheets:
            if sheet.sheet_id == sheet_id:
                return sheet
        raise invalid(f"{where}No grid with id: {sheet_id}")

    def by_title(self, title: str) -> Sheet | None:
        """The tab with this title; Google compares titles without case."""
        return next((s for s in self.sheets if s.title.casefold() == title.casefold()), None)

    def named_area(self, name: str) -> tuple[Sheet, Area] | None:
        """The tab and the area of a named range, None when there is none; case does not count."""
        for named in self.named_ranges:
            if named["name"].casefold() == name.casefold():
                return self.sheet(named["range"].get("sheetId", 0)), area_of(named["range"])
        return None

    def check_size(self) -> None:
        """GoogleError 400 when a tab is too wide or the grids hold more than ten million cells together."""
        for sheet in self.sheets:
            if sheet.column_count > MAX_COLUMNS:
                raise invalid(
                    f"This action would increase the number of columns above the limit of "
                    f"{MAX_COLUMNS} columns."
                )
        if sum(s.row_count * s.column_count for s in self.sheets) > CELL_LIMIT:
            raise invalid(
                "This action would increase the number of cells in the workbook above the limit of "
                f"{CELL_LIMIT} cells."
            )

    def formulas(self) -> Iterator[tuple[Sheet, int, Cell]]:
        """Every cell with a formula, with its tab and row."""
        for sheet in self.sheets:
            for row, cells in sheet.rows.items():
                for cell in cells.values():
                    if "formulaValue" in cell.get("userEnteredValue", {}):
                        yield sheet, row, cell

    def rewrite_formulas(self, change: Callable[[Sheet, Reference], Reference | None]) -> None:
        """Puts each reference of each formula through ``change``, which is told the formula's own tab."""
        for sheet, row, cell in list(self.formulas()):
            old = cell["userEnteredValue"]["formulaValue"]
            new = rewritten(old, lambda reference, home=sheet: change(home, reference))  # type: ignore[misc]
            if new != old:
                cell["userEnteredValue"] = {"formulaValue": new}
                sheet.touch(row)

    def reindex(self) -> None:
        """Writes each tab's place into its properties."""
        for index, sheet in enumerate(self.sheets):
            sheet.properties["index"] = index

    def check_editable(self, email: str, sheet: Sheet, area: Area) -> None:
        """GoogleError 400 when a protected range that this person may not edit touches the area."""
        for protected in sheet.extras.get("protectedRanges", []):
            if not self.may_edit(email, protected) and self._guards(protected, sheet, area):
                raise invalid(PROTECTED_TEXT)

    def may_edit(self, email: str, protected: dict[str, Any]) -> bool:
        """Whether a protected range lets this person through: its editors, owners, or all who may write."""
        if protected.get("warningOnly") or self.shared.get(email) == "owner":
            return True
        editors = protected.get("editors", {})
        return email in editors.get("users", []) or bool(editors.get("domainUsersCanEdit"))

    def _guards(self, protected: dict[str, Any], sheet: Sheet, area: Area) -> bool:
        span = protected.get("range", {})
        for named in self.named_ranges:
            if named["namedRangeId"] == protected.get("namedRangeId"):
                span = named["range"]
        if not overlaps(span, sheet, area):
            return False
        closed = area.within(sheet.row_count, sheet.column_count)
        holes = [
            area_of(r).within(sheet.row_count, sheet.column_count)
            for r in protected.get("unprotectedRanges", [])
        ]
        return not any(hole.contains(closed) for hole in holes)


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
    properties.setdefault("sheetId", 0 if not book.sheets else book.new_sheet_id())
    base = "Лист" if language(book.properties.get("locale", "")) == "ru" else "Sheet"
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
    check_properties(properties)
    sheet = Sheet(properties=properties, dirty=None)
    index = properties.get("index", len(book.sheets))
    book.sheets.insert(min(index, len(book.sheets)), sheet)
    book.reindex()
    book.check_size()
    return sheet


def check_properties(properties: dict[str, Any]) -> None:
    """GoogleError 400 for a tab's title, grid or frozen lines that cannot be."""
    title, grid = properties["title"], properties.get("gridProperties", {})
    if not title.strip() or len(title) > 100:
        raise invalid("Sheet names must be between 1 and 100 characters.")
    rows, columns = grid.get("rowCount", 1), grid.get("columnCount", 1)
    if rows < 1 or columns < 1:
        raise invalid("gridProperties.rowCount and gridProperties.columnCount must be greater than zero.")
    if grid.get("frozenRowCount", 0) >= rows > 0 and grid.get("frozenRowCount", 0):
        raise invalid("You can't freeze all visible rows on the sheet.")
    if grid.get("frozenColumnCount", 0) >= columns > 0 and grid.get("frozenColumnCount", 0):
        raise invalid("You can't freeze all visible columns on the sheet.")


def free_title(book: Book, base: str) -> str:
    """``Sheet1``, ``Sheet2`` … whichever is free."""
    number = 1
    while book.by_title(f"{base}{number}") is not None:
        number += 1
    return f"{base}{number}"


def not_found() -> GoogleError:
    """Google's 404."""
    return GoogleError(404, "Requested entity was not found.")


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
    named = book.named_area(text)
    if named is not None:
        return named
    whole = book.by_title(text)
    if whole is not None:
        return whole, Area()
    area = parse_cells(text)
    return (book.sheets[0], area) if area is not None else None
