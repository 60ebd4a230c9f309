"""Verifies ``X-Auth-Token``, the token amoCRM's page gives our widget: HS256, signed with the client secret.

One token serves many requests until it expires, so ``jti`` is not required to be new.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import jwt

from widget_backend import clock
from widget_backend.amocrm.hosts import is_amocrm_host, subdomain_of
from widget_backend.errors import Unauthorized

MAX_BYTES = 4096
LEEWAY_S = 60
# Claims are checked below, against our clock and with amoCRM's latitude.
_SIGNATURE_ONLY: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
# The header or the claims may be nested until the parser gives up.
_UNREADABLE = (jwt.PyJWTError, ValueError, RecursionError)


class Refusal(StrEnum):
    """Why a token was refused; stands in ``code`` and in ``context["reason"]`` of the Unauthorized."""

    MISSING = "token_missing"
    TOO_LONG = "token_too_long"
    MALFORMED = "token_malformed"
    ALGORITHM = "token_algorithm"
    CLAIMS = "token_claims"
    UNKNOWN_INTEGRATION = "integration_unknown"
    SIGNATURE = "token_signature"
    EXPIRED = "token_expired"
    NOT_YET_VALID = "token_not_yet_valid"
    AUDIENCE = "token_audience"
    ISSUER = "token_issuer"


@dataclass(frozen=True, kw_only=True)
class IntegrationKeys:
    """What verifying needs of an integration: its secrets, the present one first, and its redirect URI."""

    secrets: Sequence[str] = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, kw_only=True)
class WidgetIdentity:
    """Who opened the page. Rights come from the synced user; ``is_admin_hint`` is what the browser's side
    says.
    """

    account_id: int
    user_id: int
    client_uuid: str
    subdomain: str
    domain: str
    is_admin_hint: bool


def verify(
    token: str | None,
    lookup: Callable[[str], IntegrationKeys | None],
    *,
    leeway_s: int = LEEWAY_S,
    now: Callable[[], datetime] = clock.now,
) -> WidgetIdentity:
    """Who is calling. ``lookup`` finds an integration by its client id, None if there is none.

    Raises Unauthorized with one code per cause (``Refusal``). Recipe: widget platform reference, verification
    of disposable tokens.
    """
    text = _checked_form(token)
    claims = _unverified(text)
    client_uuid = claims["client_uuid"]
    keys = lookup(client_uuid)
    if keys is None or not keys.secrets:
        raise _refused(Refusal.UNKNOWN_INTEGRATION)
    _check_signature(text, keys.secrets)
    _check_times(claims, now().timestamp(), leeway_s)
    if not _audience_fits(claims["aud"], keys.redirect_uri):
        raise _refused(Refusal.AUDIENCE)
    return WidgetIdentity(
        account_id=claims["account_id"],
        user_id=claims["user_id"],
        client_uuid=client_uuid,
        subdomain=claims["subdomain"],
        domain=_issuer_host(claims["iss"], claims["subdomain"]),
        is_admin_hint=claims.get("is_admin") is True,
    )


def _refused(reason: Refusal) -> Unauthorized:
    error = Unauthorized(
        "The widget's token is not accepted.",
        remedy="Reload the amoCRM page; if it stays, reinstall the integration.",
        reason=str(reason),
    )
    error.code = str(reason)
    return error


def _checked_form(token: str | None) -> str:
    text = (token or "").strip()
    if not text:
        raise _refused(Refusal.MISSING)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _refused(Refusal.TOO_LONG)
    try:
        header = jwt.get_unverified_header(text)
    except _UNREADABLE as error:
        raise _refused(Refusal.MALFORMED) from error
    if header.get("alg") != "HS256":
        raise _refused(Refusal.ALGORITHM)
    return text


def _unverified(text: str) -> dict[str, Any]:
    """The claims with their types checked; nothing in them is believed before the signature is."""
    try:
        claims = jwt.decode(text, options={"verify_signature": False})
    except _UNREADABLE as error:
        raise _refused(Refusal.MALFORMED) from error
    for name in ("account_id", "user_id"):
        claims[name] = _positive(claims.get(name))
    for name in ("exp", "iat"):
        _number(claims.get(name))
    if claims.get("nbf") is not None:
        _number(claims["nbf"])
    for name in ("client_uuid", "subdomain", "iss"):
        if not isinstance(claims.get(name), str) or not claims[name]:
            raise _refused(Refusal.CLAIMS)
    if not isinstance(claims.get("aud"), (str, list)):
        raise _refused(Refusal.CLAIMS)
    return claims


def _positive(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise _refused(Refusal.CLAIMS)
    return value


def _number(value: Any) -> float:
    # NaN and infinities would slip through every comparison.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
        raise _refused(Refusal.CLAIMS)
    return float(value)


def _check_signature(text: str, secrets: Sequence[str]) -> None:
    for secret in secrets:
        try:
            jwt.decode(text, secret.encode(), algorithms=["HS256"], options=_SIGNATURE_ONLY)
        except jwt.InvalidSignatureError:
            continue
        except _UNREADABLE as error:
            raise _refused(Refusal.MALFORMED) from error
        return
    raise _refused(Refusal.SIGNATURE)


def _check_times(claims: Mapping[str, Any], at: float, leeway_s: int) -> None:
    if at > _number(claims["exp"]) + leeway_s:
        raise _refused(Refusal.EXPIRED)
    begins = max(_number(claims["iat"]), _number(claims.get("nbf") or 0))
    if at < begins - leeway_s:
        raise _refused(Refusal.NOT_YET_VALID)


def _audience_fits(audience: str | list[Any], redirect_uri: str) -> bool:
    """Scheme and host of the redirect URI, with its port or without, whatever slash stands at the end."""
    parts = urlsplit(redirect_uri)
    allowed = {f"{parts.scheme}://{parts.hostname}", f"{parts.scheme}://{parts.netloc.lower()}"}
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(value, str) and value.lower().rstrip("/") in allowed for value in named)


def _issuer_host(issuer: str, subdomain: str) -> str:
    try:
        parts = urlsplit(issuer)
        host, port = (parts.hostname or ""), parts.port
    except ValueError as error:
        raise _refused(Refusal.ISSUER) from error
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or port)
    if parts.scheme != "https" or not plain or not is_amocrm_host(host):
        raise _refused(Refusal.ISSUER)
    if subdomain_of(host) != subdomain.lower():
        raise _refused(Refusal.ISSUER)
    return host
