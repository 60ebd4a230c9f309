"""The one way to amoCRM's API: authorisation, budget, retries, status → exception. Knows no tables."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import structlog
from requests.auth import AuthBase
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
)
from tenacity.stop import stop_base

from widget_backend import __version__
from widget_backend.amocrm.answers import Answer, error_of, read_answer
from widget_backend.amocrm.limiter import Budget, Priority
from widget_backend.amocrm.phpquery import encode_query
from widget_backend.amocrm.resources import entity_of
from widget_backend.amocrm.retry import is_repeatable, retry_delay_s
from widget_backend.errors import (
    AccountBlocked,
    AmoRateLimited,
    AmoRejected,
    AmoUnavailable,
    AppError,
    NeedsReauthorization,
    Retriable,
)

log = structlog.get_logger(__name__)

USER_AGENT = f"amocrm-sales-reporting/{__version__}"
TIMEOUTS_S = (5.0, 20.0)
ATTEMPTS = 5
PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a request needs: the access token, which pair of the account it is of, and where the account lives
    now.

    ``domain`` None keeps the client's own. ``repr`` never shows the token.
    """

    access: str = field(repr=False)
    version: int
    expires_at: datetime
    domain: str | None = None


class BearerAuth(AuthBase):
    """Sets the header itself, so that a ``.netrc`` of the machine can never replace it."""

    def __init__(self, access: str):
        self._access = access

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access}"
        return request


class NoAuth(AuthBase):
    """For calls without authorisation: keeps ``.netrc`` out as well."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def make_session() -> requests.Session:
    """A connection pool that many accounts may share: it keeps no cookies."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = USER_AGENT
    return session


