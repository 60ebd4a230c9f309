"""One change of an account: a transaction in which rows are put, events appended and hooks collected.

Whoever opens one says why: `actions.run` does for actions, `api.writes.writing(call)` for API calls. The
cause goes into the journal with the change.
"""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.amocrm.hooks import items, queue
from sandbox.amocrm.life import journal
from sandbox.amocrm.life.tidy import tidied, whole
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.storage.snapshot import row_values
from sandbox.amocrm.storage.tables import TABLES, insert_statement
from sandbox.amocrm.vocabulary import ROBOT, Row
from sandbox.amocrm.world import World

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NOTES = ("notes_leads", "notes_contacts", "notes_companies", "notes_customers")


class Missing(Exception):
    """There is no such row to change; the message names it."""


class Impossible(Exception):
    """The change would contradict the account; `path` is the field at fault."""

    def __init__(self, detail: str, path: str = "", code: str = "NotSupportedChoice") -> None:
        super().__init__(detail)
        self.path = path
        self.code = code


class Change:
    """What a mutation works with. `by` is the acting user (0 = robot), `now` the second it happens in.

    `by` may change on the way (an API call in somebody's name); `author` is who the journal names.
    """

    def __init__(self, world: World, connection: sqlite3.Connection, account: Account, by: int) -> None:
        self.world = world
        self.connection = connection
        self.account = account
        self.by = self.author = by
        self.now = int(world.clock.now())
        self.hooks: list[queue.Item] = []
        self.triggers: list[queue.Trigger] = []
        self.reload_accounts = False
        self.wake_delivery = False
        self.cause: journal.Cause | None = None

    def find(self, table: str, row_id: Any) -> Row | None:
        """The row, deleted ones included; None when there is none."""
        found = self.connection.execute(
            f'SELECT body FROM "{table}" WHERE account_id = ? AND id = ?', (self.account.id, row_id)
        ).fetchone()
        return tidied(table, json.loads(found[0])) if found else None

    def get(self, table: str, row_id: Any) -> Row:
        """The row; Missing when there is none."""
        row = self.find(table, row_id)
        if row is None:
            raise Missing(f"there is no {table} {row_id}")
        return row

    def live(self, table: str, row_id: Any) -> Row:
        """The row if people can see it; Missing when it is deleted, merged or was never there."""
        row = self.get(table, row_id)
        if row.get("is_deleted") or row.get("_merged_into"):
            raise Missing(f"{table} {row_id} is deleted")
        return row

    def put(self, table: str, row: Row) -> None:
        """Store the row as it now is."""
        values = row_values(TABLES[table], self.account.id, row)
        if self.world.switches["visibility_delay_s"]:
            self._freshen(table, values[1])
        self.connection.execute(insert_statement(TABLES[table]), values)

    def _freshen(self, table: str, row_id: Any) -> None:
        """Note when the row was made and last changed: filtered lists show it later."""
        found = self.connection.execute(
            f'SELECT 1 FROM "{table}" WHERE account_id = ? AND id = ?', (self.account.id, row_id)
        ).fetchone()
        self.connection.execute(
            "INSERT INTO fresh VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET changed_at = excluded.changed_at",
            (self.account.id, table, row_id, None if found else self.now, self.now),
        )

    def remove(self, table: str, row_id: Any) -> None:
        """Take the row away for good; its number is nobody's from then on."""
        if isinstance(row_id, int):
            self._keep_number(table, row_id)
        self.connection.execute(
            f'DELETE FROM "{table}" WHERE account_id = ? AND id = ?', (self.account.id, row_id)
        )

    def rows(self, table: str, where: str = "1", *values: Any) -> list[Row]:
        """Rows of the account that satisfy a condition on the table's columns, by id."""
        found = self.connection.execute(
            f'SELECT body FROM "{table}" WHERE account_id = ? AND ({where}) ORDER BY id',
            (self.account.id, *values),
        )
        return [tidied(table, json.loads(body)) for (body,) in found.fetchall()]

    def next_id(self, table: str) -> int:
        """A number no row of the table ever had; the four note lists share theirs."""
        name = "notes" if table in _NOTES else table
        found = self.connection.execute(
            "SELECT value FROM sequences WHERE account_id = ? AND name = ?", (self.account.id, name)
        ).fetchone()
        value = 1 + (found[0] if found else self._largest_id(_NOTES if name == "notes" else (table,)))
        self.connection.execute(
            "INSERT OR REPLACE INTO sequences VALUES (?, ?, ?)", (self.account.id, name, value)
        )
        return int(value)

    def _keep_number(self, table: str, row_id: int) -> None:
        """Let `next_id` count on from beyond this number, though its row goes."""
        name = "notes" if table in _NOTES else table
        found = self.connection.execute(
            "SELECT value FROM sequences WHERE account_id = ? AND name = ?", (self.account.id, name)
        ).fetchone()
        if found is None:
            largest = self._largest_id(_NOTES if name == "notes" else (table,))
            self.connection.execute(
                "INSERT INTO sequences VALUES (?, ?, ?)", (self.account.id, name, max(largest, row_id))
            )

    def _largest_id(self, tables: tuple[str, ...]) -> int:
        largest = 0
        for table in tables:
            if table not in TABLES or table == "events":
                continue
            found = self.connection.execute(
                f'SELECT max(id) FROM "{table}" WHERE account_id = ?', (self.account.id,)
            ).fetchone()[0]
            largest = max(largest, found if isinstance(found, int) else 0)
        return largest

    def event(
        self,
        kind: str,
        entity_type: str,
        entity_id: Any,
        before: list[Any] | None = None,
        after: list[Any] | None = None,
        at: int | None = None,
    ) -> str:
        """Append an event and answer its id; `entity_type` in the singular."""
        created_at = self.now if at is None else at
        event_id = self._event_id(created_at)
        row = {
            "id": event_id,
            "type": kind,
            "entity_id": entity_id,
            "entity_type": entity_type,
            "created_by": self.by,
            "created_at": created_at,
            "value_after": after or [],
            "value_before": before or [],
            "account_id": self.account.id,
            "_embedded": {"entity": {"id": entity_id}},
        }
        self.put("events", row)
        return event_id

    def _event_id(self, created_at: int) -> str:
        number = self.next_id("events")
        digest = hashlib.blake2b(f"{self.account.id}:{number}".encode(), digest_size=10).digest()
        tail = int.from_bytes(digest, "big")
        value = ((created_at * 1000 + number % 1000) << 80) | tail
        return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))

    def hook(self, name: str, top: str, action: str, item: Row) -> None:
        """Collect a hook: `name` as in the subscription's settings, then the body's two keys and its item."""
        self.hooks.append(queue.Item(name=name, top=top, action=action, item=item))

    def trigger(self, event: str, lead: Row, **old: Any) -> None:
        """Collect what the digital pipeline's hooks on the lead's column may want to hear of."""
        self.triggers.append(queue.Trigger(event=event, item=items.trigger(lead, **old)))

    def token(self, name: str) -> str:
        """A long hex string nobody had before, the same whenever the same changes are made again."""
        seed = f"{self.account.id}:{name}:{self.next_id(name)}"
        return hashlib.blake2b(seed.encode(), digest_size=24).hexdigest()

    def group_of(self, user_id: Any) -> int:
        """The group of a user, 0 for the robot and for unknown ones."""
        user = self.find("users", user_id) if user_id else None
        rights = (user or {}).get("rights")
        return whole(rights.get("group_id")) if isinstance(rights, dict) else 0


@contextmanager
def changing(
    world: World, account: Account, by: int = ROBOT, cause: journal.Cause | None = None
) -> Iterator[Change]:
    """A change in one transaction: committed with its events, queued hooks and line of the journal, or undone
    by an exception. A cause not known yet may be set on the change."""
    with world.store.write() as connection:
        change = Change(world, connection, account, by)
        change.cause = cause
        yield change
        if change.cause is not None:
            journal.append(connection, account.id, change.now, change.author, change.cause)
        queued = queue.put(world, connection, account, change.hooks)
        queued += queue.put_triggers(world, connection, account, change.triggers)
    if change.reload_accounts:
        world.accounts.reload()
    if queued or change.wake_delivery:
        world.wake_delivery()
