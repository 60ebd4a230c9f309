"""The WSGI application: routes, checks each request and each answer against the schema, keeps one lock."""

import datetime as dt
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from sandbox.sheets import calls, doors, drive, faults, schema, view
from sandbox.sheets.errors import GoogleError, bad_request
from sandbox.sheets.masks import parse_mask, pick
from sandbox.sheets.oauth import GrantError, caller, grant_token
from sandbox.sheets.quota import DEFAULTS, Quota
from sandbox.sheets.store import Store

StartResponse = Callable[..., Any]


class SheetsApp:
    """The simulator as a WSGI application. ``now`` is Unix time, ``monotonic`` drives the quotas."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.now = now
        self.quota = Quota(monotonic)
        self.faults = faults.Faults()
        self.log = doors.RequestLog()
        self.lock = threading.RLock()

    @property
    def limits(self) -> dict[str, Any]:
        """Quotas and switches as they stand."""
        return DEFAULTS | (self.store.setting("limits") or {})

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        with self.lock:
            response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox"):
            return doors.answer(self, request)
        if request.path.startswith("/spreadsheets/d/"):
            return view.answer(self.store, request.path)
        method_id = _method_id(request)
        fault = self.faults.take(method_id)
        if fault is not None and not fault.after:
            response = fault.response(request)
        else:
            response = self._google(request)
            response = response if fault is None else fault.response(request, response)
        self.log.add(self.now(), request, method_id, response.status_code)
        return response

    def _google(self, request: Request) -> Response:
        try:
            if request.path == "/token" and request.method == "POST":
                return json_response(grant_token(self.store, request.form.to_dict(), self.now()))
            if request.path.startswith("/drive/v3/files"):
                return json_response(drive.answer(self, request))
            return json_response(self._sheets(request))
        except GrantError as err:
            return json_response(err.body, 400)
        except drive.DriveError as err:
            return json_response(err.body, err.code)
        except GoogleError as err:
            return json_response(err.body(), err.code)
        except Exception:  # noqa: BLE001 - a fault of the simulator must not look like a dropped connection
            traceback.print_exc(file=sys.stderr)
            return json_response(GoogleError(500, "Internal error encountered.").body(), 500)

    def _sheets(self, request: Request) -> dict[str, Any]:
        method, path = route(request)
        email, project = caller(self.store, request.headers.get("Authorization"), self.now())
        kind = "read" if method.id in calls.READS else "write"
        self.quota.take(kind, email, project, self.limits)
        query = schema.parse_query(method, parse_qsl(request.query_string.decode(), keep_blank_values=True))
        body = schema.parse_body(method.request, self._json(request)) if method.request else {}
        handler = calls.METHODS.get(method.id)
        if handler is None:
            raise GoogleError(501, f"{method.id} is part of the API, but not of this simulator.")
        call = calls.Call(
            store=self.store,
            email=email,
            path=path,
            query=query,
            body=body,
            now=dt.datetime.fromtimestamp(self.now(), dt.UTC),
            origin=request.host_url.rstrip("/"),
            limits=self.limits,
        )
        return _shown(method, handler(call), query.get("fields"))

    def _json(self, request: Request) -> Any:
        limit = self.limits["max_body_bytes"]
        if (request.content_length or 0) > limit:
            raise GoogleError(400, f"Request payload size exceeds the limit: {limit} bytes.")
        text = request.get_data()
        if not text:
            return {}
        try:
            return json.loads(text)
        except ValueError as err:
            raise bad_request([("", f"Invalid JSON payload received. {err}")]) from err


def route(request: Request) -> tuple[schema.Method, dict[str, str]]:
    """The API method of a request and the parts of its path; GoogleError 404 when there is none."""
    for method in schema.methods():
        match = method.pattern.fullmatch(request.path) if method.verb == request.method else None
        if match:
            return method, match.groupdict()
    raise GoogleError(404, "Requested entity was not found.")


def _method_id(request: Request) -> str:
    if request.path == "/token":
        return "token"
    if request.path.startswith("/drive/"):
        return "drive"
    try:
        return route(request)[0].id
    except GoogleError:
        return "unknown"


def _shown(method: schema.Method, answer: dict[str, Any], fields: str | None) -> dict[str, Any]:
    wrong = schema.faults_of(method.response, answer)
    if wrong:
        raise ValueError(f"the simulator's own answer to {method.id} does not fit the schema: {wrong[:3]}")
    shown: dict[str, Any] = pick(answer, parse_mask(fields)) if fields else answer
    return shown


def json_response(body: Any, status: int = 200) -> Response:
    """A JSON answer as Google sends it."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return Response(text, status=status, content_type="application/json; charset=UTF-8")
