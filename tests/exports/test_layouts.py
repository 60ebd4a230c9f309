"""Number formats, stored values and the checksum."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widget_backend.exports.layouts import checksum, meta_table, number_format, sheet_value
from widget_backend.exports.tables import Column, Kind, Table

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("kind", "currency", "locale", "pattern"),
    [
        (Kind.MONEY, "RUB", "ru", '#,##0.00 "₽"'),
        (Kind.MONEY, "USD", "en", '"$"#,##0.00'),
        (Kind.MONEY, "JPY", "en", '"¥"#,##0'),
        (Kind.MONEY, None, "ru", "#,##0.00"),
        (Kind.COUNT, None, "ru", "#,##0"),
        (Kind.PERCENT, None, "ru", "0.0%"),
        (Kind.RATIO, None, "ru", "#,##0.00"),
        (Kind.DURATION, None, "ru", "[h]:mm:ss"),
        (Kind.DATE, None, "ru", "dd.mm.yyyy"),
        (Kind.DATE, None, "en", "yyyy-mm-dd"),
        (Kind.DATETIME, None, "ru", "dd.mm.yyyy hh:mm"),
        (Kind.TEXT, None, "ru", "@"),
    ],
)
def test_formats(kind: Kind, currency: str | None, locale: str, pattern: str) -> None:
    column = Column(id="x", title="X", kind=kind, currency=currency)
    found = number_format(column, locale)
    assert found is not None
    assert found["pattern"] == pattern


@pytest.mark.parametrize(
    ("cell", "kind", "stored"),
    [
        (None, Kind.MONEY, None),
        ("", Kind.TEXT, None),
        ("+7 999", Kind.TEXT, "+7 999"),
        (Decimal("45000.00"), Kind.MONEY, 45000),
        (Decimal("-0.01"), Kind.MONEY, -0.01),
        (Decimal("25.5000"), Kind.PERCENT, 0.255),
        (0, Kind.COUNT, 0),
        (43200, Kind.DURATION, 0.5),
        (dt.date(1899, 12, 31), Kind.DATE, 1),
        (dt.date(2026, 2, 1), Kind.DATE, 46054),
        (dt.datetime(2026, 1, 31, 21, 0, tzinfo=dt.UTC), Kind.DATETIME, 46054.0),
        (dt.datetime(2026, 2, 1, 9, 0, tzinfo=dt.UTC), Kind.DATETIME, 46054.5),
        ("я" * 60_000, Kind.TEXT, "я" * 50_000),
    ],
)
def test_stored_values(cell: Any, kind: Kind, stored: Any) -> None:
    found = sheet_value(cell, kind, MOSCOW)
    assert found == stored
    assert type(found) is type(stored)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_money_keeps_its_kopecks(amount: Decimal) -> None:
    stored = sheet_value(amount, Kind.MONEY, MOSCOW)
    assert Decimal(repr(stored)) == amount


def test_the_checksum_follows_the_cells_and_nothing_else(
    table: Any, anna: Any, boris: Any, meta: Any
) -> None:
    first = table(anna, boris)
    same = replace(first, title="Other", rows=((*anna[:2], Decimal("45000.5"), *anna[3:]), boris))
    assert checksum(first) == checksum(same)
    assert checksum(first) != checksum(table(anna))
    assert checksum(first) != checksum(table((*anna[:2], Decimal("45000.51"), *anna[3:]), boris))


def test_meta_of_an_account_that_is_not_synced_yet(meta: Any) -> None:
    facts = dict(meta_table(replace(meta, as_of=None, complete=False), []).rows)
    assert (facts["as_of"], facts["complete"]) == ("", "false")


def test_text_and_moment_checksums_do_not_depend_on_the_zone() -> None:
    def made(at: dt.datetime) -> Table:
        columns = (Column(id="id", title="", kind=Kind.TEXT), Column(id="at", title="", kind=Kind.DATETIME))
        return Table(key="leads", title="", columns=columns, rows=(("1", at),), key_column="id")

    at = dt.datetime(2026, 2, 1, 12, 0, tzinfo=dt.UTC)
    assert checksum(made(at)) == checksum(made(at.astimezone(MOSCOW)))
