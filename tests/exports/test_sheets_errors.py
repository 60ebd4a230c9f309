"""Google's refusals as the product's exceptions, each with the remedy a person needs."""

import pickle
from typing import Any

import pytest
import requests
from gspread.exceptions import APIError

from widget_backend.errors import ConfigError, Permanent, SinkBusy, SinkMisconfigured
from widget_backend.exports.sinks.sheets import SheetsSink
from widget_backend.exports.sinks.sheets_client import product_error


def test_a_spreadsheet_that_is_not_shared_names_the_address_to_share_it_with(
    google: Any, meta: Any, table: Any, anna: Any
) -> None:
    email = google.robot["client_email"]
    google.door("POST", f"spreadsheets/{google.spreadsheet_id}/unshare", {"emails": [email]})
    with pytest.raises(SinkMisconfigured) as caught:
        google.sink().write([table(anna)], meta)
    assert caught.value.remedy == f"Share the spreadsheet with {email} as an editor."
    assert pickle.loads(pickle.dumps(caught.value)).remedy == caught.value.remedy  # noqa: S301 - our own bytes


def test_a_reader_may_not_write(google: Any, meta: Any, table: Any, anna: Any) -> None:
    share = [{"email": google.robot["client_email"], "role": "reader"}]
    google.door("POST", f"spreadsheets/{google.spreadsheet_id}/share", {"share_with": share})
    with pytest.raises(SinkMisconfigured, match="not open to the service account"):
        google.sink().write([table(anna)], meta)
    assert google.titles() == ["Лист1"]


def test_an_unknown_spreadsheet_is_a_wrong_setting(google: Any, meta: Any, table: Any, anna: Any) -> None:
    sink = SheetsSink(google.robot, "no-such-id", google.url, "en")
    with pytest.raises(SinkMisconfigured, match="no such spreadsheet"):
        sink.write([table(anna)], meta)


def test_a_used_up_quota_says_when_to_come_back(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.door("POST", "limits", {"writes_per_user": 1})
    google.sink().write([table(anna)], meta)
    with pytest.raises(SinkBusy) as caught:
        google.sink().write([table((*anna[:2], None, None, None))], meta)
    assert caught.value.retry_after_s == 60


def test_retry_after_is_taken_from_the_answer(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.door("POST", "faults", [{"method": "spreadsheets.get", "status": 429, "retry_after": 17}])
    with pytest.raises(SinkBusy) as caught:
        google.sink().write([table(anna)], meta)
    assert caught.value.retry_after_s == 17


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 502, "kind": "html"},
        {"kind": "drop"},
        {"kind": "truncate"},
        {"kind": "truncate", "after": True},
    ],
    ids=lambda fault: "-".join(str(part) for part in fault.values()),
)
@pytest.mark.parametrize("method", ["spreadsheets.get", "spreadsheets.batchUpdate"])
def test_outages_are_retriable_and_the_next_run_succeeds(
    google: Any, meta: Any, table: Any, anna: Any, fault: dict[str, Any], method: str
) -> None:
    google.door("POST", "faults", [fault | {"method": method}])
    with pytest.raises(SinkBusy) as caught:
        google.sink().write([table(anna)], meta)
    assert "private" not in caught.value.one_line()
    google.sink().write([table(anna)], meta)
    assert google.values("Менеджеры")[1][0] == "user:501"
    assert google.titles() == ["Лист1", "Менеджеры", "_meta"]


def test_nobody_listening_is_retriable(google: Any, meta: Any, table: Any, anna: Any) -> None:
    sink = SheetsSink(google.robot, google.spreadsheet_id, "http://127.0.0.1:1", "en")
    with pytest.raises(SinkBusy, match="did not answer"):
        sink.write([table(anna)], meta)


def test_a_revoked_key_is_a_wrong_setting(google: Any, meta: Any, table: Any, anna: Any) -> None:
    stranger = google.robot | {"client_email": "gone@project.iam.gserviceaccount.com"}
    sink = SheetsSink(stranger, google.spreadsheet_id, google.url, "en")
    with pytest.raises(SinkMisconfigured, match="refused the service account's key") as caught:
        sink.write([table(anna)], meta)
    assert "gone@project" in (caught.value.remedy or "")


@pytest.mark.parametrize("info", [{}, {"type": "service_account", "private_key": "x", "client_email": "y"}])
def test_a_key_file_that_is_none_is_a_configuration_error(
    google: Any, meta: Any, table: Any, anna: Any, info: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match="key cannot be used"):
        SheetsSink(info, google.spreadsheet_id, google.url, "en").write([table(anna)], meta)


def test_a_range_protected_by_people_is_named(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.sink().write([table(anna)], meta)
    google.book.worksheet("Менеджеры").add_protected_range("A1:E5")
    with pytest.raises(SinkMisconfigured, match="protected range") as caught:
        google.sink().write([table((*anna[:2], None, None, None))], meta)
    assert google.robot["client_email"] in (caught.value.remedy or "")


def test_a_full_spreadsheet_is_named(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.book.add_worksheet("Архив", 9_970_000, 1)
    rows = [(f"user:{n}", "Имя", None, None, None) for n in range(200)]
    with pytest.raises(SinkMisconfigured, match="limit of cells"):
        google.sink().write([table(*rows)], meta)


def test_other_refusals_are_permanent(google: Any, meta: Any, table: Any, anna: Any) -> None:
    google.door("POST", "faults", [{"method": "spreadsheets.get", "status": 400, "message": "Odd."}])
    with pytest.raises(Permanent, match=r"refused the request: Odd\."):
        google.sink().write([table(anna)], meta)


def test_a_switched_off_api_is_told_apart_from_a_sheet_that_is_not_shared() -> None:
    response = requests.Response()
    response.status_code = 403
    response._content = b'{"error":{"code":403,"message":"off","details":[{"reason":"SERVICE_DISABLED"}]}}'
    error = product_error(APIError(response), "robot@x", "id")
    assert isinstance(error, SinkMisconfigured)
    assert "Enable the Google Sheets API" in (error.remedy or "")
