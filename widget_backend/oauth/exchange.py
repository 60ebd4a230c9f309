"""A stored authorisation code → a connected account. Runs in a worker; may run twice and may die anywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from widget_backend import clock
from widget_backend.amocrm.client import Token
from widget_backend.amocrm.hosts import subdomain_of
from widget_backend.amocrm.parse import parse_account
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock, wait_for_lock
from widget_backend.errors import AccountBlocked, AppError, Conflict, InputError, NotFound, Retriable
from widget_backend.oauth.credentials import credentials_of
from widget_backend.oauth.endpoint import Grant, TokenEndpoint
from widget_backend.oauth.models import Account, AccountState, InstallRequest, OAuthToken
from widget_backend.oauth.tokens import fill_token
from widget_backend.oauth.vault import Vault
from widget_backend.sync.models import SyncCursor

log = structlog.get_logger(__name__)

CODE_LIFETIME = timedelta(minutes=20)

FetchAccount = Callable[[int, str, Token], dict[str, Any]]
"""``(account_id, domain, token)`` → the payload of ``GET
/account?with=datetime_settings,is_api_filter_enabled``.
"""


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What an install request asks for, read in one go."""

    client_id: str
    domain: str
    code: str | None
    account_id: int | None
    is_old: bool


def exchange_code(
    engine: Engine,
    vault: Vault,
    endpoint: TokenEndpoint,
    install_request_id: int,
    *,
    fetch_account: FetchAccount,
    on_installed: Callable[[Session, int], None],
    now: Callable[[], datetime] = clock.now,
) -> int:
    """Exchange the code, store the tokens, confirm the account, and return its id.

    The pair is committed before it is used, so a crash afterwards loses nothing and a second run goes on from
    there. A re-install keeps the account's data: it is ``active`` again if it was ever backfilled.
    ``on_installed(session, account_id)`` runs in the last transaction (webhook address, schedule).

    Raises Retriable (run again; the request stays open), Conflict (another worker is at it), NotFound, and
    the AppError that ended the request, whose class name is then in ``install_requests.error``.
    """
    with try_lock(engine, "oauth.exchange_code", install_request_id) as held:
        if not held:
            raise Conflict("Another worker is exchanging this code.", install_request_id=install_request_id)
        work = _open_request(engine, vault, install_request_id, now())
        if isinstance(work, int):
            return work
        account_id = work.account_id
        try:
            if account_id is None:
                account_id = _obtain(engine, vault, endpoint, install_request_id, work, now)
            details = parse_account(
                fetch_account(account_id, work.domain, _stored_token(engine, vault, account_id))
            )
            if details["account_id"] != account_id:
                raise InputError("The token belongs to another account than it says.", account_id=account_id)
        except (Retriable, AccountBlocked):
            if account_id is not None or not work.is_old:
                raise
            _close(engine, install_request_id, "code_expired", now())
            raise _too_late() from None
        except AppError as error:
            _close(engine, install_request_id, type(error).__name__, now())
            raise
        _finish(engine, install_request_id, account_id, details, on_installed, now())
        log.info("oauth.installed", account_id=account_id, client_id=work.client_id)
        return account_id


def _open_request(engine: Engine, vault: Vault, request_id: int, at: datetime) -> _Work | int:
    """What is left to do, or the account id if all was done before."""
    with session_scope(engine) as session:
        request = session.get(InstallRequest, request_id)
        if request is None:
            raise NotFound("There is no such install request.", install_request_id=request_id)
        if request.finished_at is not None:
            if request.account_id is not None and request.error is None:
                return request.account_id
            raise InputError(
                "The install request failed before.", reason=request.error, remedy="Install again."
            )
        code = vault.decrypt(request.code_encrypted) if request.code_encrypted is not None else None
        return _Work(
            client_id=request.client_id,
            domain=request.referer,
            code=code,
            account_id=request.account_id,
            is_old=at - request.received_at > CODE_LIFETIME,
        )


