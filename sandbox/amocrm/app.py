"""One request from arrival to answer: account, faults, limits, bearer, route, log."""

import json
import re
import sqlite3
import sys
import time
import traceback
import uuid
from collections.abc import Hashable
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from sandbox.amocrm import doors
from sandbox.amocrm.api import routes
from sandbox.amocrm.api.answers import Refused, banned, problem, too_many
from sandbox.amocrm.auth import oauth, tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.requestlog import Entry
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import Bearer, Call, World

_OAUTH = {
    ("GET", "/oauth"): oauth.consent,
    ("POST", "/oauth2/access_token"): oauth.access_token,
    ("GET", "/oauth2/account/current/subdomain"): oauth.current_subdomain,
}


class App:
    """Answers requests; never raises."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._map = routes.url_map().bind("sandbox")

    def __call__(self, request: Request) -> Response:
        """The answer to one request, logged unless it came through a door of the sandbox."""
        request.path = re.sub(r"/{2,}", "/", request.path)
        started = time.perf_counter()
        account = self._world.accounts.by_host(request.host())
        seen: list[str] = []
        try:
            if request.path.startswith("/_sandbox/"):
                return doors.answer(self._world, request)
            response = self._struck(request, account, seen)
        except Refused as err:
            response = err.response
        except Exception:  # noqa: BLE001  the last line: a fault of ours is told on stderr, not to the client
            traceback.print_exc(file=sys.stderr)
            response = problem(500, "Internal error")
        response.headers["X-Request-Id"] = str(uuid.uuid4())
        self._log(request, account, seen, response, time.perf_counter() - started)
        return response

    def _log(
        self, request: Request, account: Account | None, seen: list[str], response: Response, took_s: float
    ) -> None:
        entry = Entry(
            at=self._world.clock.now() - took_s,
            subdomain=account.subdomain if account else None,
            client_id=seen[0] if seen else None,
            method=request.method,
            path=request.path,
            query=request.query,
            status=0 if response.drop else response.status,
            took_ms=round(took_s * 1000, 1),
        )
        self._world.log.append(entry)

    def _struck(self, request: Request, account: Account | None, seen: list[str]) -> Response:
        """The answer, bent by a fault if one is set for this request."""
        subdomain = account.subdomain if account else None
        fault = self._world.faults.take(request.method, request.path, subdomain)
        if fault is None:
            return self._answer(request, account, seen)
        if fault.delay_s:
            time.sleep(fault.delay_s)
        if fault.drop == "request":
            return Response(drop=True)
        if fault.status is not None:
            body = (fault.body or "").encode()
            if fault.body is None and fault.status not in (502, 503, 504):
                return problem(fault.status, "Fault set through the sandbox")
            return Response(status=fault.status, body=body, content_type=fault.content_type)
        response = fault.replaced(self._answer(request, account, seen))
        if fault.body is not None:
            return Response(status=response.status, body=fault.body.encode(), content_type=fault.content_type)
        return response

    def _answer(self, request: Request, account: Account | None, seen: list[str]) -> Response:
        if self._world.switches["banned"]:
            return banned()
        route = _OAUTH.get((request.method, request.path.rstrip("/")))
        if route is not None:
            return route(self._world, request, account)
        if not request.path.startswith("/api/v4"):
            return problem(404, "Route not found")
        if account is None:
            return problem(404, "Account not found")
        return self._api(request, account, seen)

    def _api(self, request: Request, account: Account, seen: list[str]) -> Response:
        bearer = _bearer(self._world, request, account)
        if bearer is None:
            self._admit(account, None)
            return problem(401, "Не удалось авторизоваться: токен отсутствует, просрочен или отозван")
        seen.append(bearer.client_id)
        self._admit(account, bearer.client_id)
        if self._world.switches["payment_required"]:
            return problem(402, "Аккаунт не оплачен")
        try:
            handler, args = self._map.match(request.path, request.method)
        except MethodNotAllowed:
            return problem(405, "Method not allowed")
        except (NotFound, RequestRedirect):
            return problem(404, "Route not found")
        answer: Response = handler(
            Call(world=self._world, request=request, account=account, bearer=bearer), **args
        )
        return answer

    def _admit(self, account: Account, client_id: str | None) -> None:
        """Refuse (429, or 403 when it has gone too far) what comes too fast."""
        switches = self._world.switches
        if not switches["rate_limit"]:
            return
        keys: list[tuple[Hashable, int]] = [((account.id,), int(switches["account_rate_limit"]))]
        if client_id is not None:
            keys.append(((account.id, client_id), int(switches["rate_limit"])))
        if self._world.limiter.admit(keys):
            return
        if self._world.limiter.should_ban():
            switches.change({"banned": True})
            raise Refused(banned())
        raise Refused(too_many(1.0 if switches["retry_after"] else None))


def _bearer(world: World, request: Request, account: Account) -> Bearer | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT client_id, user_id, expires_at, revoked, refresh_token FROM access_tokens"
            " WHERE token = ? AND account_id = ?",
            (tokens.digest(token.strip()), account.id),
        ).fetchone()
        if row is None or row[3] or row[2] <= world.clock.now():
            return None
        user = _user(connection, account.id, row[1])
        if (user.get("rights") or {}).get("is_active") is False:
            return None
        context = request.headers.get("x-context-user-id", "")
        is_admin = bool((user.get("rights") or {}).get("is_admin"))
        if context.isdecimal() and is_admin:
            user = _user(connection, account.id, int(context))
            is_admin = bool((user.get("rights") or {}).get("is_admin"))
    if world.switches["refresh_reuse"] != "dead" and row[4]:
        with world.store.write() as connection:
            tokens.settle(connection, row[4])
    return Bearer(client_id=row[0], user_id=int(user.get("id") or 0), user=user, is_admin=is_admin)


def _user(connection: sqlite3.Connection, account_id: int, user_id: int) -> dict[str, Any]:
    row = connection.execute(
        "SELECT body FROM users WHERE account_id = ? AND id = ?", (account_id, user_id)
    ).fetchone()
    user = dict(json.loads(row[0])) if row else {"id": user_id, "rights": {"is_admin": user_id == 0}}
    if not isinstance(user.get("rights"), dict):
        user["rights"] = {}
    return user
