"""The accounts of the simulator: which one a Host header means, and what it is set to."""

import json
import sqlite3
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.amocrm.storage import texts
from sandbox.amocrm.storage.store import Store
from sandbox.amocrm.vocabulary import Row

DOMAINS = (".amocrm.ru", ".amocrm.com", ".kommo.com")
SHARED_LABELS = frozenset({"www", "api-a", "api-b"})


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account; `body` is account.json with every `with=`, `parent` the domain it was called under."""

    id: int
    subdomain: str
    body: Row
    parent: str = DOMAINS[0]

    @property
    def domain(self) -> str:
        """The account's own host."""
        return f"{self.subdomain}{self.parent}"

    @property
    def origin(self) -> str:
        """What links and `iss` begin with."""
        return f"https://{self.domain}"

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone; UTC when its name is unknown."""
        settings = self.body.get("_embedded", {}).get("datetime_settings", {})
        try:
            return ZoneInfo(str(settings.get("timezone")))
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


class Accounts:
    """Finds accounts; kept in memory because every request needs one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_id: dict[int, Account] = {}
        self._by_subdomain: dict[str, Account] = {}
        self.reload()

    def reload(self) -> None:
        """Read them again after a change."""
        with self._store.read() as connection:
            found = connection.execute("SELECT id, subdomain, body FROM accounts ORDER BY rowid").fetchall()
        accounts = [Account(id=row[0], subdomain=row[1], body=json.loads(row[2])) for row in found]
        self._by_id = {account.id: account for account in accounts}
        self._by_subdomain = {account.subdomain: account for account in accounts}

    def all(self) -> list[Account]:
        """Every account."""
        return list(self._by_id.values())

    def get(self, account_id: int) -> Account | None:
        """By id."""
        return self._by_id.get(account_id)

    def named(self, subdomain: str | None) -> Account | None:
        """By subdomain; the only account when none is named."""
        if subdomain:
            return self._by_subdomain.get(subdomain.removesuffix(".amocrm.ru"))
        return next(iter(self._by_id.values())) if len(self._by_id) == 1 else None

    def by_host(self, host: str) -> Account | None:
        """The account a Host header means: its own, or any foreign host when there is only one account."""
        for domain in DOMAINS:
            label = host.removesuffix(domain)
            if label != host:
                found = self.named(None) if label in SHARED_LABELS else self._by_subdomain.get(label)
                # Clients follow `next`, and refuse to carry their token to another host.
                return found and replace(found, parent=domain)
        return self.named(None)


def is_shared(host: str) -> bool:
    """Whether a host is the vendor's own and no account's: www.amocrm.ru, api-b.kommo.com."""
    return any(host.removesuffix(domain) in SHARED_LABELS for domain in DOMAINS if host.endswith(domain))


def seen_from(host: str, account: Account) -> Account:
    """The account under the domain of the host that was asked."""
    return replace(account, parent=next((domain for domain in DOMAINS if host.endswith(domain)), DOMAINS[0]))


def save(connection: sqlite3.Connection, account_id: int, subdomain: str, body: Row) -> None:
    """Store a changed account; call `Accounts.reload` after the commit."""
    connection.execute(
        "UPDATE accounts SET subdomain = ?, body = ? WHERE id = ?", (subdomain, texts.dumps(body), account_id)
    )


def is_active_admin(user: Row) -> bool:
    """Whether a row of `users` is an administrator who may still log in."""
    rights = user.get("rights")
    if not isinstance(rights, dict):
        return False
    return bool(rights.get("is_admin")) and bool(rights.get("is_active", True))


def first_admin(connection: sqlite3.Connection, account_id: int) -> int:
    """Who installs when nobody is named: an active administrator, else 0, the owner, who may do all."""
    found = connection.execute("SELECT id, body FROM users WHERE account_id = ? ORDER BY id", (account_id,))
    for user_id, body in found.fetchall():
        if is_active_admin(json.loads(body)):
            return int(user_id)
    return 0
