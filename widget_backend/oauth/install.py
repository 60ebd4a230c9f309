"""Installing and removing the integration: install link, redirect, signed disconnect hook."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

import structlog
from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from widget_backend import clock
from widget_backend.amocrm.hosts import clean_referer
from widget_backend.db.engine import session_scope, set_account
from widget_backend.errors import InputError, NotFound, Unauthorized
from widget_backend.oauth.credentials import keys_of
from widget_backend.oauth.exchange import exchange_code
from widget_backend.oauth.models import (
    Account,
    AccountState,
    InstallRequest,
    Integration,
    OAuthState,
    OAuthToken,
)
from widget_backend.oauth.vault import Vault

__all__ = ["accept_callback", "disconnect", "exchange_code", "make_link", "verify_disconnect"]

log = structlog.get_logger(__name__)

CONSENT_ORIGIN = "https://www.amocrm.ru"
STATE_LIFETIME = timedelta(minutes=20)
MAX_CODE = 4096
MAX_STATE = 256


def make_link(
    engine: Engine,
    client_id: str,
    *,
    origin: str | None = None,
    mode: str = "popup",
    now: Callable[[], datetime] = clock.now,
) -> str:
    """The address an administrator opens to install; good once and for 20 minutes.

    ``origin`` replaces amoCRM's own site (simulator). Raises NotFound for an unregistered integration.
    """
    state = secrets.token_urlsafe(32)
    created_at = now()
    with session_scope(engine) as session:
        if session.get(Integration, client_id) is None:
            raise NotFound(
                f"The integration {client_id} is not registered.",
                remedy="Register it: python -m widget_backend integrations add.",
            )
        session.execute(delete(OAuthState).where(OAuthState.expires_at < created_at))
        session.add(
            OAuthState(
                state=state,
                client_id=client_id,
                created_at=created_at,
                expires_at=created_at + STATE_LIFETIME,
            )
        )
    query = urlencode({"client_id": client_id, "state": state, "mode": mode})
    return f"{(origin or CONSENT_ORIGIN).rstrip('/')}/oauth?{query}"


def accept_callback(
    session: Session, vault: Vault, params: Mapping[str, str], *, now: Callable[[], datetime] = clock.now
) -> InstallRequest:
    """Keep the code of a redirect for a worker to exchange; amoCRM waits three seconds and never asks again.

    A redirect that begins in amoCRM's own pages (``from_widget``) has no state of ours, and is bound to an
    account only by the token it leads to. Raises InputError with ``field`` error, client_id, state, referer
    or code. The caller commits.
    """
    client_id = params.get("client_id", "")
    if params.get("error"):
        raise InputError(
            "amoCRM reports that access was refused.",
            field="error",
            remedy="Open the install link again and allow the access, as an administrator of the account.",
        )
    if not client_id or "\0" in client_id or session.get(Integration, client_id) is None:
        raise InputError(
            "The redirect is for an integration that is not registered here.",
            field="client_id",
            remedy="Register it: python -m widget_backend integrations add.",
        )
    referer = clean_referer(params.get("referer", ""))
    code = params.get("code", "")
    if not 0 < len(code) <= MAX_CODE:
        raise InputError("The redirect carries no usable code.", field="code", remedy="Install again.")
    received_at = now()
    if params.get("from_widget") not in ("1", "true"):
        _use_state(session, params.get("state", ""), client_id, received_at)
    request = InstallRequest(
        client_id=client_id, referer=referer, code_encrypted=vault.encrypt(code), received_at=received_at
    )
    session.add(request)
    session.flush()
    return request


def _use_state(session: Session, state: str, client_id: str, at: datetime) -> None:
    usable = 0 < len(state) <= MAX_STATE and "\0" not in state
    found = (
        session.execute(
            delete(OAuthState)
            .where(OAuthState.state == state, OAuthState.client_id == client_id)
            .returning(OAuthState.expires_at)
        ).scalar()
        if usable
        else None
    )
    if found is None or found <= at:
        raise InputError(
            "The install link was used already or is too old.",
            field="state",
            remedy="Ask for a new install link; it is good once and for 20 minutes.",
        )


def disconnect(
    session: Session,
    vault: Vault,
    params: Mapping[str, str],
    on_disconnected: Callable[[Session, int], None],
    *,
    now: Callable[[], datetime] = clock.now,
) -> Account | None:
    """amoCRM tells that the integration was removed: stop the account and forget its tokens, keep its data.

    ``on_disconnected(session, account_id)`` removes what is scheduled for the account. None if the account is
    not ours, or is installed by another integration meanwhile. Raises Unauthorized for a wrong signature. The
    caller commits.
    """
    client_id, raw_id = params.get("client_uuid", ""), params.get("account_id", "")
    signed = verify_disconnect(session, vault, client_id, raw_id, params.get("signature", ""), now())
    if not signed:
        raise Unauthorized("The signature of the disconnect hook is wrong.")
    account_id = int(raw_id)
    set_account(session, account_id)
    # Token first, account second: the order of a running refresh, so that neither waits for the other in a
    # circle.
    session.execute(
        delete(OAuthToken).where(OAuthToken.account_id == account_id, OAuthToken.client_id == client_id)
    )
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None or account.client_id != client_id:
        return None
    account.state, account.state_reason = AccountState.DISCONNECTED, "uninstalled"
    account.updated_at = now()
    on_disconnected(session, account_id)
    session.flush()
    log.info("oauth.disconnected", account_id=account_id)
    return account


def verify_disconnect(
    session: Session, vault: Vault, client_id: str, account_id: str, signature: str, at: datetime
) -> bool:
    """Whether ``signature`` is hex HMAC-SHA256 of ``client_id|account_id`` under the integration's secret.

    Source: reference of the API, section on uninstalling (seen in one public client only).
    """
    if "\0" in client_id or not (account_id.isascii() and account_id.isdigit() and len(account_id) <= 18):
        return False
    keys = keys_of(session, vault, client_id, at) if client_id else None
    message = f"{client_id}|{account_id}".encode()
    right = False
    for secret in keys.secrets if keys else ():
        expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        right |= hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "replace"))
    return right
