"""What every door needs: its answers, its errors, the body and the account it is about."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.world import World

JSON = "application/json"
LARGEST = 2**63 - 1
# What an action ends in when a parameter is of a kind nobody would send: it is undone, the caller is told.
ODD = (
    TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError,
    sqlite3.InterfaceError, sqlite3.ProgrammingError,
)  # fmt: skip
Door = Callable[[World, Request, str], Response]


class Wrong(Exception):
    """The call cannot be served: 400 (or `status`) with this message."""

    def __init__(self, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


def reply(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status=status, body=(dumps(value) + "\n").encode("utf-8", "replace"), content_type=JSON)


def body_of(request: Request) -> Any:
    """The body as JSON, {} for none."""
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Wrong("the body is no JSON") from None


def object_of(request: Request) -> dict[str, Any]:
    """The body as an object."""
    body = body_of(request)
    if not isinstance(body, dict):
        raise Wrong("the body must be an object")
    return body


def account_of(world: World, request: Request, named: Any) -> Account:
    """The account that is named, else the one the Host header means."""
    found = world.accounts.named(str(named)) if named else world.accounts.by_host(request.host())
    if found is None:
        names = ", ".join(account.subdomain for account in world.accounts.all())
        raise Wrong(f"say which account: subdomain is one of {names}", 404 if named else 400)
    return found


def number_of(body: dict[str, Any], name: str, default: int | None, least: int, most: int) -> int:
    """A whole number of the body within its bounds; without a default it must be given."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Wrong(f"{name} must be a whole number from {least} to {most}")
    return value
