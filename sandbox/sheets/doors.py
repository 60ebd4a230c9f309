"""The simulator's own doors under ``/_sandbox/``: accounts, spreadsheets, faults, limits, the request log."""

import datetime as dt
import json
from collections import deque
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from sandbox.sheets.calls import create_book
from sandbox.sheets.errors import GoogleError
from sandbox.sheets.oauth import create_service_account
from sandbox.sheets.quota import DEFAULTS
from sandbox.sheets.schema import document
from sandbox.sheets.shown import dump, url_of

if TYPE_CHECKING:
    from sandbox.sheets.app import SheetsApp

DOORS = {
    "GET /_sandbox/": "this list",
    "POST /_sandbox/service_accounts {name?, project?}": "a new service account as its JSON key file",
    "POST /_sandbox/spreadsheets {title, share_with: [e-mail | {email, role}], locale?}": "a new spreadsheet",
    "POST /_sandbox/spreadsheets/{id}/share {share_with} · /unshare {emails}": "who may open it",
    "GET /_sandbox/spreadsheets/{id}": "all cells, formats and metadata",
    "DELETE /_sandbox/spreadsheets/{id}": "takes it away",
    "POST /_sandbox/revoke {email}": "the account's access tokens are void from now on",
    "GET/POST /_sandbox/faults [{method, path, kind, status, times, skip, after, delay_s, …}]": (
        "the next calls fail; {add: […]} appends"
    ),
    "GET/POST /_sandbox/limits {quotas, writes_per_user, …}": "quotas and switches; POST {} resets them",
    "GET /_sandbox/requests?since=SEQ": "every API request received",
}


