"""The requests that bring one table into its tab: few, and none that touches foreign cells. Pure."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from widget_backend.exports.layouts import ExportMeta, column_width, number_format, sheet_value
from widget_backend.exports.sinks.sheets_tab import COLUMN_MARK, TAB_MARK, RowPlan, Tab, mark_of, plan_rows
from widget_backend.exports.tables import Column, Kind, Table

Request = dict[str, Any]
NEW_ROWS = 100
NEW_COLUMNS = 26
_HEADING = {
    "textFormat": {"bold": True},
    "backgroundColor": {"red": 0.93, "green": 0.95, "blue": 0.98},
    "wrapStrategy": "WRAP",
    "verticalAlignment": "MIDDLE",
}


@dataclass(frozen=True, kw_only=True)
class TabPlan:
    """``structure`` makes room (one call, all or nothing), ``writes`` fill cells (several calls)."""

    title: str
    structure: tuple[Request, ...]
    writes: tuple[Request, ...]


def new_tab(tabs: Sequence[Tab], account_id: int, table: Table) -> Tab:
    """A tab that does not exist yet: with a free id, and a free title near the table's own."""
    taken_ids = {tab.sheet_id for tab in tabs}
    # Derived, not random: a repeated first export after a lost answer asks for the same id.
    sheet_id = zlib.crc32(f"{account_id}/{table.key}".encode()) & 0x7FFFFFFF
    while sheet_id in taken_ids:
        sheet_id = (sheet_id + 1) & 0x7FFFFFFF
    taken = {tab.title.casefold() for tab in tabs}
    title, number = table.title, 2
    while title.casefold() in taken:
        title, number = f"{table.title} ({number})", number + 1
    rows = max(len(table.rows) + 1, NEW_ROWS)
    columns = max(len(table.columns), NEW_COLUMNS)
    return Tab(sheet_id=sheet_id, title=title, row_count=rows, column_count=columns)


def add_tab(tab: Tab, account_id: int, table: Table) -> list[Request]:
    """Requests that make the new tab and mark it as ours."""
    grid = {"rowCount": tab.row_count, "columnCount": tab.column_count, "frozenRowCount": 1}
    properties = {"sheetId": tab.sheet_id, "title": tab.title, "gridProperties": grid}
    return [
        {"addSheet": {"properties": properties}},
        _mark(TAB_MARK, mark_of(account_id, table.key, tab.sheet_id), {"sheetId": tab.sheet_id}),
    ]


def release_tab(tab: Tab) -> Request:
    """The request that gives a tab of ours up to the people: its marks go, everything else stays."""
    lookup = {"metadataLocation": {"sheetId": tab.sheet_id}, "metadataKey": TAB_MARK}
    return {"deleteDeveloperMetadata": {"dataFilter": {"developerMetadataLookup": lookup}}}


def plan_tab(tab: Tab, table: Table, meta: ExportMeta) -> TabPlan:
    """What to send so that the tab shows the table; nothing where it does already."""
    missing = [column for column in table.columns if column.id not in tab.columns]
    start = tab.used_columns
    places = dict(tab.columns) | {column.id: start + i for i, column in enumerate(missing)}
    rows = plan_rows(tab, table, tab.columns.get(table.key_column))
    grown = replace(tab, row_count=rows.row_count, column_count=max(tab.column_count, start + len(missing)))
    headings: _Grid = {rows.heading: {places[column.id]: column.title for column in missing}}
    structure = [
        *_growth(tab, grown),
        *(r for column in missing for r in _new_column(grown, column, places[column.id], rows.heading, meta)),
        *(r for column in table.columns for r in _new_rows(tab, grown, column, places, meta)),
        # In one call with the marks: a column of ours never stands without its heading.
        *_writes(tab, headings),
    ]
    writes = _writes(tab, _desired(tab, table, meta, rows, places))
    return TabPlan(title=tab.title, structure=tuple(structure), writes=tuple(writes))


def _mark(key: str, value: str, location: dict[str, Any]) -> Request:
    metadata = {"metadataKey": key, "metadataValue": value, "visibility": "DOCUMENT", "location": location}
    return {"createDeveloperMetadata": {"developerMetadata": metadata}}


def _growth(old: Tab, new: Tab) -> list[Request]:
    counts = (("COLUMNS", old.column_count, new.column_count), ("ROWS", old.row_count, new.row_count))
    return [
        {"appendDimension": {"sheetId": old.sheet_id, "dimension": name, "length": after - before}}
        for name, before, after in counts
        if after > before
    ]


