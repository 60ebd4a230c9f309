"""One request from arrival to answer: account, faults, limits, bearer, route, log."""

import re
import sys
import time
import traceback
import uuid
from collections.abc import Hashable

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from sandbox.amocrm import doors
from sandbox.amocrm.api import routes
from sandbox.amocrm.api.answers import Refused, banned, problem, too_many, wrong_verb
from sandbox.amocrm.auth import bearer, legacy, oauth
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.requestlog import Entry
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import Call, World

_OAUTH = {
    "/oauth": ("GET", oauth.consent),
    "/oauth2/access_token": ("POST", oauth.access_token),
    "/oauth2/exchange_api_key": ("POST", legacy.exchange_api_key),
    "/oauth2/account/current/subdomain": ("GET", oauth.current_subdomain),
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
            return self._served(request, account, seen)
        if fault.delay_s:
            time.sleep(fault.delay_s)
        return fault.answer() or fault.replaced(self._served(request, account, seen))

    def _served(self, request: Request, account: Account | None, seen: list[str]) -> Response:
        """The true answer, refusals among them."""
        try:
            return self._answer(request, account, seen)
        except Refused as err:
            return err.response

    def _answer(self, request: Request, account: Account | None, seen: list[str]) -> Response:
        if self._world.switches["banned"]:
            return banned()
        verb, handler = _OAUTH.get(request.path.rstrip("/"), ("", None))
        if handler is not None:
            fits = request.method == verb or (request.method == "HEAD" and verb == "GET")
            return handler(self._world, request, account) if fits else wrong_verb([verb])
        if account is None:
            return problem(int(self._world.switches["unknown_host_status"]), "Account not found")
        if not re.match(r"/api/v4(/|$)", request.path) and request.path not in routes.BESIDE:
            return problem(404, "Route not found")
        return self._api(request, account, seen)

    def _api(self, request: Request, account: Account, seen: list[str]) -> Response:
        found = bearer.find(self._world, request, account)
        if found is None:
            self._admit(account, None)
            return problem(401, "Не удалось авторизоваться: токен отсутствует, просрочен или отозван")
        seen.append(found.client_id)
        self._admit(account, found.client_id)
        if self._world.switches["payment_required"]:
            return problem(402, "Аккаунт не оплачен")
        try:
            handler, args = self._map.match(request.path, request.method)
        except MethodNotAllowed as err:
            return wrong_verb(list(err.valid_methods or ()))
        except (NotFound, RequestRedirect):
            return problem(404, "Route not found")
        answer: Response = handler(
            Call(world=self._world, request=request, account=account, bearer=found), **args
        )
        return answer

    def _admit(self, account: Account, client_id: str | None) -> None:
        """Refuse (429, or 403 when it has gone too far) what comes too fast."""
        switches = self._world.switches
        if not switches["rate_limit"]:
            return
        keys: list[tuple[Hashable, int]] = [((account.id,), int(switches["account_rate_limit"]))]
        if switches["rate_limit_scope"] == "account":
            keys.append(((account.id, "all"), int(switches["rate_limit"])))
        elif client_id is not None:
            keys.append(((account.id, client_id), int(switches["rate_limit"])))
        if self._world.limiter.admit(keys):
            return
        if self._world.limiter.should_ban():
            switches.change({"banned": True})
            raise Refused(banned())
        raise Refused(too_many(1.0 if switches["retry_after"] else None))
