"""The process: gspread unmodified, state over kill -9, ports, the page for people."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import gspread
import pytest
import requests
from google.oauth2.service_account import Credentials

from sandbox.sheets.main import main

ROOT = Path(__file__).parents[3]


def _client(url: str, key: dict[str, Any]) -> gspread.Client:
    class Here(gspread.http_client.HTTPClient):
        def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> requests.Response:
            for public in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
                endpoint = endpoint.replace(public, url, 1)
            return super().request(method, endpoint, *args, **kwargs)

    credentials = Credentials.from_service_account_info(key, scopes=gspread.auth.DEFAULT_SCOPES)
    return gspread.authorize(credentials, http_client=Here)


def test_gspread_opens_by_title_writes_formats_and_reads(newcomer: Any) -> None:
    client = _client(newcomer.url, newcomer.key)
    book = client.open("Book")
    sheet = book.add_worksheet("Новый", 10, 3)
    sheet.update([["a", "b"], [1, "=A2*2"]], "A1", value_input_option="USER_ENTERED")
    sheet.append_row(["x", "+7"], value_input_option="RAW")
    sheet.format("A1:B1", {"textFormat": {"bold": True}})
    sheet.freeze(rows=1)
    sheet.insert_note("A1", "hello")
    sheet.batch_update([{"range": "C1", "values": [["c"]]}])
    assert sheet.get_all_values() == [["a", "b", "c"], ["1", "2", ""], ["x", "+7", ""]]
    assert sheet.acell("B2", value_render_option="FORMULA").value == "=A2*2"
    assert sheet.find("x").address == "A3"
    assert sheet.get_note("A1") == "hello"
    book.del_worksheet(sheet)
    assert [s.title for s in book.worksheets()] == ["Sheet1"]
    assert [s["name"] for s in client.list_spreadsheet_files()] == ["Book"]
    with pytest.raises(gspread.SpreadsheetNotFound):
        client.open_by_key("nothing")
    client.http_client.session.close()


def _start(state: Path, port_file: Path) -> tuple[subprocess.Popen[str], str]:
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox", "sheets", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(
        [*command, "--port-file", str(port_file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.fullmatch(r"sandbox sheets on (http://127\.0\.0\.1:(\d+))\n", line)
    assert match is not None, line
    assert port_file.read_text(encoding="ascii") == f"http://127.0.0.1:{match[2]}\n"
    return process, match[1]


def _wait(process: subprocess.Popen[str]) -> int:
    code = process.wait(timeout=30)
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.mark.slow
def test_state_survives_kill_nine(tmp_path: Path) -> None:
    process, url = _start(tmp_path / "state", tmp_path / "port")
    try:
        key = requests.post(f"{url}/_sandbox/service_accounts", json={}, timeout=10).json()
        share = {"title": "Kept", "share_with": [key["client_email"]]}
        made = requests.post(f"{url}/_sandbox/spreadsheets", json=share, timeout=10).json()
        client = _client(url, key)
        sheet = client.open_by_key(made["spreadsheet_id"]).sheet1
        sheet.update([["a", 1], ["b", 2]], "A1")
        sheet.delete_rows(1)
        token = client.http_client.auth.token
        client.http_client.session.close()
        before = requests.get(f"{url}/_sandbox/spreadsheets/{made['spreadsheet_id']}", timeout=10).json()
    finally:
        process.send_signal(signal.SIGKILL)
        assert _wait(process) == -signal.SIGKILL
    process, url = _start(tmp_path / "state", tmp_path / "port")
    try:
        after = requests.get(f"{url}/_sandbox/spreadsheets/{made['spreadsheet_id']}", timeout=10).json()
        assert after == before
        path = f"{url}/v4/spreadsheets/{made['spreadsheet_id']}/values/A1:B2"
        answer = requests.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.json()["values"] == [["b", "2"]]
    finally:
        process.send_signal(signal.SIGTERM)
        assert _wait(process) == 0


def test_a_taken_port_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--state", str(tmp_path)]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"sandbox sheets: cannot start on port {port}: ")
    assert line.count("\n") == 1


def test_a_state_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["--port", "0", "--state", str(tmp_path / "file")]) == 1
    assert "Choose another" in capsys.readouterr().err


def test_people_see_the_tabs_as_tables(russian: Any) -> None:
    russian.put("A1", [["<b>Менеджер</b>", 1234.5, "=A1"]], "RAW")
    page = requests.get(f"{russian.url}/spreadsheets/d/{russian.book_id}/edit", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "&lt;b&gt;Менеджер&lt;/b&gt;" in page.text
    assert "1234,5" in page.text
    assert 'href="#gid=0">Лист1</a>' in page.text
    assert requests.get(f"{russian.url}/spreadsheets/d/none", timeout=10).status_code == 404


def test_the_doors_list_themselves_and_refuse_nonsense(caller: Any) -> None:
    home = caller.door("GET", "")
    assert home["revision"] == "20261019"
    assert caller.email in home["service_accounts"]
    for method, path in (
        ("GET", "nothing"),
        ("GET", "spreadsheets/none"),
        ("POST", "spreadsheets/none/share"),
    ):
        assert caller.session.request(method, f"{caller.url}/_sandbox/{path}", timeout=10).status_code == 404
    answer = caller.session.post(f"{caller.url}/_sandbox/limits", json={"speed": 1}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "unknown limits: speed")
    assert caller.session.post(f"{caller.url}/_sandbox/spreadsheets", data="{", timeout=10).status_code == 400
    assert caller.session.get(f"{caller.url}/_sandbox/requests?since=x", timeout=10).status_code == 400


NONSENSE = (
    ("service_accounts", {"name": 5}),
    ("spreadsheets", {"title": 5}),
    ("spreadsheets", {"title": "x", "share_with": 5}),
    ("spreadsheets", {"title": "x", "share_with": [5]}),
    ("spreadsheets", {"title": "x", "locale": 7}),
    ("spreadsheets", {"title": "x", "time_zone": "Mars"}),
    ("revoke", {"email": []}),
    ("limits", {"writes_per_user": "x"}),
    ("limits", {"writes_per_user": -1}),
    ("limits", {"quotas": 5}),
    ("faults", 5),
    ("faults", [5]),
    ("faults", {"add": 5}),
    ("faults", {"status": "503"}),
)


@pytest.mark.parametrize(("door", "body"), NONSENSE, ids=[f"{door} {body}" for door, body in NONSENSE])
def test_a_door_says_what_is_wrong_with_a_body(caller: Any, door: str, body: Any) -> None:
    answer = caller.session.post(f"{caller.url}/_sandbox/{door}", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_spreadsheet_is_shared_with_one_address_as_with_a_list(caller: Any) -> None:
    told = caller.door("POST", f"spreadsheets/{caller.book_id}/share", {"share_with": "boss@example.com"})
    assert told["shared_with"]["boss@example.com"] == "writer"
    told = caller.door("POST", f"spreadsheets/{caller.book_id}/unshare", {"emails": "boss@example.com"})
    assert "boss@example.com" not in told["shared_with"]


def test_a_deleted_spreadsheet_is_gone(caller: Any) -> None:
    caller.door("DELETE", f"spreadsheets/{caller.book_id}")
    assert caller.send("GET").status_code == 404


def test_gspread_goes_through_its_repertoire(newcomer: Any, second_account: dict[str, Any]) -> None:
    newcomer.door("POST", "limits", {"service_accounts_may_create": True, "quotas": False})
    client = _client(newcomer.url, newcomer.key)
    book = client.create("Отчёт")
    sheet = book.sheet1
    sheet.update([["имя", "сумма"], ["б", 2], ["а", 1]], "A1")
    sheet.sort((1, "asc"), range="A2:B3")
    sheet.append_rows([["в", "=SUM(B2:B3)"]], value_input_option="USER_ENTERED", table_range="A1")
    sheet.insert_row(["первая"], 1, inherit_from_before=False)
    sheet.merge_cells("A6:B7")
    sheet.unmerge_cells("A6:B7")
    sheet.add_protected_range("A1:B1", editor_users_emails=["boss@example.com"], description="шапка")
    sheet.set_basic_filter("A2:B5")
    sheet.columns_auto_resize(0, 2)
    sheet.add_dimension_group_rows(2, 4)
    sheet.hide_columns(3, 4)
    sheet.copy_range("A2:B2", "D2")
    sheet.cut_range("D2:E2", "F2")
    sheet.define_named_range("A2:B5", "данные")
    sheet.add_validation("C1", gspread.utils.ValidationConditionType.one_of_list, ["да", "нет"])
    sheet.update_tab_color("#ff8000")
    sheet.batch_clear(["F2:G2"])
    twin = sheet.duplicate(new_sheet_name="Копия")
    twin.resize(10, 5)
    assert sheet.get_all_records(head=2) == [
        {"имя": "а", "сумма": 1},
        {"имя": "б", "сумма": 2},
        {"имя": "в", "сумма": 3},
    ]
    assert book.list_named_ranges()[0]["name"] == "данные"
    (protected,) = book.list_protected_ranges(sheet.id)
    assert protected["editors"]["users"] == ["boss@example.com", newcomer.email]
    assert [cell.value for cell in sheet.findall("а", in_column=1)] == ["а"]
    assert (twin.row_count, twin.col_count, twin.acell("B5").value) == (10, 5, "3")
    book.share(second_account["client_email"], perm_type="user", role="reader", notify=False)
    roles = {one["emailAddress"]: one["role"] for one in book.list_permissions()}
    assert roles == {newcomer.email: "owner", second_account["client_email"]: "reader"}
    book.remove_permissions(second_account["client_email"])
    other = client.copy(book.id, title="Вторая")
    client.import_csv(other.id, "a,b\n1,2")
    assert client.open("Вторая").sheet1.get_all_values() == [["a", "b"], ["1", "2"]]
    assert other.export(gspread.utils.ExportFormat.CSV) == b"a,b\r\n1,2"
    book.update_title("Новое имя")
    assert {file["name"] for file in client.list_spreadsheet_files()} == {"Book", "Новое имя", "Вторая"}
    book.reorder_worksheets([twin, sheet])
    assert [one.title for one in book.worksheets()] == ["Копия", "Sheet1"]
    client.del_spreadsheet(other.id)
    client.http_client.session.close()
