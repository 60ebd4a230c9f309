"""The rotating token pair of an account: one refresh at a time, under the row's lock, stored before it is
used.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg
import structlog
from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from widget_backend import clock
from widget_backend.amocrm.client import Token
from widget_backend.amocrm.hosts import subdomain_of
from widget_backend.db.engine import session_scope
from widget_backend.errors import AmoUnavailable, NeedsReauthorization, NotConnected
from widget_backend.oauth.credentials import Credentials, credentials_of
from widget_backend.oauth.endpoint import Grant, TokenEndpoint, TokenRefused
from widget_backend.oauth.models import Account, AccountState, OAuthToken
from widget_backend.oauth.vault import Vault

log = structlog.get_logger(__name__)
T = TypeVar("T")

# A refresh takes two lost answers of 25 s each at worst, then a look for the new name of the account.
LOCK_TIMEOUT_S = 120
IDLE_REFRESH = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class _Dead:
    """amoCRM no longer knows the pair."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class _Fresh:
    """A new pair, and the host it came from."""

    grant: Grant
    domain: str


class TokenStore:
    """Tokens of all accounts. Safe to use from any number of processes and threads at once."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        exchange: TokenEndpoint,
        now: Callable[[], datetime] = clock.now,
    ):
        self._engine = engine
        self._vault = vault
        self._endpoint = exchange
        self._now = now

    def current(self, account_id: int) -> Token:
        """The stored token, stale or not. Raises NotConnected if the account has none."""
        with session_scope(self._engine, account_id) as session:
            account, row = self._rows(session, account_id, lock=False)
            return self._token(account, row)

    def refresh_if_due(self, account_id: int, ahead_s: int = 600) -> Token:
        """A token good for at least ``ahead_s`` seconds, of a pair that was renewed within a week.

        The week keeps the refresh token of an idle account alive, which dies after three months. Raises as
        ``current`` and ``refresh``.
        """
        with session_scope(self._engine, account_id) as session:
            account, row = self._rows(session, account_id, lock=False)
            token, refreshed_at = self._token(account, row), row.refreshed_at
        now = self._now()
        if token.expires_at - now > timedelta(seconds=ahead_s) and now - refreshed_at < IDLE_REFRESH:
            return token
        return self.refresh(account_id, token.version)

    def refresh(self, account_id: int, seen_version: int) -> Token:
        """A newer token than ``seen_version``: somebody else's if there is one already, else a refresh of our
        own.

        However many callers find the same stale token, one refresh is made. The new pair is committed before
        anybody gets it. A lost answer is repeated once with the stored token, still under the lock; a pair
        that amoCRM then calls revoked sets the account to reauth_required.

        Raises NeedsReauthorization (dead pair), NotConnected (no pair), AmoUnavailable (amoCRM or the lock is
        out of reach; the account keeps its state), AmoRateLimited, AccountBlocked.
        """
        outcome = _to_its_end(lambda: self._refresh(account_id, seen_version))
        if isinstance(outcome, Token):
            return outcome
        raise NeedsReauthorization(
            "The tokens of the account are dead.",
            remedy="An administrator of the account has to authorise the integration again.",
            account_id=account_id,
            reason=outcome.reason,
        )

    def _refresh(self, account_id: int, seen_version: int) -> Token | _Dead:
        try:
            with session_scope(self._engine, account_id) as session:
                session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
                return self._refresh_locked(session, account_id, seen_version)
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise AmoUnavailable("Another process is still refreshing.", account_id=account_id) from None
            raise

    def _refresh_locked(self, session: Session, account_id: int, seen_version: int) -> Token | _Dead:
        account, row = self._rows(session, account_id, lock=True)
        if row.version != seen_version:
            return self._token(account, row)
        if account.state == AccountState.REAUTH_REQUIRED:
            return _Dead(reason=account.state_reason or "token_revoked")
        credentials = credentials_of(session, self._vault, row.client_id)
        refresh_token = self._vault.decrypt(row.refresh_encrypted)
        outcome = self._obtain(account.domain, credentials, refresh_token, row.api_domain)
        if isinstance(outcome, _Dead):
            self._mark_dead(session, account_id, outcome.reason)
            return outcome
        self._store(session, account, row, outcome)
        return self._token(account, row)

    def _obtain(
        self, domain: str, credentials: Credentials, refresh_token: str, api_domain: str | None
    ) -> _Fresh | _Dead:
        """A new pair from the old host, or from the new one if the account was renamed."""
        try:
            return _Fresh(grant=self._ask_twice(domain, credentials, refresh_token), domain=domain)
        except TokenRefused as refusal:
            if not _may_be_dead(refusal):
                raise
            reason = _reason(refusal)
        renamed = self._endpoint.current_domain(api_domain, refresh_token) if api_domain else None
        if renamed is None or renamed == domain:
            return _Dead(reason=reason)
        log.info("oauth.account_renamed", old=domain, new=renamed)
        try:
            return _Fresh(grant=self._ask_twice(renamed, credentials, refresh_token), domain=renamed)
        except TokenRefused as refusal:
            return _Dead(reason=_reason(refusal))

    def _ask_twice(self, domain: str, credentials: Credentials, refresh_token: str) -> Grant:
        """One refresh; once more if its answer was lost, for the stored token may still be good."""
        try:
            return self._endpoint.refresh(domain, credentials, refresh_token)
        except AmoUnavailable as error:
            log.warning("oauth.refresh_answer_lost", domain=domain, reason=error.context.get("reason"))
        return self._endpoint.refresh(domain, credentials, refresh_token)

    def _rows(self, session: Session, account_id: int, *, lock: bool) -> tuple[Account, OAuthToken]:
        query = select(OAuthToken).where(OAuthToken.account_id == account_id)
        row = session.scalar(query.with_for_update() if lock else query)
        account = session.get(Account, account_id)
        if row is None or account is None or account.state == AccountState.DISCONNECTED:
            raise NotConnected(
                "The account is not connected.",
                remedy="Install the integration in amoCRM.",
                account_id=account_id,
            )
        return account, row

    def _token(self, account: Account, row: OAuthToken) -> Token:
        return Token(
            access=self._vault.decrypt(row.access_encrypted),
            version=row.version,
            expires_at=row.expires_at,
            domain=account.domain,
        )

    def _store(self, session: Session, account: Account, row: OAuthToken, fresh: _Fresh) -> None:
        now = self._now()
        fill_token(row, fresh.grant, self._vault, now)
        if fresh.domain != account.domain:
            account.domain, account.subdomain = fresh.domain, subdomain_of(fresh.domain)
            account.updated_at = now
        session.flush()

    def _mark_dead(self, session: Session, account_id: int, reason: str) -> None:
        """Only an account at work is stopped: one that a person paused or removed keeps that state."""
        session.execute(
            update(Account)
            .where(
                Account.account_id == account_id,
                Account.state.in_([AccountState.BACKFILLING, AccountState.ACTIVE]),
            )
            .values(state=AccountState.REAUTH_REQUIRED, state_reason=reason, updated_at=self._now())
        )
        log.error("oauth.reauthorization_needed", account_id=account_id, reason=reason)


def fill_token(row: OAuthToken, grant: Grant, vault: Vault, now: datetime) -> None:
    """Put a new pair into its row, one version higher."""
    row.access_encrypted = vault.encrypt(grant.access)
    row.refresh_encrypted = vault.encrypt(grant.refresh)
    row.expires_at = grant.expires_at(now)
    row.refreshed_at = now
    row.version = (row.version or 0) + 1
    row.user_id = grant.user_id or row.user_id
    row.api_domain = grant.api_domain or row.api_domain


def _to_its_end(work: Callable[[], T]) -> T:
    """Do ``work`` in a thread of its own and wait for it, whatever happens here meanwhile.

    Time limits of workers and Ctrl-C are exceptions raised by signal handlers, in the main thread only.
    Between amoCRM's answer and our commit such an exception would lose the account its only good token.
    """
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(copy_context().run, work).result()


def _may_be_dead(refusal: TokenRefused) -> bool:
    """Whether the refusal speaks of the token or the account, not of our own client id, secret or request."""
    hint = str(refusal.context.get("hint") or "").lower()
    if "client" in hint:
        return False
    return refusal.context.get("status") in (401, 404) or "token" in hint


def _reason(refusal: TokenRefused) -> str:
    """What stands in ``accounts.state_reason``; amoCRM's own hint is kept."""
    hint = refusal.context.get("hint")
    return f"token_revoked: {hint}" if hint else f"token_revoked: {refusal.context.get('status')}"
