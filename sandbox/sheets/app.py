"""The WSGI application: routes, checks each request and each answer against the schema, keeps one lock."""

import datetime as dt
import io
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from sandbox.sheets import calls, doors, faults, schema, view
from sandbox.sheets.drive import api as drive
from sandbox.sheets.errors import GoogleError, bad_request
from sandbox.sheets.masks import check_mask, parse_mask, pick
from sandbox.sheets.oauth import GrantError, caller, grant_token
from sandbox.sheets.quota import DEFAULTS, Quota
from sandbox.sheets.store import Store

StartResponse = Callable[..., Any]
DISCOVERY = ("/$discovery/rest", "/discovery/v1/apis/sheets/v4/rest")


class NoSuchPage(Exception):
    """A path that Google's front end does not know: a page for people, not JSON."""


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
        self.stopping = threading.Event()

    @property
    def limits(self) -> dict[str, Any]:
        """Quotas and switches as they stand."""
        return DEFAULTS | (self.store.setting("limits") or {})

    @property
    def moment(self) -> dt.datetime:
        """The present, in UTC."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # googleapiclient sends very long reads as POST with the query in the body.
        override = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        request = Request(environ)
        if environ["REQUEST_METHOD"] == "POST" and override == "GET":
            environ["QUERY_STRING"] = request.get_data().decode("utf-8", "replace")
            environ |= {"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
            request = Request(environ)
        response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox"):
            with self.lock:
                return doors.answer(self, request)
        if request.path.startswith("/spreadsheets/d/"):
            with self.lock:
                return view.answer(self.store, request.path, self.moment)
        method_id = _method_id(request)
        body_read = _read(request)
        with self.lock:
            fault = self.faults.take(method_id, request.path)
        if fault is not None and fault.delay_s:
            # Outside the lock: others are served meanwhile; a simulator that stops does not wait.
            self.stopping.wait(fault.delay_s)
        with self.lock:
            response = None
            if fault is None or fault.serves:
                response = self._google(request) if body_read else _too_large(self.limits)
            if fault is not None:
                response = fault.response(request, response)
            assert response is not None
            self.log.add(self.now(), request, method_id, response.status_code)
            return response

    def _google(self, request: Request) -> Response:
        try:
            if request.path == "/token" and request.method == "POST":
                return json_response(grant_token(self.store, request.form.to_dict(), self.now()))
            if request.path in DISCOVERY and request.method == "GET":
                return json_response(_discovery(request))
            if drive.is_drive(request.path):
                return drive.answer(self, request)
            return json_response(self._sheets(request))
        except NoSuchPage:
            return _no_such_page(request.path)
        except GrantError as err:
            return json_response(err.body, 400)
        except GoogleError as err:
            return json_response(err.body(), err.code)
        except HTTPException as err:
            return json_response(GoogleError(err.code or 400, str(err.description)).body(), err.code or 400)
        except Exception:  # noqa: BLE001 - a fault of the simulator must not look like a dropped connection
            traceback.print_exc(file=sys.stderr)
            return json_response(GoogleError(500, "Internal error encountered.").body(), 500)

    def _sheets(self, request: Request) -> dict[str, Any]:
        method, path = route(request)
        kind = "read" if method.id in calls.READS else "write"
        email, project = caller(self.store, authorization(request), self.now(), f"sheets {kind}")
        self.quota.take(kind, email, project, self.limits)
        pairs = parse_qsl(request.query_string.decode("utf-8", "replace"), keep_blank_values=True)
        query = schema.parse_query(method, pairs)
        body = schema.parse_body(method.request, self._json(request)) if method.request else {}
        mask = parse_mask(query["fields"]) if query.get("fields") else None
        if mask is not None:
            check_mask(mask, method.response, "fields")
        call = calls.Call(
            store=self.store,
            email=email,
            path=path,
            query=query,
            body=body,
            now=self.moment,
            origin=request.host_url.rstrip("/"),
            limits=self.limits,
        )
        answer = calls.METHODS[method.id](call)
        wrong = schema.faults_of(method.response, answer)
        if wrong:
            raise ValueError(
                f"the simulator's own answer to {method.id} does not fit the schema: {wrong[:3]}"
            )
        shown: dict[str, Any] = answer if mask is None else pick(answer, mask)
        return shown

    def _json(self, request: Request) -> Any:
        text = request.get_data()
        if len(text) > self.limits["max_body_bytes"]:
            raise _payload_error(self.limits)
        if not text:
            return {}
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as err:
            raise bad_request([("", f"Invalid JSON payload received. {err}")]) from err


def _no_constant(name: str) -> Any:
    raise ValueError(f"Unexpected token: {name}")


def _read(request: Request) -> bool:
    """Reads the body before the lock is taken: a slow sender holds up nobody. False for a huge one."""
    if (request.content_length or 0) > 64_000_000:
        return False
    request.get_data(cache=True, parse_form_data=request.path == "/token")
    return True


def _payload_error(limits: dict[str, Any]) -> GoogleError:
    return GoogleError(400, f"Request payload size exceeds the limit: {limits['max_body_bytes']} bytes.")


def _too_large(limits: dict[str, Any]) -> Response:
    error = _payload_error(limits)
    return json_response(error.body(), error.code)


def authorization(request: Request) -> str | None:
    """The Authorization header, or the token that came in the query."""
    token = request.args.get("access_token") or request.args.get("oauth_token")
    return request.headers.get("Authorization") or (f"Bearer {token}" if token else None)


def _discovery(request: Request) -> dict[str, Any]:
    """The vendored document with this simulator as its root: clients that look it up find their way."""
    if request.args.get("version", "v4") != "v4":
        raise GoogleError(404, "Requested entity was not found.")
    origin = request.host_url
    places = {
        "rootUrl": origin,
        "baseUrl": origin,
        "mtlsRootUrl": origin,
        "servicePath": "",
        "batchPath": "batch",
    }
    return schema.document() | places | {"protocol": "rest", "title": "Google Sheets API"}


def _no_such_page(path: str) -> Response:
    page = (
        "<!DOCTYPE html>\n<html lang=en>\n  <title>Error 404 (Not Found)!!1</title>\n"
        f"  <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL "
        f"<code>{escape(path)}</code> was not found on this server.  <ins>That’s all we know.</ins>\n"
    )
    return Response(page, status=404, content_type="text/html; charset=UTF-8")


def route(request: Request) -> tuple[schema.Method, dict[str, str]]:
    """The API method of a request and the parts of its path; NoSuchPage when there is none."""
    for method in schema.methods():
        match = method.pattern.fullmatch(request.path) if method.verb == request.method else None
        if match:
            return method, match.groupdict()
    raise NoSuchPage(request.path)


def _method_id(request: Request) -> str:
    if request.path == "/token":
        return "token"
    if drive.is_drive(request.path):
        return "drive"
    if request.path in DISCOVERY:
        return "discovery"
    try:
        return route(request)[0].id
    except NoSuchPage:
        return "unknown"


def json_response(body: Any, status: int = 200) -> Response:
    """A JSON answer as Google sends it."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'} if status == 401 else None
    return Response(text, status=status, headers=headers, content_type="application/json; charset=UTF-8")
