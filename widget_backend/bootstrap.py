"""The only wiring: engine, Redis, HTTP, tokens and clients, for web, workers, command line and tests."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from threading import local

import redis
import requests
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from widget_backend import clock
from widget_backend.amocrm.client import AmoClient, Token, make_session
from widget_backend.amocrm.limiter import RedisBudget
from widget_backend.db.engine import make_engine, session_scope
from widget_backend.errors import ConfigError, NeedsReauthorization, NotFound
from widget_backend.oauth.endpoint import TokenEndpoint
from widget_backend.oauth.models import Account
from widget_backend.oauth.tokens import TokenStore
from widget_backend.oauth.vault import Vault
from widget_backend.settings import Settings


class Services:
    """Everything a process needs, made on first use; nothing connects before it is asked for."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._local = local()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "Services":
        """Services for the process's own environment. Raises ConfigError."""
        return cls(Settings.from_env(os.environ if environ is None else environ))

    @cached_property
    def engine(self) -> Engine:
        return make_engine(self.settings.database_url)

    @cached_property
    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(
            self.settings.redis_url,
            socket_connect_timeout=5,
            socket_timeout=15,
            socket_keepalive=True,
            health_check_interval=10,
        )

    @cached_property
    def vault(self) -> Vault:
        return Vault(self.settings.encryption_keys)

    @cached_property
    def token_endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(make_session(), origin=self.settings.amocrm_origin)

    @cached_property
    def tokens(self) -> TokenStore:
        return TokenStore(self.engine, self.vault, self.token_endpoint, clock.now)

    def client(self, account: Account) -> AmoClient:
        """A client on behalf of one account, for one thread."""
        account_id = account.account_id
        return self._client(
            account,
            lambda: self.tokens.current(account_id),
            lambda seen: self.tokens.refresh(account_id, seen),
        )

    def client_with(self, account_id: int, domain: str, token: Token) -> AmoClient:
        """A client with a token just obtained, before the account is wholly there."""

        def no_refresh(_seen: int) -> Token:
            raise NeedsReauthorization("amoCRM refuses a token it has just given.", account_id=account_id)

        account = self.account(account_id)
        account.domain = domain
        return self._client(account, lambda: token, no_refresh)

    def _client(
        self, account: Account, token: Callable[[], Token], refresh: Callable[[int], Token]
    ) -> AmoClient:
        budget = RedisBudget(
            self.redis,
            account.account_id,
            account.client_id,
            per_second=self.settings.amocrm_requests_per_s,
        )
        return AmoClient(
            account.account_id,
            account.domain,
            token,
            refresh,
            budget,
            self._session(),
            self.settings.amocrm_origin,
        )

    def _session(self) -> requests.Session:
        """This thread's connections to amoCRM, shared by the accounts it works for."""
        if not hasattr(self._local, "session"):
            self._local.session = make_session()
        session: requests.Session = self._local.session
        return session

    def account(self, account_id: int) -> Account:
        """The account's row. Raises NotFound."""
        with session_scope(self.engine) as session:
            account = session.get(Account, account_id)
        if account is None:
            raise NotFound(
                f"There is no account {account_id}.", remedy="`accounts list` shows those there are."
            )
        return account

    def close(self) -> None:
        """Let go of connections that were made."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        if "redis" in self.__dict__:
            self.redis.close()


def wait_for_role(engine: Engine, sleep: Callable[[float], object] = time.sleep) -> None:
    """``check_role`` as soon as the database can be asked; ``sleep`` returning true gives up waiting."""
    while True:
        try:
            check_role(engine)
        except OperationalError:
            if sleep(1.0):
                return
        else:
            return


def check_role(engine: Engine) -> None:
    """Refuse a database role that row-level security does not bind.

    Raises ConfigError for a superuser, a role with BYPASSRLS, or an owner of tables.
    """
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT current_user AS name, rolsuper, rolbypassrls, EXISTS (SELECT 1 FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
                " AND c.relkind IN ('r', 'p') AND c.relowner = r.oid) AS owns"
                " FROM pg_roles r WHERE rolname = current_user"
            )
        ).one()
    wrong = [
        word
        for word, bad in (
            ("a superuser", row.rolsuper),
            ("allowed to bypass row-level security", row.rolbypassrls),
            ("an owner of tables", row.owns),
        )
        if bad
    ]
    if wrong:
        raise ConfigError(
            f"DATABASE_URL: the role {row.name!r} is {' and '.join(wrong)}.",
            remedy="Use an ordinary role there and keep the owner in DATABASE_OWNER_URL.",
        )
