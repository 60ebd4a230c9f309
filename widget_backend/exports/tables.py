"""KPI answers → tables of columns and rows. Pure: no sheets, no files, no database."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from widget_backend.errors import InputError

Cell = Decimal | int | str | datetime | date | None
TOTAL_KEY = "total"


class Kind(StrEnum):
    """What a column holds, which decides its number format. Durations are seconds, percents 0–100."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    RATIO = "ratio"
    DURATION = "duration"
    DATETIME = "datetime"
    DATE = "date"


# Units of the KPI answer → kinds. Contract: counts and seconds are integers, the rest exact strings.
UNIT_KINDS = {
    "count": Kind.COUNT,
    "money": Kind.MONEY,
    "percent": Kind.PERCENT,
    "%": Kind.PERCENT,
    "ratio": Kind.RATIO,
    "number": Kind.RATIO,
    "minutes": Kind.RATIO,
    "duration": Kind.DURATION,
    "seconds": Kind.DURATION,
    "s": Kind.DURATION,
}
_WORDS = {
    "ru": {
        "user_id": "Менеджер",
        "pipeline_id": "Воронка",
        "bucket": "Период с",
        "key": "ID",
        "total": "Итого",
        "none": "Не назначен",
        "previous": "{title}, пред. период",
        "managers": "Менеджеры",
        "pipelines": "Воронки",
    },
    "en": {
        "user_id": "Manager",
        "pipeline_id": "Pipeline",
        "bucket": "Period from",
        "key": "ID",
        "total": "Total",
        "none": "Not assigned",
        "previous": "{title}, previous",
        "managers": "Managers",
        "pipelines": "Pipelines",
    },
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: ``id`` is stable and never shown, ``title`` is its heading, ``currency`` goes with money."""

    id: str
    title: str
    kind: Kind
    currency: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns. ``key_column`` holds a text that names the row for ever.

    ``key_pattern`` matches every key such a table may have: a sink takes sheet rows with other keys for
    somebody else's. ValueError names the table when keys repeat or do not match, or a row has another width.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    key_column: str
    key_pattern: str = r"\d+"

    def __post_init__(self) -> None:
        ids = [column.id for column in self.columns]
        if len(set(ids)) != len(ids) or self.key_column not in ids:
            raise ValueError(f"table {self.key}: column ids repeat, or {self.key_column} is not among them")
        if any(len(row) != len(ids) for row in self.rows):
            raise ValueError(f"table {self.key}: every row needs {len(ids)} cells")
        keys = self.row_keys()
        strange = [key for key in keys if not re.fullmatch(self.key_pattern, key)]
        if strange or len(set(keys)) != len(keys):
            raise ValueError(f"table {self.key}: keys repeat or do not match the pattern: {strange[:3]}")

    @property
    def key_index(self) -> int:
        """Where the key stands in a row."""
        return [column.id for column in self.columns].index(self.key_column)

    def row_keys(self) -> list[str]:
        """The key of each row, as text."""
        return [str(row[self.key_index]) for row in self.rows]


def manager_table(
    report: Mapping[str, Any],
    *,
    users: Mapping[int, str],
    titles: Mapping[str, str],
    locale: str = "ru",
    previous: bool = False,
    total: Mapping[str, Any] | None = None,
) -> Table:
    """A row per manager, a column per metric, from a KPI answer grouped by user.

    ``report`` is the answer of contract §3; ``users`` id → name; ``titles`` metric id → heading in the wanted
    language; ``previous`` adds a column with the comparison period beside each metric; ``total`` is the same
    answer without grouping and becomes the first row. Null values stay empty cells. InputError for a metric
    that cannot be a column (a table metric, an unknown unit).
    """
    return _report_table("managers", "user_id", report, users, titles, locale, previous, total)


def pipeline_table(
    report: Mapping[str, Any],
    *,
    pipelines: Mapping[int, str],
    titles: Mapping[str, str],
    locale: str = "ru",
    previous: bool = False,
    total: Mapping[str, Any] | None = None,
) -> Table:
    """A row per pipeline, a column per metric; parameters as in ``manager_table``."""
    return _report_table("pipelines", "pipeline_id", report, pipelines, titles, locale, previous, total)


def _report_table(
    table_key: str,
    dimension: str,
    report: Mapping[str, Any],
    names: Mapping[int, str],
    titles: Mapping[str, str],
    locale: str,
    previous: bool,
    total: Mapping[str, Any] | None,
) -> Table:
    words = _WORDS["ru" if locale.startswith("ru") else "en"]
    metrics: Sequence[Mapping[str, Any]] = report["metrics"]
    buckets = any(row.get("bucket") for metric in metrics for row in metric["rows"])
    fixed = [
        Column(id="key", title=words["key"], kind=Kind.TEXT),
        Column(id=dimension, title=words[dimension], kind=Kind.TEXT),
    ]
    if buckets:
        fixed.append(Column(id="bucket", title=words["bucket"], kind=Kind.DATE))
    fields = ("value", "previous") if previous else ("value",)
    places = _rows_by_place(metrics, dimension)
    order = sorted(
        places, key=lambda place: (place[0] is None, _name(place[0], names, words).casefold(), place)
    )
    prefix = dimension.removesuffix("_id")
    rows = [
        (
            _row_key(prefix, place),
            _name(place[0], names, words),
            *((date.fromisoformat(place[1]) if place[1] else None,) if buckets else ()),
            *_values(metrics, places[place], fields),
        )
        for place in order
    ]
    if total is not None:
        rows = [*_total_rows(total, metrics, fields, words["total"], len(fixed)), *rows]
    return Table(
        key=table_key,
        title=words[table_key],
        columns=(*fixed, *_metric_columns(metrics, titles, fields, words["previous"])),
        rows=tuple(rows),
        key_column="key",
        key_pattern=rf"{TOTAL_KEY}|{prefix}:(\d+|none)(/\d{{4}}-\d\d-\d\d)?",
    )


SUMMED_UNITS = frozenset({"count", "money", "minutes"})
_Place = tuple[int | None, str]
_MetricRows = dict[str, Mapping[str, Any]]


def _rows_by_place(metrics: Iterable[Mapping[str, Any]], dimension: str) -> dict[_Place, _MetricRows]:
    """Before: rows under each metric. After: metrics' rows under each (id, bucket)."""
    places: dict[_Place, _MetricRows] = {}
    for metric in metrics:
        for row in metric["rows"]:
            if dimension not in row["key"]:
                raise InputError(f"rows are not grouped by {dimension}", field=str(metric["id"]))
            place = (row["key"][dimension], row.get("bucket") or "")
            places.setdefault(place, {})[metric["id"]] = row
    return places


def _row_key(prefix: str, place: _Place) -> str:
    key = f"{prefix}:{'none' if place[0] is None else place[0]}"
    return f"{key}/{place[1]}" if place[1] else key


def _name(entity_id: int | None, names: Mapping[int, str], words: Mapping[str, str]) -> str:
    return words["none"] if entity_id is None else names.get(entity_id) or f"#{entity_id}"


def _metric_columns(
    metrics: Iterable[Mapping[str, Any]],
    titles: Mapping[str, str],
    fields: Sequence[str],
    previous_title: str,
) -> list[Column]:
    columns = []
    for metric in metrics:
        title, kind = titles.get(metric["id"], metric["id"]), _kind(metric)
        for field in fields:
            plain = field == "value"
            columns.append(
                Column(
                    id=metric["id"] if plain else f"{metric['id']}.{field}",
                    title=title if plain else previous_title.format(title=title),
                    kind=kind,
                    currency=metric.get("currency"),
                )
            )
    return columns


def _kind(metric: Mapping[str, Any]) -> Kind:
    kind = UNIT_KINDS.get(metric["unit"])
    if kind is None:
        raise InputError(f"unit {metric['unit']!r} cannot be a column of a table", field=str(metric["id"]))
    return kind


def _values(
    metrics: Iterable[Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]], fields: Sequence[str]
) -> list[Cell]:
    return [
        _value(metric, rows[metric["id"]].get(field)) if metric["id"] in rows else _absent(metric)
        for metric in metrics
        for field in fields
    ]