def _obtain(
    engine: Engine,
    vault: Vault,
    endpoint: TokenEndpoint,
    request_id: int,
    work: _Work,
    now: Callable[[], datetime],
) -> int:
    """Spend the code and commit the pair it gives."""
    if work.code is None:
        raise InputError("The install request has no code.", field="code", remedy="Install again.")
    with session_scope(engine) as session:
        credentials = credentials_of(session, vault, work.client_id)
    grant = endpoint.exchange_code(work.domain, credentials, work.code)
    if grant.account_id is None:
        raise InputError("The access token names no account.", remedy="Install again.")
    with session_scope(engine, grant.account_id) as session:
        _store_pair(session, vault, grant.account_id, work, grant, now())
        request = session.get_one(InstallRequest, request_id)
        request.account_id, request.code_encrypted = grant.account_id, None
    return grant.account_id


def _store_pair(
    session: Session, vault: Vault, account_id: int, work: _Work, grant: Grant, at: datetime
) -> None:
    """Account row, token row, the account's columns: this order cannot deadlock with a refresh."""
    # Two codes of one new account at once: the second has to find the row of the first.
    wait_for_lock(session, "oauth.store_pair", account_id)
    account = _account_row(session, account_id, work.client_id, work.domain, subdomain_of(work.domain), at)
    row = session.scalar(select(OAuthToken).where(OAuthToken.account_id == account_id).with_for_update())
    if row is None:
        row = OAuthToken(account_id=account_id)
        fill_token(row, grant, vault, at)
        row.client_id = work.client_id
        session.add(row)
    else:
        row.api_domain, row.client_id = None, work.client_id
        fill_token(row, grant, vault, at)
    session.flush()
    account.client_id, account.domain = work.client_id, work.domain
    account.subdomain, account.updated_at = subdomain_of(work.domain), at


def _account_row(
    session: Session, account_id: int, client_id: str, domain: str, subdomain: str, at: datetime
) -> Account:
    """The account, made if it is new; an account that exists keeps all it has."""
    session.execute(
        insert(Account)
        .values(
            account_id=account_id,
            subdomain=subdomain,
            domain=domain,
            state=AccountState.BACKFILLING,
            client_id=client_id,
            installed_at=at,
            updated_at=at,
        )
        .on_conflict_do_nothing()
    )
    account = session.get(Account, account_id, populate_existing=True)
    if account is None:
        raise NotFound("The account vanished while it was being installed.", account_id=account_id)
    return account


def _stored_token(engine: Engine, vault: Vault, account_id: int) -> Token:
    with session_scope(engine, account_id) as session:
        row = session.get_one(OAuthToken, account_id)
        return Token(
            access=vault.decrypt(row.access_encrypted), version=row.version, expires_at=row.expires_at
        )


def _finish(
    engine: Engine,
    request_id: int,
    account_id: int,
    details: dict[str, Any],
    on_installed: Callable[[Session, int], None],
    at: datetime,
) -> None:
    with session_scope(engine, account_id) as session:
        account = session.get_one(Account, account_id)
        for name in ("name", "country", "currency", "filters_enabled"):
            setattr(account, name, details[name])
        account.timezone = details["timezone"] or account.timezone
        done = was_backfilled(session, account_id)
        account.state = AccountState.ACTIVE if done else AccountState.BACKFILLING
        account.state_reason, account.updated_at = None, at
        request = session.get_one(InstallRequest, request_id)
        request.finished_at, request.account_id, request.error = at, account_id, None
        session.flush()
        on_installed(session, account_id)


def _close(engine: Engine, request_id: int, error: str, at: datetime) -> None:
    with session_scope(engine) as session:
        request = session.get_one(InstallRequest, request_id)
        request.finished_at, request.error, request.code_encrypted = at, error, None


def _too_late() -> InputError:
    return InputError(
        "The code was not exchanged within 20 minutes.", field="code", remedy="Install the integration again."
    )


def was_backfilled(session: Session, account_id: int) -> bool:
    """Whether the account's data were once complete: a backfill opens all cursors first, and closes each."""
    counts = select(func.count(), func.count(SyncCursor.backfilled_at))
    opened, closed = session.execute(counts.where(SyncCursor.account_id == account_id)).one()
    return opened > 0 and opened == closed