class AmoClient:
    """Requests on behalf of one account. Used by one thread at a time.

    ``token_source`` gives the present token; ``refresh(seen_version)`` a newer one than that. ``origin``
    replaces ``https://{domain}`` (simulator, proxy); the account's own host still goes into ``Host``.
    ``requests`` counts what was really sent, by entity, for the summary of a run.
    """

    def __init__(
        self,
        account_id: int,
        domain: str,
        token_source: Callable[[], Token],
        refresh: Callable[[int], Token],
        budget: Budget,
        session: requests.Session,
        origin: str | None = None,
        *,
        timeouts_s: tuple[float, float] = TIMEOUTS_S,
        attempts: int = ATTEMPTS,
        patience_s: float = PATIENCE_S,
        budget_wait_s: float = PATIENCE_S,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.account_id = account_id
        self.domain = domain
        self.requests: Counter[str] = Counter()
        self._token_source = token_source
        self._refresh = refresh
        self._budget = budget
        self._session = session
        self._origin = origin.rstrip("/") if origin else None
        self._timeouts_s = timeouts_s
        self._attempts = attempts
        self._patience_s = patience_s
        self._budget_wait_s = budget_wait_s
        self._sleep = sleep

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | str | None = None,
        json: Any = None,
        priority: Priority = Priority.INCREMENTAL,
    ) -> Answer:
        """Send one call and return its answer (200, 201, 202, 204; ``data`` None for an empty one).

        ``path`` is below ``/api/v4/``, or absolute with a leading slash. ``params`` may be nested
        (``{"filter": {"id": [1, 2]}}``) or a ready query string. Repeats by itself, a bounded number of
        times: 429 always; 5xx, lost and garbled answers unless the call is a POST, which may have worked.

        Raises AmoRateLimited, AmoUnavailable (try later), NeedsReauthorization (tokens dead), AccountBlocked
        (banned), AmoForbidden (402, 403: right or tariff missing), AmoRejected (other refusals, with
        ``validation_errors`` and ``status`` in its context).
        """
        retrying = Retrying(
            retry=retry_if_exception_type(Retriable),
            stop=stop_any(
                stop_after_attempt(self._attempts), stop_before_delay(self._patience_s), _StopUnrepeatable()
            ),
            wait=_wait_s,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._authorised, method.upper(), path, encode_query(params), json, priority)

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | str | None = None,
        *,
        priority: Priority = Priority.INCREMENTAL,
    ) -> Any:
        """The parsed body of a GET; None when amoCRM says 204 (empty list, missing entity)."""
        return self.request("GET", path, params=params, priority=priority).data

    def find(
        self,
        path: str,
        params: Mapping[str, Any] | str | None = None,
        *,
        priority: Priority = Priority.INCREMENTAL,
    ) -> Any:
        """One entity by id; None when it is not available: amoCRM says 204 here and 404 there."""
        try:
            return self.get(path, params, priority=priority)
        except AmoRejected as error:
            if error.context.get("status") == 404:
                return None
            raise

    def close(self) -> None:
        """Let go of the connections of the session it was given."""
        self._session.close()

    def _authorised(self, method: str, path: str, query: str, json: Any, priority: Priority) -> Answer:
        """Once with the present token; after a 401 once with a newer one, and never in a circle."""
        token = self._token_source()
        answer = self._send(method, path, query, json, priority, token)
        if answer.status != 401:
            return answer
        token = self._renew(token)
        answer = self._send(method, path, query, json, priority, token)
        if answer.status != 401:
            return answer
        # Somebody else may have refreshed meanwhile: a changed store is no proof of dead tokens.
        latest = self._token_source()
        if latest.version != token.version:
            answer = self._send(method, path, query, json, priority, latest)
            if answer.status != 401:
                return answer
        raise NeedsReauthorization(
            "amoCRM refuses a fresh token.",
            remedy="An administrator of the account has to authorise the integration again.",
            account_id=self.account_id,
            status=401,
            request_id=answer.request_id,
        )

    def _renew(self, token: Token) -> Token:
        try:
            return self._refresh(token.version)
        except AccountBlocked as error:
            self._budget.trip(str(error.context.get("reason") or "403"))
            raise

    def _send(
        self, method: str, path: str, query: str, json: Any, priority: Priority, token: Token
    ) -> Answer:
        """One HTTP exchange, answered with 2xx or 401; everything else is raised."""
        self._budget.acquire(priority, self._budget_wait_s)
        self.requests[entity_of(path)] += 1
        context: dict[str, Any] = {"account_id": self.account_id, "method": method, "path": path}
        domain = token.domain or self.domain
        started = time.monotonic()
        try:
            response = self._session.request(
                method,
                (self._origin or f"https://{domain}") + _absolute(path) + (f"?{query}" if query else ""),
                json=json,
                headers={"Host": domain, "Accept": "application/json"},
                auth=BearerAuth(token.access),
                timeout=self._timeouts_s,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The text of the exception names the address with its query: it stays out of ours.
            raise AmoUnavailable(
                "amoCRM did not answer.",
                reason=type(error).__name__,
                sent=not isinstance(error, requests.ConnectTimeout),
                **context,
            ) from None
        answer = read_answer(response)
        log.debug(
            "amocrm.request",
            status=answer.status,
            amo_request_id=answer.request_id,
            seconds=round(time.monotonic() - started, 3),
            **context,
        )
        problem = error_of(answer, context)
        if problem is not None:
            self._report(problem)
            raise problem
        return answer

    def _report(self, problem: AppError) -> None:
        log.info("amocrm.refused", error=type(problem).__name__, **problem.context)
        if isinstance(problem, AccountBlocked):
            self._budget.trip("403 with a page")
        elif isinstance(problem, AmoRateLimited):
            self._budget.pause(problem.retry_after_s or 1.0)


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/api/v4/{path}"


class _StopUnrepeatable(stop_base):
    """Ends the attempts when the failure forbids sending the same call again."""

    def __call__(self, retry_state: RetryCallState) -> bool:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        return isinstance(error, Retriable) and not is_repeatable(error)


def _wait_s(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, Retriable) else None
    return retry_delay_s(state.attempt_number, asked)
