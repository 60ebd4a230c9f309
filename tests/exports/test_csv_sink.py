"""The CSV sink: bytes on disk."""

import csv
import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from widget_backend.errors import SinkMisconfigured
from widget_backend.exports.sinks.csv import CsvSink, csv_text, safe_text
from widget_backend.exports.tables import Column, Kind, Table


def test_russian_files_open_in_excel(tmp_path: Path, meta: Any, table: Any, anna: Any, boris: Any) -> None:
    result = CsvSink(tmp_path / "выгрузка").write([table(anna, boris)], meta)
    raw = (tmp_path / "выгрузка" / "managers.csv").read_bytes()
    assert raw.decode("utf-8") == (
        "\ufeffID;Менеджер;Объём продаж;Процент побед;Цикл сделки\r\n"
        "user:501;Анна;45000,50;25,5;3600\r\n"
        "user:502;Борис;12000,00;33,3333;86400\r\n"
    )
    assert (result.rows, result.spreadsheet_id) == (2, None)
    assert result.url.startswith("file://")
    assert sorted(p.name for p in (tmp_path / "выгрузка").iterdir()) == ["_meta.csv", "managers.csv"]


def test_english_files_use_commas_and_moments_carry_an_offset(meta: Any) -> None:
    columns = (
        Column(id="id", title="ID", kind=Kind.TEXT),
        Column(id="text", title="Text", kind=Kind.TEXT),
        Column(id="at", title="At", kind=Kind.DATETIME),
        Column(id="on", title="On", kind=Kind.DATE),
        Column(id="sum", title="Sum", kind=Kind.MONEY),
    )
    at = dt.datetime(2026, 1, 31, 22, 30, tzinfo=dt.UTC)
    row = ("1", 'a "b", c\nd', at, dt.date(2026, 2, 1), Decimal("-1.50"))
    table = Table(
        key="leads",
        title="Leads",
        columns=columns,
        rows=(row, ("2", None, None, None, None)),
        key_column="id",
    )
    lines = list(csv.reader(csv_text(table, "en", meta.zone).splitlines(keepends=True)))
    assert lines[1] == ["1", 'a "b", c\nd', "2026-02-01T01:30:00+03:00", "2026-02-01", "-1.50"]
    assert lines[2] == ["2", "", "", "", ""]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+7 999 123-45-67", "'+7 999 123-45-67"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        (" =cmd|' /C calc'!A0", "' =cmd|' /C calc'!A0"),
        ("ООО «Ромашка»", "ООО «Ромашка»"),
        ("7 = 7", "7 = 7"),
        ("", ""),
    ],
)
def test_no_text_runs_as_a_formula(text: str, written: str) -> None:
    assert safe_text(text) == written


def test_writing_again_replaces_the_files(
    tmp_path: Path, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    CsvSink(tmp_path).write([table(anna, boris)], meta)
    CsvSink(tmp_path).write([table(boris)], replace(meta, locale="en"))
    lines = (tmp_path / "managers.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1:] == ["user:502,Борис,12000.00,33.3333,86400"]


def test_a_directory_that_cannot_be_written_names_the_remedy(tmp_path: Path, meta: Any, table: Any) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SinkMisconfigured) as caught:
        CsvSink(tmp_path / "file").write([table()], meta)
    assert "may write to" in (caught.value.remedy or "")
