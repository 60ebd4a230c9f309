"""How tables look in a sheet or a file: number formats, values by kind, the ``_meta`` tab. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision, get_currency_symbol

from widget_backend.exports.tables import Cell, Column, Kind, Table

SCHEMA_VERSION = 1
META_KEY = "_meta"
CELL_CHARACTERS = 50_000  # Sheets takes no longer text in one cell
_EPOCH = date(1899, 12, 30)
_DAY_S = 86_400
_WIDTHS = {Kind.TEXT: 180, Kind.DATETIME: 130, Kind.MONEY: 140}


@dataclass(frozen=True, kw_only=True)
class ExportMeta:
    """What an export is made of. ``as_of`` is None when nothing is synced yet; moments are aware.

    Dates and times in sheets are shown in ``timezone`` (the account's zone). ``formula_version`` names the
    declarations of the metrics, ``locale`` is ``ru`` or ``en``.
    """

    account_id: int
    account: str
    start_on: date
    end_on: date
    as_of: datetime | None
    complete: bool
    generated_at: datetime
    timezone: str = "UTC"
    formula_version: str = "1"
    locale: str = "ru"

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.timezone)


def number_format(column: Column, locale: str) -> dict[str, str] | None:
    """The column's NumberFormat of the Sheets API, None for plain cells.

    Patterns are written the same way for every spreadsheet locale; Sheets shows its own separators.
    """
    match column.kind:
        case Kind.COUNT:
            return {"type": "NUMBER", "pattern": "#,##0"}
        case Kind.MONEY:
            return {"type": "CURRENCY", "pattern": _money_pattern(column.currency, locale)}
        case Kind.PERCENT:
            return {"type": "PERCENT", "pattern": "0.0%"}
        case Kind.RATIO:
            return {"type": "NUMBER", "pattern": "#,##0.00"}
        case Kind.DURATION:
            return {"type": "TIME", "pattern": "[h]:mm:ss"}
        case Kind.DATE:
            return {"type": "DATE", "pattern": "dd.mm.yyyy" if locale.startswith("ru") else "yyyy-mm-dd"}
        case Kind.DATETIME:
            day = "dd.mm.yyyy" if locale.startswith("ru") else "yyyy-mm-dd"
            return {"type": "DATE_TIME", "pattern": f"{day} hh:mm"}
    # Plain text format keeps keys and phones as typed when a person edits the cell later.
    return {"type": "TEXT", "pattern": "@"}


def _money_pattern(currency: str | None, locale: str) -> str:
    if not currency:
        return "#,##0.00"
    places = get_currency_precision(currency)
    digits = "#,##0" + ("." + "0" * places if places else "")
    symbol = get_currency_symbol(currency, "ru" if locale.startswith("ru") else "en").replace('"', "")
    return f'{digits} "{symbol}"' if locale.startswith("ru") else f'"{symbol}"{digits}'


def column_width(column: Column) -> int:
    """Width in pixels."""
    return 110 if column.id == "key" else _WIDTHS.get(column.kind, 110)


def sheet_value(cell: Cell, kind: Kind, zone: tzinfo) -> float | int | str | None:
    """The cell as Sheets stores it: numbers, texts, days since 1899-12-30; an empty text is an empty cell.

    | kind | cell | stored |
    | percent | Decimal("25.5") | 0.255 |
    | duration | 3600 s | 1/24 (a part of a day) |
    | datetime | aware moment | local days in ``zone`` |
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        return cell[:CELL_CHARACTERS]
    if isinstance(cell, datetime):
        local = cell.astimezone(zone).replace(tzinfo=None) if cell.tzinfo else cell
        midnight = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - sheets know local time only
        return (local.date() - _EPOCH).days + (local - midnight) / timedelta(days=1)
    if isinstance(cell, date):
        return (cell - _EPOCH).days
    return _number(cell, kind)


def _number(cell: Decimal | int, kind: Kind) -> float | int:
    if kind is Kind.PERCENT:
        return float(Decimal(cell) / 100)
    if kind is Kind.DURATION:
        return float(Decimal(cell) / _DAY_S)
    if isinstance(cell, int) or cell == cell.to_integral_value():
        return int(cell)
    return float(cell)


def checksum(table: Table) -> str:
    """Sixteen hex digits of the table's columns and cells; equal tables give equal ones on every machine."""
    digest = hashlib.sha256()
    for line in ([column.id for column in table.columns], *table.rows):
        digest.update(repr([_plain(cell) for cell in line]).encode())
    return digest.hexdigest()[:16]


def _plain(cell: Any) -> str | None:
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    return None if cell is None else str(cell)


def meta_table(meta: ExportMeta, tables: Sequence[Table], titles: Sequence[str] = ()) -> Table:
    """The ``_meta`` tab: what the export is made of, row count and checksum of each table.

    ``titles`` are the tabs the tables were written to, where they differ from the tables' own.
    """
    facts: list[tuple[str, str]] = [
        ("account", meta.account),
        ("account_id", str(meta.account_id)),
        ("start_on", meta.start_on.isoformat()),
        ("end_on", meta.end_on.isoformat()),
        ("as_of", _moment(meta.as_of, meta.zone)),
        ("complete", "true" if meta.complete else "false"),
        ("generated_at", _moment(meta.generated_at, meta.zone)),
        ("timezone", meta.timezone),
        ("schema_version", str(SCHEMA_VERSION)),
        ("formula_version", meta.formula_version),
    ]
    for table, title in zip(tables, titles or [t.title for t in tables], strict=True):
        facts.append((f"{table.key}.tab", title))
        facts.append((f"{table.key}.rows", str(len(table.rows))))
        facts.append((f"{table.key}.checksum", checksum(table)))
    return Table(
        key=META_KEY,
        title=META_KEY,
        columns=(
            Column(id="key", title="key", kind=Kind.TEXT),
            Column(id="value", title="value", kind=Kind.TEXT),
        ),
        rows=tuple(facts),
        key_column="key",
        key_pattern=r"[a-z_]+(\.[a-z]+)?",
    )


def _moment(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")