class DoorError(Exception):
    """What the caller of a door got wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RequestLog:
    """The last API requests, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=20_000)
        self._count = 0

    def add(self, at: float, request: Request, method_id: str, status: int) -> None:
        """Appends a request; headers and bodies are not kept."""
        self._count += 1
        entry = {
            "seq": self._count,
            "at": dt.datetime.fromtimestamp(at, dt.UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "query": request.query_string.decode("utf-8", "replace"),
            "call": method_id,
            "bytes": request.content_length or 0,
            "status": status,
        }
        self._entries.append(entry)

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Entries with a greater number."""
        return [entry for entry in self._entries if entry["seq"] > seq]


def answer(app: "SheetsApp", request: Request) -> Response:
    """The answer of a door, always JSON."""
    try:
        body = _body(request)
        status, shown = 200, _dispatch(app, request, body)
    except DoorError as err:
        status, shown = err.status, {"error": str(err)}
    except GoogleError as err:  # what Google would not create cannot be had here either
        status, shown = 400, {"error": str(err)}
    text = json.dumps(shown, ensure_ascii=False, indent=2)
    return Response(text, status=status, content_type="application/json; charset=UTF-8")


def _body(request: Request) -> Any:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError as err:
        raise DoorError(400, f"the body is not JSON: {err}") from err
    if not isinstance(body, dict) and not request.path.endswith("/faults"):
        raise DoorError(400, "the body must be a JSON object")
    return body


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str | None:
    """A field that is a text, or absent."""
    value = body.get(name)
    if not isinstance(value, str | None):
        raise DoorError(400, f"{name} is a text")
    return default if value is None else value


def _dispatch(app: "SheetsApp", request: Request, body: Any) -> Any:
    parts = [part for part in request.path.split("/") if part][1:]
    match request.method, parts:
        case "GET", []:
            return _home(app)
        case "POST", ["service_accounts"]:
            origin = request.host_url.rstrip("/")
            return create_service_account(app.store, _text(body, "name"), _text(body, "project"), origin)
        case "POST", ["spreadsheets"]:
            return _new_book(app, request, body)
        case (("GET" | "POST" | "DELETE"), ["spreadsheets", book_id, *rest]):
            return _book(app, request.method, book_id, rest, body)
        case "POST", ["revoke"]:
            app.store.revoke_tokens(_text(body, "email") or "")
            return {}
        case _, ["faults"]:
            return _faults(app, request.method, body)
        case _, ["limits"]:
            return _limits(app, request.method, body)
        case "GET", ["requests"]:
            since = request.args.get("since", "0")
            if not since.isdigit():
                raise DoorError(400, "since must be the number of a request")
            return {"requests": app.log.since(int(since))}
    raise DoorError(404, "no such door; GET /_sandbox/ lists them")


def _home(app: "SheetsApp") -> dict[str, Any]:
    return {
        "simulates": "Google Sheets API v4",
        "revision": document()["revision"],
        "service_accounts": app.store.accounts(),
        "spreadsheets": [
            {"spreadsheet_id": b.book_id, "title": b.properties["title"]} for b in app.store.books.values()
        ],
        "limits": app.limits,
        "faults": app.faults.shown(),
        "doors": DOORS,
    }


def _shares(raw: Any) -> dict[str, str]:
    shared: dict[str, str] = {}
    for item in raw if isinstance(raw, list) else [raw]:
        match item:
            case str():
                shared[item] = "writer"
            case {"email": str(email), **more}:
                shared[email] = str(more.get("role", "writer"))
            case _:
                raise DoorError(400, "share_with is a list of e-mails or of {email, role}")
    return shared


def _new_book(app: "SheetsApp", request: Request, body: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "title": _text(body, "title", "Untitled spreadsheet"),
        "locale": _text(body, "locale", "en_US"),
        "timeZone": _text(body, "time_zone"),
    }
    properties = {name: value for name, value in asked.items() if value is not None}
    now = dt.datetime.fromtimestamp(app.now(), dt.UTC)
    book = create_book(app.store, {"properties": properties}, _shares(body.get("share_with") or []), now)
    return {"spreadsheet_id": book.book_id, "url": url_of(request.host_url.rstrip("/"), book)}


def _book(app: "SheetsApp", method: str, book_id: str, rest: list[str], body: Any) -> Any:
    book = app.store.books.get(book_id)
    if book is None:
        raise DoorError(404, "no such spreadsheet")
    match method, rest:
        case "GET", []:
            return dump(book)
        case "DELETE", []:
            app.store.remove(book_id)
            return {}
        case "POST", ["share"]:
            book.shared.update(_shares(body.get("share_with") or []))
        case "POST", ["unshare"]:
            for email in _shares(body.get("emails") or []):
                book.shared.pop(email, None)
        case _:
            raise DoorError(404, "no such door; GET /_sandbox/ lists them")
    app.store.save(book)
    return {"shared_with": book.shared}


def _faults(app: "SheetsApp", method: str, body: Any) -> list[dict[str, Any]]:
    if method == "POST":
        adds = isinstance(body, dict) and "add" in body
        wanted = body["add"] if adds else body or []
        wanted = wanted if isinstance(wanted, list) else [wanted]
        if not all(isinstance(one, dict) for one in wanted):
            raise DoorError(400, "a fault is an object; faults are a list, or {add: […]}")
        try:
            (app.faults.add if adds else app.faults.set)(wanted)
        except (TypeError, ValueError) as err:
            raise DoorError(400, str(err)) from err
    return app.faults.shown()


def _limits(app: "SheetsApp", method: str, body: Any) -> dict[str, Any]:
    if method == "POST":
        unknown = set(body) - set(DEFAULTS)
        if unknown:
            raise DoorError(400, f"unknown limits: {', '.join(sorted(unknown))}")
        for name, value in body.items():
            if type(value) is not type(DEFAULTS[name]) or (type(value) is int and value < 0):
                raise DoorError(400, f"{name} cannot be {value!r}; it is {DEFAULTS[name]} by default")
        app.store.set_setting("limits", (app.store.setting("limits") or {}) | body if body else {})
        app.quota.reset()
    return app.limits
