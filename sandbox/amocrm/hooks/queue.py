"""Hooks on their way out: who wants which, and a row of `deliveries` for each body.

Rows with a `webhook_id` are account webhooks, those with a `pipeline_hook_id` digital-pipeline hooks; a row
with neither is the disconnect hook of an integration.
"""

import json
import sqlite3
from dataclasses import dataclass

from sandbox.amocrm.hooks import form
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import World

ITEMS_PER_BODY = 50


@dataclass(frozen=True, kw_only=True)
class Item:
    """One element of a hook's body; `name` is the settings' name that asks for it."""

    name: str
    top: str
    action: str
    item: Row


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """Something that happened to a lead in a column of the board, for the hooks people set on the column."""

    event: str
    item: Row


def put(world: World, connection: sqlite3.Connection, account: Account, collected: list[Item]) -> int:
    """Store a delivery per subscription and hook; answers how many. Same hooks of one change share a body."""
    if not collected:
        return 0
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for item in collected:
        groups.setdefault((item.name, item.top, item.action), []).append(item.item)
    subscriptions = connection.execute(
        "SELECT id, destination, settings FROM webhooks WHERE account_id = ? AND disabled = 0"
        " ORDER BY sort, id",
        (account.id,),
    ).fetchall()
    first = bool(world.switches["hook_account_first"])
    count = 0
    for webhook_id, destination, settings in subscriptions:
        wanted = set(json.loads(settings))
        for (name, top, action), items in groups.items():
            if name not in wanted:
                continue
            for start in range(0, len(items), ITEMS_PER_BODY):
                part = items[start : start + ITEMS_PER_BODY]
                text = form.body(account, top, action, part, account_first=first)
                _store(world, connection, account, destination, text, webhook_id=webhook_id)
                count += 1
    return count


def put_triggers(world: World, connection: sqlite3.Connection, account: Account, found: list[Trigger]) -> int:
    """Store a delivery per hook that people set on the column where it happened; answers how many."""
    count = 0
    for trigger in found:
        hooks = connection.execute(
            "SELECT id, url FROM pipeline_hooks WHERE account_id = ? AND pipeline_id = ? AND status_id = ?"
            " AND event = ? ORDER BY id",
            (account.id, trigger.item["pipeline_id"], trigger.item["status_id"], trigger.event),
        ).fetchall()
        for hook_id, url in hooks:
            text = form.pipeline_body(account, trigger.event, trigger.item)
            _store(world, connection, account, url, text, pipeline_hook_id=hook_id)
            count += 1
    return count


def _store(
    world: World,
    connection: sqlite3.Connection,
    account: Account,
    destination: str,
    text: bytes,
    *,
    webhook_id: int | None = None,
    pipeline_hook_id: int | None = None,
) -> None:
    now = world.clock.now()
    connection.execute(
        "INSERT INTO deliveries (webhook_id, pipeline_hook_id, account_id, destination, method, body,"
        " queued_at, due_at, attempts, state) VALUES (?, ?, ?, ?, 'POST', ?, ?, ?, 0, 'pending')",
        (webhook_id, pipeline_hook_id, account.id, destination, text, now, now),
    )
