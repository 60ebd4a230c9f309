"""The Sheets sink through the real gspread against the simulator: what is written, and what is left alone."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from widget_backend.errors import SinkBusy
from widget_backend.exports.tables import Column, Kind, Table

HEAD = ["ID", "Менеджер", "Объём продаж", "Процент побед", "Цикл сделки"]
ANNA_ROW = ["user:501", "Анна", 45000.5, 0.255, 3600 / 86400]
BORIS_ROW = ["user:502", "Борис", 12000, 0.333333, 1]
VERA_ROW = ["user:503", "Вера", 7, None, None]
TAB = "Менеджеры"


def test_first_export_makes_tabs_with_numbers_formats_and_a_frozen_heading(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    result = google.sink().write([table(anna, boris)], meta)

    assert google.values(TAB) == [HEAD, ANNA_ROW, BORIS_ROW]
    assert google.titles() == ["Лист1", TAB, "_meta"]
    assert (result.spreadsheet_id, result.rows, result.notices) == (google.spreadsheet_id, 2, ())
    tab = google.tab(TAB)
    assert result.url.endswith(f"{google.spreadsheet_id}/edit#gid={tab['properties']['sheetId']}")
    assert tab["properties"]["gridProperties"] == {"rowCount": 100, "columnCount": 26, "frozenRowCount": 1}
    formats = {c["column"]: c["userEnteredFormat"]["numberFormat"] for c in tab["cells"] if c["row"] == 1}
    assert formats[2] == {"type": "CURRENCY", "pattern": '#,##0.00 "₽"'}
    assert formats[3]["type"] == "PERCENT"
    assert formats[4] == {"type": "TIME", "pattern": "[h]:mm:ss"}
    shown = google.book.worksheet(TAB).get("A2:E3")
    assert shown == [
        ["user:501", "Анна", "45\u00a0000,50 ₽", "25,5%", "1:00:00"],
        ["user:502", "Борис", "12\u00a0000,00 ₽", "33,3%", "24:00:00"],
    ]


def test_meta_tab_tells_what_the_export_is_made_of(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.sink().write([table(anna)], meta)

    facts = dict(google.values("_meta")[1:])
    assert len(facts.pop("managers.checksum")) == 16
    assert facts == {
        "account": "demo",
        "account_id": "31000001",
        "start_on": "2026-01-01",
        "end_on": "2026-01-31",
        "as_of": "2026-02-01T12:30:00+03:00",
        "complete": "true",
        "generated_at": "2026-02-01T12:31:00+03:00",
        "timezone": "Europe/Moscow",
        "schema_version": "1",
        "formula_version": "1",
        "managers.tab": "Менеджеры",
        "managers.rows": "1",
    }


def test_an_export_costs_two_reads_and_one_write(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    assert google.calls() == ["token", "spreadsheets.get", "spreadsheets.batchUpdate"]
    google.sink().write([table(anna, boris)], meta)
    assert google.calls()[3:] == [
        "token",
        "spreadsheets.get",
        "spreadsheets.values.batchGet",
        "spreadsheets.batchUpdate",
    ]


def test_exporting_twice_gives_the_same_sheet_and_writes_nothing(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any, vera: Any
) -> None:
    google.sink().write([table(anna, boris, vera)], meta)
    before = google.door("GET", f"spreadsheets/{google.spreadsheet_id}")
    google.sink().write([table(anna, boris, vera)], meta)
    assert google.door("GET", f"spreadsheets/{google.spreadsheet_id}") == before
    assert google.calls().count("spreadsheets.batchUpdate") == 1


def test_texts_stay_texts_whatever_they_look_like(google: Any, meta: Any) -> None:
    columns = (
        Column(id="id", title="ID", kind=Kind.TEXT),
        Column(id="text", title="=SUM(1)", kind=Kind.TEXT),
        Column(id="at", title="Когда", kind=Kind.DATETIME),
        Column(id="on", title="День", kind=Kind.DATE),
    )
    at = dt.datetime(2026, 1, 31, 22, 30, tzinfo=dt.UTC)
    texts = ["=1+1", "+7 999 123-45-67", "007", "1.5", "01.02.2026", "'кавычка", "TRUE", "-"]
    rows = tuple((str(n), text, at, dt.date(2026, 2, 1)) for n, text in enumerate(texts))
    table = Table(key="leads", title="Сделки", columns=columns, rows=rows, key_column="id")

    for _ in range(2):
        google.sink().write([table], meta)
        values = google.values("Сделки")
        assert [row[1] for row in values] == ["=SUM(1)", *texts]
        cells = [c["userEnteredValue"] for c in google.tab("Сделки")["cells"] if "userEnteredValue" in c]
        assert not [value for value in cells if "formulaValue" in value]
    # 22:30 UTC is half past one on the first of February in Moscow: 46054 days after 1899-12-30.
    assert values[1][2:] == [pytest.approx(46054 + 1.5 / 24), 46054]
    assert google.book.worksheet("Сделки").get("C2:D2") == [["01.02.2026 01:30", "01.02.2026"]]


def test_rows_are_found_again_by_their_key_after_a_person_sorted_them(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any, vera: Any
) -> None:
    google.sink().write([table(anna, boris)], meta)
    sheet = google.book.worksheet(TAB)
    sheet.update([["Заметка"], ["про Анну"], ["про Бориса"]], "F1", raw=True)
    sheet.sort((3, "asc"), range="A2:F3")
    assert [row[0] for row in google.values(TAB)[1:]] == ["user:502", "user:501"]

    richer = (*anna[:2], Decimal(99), *anna[3:])
    google.sink().write([table(richer, boris, vera)], meta)

    assert google.values(TAB) == [
        [*HEAD, "Заметка"],
        [*BORIS_ROW, "про Бориса"],
        [*ANNA_ROW[:2], 99, *ANNA_ROW[3:], "про Анну"],
        [*VERA_ROW, None],
    ]


def test_columns_of_people_between_and_beside_ours_are_never_touched(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    sheet = google.book.worksheet(TAB)
    sheet.insert_cols([["План", 50000]], col=3)
    sheet.update([["Выполнение", "Коммент"], ["=D2/C2", "=текст"]], "G1", value_input_option="USER_ENTERED")
    sheet.update([["Наша выручка"]], "D1", raw=True)

    google.sink().write([table((*anna[:2], Decimal(60000), *anna[3:]), boris)], meta)

    head, first, second = google.values(TAB)
    assert head == ["ID", "Менеджер", "План", "Наша выручка", *HEAD[3:], "Выполнение", "Коммент"]
    assert first == ["user:501", "Анна", 50000, 60000, *ANNA_ROW[3:], "=D2/C2", "=текст"]
    assert second == ["user:502", "Борис", None, 12000, *BORIS_ROW[3:], None, None]


def test_a_new_metric_comes_at_the_right_end_behind_peoples_columns(
    google: Any, meta: Any, table: Any, columns: Any, anna: Any
) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet(TAB).update([["Заметка"], ["моя"]], "H1", raw=True)
    wider = (*columns, Column(id="won_count", title="Продажи", kind=Kind.COUNT))

    google.sink().write([table((*anna, 12), columns=wider)], meta)

    assert google.values(TAB) == [
        [*HEAD, None, None, "Заметка", "Продажи"],
        [*ANNA_ROW, None, None, "моя", 12],
    ]


def test_a_moved_column_of_ours_is_filled_where_it_is_now(
    google: Any, meta: Any, table: Any, anna: Any
) -> None:
    google.sink().write([table(anna)], meta)
    sheet = google.book.worksheet(TAB)
    source = {"sheetId": sheet.id, "dimension": "COLUMNS", "startIndex": 2, "endIndex": 3}
    google.book.batch_update({"requests": [{"moveDimension": {"source": source, "destinationIndex": 1}}]})

    google.sink().write([table((*anna[:2], Decimal(1), *anna[3:]))], meta)

    assert google.values(TAB) == [
        ["ID", HEAD[2], HEAD[1], *HEAD[3:]],
        ["user:501", 1, "Анна", *ANNA_ROW[3:]],
    ]


def test_a_vanished_row_keeps_its_place_and_the_notes_beside_it(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna, boris)], meta)
    google.book.worksheet(TAB).update([["уволена"]], "F2", raw=True)

    google.sink().write([table(boris)], meta)
    assert google.values(TAB)[1:] == [
        ["user:501", "Анна", None, None, None, "уволена"],
        [*BORIS_ROW, None],
    ]
    google.sink().write([table(boris, anna)], meta)
    assert google.values(TAB)[1:] == [[*ANNA_ROW, "уволена"], [*BORIS_ROW, None]]


def test_a_vanished_metric_leaves_no_stale_numbers(
    google: Any, meta: Any, table: Any, columns: Any, anna: Any
) -> None:
    google.sink().write([table(anna)], meta)
    google.sink().write([table(anna[:4], columns=columns[:4])], meta)
    assert google.values(TAB) == [HEAD, [*ANNA_ROW[:4], None]]


def test_rows_of_people_below_ours_stay_theirs(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any, vera: Any
) -> None:
    google.sink().write([table(anna)], meta)
    sheet = google.book.worksheet(TAB)
    sheet.update([["Сумма", "", "=SUM(C2:C2)", 5]], "A3", value_input_option="USER_ENTERED")
    mine = ["Сумма", None, "=SUM(C2:C2)", 5, None]

    google.sink().write([table(anna, boris)], meta)
    assert google.values(TAB) == [HEAD, ANNA_ROW, mine, BORIS_ROW]
    google.sink().write([table(vera)], meta)
    assert google.values(TAB)[2] == mine


def test_formulas_dragged_down_beside_our_columns_serve_new_rows(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    sheet = google.book.worksheet(TAB)
    formulas = [[f"=C{row}*2"] for row in range(2, 51)]
    sheet.update(formulas, "F2", value_input_option="USER_ENTERED")

    google.sink().write([table(anna, boris)], meta)
    assert google.values(TAB)[2] == [*BORIS_ROW, "=C3*2"]


def test_a_title_row_above_the_heading_is_respected(
    google: Any, meta: Any, table: Any, columns: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet(TAB).insert_row(["Отчёт за январь"], 1)
    wider = (*columns, Column(id="won_count", title="Продажи", kind=Kind.COUNT))

    google.sink().write([table((*anna, 1), (*boris, 2), columns=wider)], meta)

    assert google.values(TAB) == [
        ["Отчёт за январь", None, None, None, None, None],
        [*HEAD, "Продажи"],
        [*ANNA_ROW, 1],
        [*BORIS_ROW, 2],
    ]


def test_formats_set_by_people_survive(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet(TAB).format("C2", {"numberFormat": {"type": "NUMBER", "pattern": "0"}})
    google.sink().write([table((*anna[:2], Decimal(1), *anna[3:]))], meta)
    cell = next(c for c in google.tab(TAB)["cells"] if (c["row"], c["column"]) == (1, 2))
    assert cell["userEnteredFormat"]["numberFormat"] == {"type": "NUMBER", "pattern": "0"}
    assert cell["userEnteredValue"] == {"numberValue": 1}


def test_a_foreign_tab_of_the_same_name_is_left_alone(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.book.add_worksheet("менеджеры", 5, 3).update([["моё"]], "A1", raw=True)

    result = google.sink().write([table(anna)], meta)

    assert google.values("менеджеры") == [["моё"]]
    assert google.values("Менеджеры (2)") == [HEAD, ANNA_ROW]
    assert result.notices == (
        "Вкладка «Менеджеры» занята не нами, отчёт записан во вкладку «Менеджеры (2)».",
    )
    assert google.sink().write([table(anna)], meta).notices == ()
    assert dict(google.values("_meta")[1:])["managers.tab"] == "Менеджеры (2)"


def test_a_tab_renamed_by_people_stays_ours_and_its_duplicate_is_theirs(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    sheet = google.book.worksheet(TAB)
    google.book.duplicate_sheet(sheet.id, insert_sheet_index=0, new_sheet_name="Архив")
    sheet.update_title("Отдел '1'")

    google.sink().write([table(boris)], meta)

    assert google.values("Архив") == [HEAD, ANNA_ROW]
    assert google.values("Отдел '1'")[2] == BORIS_ROW
    assert TAB not in google.titles()


def test_without_its_id_column_a_tab_is_given_up_and_a_new_one_made(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet(TAB).delete_columns(1)

    result = google.sink().write([table(boris)], meta)

    assert google.values(TAB) == [HEAD[1:], ANNA_ROW[1:]]
    assert google.values("Менеджеры (2)") == [HEAD, BORIS_ROW]
    assert "нет столбца ID" in result.notices[0]
    assert google.sink().write([table(boris)], meta).notices == ()


def test_two_accounts_may_share_one_spreadsheet(
    google: Any, meta: Any, table: Any, anna: Any, boris: Any
) -> None:
    google.sink().write([table(anna)], meta)
    google.sink().write([table(boris)], replace(meta, account_id=31000002))
    google.sink().write([table(anna)], meta)
    assert google.values(TAB) == [HEAD, ANNA_ROW]
    assert google.values("Менеджеры (2)") == [HEAD, BORIS_ROW]


def test_the_grid_grows_only_by_what_is_needed(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet(TAB).resize(rows=3, cols=5)
    rows = [(f"user:{n}", f"Имя {n}", Decimal(n), None, 60) for n in range(501, 511)]

    google.sink().write([table(*rows)], meta)

    tab = google.tab(TAB)
    assert (tab["properties"]["gridProperties"]["rowCount"], len(tab["values"])) == (11, 11)
    last = {
        c["column"]: c["userEnteredFormat"]["numberFormat"]["type"] for c in tab["cells"] if c["row"] == 10
    }
    assert last == {0: "TEXT", 1: "TEXT", 2: "CURRENCY", 3: "PERCENT", 4: "TIME"}


@pytest.mark.parametrize("lost", range(4))
def test_a_crash_between_calls_leaves_a_sheet_that_the_next_run_completes(
    google: Any, meta: Any, table: Any, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("widget_backend.exports.sinks.sheets.CALL_CELLS", 20)
    rows = [(f"user:{n}", f"Имя {n}", Decimal(n), Decimal(1), 60) for n in range(500, 512)]
    fault = {"method": "spreadsheets.batchUpdate", "kind": "drop", "skip": lost, "after": lost % 2 == 0}
    google.door("POST", "faults", [fault])

    with pytest.raises(SinkBusy):
        google.sink().write([table(*rows)], meta)
    google.sink().write([table(*rows)], meta)

    values = google.values(TAB)
    assert [row[0] for row in values] == ["ID", *(f"user:{n}" for n in range(500, 512))]
    assert all(None not in row for row in values)
    assert google.titles() == ["Лист1", TAB, "_meta"]
    assert dict(google.values("_meta")[1:])["managers.rows"] == "12"
