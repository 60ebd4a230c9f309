"""A snapshot directory: its account.json, what a row of its JSON Lines becomes in the store, its digest."""

import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.amocrm.storage import tables, texts, views
from sandbox.amocrm.vocabulary import Row

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*")
ACCOUNT_DEFAULTS: dict[str, Any] = {
    "name": "Sandbox",
    "subdomain": "demo",
    "country": "RU",
    "currency": "RUB",
    "customers_mode": "disabled",
    "is_unsorted_on": True,
    "is_loss_reason_enabled": True,
}
DATETIME_DEFAULTS = {
    "date_pattern": "d.m.Y H:i",
    "short_date_pattern": "d.m.Y",
    "short_time_pattern": "H:i",
    "date_format": "d.m.Y",
    "time_format": "H:i:s",
    "timezone": "Europe/Moscow",
    "timezone_offset": "+03:00",
}


class SnapshotError(Exception):
    """The snapshot cannot be used; the message names the file, the line and the remedy."""


def notice(text: str) -> None:
    """One line on standard error."""
    print(f"sandbox: {text}", file=sys.stderr, flush=True)


def fingerprint(directory: Path) -> str:
    """A digest of the snapshot's contents: names and bytes of its files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(directory.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def no_number(name: str) -> Any:
    """Refuse (ValueError) NaN and Infinity, which Python reads and no answer may hold."""
    raise ValueError(f"{name} is no JSON")


def read_account(directory: Path) -> Row:
    """account.json with the gaps filled; SnapshotError when it is missing or no object."""
    path = directory / "account.json"
    try:
        account = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=no_number)
    except FileNotFoundError:
        raise SnapshotError(f"{directory} has no account.json; is it a snapshot directory?") from None
    except (OSError, ValueError, RecursionError) as err:
        raise SnapshotError(f"{path}: {err}") from None
    if not isinstance(account, dict):
        raise SnapshotError(f"{path} must hold one JSON object")
    account = texts.without_links(account)
    if str(account.get("id")).isdecimal() and int(account["id"]) <= tables.LARGEST:
        account["id"] = int(account["id"])
    else:
        notice(f"{path} has no id; 31000001 is used")
        account["id"] = 31000001
    for name, value in ACCOUNT_DEFAULTS.items():
        if account.get(name) is None:
            notice(f"{path} has no {name}; {value} is used")
            account[name] = value
    account["subdomain"] = str(account["subdomain"]).lower()
    if not SUBDOMAIN.fullmatch(account["subdomain"]):
        raise SnapshotError(f"{path}: subdomain {account['subdomain']!r} is no host name; mend it")
    account.setdefault("currency_symbol", "₽" if account["currency"] == "RUB" else account["currency"])
    _fill_embedded(account, path)
    return dict(account)


def _fill_embedded(account: Row, path: Path) -> None:
    embedded = account.get("_embedded")
    if not isinstance(embedded, dict):
        embedded = account["_embedded"] = {}
    settings = embedded.get("datetime_settings")
    if not isinstance(settings, dict) or not settings.get("timezone"):
        notice(f"{path} has no time zone; {DATETIME_DEFAULTS['timezone']} is used")
        embedded["datetime_settings"] = {**DATETIME_DEFAULTS, **_said(settings)}
    else:
        _check_zone(str(settings["timezone"]), path)
    if not isinstance(embedded.get("users_groups"), list):
        embedded["users_groups"] = [{"id": 0, "name": "Отдел продаж", "uuid": None}]
    if not isinstance(embedded.get("task_types"), list):
        embedded["task_types"] = [
            {"id": 1, "name": "Связаться", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
            {"id": 2, "name": "Встреча", "color": None, "icon_id": None, "code": "MEETING"},
        ]


def _said(settings: Any) -> Row:
    """What an object says; empty values and what is no object say nothing."""
    said = settings.items() if isinstance(settings, dict) else ()
    return {name: value for name, value in said if value not in (None, "")}


def _check_zone(name: str, path: Path) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SnapshotError(f"{path}: {name!r} is no time zone; write one such as Europe/Moscow") from None


def row_values(
    table: tables.Table, account_id: int, row: Row, text: str | None = None, number: int = 0
) -> tuple[Any, ...]:
    """The values of `tables.insert_statement` for one row.

    `text` is the row as it was read, kept to the letter; `number` identifies rows without an id of their own.
    KeyError when the row lacks its id.
    """
    if text is None or '"_links"' in text:
        row = texts.without_links(row)
        text = texts.dumps(row)
    row_id = row[table.key] if table.key else number
    if row_id is None or isinstance(row_id, dict | list):
        raise KeyError(table.key)
    value, view = tables.column_value, views.cut(table.name, row)
    if not row.get("updated_at") and "updated_at" in table.columns:
        # Only its column: a row without the moment must still be found by filters on it.
        row = {**row, "updated_at": row.get("created_at") or 0}
    field: Callable[[str], Any] = row.get
    columns = [
        item
        if type(item := field(name)) is plain and (plain is int or item.isascii())
        else value(item, plain is str)
        for name, plain in table.plan
    ]
    row_id = value(row_id, table.key in table.texts)
    return (account_id, row_id, tables.hidden_of(row), *columns, text, view)
