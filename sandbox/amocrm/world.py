"""Everything a request may need, made once at start-up and handed around as one value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.faults import Faults
from sandbox.amocrm.http import Request
from sandbox.amocrm.limiter import Limiter
from sandbox.amocrm.requestlog import RequestLog
from sandbox.amocrm.storage.accounts import Account, Accounts
from sandbox.amocrm.storage.store import Store
from sandbox.amocrm.switches import Switches
from sandbox.clock import Clock


def _nobody() -> None:
    """Who is woken when no delivery threads run."""


@dataclass(kw_only=True)
class World:
    """The simulator's parts. `wake_delivery` is called after hooks were queued."""

    store: Store
    clock: Clock
    switches: Switches
    accounts: Accounts
    limiter: Limiter
    log: RequestLog
    faults: Faults
    signing_key: bytes
    wake_delivery: Callable[[], None] = field(default=_nobody)


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Who calls: the integration, and the user whose rights it has."""

    client_id: str
    user_id: int
    user: dict[str, Any]
    is_admin: bool


@dataclass(kw_only=True)
class Call:
    """One API request on its way through a handler."""

    world: World
    request: Request
    account: Account
    bearer: Bearer

    def link(self, path: str) -> dict[str, dict[str, str]]:
        """`_links` of an answer: what stands at `path` under /api/v4/ of the host that was asked."""
        return {"self": {"href": f"{self.account.origin}/api/v4/{path}"}}

    @cached_property
    def query(self) -> phpquery.Tree:
        """The query string as nested maps."""
        return phpquery.parse(self.request.query)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """The values of `with=`."""
        node = self.query.get("with", "")
        listed = ",".join(phpquery.values(node))
        return frozenset(name.strip() for name in listed.split(",") if name.strip())
