"""amoCRM's token endpoint: a code or a refresh token goes in, a token pair comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
import requests
import structlog

from widget_backend.amocrm.answers import GARBLED, Answer, error_of, read_answer
from widget_backend.amocrm.client import TIMEOUTS_S, NoAuth
from widget_backend.amocrm.hosts import is_amocrm_host
from widget_backend.amocrm.values import as_dict, as_id, as_moment
from widget_backend.errors import AmoRejected, AmoUnavailable, ConfigError
from widget_backend.oauth.credentials import Credentials

log = structlog.get_logger(__name__)

LIFETIME_S = 86_400
TOKEN_PATH = "/oauth2/access_token"  # noqa: S105  (a path)
SUBDOMAIN_PATH = "/oauth2/account/current/subdomain"


class TokenRefused(AmoRejected):
    """The endpoint says that the code or refresh token is of no use (400, 401, 404); ``status`` and ``hint``
    tell.
    """


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A fresh token pair. ``server_at`` is amoCRM's own time of the answer, if it said so; ``lifetime_s``
    counts from it. Account, user and API host are read from the access token, unverified: for bookkeeping."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lifetime_s: int
    server_at: datetime | None
    account_id: int | None
    user_id: int | None
    api_domain: str | None

    def expires_at(self, local: datetime) -> datetime:
        """When the access token ends; ``local`` stands in for a server time that was not given."""
        start = self.server_at or local
        return datetime.fromtimestamp(start.timestamp() + self.lifetime_s, UTC)


class TokenEndpoint:
    """Speaks to ``https://{domain}/oauth2/…``, or to ``origin`` with that host in ``Host``.

    Raises AmoUnavailable when the answer is lost, garbled or 5xx (the pair may have been rotated all the
    same), AmoRateLimited (it was not), AccountBlocked, TokenRefused. Errors never carry codes, tokens or
    secrets.
    """

    def __init__(
        self,
        session: requests.Session,
        origin: str | None = None,
        *,
        timeouts_s: tuple[float, float] = TIMEOUTS_S,
    ):
        self._session = session
        self._origin = origin.rstrip("/") if origin else None
        self._timeouts_s = timeouts_s

    def exchange_code(self, domain: str, credentials: Credentials, code: str) -> Grant:
        """The first pair for an authorisation code, which works once and for 20 minutes."""
        return self._grant(domain, credentials, {"grant_type": "authorization_code", "code": code})

    def refresh(self, domain: str, credentials: Credentials, refresh_token: str) -> Grant:
        """The next pair for a refresh token, which works once."""
        return self._grant(
            domain, credentials, {"grant_type": "refresh_token", "refresh_token": refresh_token}
        )

    def current_domain(self, api_domain: str, refresh_token: str) -> str | None:
        """Where the account of a refresh token lives now; None if amoCRM does not say.

        Source: subdomain recovery of the vendor's SDK. Raises AmoUnavailable, AmoRateLimited, AccountBlocked.
        """
        answer = self._send("GET", api_domain, SUBDOMAIN_PATH, headers={"X-Refresh-Token": refresh_token})
        try:
            self._check(answer, api_domain, SUBDOMAIN_PATH)
        except AmoRejected:
            return None
        domain = as_dict(answer.data).get("domain")
        return domain.lower() if isinstance(domain, str) and is_amocrm_host(domain.lower()) else None

    def _grant(self, domain: str, credentials: Credentials, body: Mapping[str, str]) -> Grant:
        full = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "redirect_uri": credentials.redirect_uri,
            **body,
        }
        answer = self._send("POST", domain, TOKEN_PATH, json=full)
        self._check(answer, domain, TOKEN_PATH)
        return read_grant(answer)

    def _send(self, method: str, domain: str, path: str, **more: Any) -> Answer:
        if not is_amocrm_host(domain):
            raise ConfigError("A secret was about to leave for a host that is not amoCRM's.")
        headers = {"Host": domain, "Accept": "application/json", **more.pop("headers", {})}
        try:
            response = self._session.request(
                method,
                (self._origin or f"https://{domain}") + path,
                headers=headers,
                auth=NoAuth(),
                timeout=self._timeouts_s,
                allow_redirects=False,
                **more,
            )
        except requests.RequestException as error:
            raise AmoUnavailable(
                "amoCRM's token endpoint did not answer.",
                reason=type(error).__name__,
                method=method,
                path=path,
                domain=domain,
            ) from None
        answer = read_answer(response)
        log.info(
            "oauth.answered", path=path, domain=domain, status=answer.status, amo_request_id=answer.request_id
        )
        return answer

    @staticmethod
    def _check(answer: Answer, domain: str, path: str) -> None:
        context = {"path": path, "domain": domain}
        problem = error_of(answer, context)
        if problem is not None and not isinstance(problem, AmoRejected):
            raise problem
        if problem is not None or answer.status == 401:
            hint = as_dict(answer.data).get("hint")
            raise TokenRefused(
                f"amoCRM's token endpoint refused ({answer.status}).",
                status=answer.status,
                hint=hint[:200] if isinstance(hint, str) else None,
                request_id=answer.request_id,
                **context,
            )


def read_grant(answer: Answer) -> Grant:
    """A token pair from a 2xx answer. Raises AmoUnavailable for one that lacks it: the pair is as good as
    lost.
    """
    data = as_dict(None if answer.data is GARBLED else answer.data)
    access, refresh = data.get("access_token"), data.get("refresh_token")
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise AmoUnavailable(
            "amoCRM's token endpoint answered without tokens.", status=answer.status, path=TOKEN_PATH
        )
    claims = access_claims(access)
    api_domain = claims.get("api_domain")
    return Grant(
        access=access,
        refresh=refresh,
        lifetime_s=min(as_id(data.get("expires_in")) or LIFETIME_S, 366 * LIFETIME_S),
        server_at=as_moment(data.get("server_time")),
        account_id=as_id(claims.get("account_id")),
        user_id=as_id(claims.get("sub")),
        api_domain=api_domain if isinstance(api_domain, str) and is_amocrm_host(api_domain) else None,
    )


def access_claims(access: str) -> dict[str, Any]:
    """The claims of an access token, unverified (no public key is published); empty if it is not a JWT."""
    try:
        claims = jwt.decode(access, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
    return as_dict(claims)
