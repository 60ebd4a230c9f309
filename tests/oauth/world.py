"""An amoCRM token endpoint of a few lines, and accounts to refresh: what the tests of this folder share."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from sqlalchemy import Engine, select

from tests.amocrm.scripted import LOST, Asked, Reply, ok, problem
from widget_backend.amocrm.client import make_session
from widget_backend.db.engine import session_scope
from widget_backend.oauth.endpoint import TokenEndpoint
from widget_backend.oauth.models import Account, AccountState, Integration, OAuthToken
from widget_backend.oauth.tokens import TokenStore
from widget_backend.oauth.vault import Vault

ACCOUNT = 31000001
CLIENT = "0f8b2f66-1111-4222-8333-444455556666"
SECRET = "client-secret-" + "s" * 50
REDIRECT = "https://app.example/oauth/callback"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REVOKED = problem(401, hint="Token has been revoked", detail="нет")


def access_token(account_id: int = ACCOUNT, number: int = 0, **claims: Any) -> str:
    named = {"account_id": account_id, "sub": "501", "api_domain": "api-b.amocrm.ru", "n": number}
    return jwt.encode({**named, **claims}, "k" * 32, algorithm="HS256")


@dataclass
class FakeAmo:
    """Rotates refresh tokens; a used one is dead. ``lose`` answers are lost after the rotation was done."""

    good: str = "refresh-0"
    domain: str = "demo.amocrm.ru"
    account_id: int = ACCOUNT
    lose: int = 0
    fail: list[Reply] = field(default_factory=list)
    keeps_used: bool = False
    server_time: int | None = None
    codes: set[str] = field(default_factory=lambda: {"code-1"})
    refreshes: int = 0
    exchanges: int = 0
    number: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Reply:
        with self.lock:
            if asked.path == "/oauth2/account/current/subdomain":
                return self._whereabouts(asked)
            if asked.path == "/oauth2/access_token":
                return self._token(asked)
            if asked.path == "/api/v4/account":
                return ok({"id": self.account_id, "subdomain": "demo"})
            return problem(404)

    def _whereabouts(self, asked: Asked) -> Reply:
        if asked.headers.get("x-refresh-token") != self.good:
            return REVOKED
        return ok({"id": self.account_id, "domain": self.domain})

    def _token(self, asked: Asked) -> Reply:
        if self.fail:
            return self.fail.pop(0)
        if asked.headers["host"] != self.domain:
            return problem(404)
        body = json.loads(asked.body)
        if body["client_id"] != CLIENT or body["client_secret"] != SECRET:
            return problem(401, hint="Client authentication failed")
        if body["redirect_uri"] != REDIRECT:
            return problem(400, hint="Check the `redirect_uri` parameter")
        if body["grant_type"] == "authorization_code":
            self.exchanges += 1
            if body["code"] not in self.codes:
                return problem(400, hint="Authorization code has been revoked")
            self.codes.discard(body["code"])
            return self._pair()
        self.refreshes += 1
        if body["refresh_token"] != self.good:
            return REVOKED
        return self._pair()

    def _pair(self) -> Reply:
        self.number += 1
        fresh = f"refresh-{self.number}"
        if self.lose:
            self.lose -= 1
            if not self.keeps_used:
                self.good = fresh
            return LOST
        self.good = fresh
        time = {"server_time": self.server_time} if self.server_time else {}
        return ok(
            {
                "token_type": "Bearer",
                "expires_in": 86400,
                "access_token": access_token(self.account_id, self.number),
                "refresh_token": fresh,
                **time,
            }
        )


def add_integration(engine: Engine, vault: Vault, client_id: str = CLIENT, secret: str = SECRET) -> None:
    with session_scope(engine) as session:
        session.add(
            Integration(
                client_id=client_id,
                secret_encrypted=vault.encrypt(secret),
                redirect_uri=REDIRECT,
                created_at=NOW,
            )
        )


def add_account(
    engine: Engine, vault: Vault, *, state: AccountState = AccountState.ACTIVE, account_id: int = ACCOUNT
) -> None:
    """An account whose token ran out an hour ago."""
    with session_scope(engine, account_id) as session:
        session.add(
            Account(
                account_id=account_id,
                subdomain="demo",
                domain="demo.amocrm.ru",
                state=state,
                client_id=CLIENT,
                installed_at=NOW,
                updated_at=NOW,
            )
        )
        session.flush()
        session.add(
            OAuthToken(
                account_id=account_id,
                client_id=CLIENT,
                access_encrypted=vault.encrypt(access_token(account_id)),
                refresh_encrypted=vault.encrypt("refresh-0"),
                expires_at=NOW - timedelta(hours=1),
                refreshed_at=NOW - timedelta(hours=25),
                version=1,
                api_domain="api-b.amocrm.ru",
            )
        )


def token_store(engine: Engine, vault: Vault, origin: str) -> TokenStore:
    endpoint = TokenEndpoint(make_session(), origin, timeouts_s=(5.0, 20.0))
    return TokenStore(engine, vault, endpoint, lambda: NOW)


def account_now(engine: Engine, account_id: int = ACCOUNT) -> Account:
    with session_scope(engine) as session:
        return session.get_one(Account, account_id)


def token_row(engine: Engine, account_id: int = ACCOUNT) -> OAuthToken | None:
    with session_scope(engine, account_id) as session:
        return session.scalar(select(OAuthToken).where(OAuthToken.account_id == account_id))