def _absent(metric: Mapping[str, Any]) -> Cell:
    """The cell of somebody who has no row of this metric: nothing happened, so sums and counts are 0.

    Ratios, durations and metrics that could not be computed for others either stay empty.
    """
    rows = metric["rows"]
    is_sum = metric["unit"] in SUMMED_UNITS and bool(rows) and not any("denominator" in row for row in rows)
    return 0 if is_sum and not any(row.get("reason") for row in rows) else None


def _value(metric: Mapping[str, Any], value: Any) -> Cell:
    if value is None:
        return None
    kind = _kind(metric)
    try:
        if kind in (Kind.COUNT, Kind.DURATION):
            return int(value)
        return Decimal(str(value))
    except (TypeError, ValueError, InvalidOperation) as err:
        raise InputError(
            f"{value!r} is not a value of unit {metric['unit']}", field=str(metric["id"])
        ) from err


def _total_rows(
    total: Mapping[str, Any],
    metrics: Sequence[Mapping[str, Any]],
    fields: Sequence[str],
    title: str,
    width: int,
) -> list[tuple[Cell, ...]]:
    found = {m["id"]: m["rows"][0] for m in total["metrics"] if m["rows"]}
    head: tuple[Cell, ...] = (TOTAL_KEY, title, *(None,) * (width - 2))
    return [(*head, *_values(metrics, found, fields))]
