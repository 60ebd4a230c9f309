"""Whose call it is: the bearer token of a request, and the user whose rights it has."""

import json
import sqlite3
from typing import Any

from sandbox.amocrm.api.answers import Refused, problem
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.http import Request
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import Bearer, World


def find(world: World, request: Request, account: Account) -> Bearer | None:
    """Who holds the token of the request, or is acted for by X-Context-User-ID; None for a bad token.

    Refused 403 when the user acted for does not work in the account.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT client_id, user_id, expires_at, revoked, refresh_token FROM access_tokens"
            " WHERE token = ? AND account_id = ?",
            (tokens.digest(token.strip()), account.id),
        ).fetchone()
        if row is None or row[3] or row[2] <= world.clock.now():
            return None
        user = user_of(connection, account.id, row[1])
        if (user.get("rights") or {}).get("is_active") is False:
            return None
        context = request.headers.get("x-context-user-id", "")
        is_admin = bool((user.get("rights") or {}).get("is_admin"))
        if context and is_admin:
            user = _acted_for(connection, account.id, context)
            is_admin = bool(user["rights"].get("is_admin"))
    if world.switches["refresh_reuse"] != "dead" and row[4]:
        with world.store.write() as connection:
            tokens.settle(connection, row[4])
    return Bearer(client_id=row[0], user_id=int(user.get("id") or 0), user=user, is_admin=is_admin)


def _acted_for(connection: sqlite3.Connection, account_id: int, named: str) -> dict[str, Any]:
    """The user of X-Context-User-ID; 403 when there is none who may log in."""
    user_id = int(named) if named.isascii() and named.isdigit() and len(named) < 19 else -1
    user = user_of(connection, account_id, user_id)
    if "name" not in user or user["rights"].get("is_active") is False:
        raise Refused(problem(403, "The user of X-Context-User-ID does not work in this account"))
    return user


def user_of(connection: sqlite3.Connection, account_id: int, user_id: int) -> dict[str, Any]:
    """A row of `users` with its `rights`; the owner (0), who has no row, may do all."""
    row = connection.execute(
        "SELECT body FROM users WHERE account_id = ? AND id = ?", (account_id, user_id)
    ).fetchone()
    user = dict(json.loads(row[0])) if row else {"id": user_id, "rights": {"is_admin": user_id == 0}}
    if not isinstance(user.get("rights"), dict):
        user["rights"] = {}
    return user
