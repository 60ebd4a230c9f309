"""Tables as CSV files that a spreadsheet program opens by double click."""

import csv
import io
import os
import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path

from widget_backend.errors import SinkMisconfigured
from widget_backend.exports.layouts import ExportMeta, meta_table
from widget_backend.exports.sinks.base import SinkResult
from widget_backend.exports.tables import Cell, Table

# Texts that a spreadsheet program would run as a formula (OWASP, CSV injection); also after leading blanks.
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@\t\r|%]")


class CsvSink:
    """One ``{table}.csv`` per table and ``_meta.csv`` in a directory; files are replaced as a whole.

    UTF-8 with a byte order mark. Russian files use ``;`` and a decimal comma, as Excel expects there; others
    ``,`` and a point. Percents are 0–100, durations whole seconds, moments ISO 8601 with offset.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, tables: Sequence[Table], meta: ExportMeta) -> SinkResult:
        """Writes the files; SinkMisconfigured when the directory cannot be written."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for table in (*tables, meta_table(meta, tables)):
                self._replace(f"{table.key}.csv", csv_text(table, meta.locale, meta.zone))
        except OSError as err:
            raise SinkMisconfigured(
                f"cannot write to {self.directory}: {err.strerror}",
                remedy="Choose a directory that the service may write to.",
            ) from err
        rows = sum(len(table.rows) for table in tables)
        return SinkResult(spreadsheet_id=None, rows=rows, url=self.directory.absolute().as_uri())

    def _replace(self, name: str, text: str) -> None:
        # A half-written file must never be seen under the final name.
        partial = self.directory / f".{name}.part"
        partial.write_text(text, encoding="utf-8-sig", newline="")
        os.replace(partial, self.directory / name)


def csv_text(table: Table, locale: str, zone: tzinfo) -> str:
    """The table as CSV without the byte order mark; the first line holds the headings."""
    russian = locale.startswith("ru")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if russian else ",", lineterminator="\r\n")
    writer.writerow([safe_text(column.title) for column in table.columns])
    point = "," if russian else "."
    for row in table.rows:
        writer.writerow([_text(cell, zone, point) for cell in row])
    return out.getvalue()


def _text(cell: Cell, zone: tzinfo, point: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return safe_text(cell)
    if isinstance(cell, Decimal):
        return f"{cell:f}".replace(".", point)
    if isinstance(cell, datetime):
        return (cell.astimezone(zone) if cell.tzinfo else cell).isoformat(timespec="seconds")
    return str(cell) if isinstance(cell, int) else cell.isoformat()


def safe_text(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet program would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
