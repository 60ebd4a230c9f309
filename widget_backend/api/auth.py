"""Who is calling: the widget's token, checked, and the user's rights from our mirror."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from flask import request
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from widget_backend.access.visibility import view_right, viewer_of
from widget_backend.amocrm.widget_token import verify
from widget_backend.api.wiring import services
from widget_backend.clock import now
from widget_backend.crm.models import User
from widget_backend.db.engine import session_scope, set_account
from widget_backend.errors import Forbidden, NotConnected, StillLoading
from widget_backend.kpi.query import Scope
from widget_backend.oauth.credentials import keys_of
from widget_backend.oauth.models import Account, AccountState

# A question that takes longer is given up (503), so that it does not hold a connection for ever.
LONGEST_STATEMENT_S = 25
UNUSABLE = (AccountState.REAUTH_REQUIRED, AccountState.DISCONNECTED)


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """The account and user behind a call, and which facts they may see (right: A, G, M or D)."""

    account: Account
    user: User
    scope: Scope
    right: str


@contextmanager
def viewer_session() -> Iterator[tuple[Session, Viewer]]:
    """A transaction on the caller's account and the caller: reads of one moment, cut off when they take long.

    Raises Unauthorized (401), Forbidden (403: unknown or dismissed user), NotConnected, StillLoading (409).
    """
    token = request.headers.get("X-Auth-Token")
    with session_scope(services().engine, snapshot=True) as session:
        session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT_S}s'"))
        identity = verify(token, lambda client: keys_of(session, services().vault, client, now()))
        account = session.get(Account, identity.account_id)
        if account is None or account.state in UNUSABLE:
            raise NotConnected("The account is not connected.", account_id=identity.account_id)
        if account.client_id != identity.client_uuid:
            raise Forbidden("The token is of another integration.", account_id=identity.account_id)
        set_account(session, identity.account_id)
        structlog.contextvars.bind_contextvars(account_id=identity.account_id, user_id=identity.user_id)
        user = _viewer(session, account, identity.user_id)
        yield session, Viewer(account=account, user=user, scope=scope_of(user), right=view_right(user))


def _viewer(session: Session, account: Account, user_id: int) -> User:
    """The user; in the first seconds of an account, before its users are read, nobody is unknown."""
    try:
        return viewer_of(session, account.account_id, user_id)
    except Forbidden:
        anybody = session.scalar(select(User.id).where(User.account_id == account.account_id).limit(1))
        if account.state == AccountState.BACKFILLING and anybody is None:
            raise StillLoading("The account's users are not read yet.", user_id=user_id) from None
        raise


def scope_of(user: User) -> Scope:
    """The same right as a limit on facts."""
    right = view_right(user)
    if right == "A":
        return Scope.everything()
    if right == "G":
        return Scope.of_group(user.group_id, user.id)
    if right == "M":
        return Scope.of_user(user.id)
    return Scope.nothing()
