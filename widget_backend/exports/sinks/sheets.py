"""Google Sheets as an export target: tabs of ours in a spreadsheet that belongs to the client.

Nobody's column is destroyed: see ``sheets_tab`` for what is ours, ``sheets_plan`` for what is sent. Import
this module only where it is used: gspread is slow to load.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from widget_backend.exports.layouts import ExportMeta, meta_table
from widget_backend.exports.sinks.base import SinkResult
from widget_backend.exports.sinks.sheets_client import SheetsClient
from widget_backend.exports.sinks.sheets_plan import Request, add_tab, new_tab, plan_tab, release_tab
from widget_backend.exports.sinks.sheets_tab import Tab, find_tab, tabs_of
from widget_backend.exports.tables import Table

CALL_CELLS = 20_000  # about 1 MB of JSON; Google advises bodies below 2 MB
_NOTICES = {
    "ru": {
        "foreign": "Вкладка «{wanted}» занята не нами, отчёт записан во вкладку «{title}».",
        "keyless": "Во вкладке «{old}» нет столбца ID, она оставлена вам; отчёт — во вкладке «{title}».",
    },
    "en": {
        "foreign": 'The tab "{wanted}" is not ours, the report is in the tab "{title}".',
        "keyless": 'The tab "{old}" has lost its ID column: it is yours now, the report is in "{title}".',
    },
}


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to send, what to tell, and the id of the tab to open first."""

    requests: list[Request]
    notices: tuple[str, ...]
    sheet_id: int


class SheetsSink:
    """Writes tables into one spreadsheet shared with the service account.

    ``credentials_info`` is a service account's JSON key; ``google_origin`` replaces Google's own origins (a
    simulator or proxy), None for Google itself; ``locale`` (``ru``, ``en``) is the language of notices.
    """

    def __init__(
        self, credentials_info: Mapping[str, Any], spreadsheet_id: str, google_origin: str | None, locale: str
    ) -> None:
        self._credentials_info = credentials_info
        self._spreadsheet_id = spreadsheet_id
        self._google_origin = google_origin
        self._words = _NOTICES["ru" if locale.startswith("ru") else "en"]

    def write(self, tables: Sequence[Table], meta: ExportMeta) -> SinkResult:
        """Brings the tables into their tabs, ``_meta`` last; two reads and, up to 20,000 cells, one write.

        SinkBusy: quota, outage or no answer; run again, it goes on from what stands there. SinkMisconfigured:
        not shared, deleted, protected or full; the remedy says what to do. ConfigError: unusable key.
        """
        with SheetsClient(self._credentials_info, self._spreadsheet_id, self._google_origin) as client:
            overview = client.overview()
            present = _with_values(client, tabs_of(overview), meta.account_id)
            changes = self._plan(present, tables, meta)
            for batch in batches(changes.requests, CALL_CELLS):
                client.apply(batch)
        rows = sum(len(table.rows) for table in tables)
        url = f"{overview['spreadsheetUrl']}#gid={changes.sheet_id}"
        return SinkResult(spreadsheet_id=self._spreadsheet_id, rows=rows, url=url, notices=changes.notices)

    def _plan(self, present: Sequence[Tab], tables: Sequence[Table], meta: ExportMeta) -> "Changes":
        tabs = list(present)
        titles: list[str] = []
        sheet_ids: list[int] = []
        structure: list[Request] = []
        writes: list[Request] = []
        notices: list[str] = []
        for table in (*tables, None):
            made = table or meta_table(meta, tables, titles)
            tab = self._own_tab(tabs, made, meta.account_id, structure, notices)
            plan = plan_tab(tab, made, meta)
            titles.append(plan.title)
            sheet_ids.append(tab.sheet_id)
            structure += plan.structure
            writes += plan.writes
        return Changes(requests=structure + writes, notices=tuple(notices), sheet_id=sheet_ids[0])

    def _own_tab(
        self, tabs: list[Tab], table: Table, account_id: int, structure: list[Request], notices: list[str]
    ) -> Tab:
        old = find_tab(tabs, account_id, table)
        if old is not None and table.key_column in old.columns:
            return old
        tab = new_tab(tabs, account_id, table)
        if old is not None:
            structure.append(release_tab(old))
            notices.append(self._words["keyless"].format(old=old.title, title=tab.title))
        elif tab.title != table.title:
            notices.append(self._words["foreign"].format(wanted=table.title, title=tab.title))
        structure += add_tab(tab, account_id, table)
        tabs.append(tab)
        return tab


def _with_values(client: SheetsClient, tabs: Sequence[Tab], account_id: int) -> list[Tab]:
    ours = [tab for tab in tabs if any(f'"account": {account_id},' in mark for mark in tab.marks)]
    values = client.read([tab.title for tab in ours])
    read = {tab.sheet_id: cells for tab, cells in zip(ours, values, strict=True)}
    return [replace(tab, values=read.get(tab.sheet_id, ())) for tab in tabs]


def batches(changes: Sequence[Request], limit: int) -> Iterator[list[Request]]:
    """The changes in order, cut into calls of about ``limit`` cells each; nothing for no changes."""
    batch: list[Request] = []
    size = 0
    for change in changes:
        for part in _split(change, limit):
            cells = _cells(part)
            if batch and size + cells > limit:
                yield batch
                batch, size = [], 0
            batch.append(part)
            size += cells
    if batch:
        yield batch


def _cells(change: Request) -> int:
    rows = change.get("updateCells", {}).get("rows", [])
    return sum(len(row["values"]) for row in rows)


def _split(change: Request, limit: int) -> Iterator[Request]:
    """A block of cells larger than a call, cut between rows."""
    body = change.get("updateCells")
    if body is None or _cells(change) <= limit:
        yield change
        return
    step = max(1, limit // max(1, len(body["rows"][0]["values"])))
    for offset in range(0, len(body["rows"]), step):
        start = body["start"] | {"rowIndex": body["start"]["rowIndex"] + offset}
        yield {"updateCells": body | {"start": start, "rows": body["rows"][offset : offset + step]}}
