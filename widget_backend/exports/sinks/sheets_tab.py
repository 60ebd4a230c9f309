"""What is ours in a spreadsheet: tabs and columns with our metadata, rows with our keys. Pure.

Metadata travel with a column when people move it, rename its heading or insert columns beside it; keys travel
with a row when people sort. Everything without them belongs to the people.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from widget_backend.exports.tables import Table

TAB_MARK = "amocrm_reporting.table"
COLUMN_MARK = "amocrm_reporting.column"


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A tab as it stands. ``marks`` are the values of our metadata; ``columns`` our column id → its place."""

    sheet_id: int
    title: str
    row_count: int
    column_count: int
    marks: tuple[str, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    values: Sequence[Sequence[Any]] = ()

    def value(self, row: int, column: int) -> Any:
        """The cell's value or formula, None when it is empty."""
        cells = self.values[row] if row < len(self.values) else ()
        found = cells[column] if column < len(cells) else None
        return None if found == "" else found

    @property
    def used_columns(self) -> int:
        """Columns up to the last one that holds something, ours included."""
        widths = (len(row) for row in self.values)
        return max(max(widths, default=0), max(self.columns.values(), default=-1) + 1)


def tabs_of(overview: Mapping[str, Any]) -> list[Tab]:
    """The tabs of a spreadsheets.get answer, without values. Tabs without a grid (charts) have no cells."""
    tabs = []
    for sheet in overview["sheets"]:
        properties = sheet["properties"]
        grid = properties.get("gridProperties", {})
        lines = sheet.get("data", [{}])[0].get("columnMetadata", [])
        columns: dict[str, int] = {}
        for index, line in enumerate(lines):
            for value in _marks(line, COLUMN_MARK):
                columns.setdefault(value, index)
        tabs.append(
            Tab(
                sheet_id=properties.get("sheetId", 0),
                title=properties["title"],
                row_count=grid.get("rowCount", 0),
                column_count=grid.get("columnCount", 0),
                marks=tuple(_marks(sheet, TAB_MARK)),
                columns=columns,
            )
        )
    return tabs


def _marks(holder: Mapping[str, Any], key: str) -> list[str]:
    metadata = holder.get("developerMetadata", [])
    return [str(m.get("metadataValue", "")) for m in metadata if m.get("metadataKey") == key]


def mark_of(account_id: int, table_key: str, sheet_id: int) -> str:
    """The value of a tab's mark. It names the tab's own id, so a duplicate of the tab is nobody's."""
    return json.dumps({"account": account_id, "table": table_key, "sheet": sheet_id}, sort_keys=True)


def find_tab(tabs: Sequence[Tab], account_id: int, table: Table) -> Tab | None:
    """The tab that this table of this account was written to before, whatever its title is now."""
    for tab in tabs:
        if mark_of(account_id, table.key, tab.sheet_id) in tab.marks:
            return tab
    return None


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """``places`` key → row index for all rows of the table; ``gone``: rows of ours that it has no longer."""

    heading: int

    places: Mapping[str, int]
    gone: tuple[int, ...]
    row_count: int


def plan_rows(tab: Tab, table: Table, key_at: int | None) -> RowPlan:
    """Where each row of the table belongs: known keys stay, new ones take the first free rows below them.

    A row is free when our columns are empty and the others hold formulas at most (people drag theirs down).
    """
    wanted = table.row_keys()
    known: dict[str, int] = {}
    gone: list[int] = []
    heading = _heading_row(tab, table, key_at)
    for row in range(heading + 1, len(tab.values)) if key_at is not None else ():
        key = row_key(tab.value(row, key_at or 0))
        if not key or not re.fullmatch(table.key_pattern, key):
            continue
        if key in known or key not in wanted:
            gone.append(row)
        else:
            known[key] = row
    row = max([*known.values(), *gone], default=heading) + 1
    for key in (key for key in wanted if key not in known):
        while not _is_free(tab, row):
            row += 1
        known[key] = row
        row += 1
    needed = max(known.values(), default=0) + 1
    return RowPlan(heading=heading, places=known, gone=tuple(gone), row_count=max(tab.row_count, needed))


def _heading_row(tab: Tab, table: Table, key_at: int | None) -> int:
    # People put titles above the table; its heading is then found by the text over the keys.
    title = table.columns[table.key_index].title
    rows = range(len(tab.values)) if key_at is not None else range(0)
    return next((row for row in rows if tab.value(row, key_at or 0) == title), 0)


def row_key(value: Any) -> str:
    """A key as read from the sheet: Sheets may have made a number of a typed one."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _is_free(tab: Tab, row: int) -> bool:
    ours = set(tab.columns.values())
    cells = tab.values[row] if row < len(tab.values) else ()
    return all(
        cell in ("", None) or (column not in ours and isinstance(cell, str) and cell.startswith("="))
        for column, cell in enumerate(cells)
    )
