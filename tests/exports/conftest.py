"""A simulated Google with a spreadsheet, our service account and a person who works in the sheet."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import gspread
import pytest
import requests
from google.oauth2.service_account import Credentials

from sandbox.sheets.server import SheetsServer
from widget_backend.exports.layouts import ExportMeta
from widget_backend.exports.sinks.sheets import SheetsSink
from widget_backend.exports.sinks.sheets_client import SheetsHTTP
from widget_backend.exports.tables import Cell, Column, Kind, Table

PERSON_SCOPES = ["https://www.googleapis.com/auth/spreadsheets", "https://www.googleapis.com/auth/drive"]


class Google:
    """The simulator with one spreadsheet, shared with ``robot`` (ours) and a person who has gspread."""

    def __init__(self, server: SheetsServer, locale: str = "ru_RU") -> None:
        self.url = server.url
        self.robot = self.door("POST", "service_accounts", {"name": "reports"})
        person = self.door("POST", "service_accounts", {"name": "person", "project": "somewhere"})
        share = [self.robot["client_email"], person["client_email"]]
        made = self.door("POST", "spreadsheets", {"title": "Отчёт", "share_with": share, "locale": locale})
        self.spreadsheet_id: str = made["spreadsheet_id"]
        self.http = type("PersonHTTP", (SheetsHTTP,), {"origin": self.url})
        credentials = Credentials.from_service_account_info(person, scopes=PERSON_SCOPES)
        self.client = gspread.authorize(credentials, http_client=self.http)
        self.client.set_timeout((5, 30))

    def door(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    @property
    def book(self) -> gspread.Spreadsheet:
        """The spreadsheet in the person's hands."""
        return self.client.open_by_key(self.spreadsheet_id)

    def sink(self, locale: str = "ru") -> SheetsSink:
        return SheetsSink(self.robot, self.spreadsheet_id, self.url, locale)

    def tab(self, title: str) -> dict[str, Any]:
        tabs = self.door("GET", f"spreadsheets/{self.spreadsheet_id}")["tabs"]
        return next(tab for tab in tabs if tab["title"] == title)

    def values(self, title: str) -> list[list[Any]]:
        return self.tab(title)["values"]

    def titles(self) -> list[str]:
        return [tab["title"] for tab in self.door("GET", f"spreadsheets/{self.spreadsheet_id}")["tabs"]]

    def calls(self) -> list[str]:
        return [entry["call"] for entry in self.door("GET", "requests")["requests"]]


@contextmanager
def _google_on(server: SheetsServer) -> Iterator[Google]:
    simulated = Google(server)
    try:
        yield simulated
    finally:
        simulated.client.http_client.session.close()


@pytest.fixture
def google() -> Iterator[Google]:
    with SheetsServer() as server, _google_on(server) as simulated:
        yield simulated


@pytest.fixture
def google_on() -> Any:
    """For tests that make many spreadsheets on one simulator."""
    return _google_on


META = ExportMeta(
    account_id=31000001,
    account="demo",
    start_on=dt.date(2026, 1, 1),
    end_on=dt.date(2026, 1, 31),
    as_of=dt.datetime(2026, 2, 1, 9, 30, tzinfo=dt.UTC),
    complete=True,
    generated_at=dt.datetime(2026, 2, 1, 9, 31, tzinfo=dt.UTC),
    timezone="Europe/Moscow",
)
COLUMNS = (
    Column(id="key", title="ID", kind=Kind.TEXT),
    Column(id="name", title="Менеджер", kind=Kind.TEXT),
    Column(id="revenue", title="Объём продаж", kind=Kind.MONEY, currency="RUB"),
    Column(id="win_rate", title="Процент побед", kind=Kind.PERCENT),
    Column(id="sales_cycle", title="Цикл сделки", kind=Kind.DURATION),
)


def a_table(*rows: tuple[Cell, ...], columns: tuple[Column, ...] = COLUMNS) -> Table:
    """The managers' table with the given rows."""
    return Table(
        key="managers",
        title="Менеджеры",
        columns=columns,
        rows=rows,
        key_column="key",
        key_pattern=r"total|user:(\d+|none)",
    )


ANNA: tuple[Cell, ...] = ("user:501", "Анна", Decimal("45000.50"), Decimal("25.5"), 3600)
BORIS: tuple[Cell, ...] = ("user:502", "Борис", Decimal("12000.00"), Decimal("33.3333"), 86400)
VERA: tuple[Cell, ...] = ("user:503", "Вера", Decimal("7.00"), None, None)


@pytest.fixture
def meta() -> ExportMeta:
    return META


@pytest.fixture
def columns() -> tuple[Column, ...]:
    return COLUMNS


@pytest.fixture
def table() -> Any:
    return a_table


@pytest.fixture
def anna() -> tuple[Cell, ...]:
    return ANNA


@pytest.fixture
def boris() -> tuple[Cell, ...]:
    return BORIS


@pytest.fixture
def vera() -> tuple[Cell, ...]:
    return VERA
