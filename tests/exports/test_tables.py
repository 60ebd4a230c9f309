"""KPI answers become tables."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from widget_backend.errors import InputError
from widget_backend.exports.tables import Column, Kind, Table, manager_table, pipeline_table

USERS = {501: "Борис", 502: "анна"}
TITLES = {"revenue": "Объём продаж", "win_rate": "Процент побед", "sales_cycle": "Цикл сделки"}


def a_row(value: Any, previous: Any = None, bucket: str | None = None, **key: Any) -> dict[str, Any]:
    return {
        "key": key,
        "bucket": bucket,
        "value": value,
        "previous": previous,
        "n": 1,
        "state": "live",
        "reason": None,
    }


def a_metric(metric_id: str, unit: str, *rows: dict[str, Any], currency: str | None = None) -> dict[str, Any]:
    return {"id": metric_id, "unit": unit, "currency": currency, "rows": list(rows)}


REPORT = {
    "metrics": [
        a_metric(
            "revenue",
            "money",
            a_row("45000.00", "41000.00", user_id=501),
            a_row("10.50", user_id=502),
            a_row("0.00", user_id=None),
            currency="RUB",
        ),
        a_metric("win_rate", "percent", a_row("33.3333", user_id=501), a_row(None, user_id=502)),
        a_metric("sales_cycle", "duration", a_row(86400, 3600, user_id=501)),
    ]
}


def test_managers_by_name_the_unassigned_last_with_exact_values() -> None:
    table = manager_table(REPORT, users=USERS, titles=TITLES)

    assert [(c.id, c.title, c.kind, c.currency) for c in table.columns] == [
        ("key", "ID", Kind.TEXT, None),
        ("user_id", "Менеджер", Kind.TEXT, None),
        ("revenue", "Объём продаж", Kind.MONEY, "RUB"),
        ("win_rate", "Процент побед", Kind.PERCENT, None),
        ("sales_cycle", "Цикл сделки", Kind.DURATION, None),
    ]
    assert table.rows == (
        ("user:502", "анна", Decimal("10.50"), None, None),
        ("user:501", "Борис", Decimal("45000.00"), Decimal("33.3333"), 86400),
        ("user:none", "Не назначен", Decimal("0.00"), None, None),
    )


def test_the_previous_period_stands_beside_each_metric_and_the_total_above_all() -> None:
    total = {"metrics": [a_metric("revenue", "money", a_row("45010.50", "41000.00"))]}
    table = manager_table(REPORT, users={}, titles={}, locale="en", previous=True, total=total)
    assert [column.title for column in table.columns][2:5] == ["revenue", "revenue, previous", "win_rate"]
    assert table.rows[0] == (
        "total",
        "Total",
        Decimal("45010.50"),
        Decimal("41000.00"),
        None,
        None,
        None,
        None,
    )
    assert table.rows[1][:4] == ("user:501", "#501", Decimal("45000.00"), Decimal("41000.00"))


def test_buckets_are_rows_of_their_own() -> None:
    rows = [a_row(n, bucket=day, pipeline_id=3100) for n, day in enumerate(("2026-02-01", "2026-01-01"))]
    table = pipeline_table(
        {"metrics": [a_metric("won_count", "count", *rows)]}, pipelines={3100: "Основная"}, titles={}
    )
    assert table.rows == (
        ("pipeline:3100/2026-01-01", "Основная", dt.date(2026, 1, 1), 1),
        ("pipeline:3100/2026-02-01", "Основная", dt.date(2026, 2, 1), 0),
    )


def test_an_empty_report_is_a_table_without_rows() -> None:
    table = pipeline_table({"metrics": [a_metric("revenue", "money")]}, pipelines={}, titles={})
    assert (table.key, table.title, table.rows, len(table.columns)) == ("pipelines", "Воронки", (), 3)


@pytest.mark.parametrize(
    "metric",
    [
        a_metric("funnel", "table", a_row({"stage": 1}, user_id=1)),
        a_metric("revenue", "money", a_row("много", user_id=1)),
        a_metric("revenue", "money", a_row({"a": 1}, user_id=1)),
        a_metric("revenue", "money", a_row("1.00", pipeline_id=1)),
    ],
    ids=["unit", "text", "object", "dimension"],
)
def test_what_cannot_be_a_column_is_refused_by_name(metric: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        manager_table({"metrics": [metric]}, users={}, titles={})
    assert caught.value.field == metric["id"]


@pytest.mark.parametrize(
    ("rows", "key_column"),
    [
        ((("1",), ("1",)), "id"),
        ((("1", "2"),), "id"),
        ((("x",),), "id"),
        (((None,),), "id"),
        ((("1",),), "key"),
    ],
    ids=["repeated key", "too wide", "odd key", "no key", "no key column"],
)
def test_a_table_that_is_none_fails_when_built(rows: Any, key_column: str) -> None:
    columns = (Column(id="id", title="ID", kind=Kind.TEXT),)
    with pytest.raises(ValueError, match="table leads"):
        Table(key="leads", title="Leads", columns=columns, rows=rows, key_column=key_column)


def test_a_manager_without_facts_has_zeros_in_sums_and_nothing_in_ratios() -> None:
    def row(user_id: int, value: Any, **more: Any) -> dict[str, Any]:
        return {"key": {"user_id": user_id}, "bucket": None, "value": value, "previous": None, **more}

    report = {
        "metrics": [
            {"id": "calls_total", "unit": "count", "currency": None, "rows": [row(501, 3), row(502, 4)]},
            {"id": "revenue", "unit": "money", "currency": "RUB", "rows": [row(501, "10.00")]},
            {
                "id": "win_rate",
                "unit": "percent",
                "currency": None,
                "rows": [row(501, "50.0000", numerator=1, denominator=2)],
            },
            {
                "id": "pipeline_value",
                "unit": "money",
                "currency": "RUB",
                "rows": [row(501, None, reason="no_history")],
            },
        ]
    }
    table = manager_table(report, users={501: "Анна", 502: "Борис"}, titles={})
    assert table.rows[1][2:] == (4, 0, None, None)
