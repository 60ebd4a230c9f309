"""The journal: every accepted change of an account, in order, with all that is needed to do it again.

A line is `{"id", "at", "account", "by", "source", "name", "params"}`: `id` grows over all accounts, `at` is
the Unix second the change happened in (every moment it wrote), `account` the account's id, `by` the acting
user. `source` is `action` (people, live traffic: `name` is the action, `params` its parameters) or `api`
(`name` is method and path such as `PATCH /api/v4/leads/7001`, `params` the JSON body, `client` the
integration). What was refused leaves no line. The same lines, done again one by one with the clock at `at`,
give the same account.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.amocrm.storage.texts import dumps


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why an account changes: an action or an API call, its parameters as JSON text, whose call it was."""

    source: str
    name: str
    params: str
    client: str | None = None


def action(name: str, params: Any) -> Cause:
    """The cause of a user-side action; written at once, since an action may take its parameters apart."""
    return Cause(source="action", name=name, params=dumps(params))


def append(connection: sqlite3.Connection, account_id: int, at: int, by: int, cause: Cause) -> None:
    """Add one line, in the transaction of the change itself."""
    connection.execute(
        "INSERT INTO journal (at, account_id, by, source, name, params, client) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, account_id, by, cause.source, cause.name, cause.params, cause.client),
    )


def lines(connection: sqlite3.Connection, account_id: int, since: float = 0, after: int = 0) -> Iterator[str]:
    """JSON Lines of one account from a moment on and after an id, oldest first."""
    found = connection.execute(
        "SELECT id, at, account_id, by, source, name, params, client FROM journal"
        " WHERE account_id = ? AND at >= ? AND id > ? ORDER BY id",
        (account_id, since, after),
    )
    for line_id, at, account, by, source, name, params, client in found:
        line = {"id": line_id, "at": at, "account": account, "by": by, "source": source, "name": name}
        line["params"] = json.loads(params)
        yield dumps(line if client is None else {**line, "client": client}) + "\n"
