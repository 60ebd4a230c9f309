"""A running simulator, a service account and plain HTTP calls to it."""

from collections.abc import Iterator
from typing import Any

import google.auth.transport.requests
import pytest
import requests
from google.oauth2.service_account import Credentials

from sandbox.sheets.server import SheetsServer

SCOPES = ["https://www.googleapis.com/auth/spreadsheets", "https://www.googleapis.com/auth/drive"]


class Caller:
    """HTTP calls with the bearer token of one service account, on one spreadsheet shared with it."""

    def __init__(self, url: str, locale: str = "en_US", key: dict[str, Any] | None = None) -> None:
        self.url = url
        self.session = requests.Session()
        self.key = key or self.door("POST", "service_accounts")
        self.email = self.key["client_email"]
        self.session.headers["Authorization"] = f"Bearer {self.token()}"
        self.book_id = self.new_book(locale)

    def token(self, scopes: list[str] = SCOPES) -> str:
        """An access token by the genuine JWT grant of google-auth."""
        credentials = Credentials.from_service_account_info(self.key, scopes=scopes)
        transport = google.auth.transport.requests.Request(session=self.session)
        credentials.refresh(transport)
        return str(credentials.token)

    def door(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def new_book(self, locale: str = "en_US") -> str:
        made = self.door(
            "POST", "spreadsheets", {"title": "Book", "share_with": [self.email], "locale": locale}
        )
        return str(made["spreadsheet_id"])

    def send(self, method: str, path: str = "", body: Any = None, **params: Any) -> requests.Response:
        url = f"{self.url}/v4/spreadsheets/{self.book_id}{path}"
        return self.session.request(method, url, json=body, params=params, timeout=10)

    def get(self, path: str = "", **params: Any) -> Any:
        answer = self.send("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def batch(self, *changes: dict[str, Any]) -> list[Any]:
        answer = self.send("POST", ":batchUpdate", {"requests": list(changes)})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["replies"])

    def refused(self, *changes: dict[str, Any]) -> dict[str, Any]:
        answer = self.send("POST", ":batchUpdate", {"requests": list(changes)})
        assert answer.status_code == 400, answer.text
        return dict(answer.json()["error"])

    def put(self, cells: str, rows: list[list[Any]], option: str = "RAW") -> requests.Response:
        return self.send("PUT", f"/values/{cells}", {"values": rows}, valueInputOption=option)

    def values(self, cells: str, **params: Any) -> list[list[Any]]:
        return list(self.get(f"/values/{cells}", **params).get("values", []))

    def dump(self) -> Any:
        return self.door("GET", f"spreadsheets/{self.book_id}")


@pytest.fixture(scope="module")
def running_server() -> Iterator[SheetsServer]:
    with SheetsServer() as running:
        yield running


@pytest.fixture
def server(running_server: SheetsServer) -> SheetsServer:
    """The module's simulator, without the faults and limits of the test before."""
    with running_server.app.lock:
        running_server.app.faults.set([])
        running_server.store.set_setting("limits", {})
        running_server.app.quota.reset()
    return running_server


@pytest.fixture(scope="module")
def account(running_server: SheetsServer) -> dict[str, Any]:
    """The module's service account: a key takes longer to make than most tests run."""
    url = f"{running_server.url}/_sandbox/service_accounts"
    return dict(requests.post(url, json={"name": "main"}, timeout=10).json())


@pytest.fixture(scope="module")
def second_account(running_server: SheetsServer) -> dict[str, Any]:
    """Another person's."""
    url = f"{running_server.url}/_sandbox/service_accounts"
    return dict(requests.post(url, json={"name": "other"}, timeout=10).json())


@pytest.fixture
def caller(server: SheetsServer, account: dict[str, Any]) -> Iterator[Caller]:
    made = Caller(server.url, key=account)
    yield made
    made.session.close()


@pytest.fixture
def russian(server: SheetsServer, account: dict[str, Any]) -> Iterator[Caller]:
    made = Caller(server.url, "ru_RU", key=account)
    yield made
    made.session.close()


@pytest.fixture
def other(server: SheetsServer, caller: Caller, second_account: dict[str, Any]) -> Iterator[Caller]:
    """Another person at work in the caller's spreadsheet."""
    made = Caller(server.url, key=second_account)
    made.book_id = caller.book_id
    caller.door("POST", f"spreadsheets/{caller.book_id}/share", {"share_with": [made.email]})
    yield made
    made.session.close()


@pytest.fixture
def newcomer(server: SheetsServer) -> Iterator[Caller]:
    """A service account of its own with one spreadsheet, for tests that list what it has."""
    made = Caller(server.url)
    yield made
    made.session.close()