def _new_column(tab: Tab, column: Column, at: int, heading_row: int, meta: ExportMeta) -> list[Request]:
    span = {"sheetId": tab.sheet_id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
    width = {"range": span, "properties": {"pixelSize": column_width(column)}, "fields": "pixelSize"}
    heading = {"range": _area(tab, heading_row, heading_row + 1, at), "cell": {"userEnteredFormat": _HEADING}}
    return [
        _mark(COLUMN_MARK, column.id, {"dimensionRange": span}),
        {"updateDimensionProperties": width},
        {"repeatCell": heading | {"fields": ",".join(f"userEnteredFormat.{name}" for name in _HEADING)}},
        _number_format(tab, column, at, heading_row + 1, tab.row_count, meta),
    ]


def _new_rows(
    old: Tab, new: Tab, column: Column, places: dict[str, int], meta: ExportMeta
) -> Iterator[Request]:
    # Rows at the end of the grid come without formats; columns made in this run are formatted as a whole.
    if new.row_count > old.row_count and column.id in old.columns:
        yield _number_format(new, column, places[column.id], old.row_count, new.row_count, meta)


def _number_format(tab: Tab, column: Column, at: int, top: int, bottom: int, meta: ExportMeta) -> Request:
    cell = {"userEnteredFormat": {"numberFormat": number_format(column, meta.locale)}}
    body = {"range": _area(tab, top, bottom, at), "cell": cell, "fields": "userEnteredFormat.numberFormat"}
    return {"repeatCell": body}


def _area(tab: Tab, top: int, bottom: int, column: int) -> dict[str, int]:
    rows = {"startRowIndex": top, "endRowIndex": bottom}
    return {"sheetId": tab.sheet_id, **rows, "startColumnIndex": column, "endColumnIndex": column + 1}


# Row index → column index → value; None clears the cell.
_Grid = dict[int, dict[int, float | int | str | None]]


def _desired(tab: Tab, table: Table, meta: ExportMeta, rows: RowPlan, places: dict[str, int]) -> _Grid:
    dead = [at for column_id, at in tab.columns.items() if column_id not in {c.id for c in table.columns}]
    grid: _Grid = {}
    for key, row in zip(table.row_keys(), table.rows, strict=True):
        cells = {
            places[column.id]: sheet_value(cell, column.kind, meta.zone)
            for column, cell in zip(table.columns, row, strict=True)
        }
        grid[rows.places[key]] = cells | dict.fromkeys(dead)
    numbers = [places[column.id] for column in table.columns if column.kind is not Kind.TEXT]
    for row_at in rows.gone:
        # The row keeps its key, its name and all that people added; only our numbers go. A formula is theirs.
        cleared = [at for at in (*numbers, *dead) if not str(tab.value(row_at, at)).startswith("=")]
        grid[row_at] = dict.fromkeys(cleared)
    return grid


def _writes(tab: Tab, grid: _Grid) -> Iterator[Request]:
    """Blocks of updateCells over changed cells.

    A run of our neighbouring columns is written whole where one of its cells differs; equal runs of
    consecutive rows make one block.
    """
    block: list[dict[int, float | int | str | None]] = []
    top, columns = 0, range(0)
    for row, run in sorted(_changed_runs(tab, grid), key=lambda item: (item[1].start, item[1].stop, item[0])):
        if block and (run != columns or row != top + len(block)):
            yield _block(tab, top, columns, block)
            block = []
        if not block:
            top, columns = row, run
        block.append(grid[row])
    if block:
        yield _block(tab, top, columns, block)


def _changed_runs(tab: Tab, grid: _Grid) -> Iterator[tuple[int, range]]:
    for row, cells in grid.items():
        for run in _runs(sorted(cells)):
            if any(not _same(tab.value(row, at), cells[at]) for at in run):
                yield row, run


def _runs(columns: Sequence[int]) -> Iterator[range]:
    start = 0
    for i in range(1, len(columns) + 1):
        if i == len(columns) or columns[i] != columns[i - 1] + 1:
            yield range(columns[start], columns[i - 1] + 1)
            start = i


def _same(present: Any, wanted: Any) -> bool:
    return present == wanted and not isinstance(present, bool)


def _block(
    tab: Tab, top: int, columns: range, rows: Sequence[dict[int, float | int | str | None]]
) -> Request:
    start = {"sheetId": tab.sheet_id, "rowIndex": top, "columnIndex": columns.start}
    data = [{"values": [_cell(row[at]) for at in columns]} for row in rows]
    return {"updateCells": {"start": start, "rows": data, "fields": "userEnteredValue"}}


def _cell(value: float | int | str | None) -> dict[str, Any]:
    if value is None:
        return {}
    # Never typed, always set: a text that looks like a formula or a number stays that text.
    kind = "stringValue" if isinstance(value, str) else "numberValue"
    return {"userEnteredValue": {kind: value}}
