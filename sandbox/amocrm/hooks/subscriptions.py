"""The webhook subscriptions of API v4: list, upsert by destination, delete by destination."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import json
import sqlite3
from typing import Any

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.api.answers import Refused, empty, hal, invalid, problem
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.api.writes import body_json
from sandbox.amocrm.auth.external import is_address
from sandbox.amocrm.http import Response
from sandbox.amocrm.vocabulary import HOOK_NAMES, Row
from sandbox.amocrm.world import Call

MOST = 100
_COLUMNS = "id, destination, created_at, updated_at, account_id, created_by, sort, disabled, settings"


def _allowed(call: Call) -> None:
    admin_only(call)
    if not call.world.switches["webhooks_allowed"]:
        raise Refused(problem(402, "Webhooks are not available on this tariff"))


def _shown(call: Call, row: tuple[Any, ...]) -> Row:
    names = [name.strip() for name in _COLUMNS.split(",")]
    shown = dict(zip(names, row, strict=True))
    shown["disabled"], shown["settings"] = bool(shown["disabled"]), json.loads(shown["settings"])
    return {**shown, "_links": call.link("webhooks")}


def _find(connection: sqlite3.Connection, account_id: int, destination: str | None) -> list[tuple[Any, ...]]:
    sql = f"SELECT {_COLUMNS} FROM webhooks WHERE account_id = ?"
    if destination is None:
        return connection.execute(f"{sql} ORDER BY sort, id", (account_id,)).fetchall()
    return connection.execute(f"{sql} AND destination = ?", (account_id, destination)).fetchall()


def listed(call: Call) -> Response:
    """`GET /webhooks`, 204 when there is none."""
    _allowed(call)
    tree = call.query.get("filter")
    wanted = phpquery.values(tree.get("destination")) if isinstance(tree, dict) else []
    with call.world.store.read() as connection:
        rows = [
            _shown(call, row) for row in _find(connection, call.account.id, wanted[0] if wanted else None)
        ]
    if not rows:
        return empty()
    links = call.link("webhooks")
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"webhooks": rows}})


def _checked(call: Call) -> Row:
    body = body_json(call)
    if not isinstance(body, dict):
        raise Refused(problem(400, "Request body must be an object"))
    if not is_address(body.get("destination")):
        raise invalid("0", "destination", "InvalidUrl", "This value is not a valid URL.")
    settings = body.get("settings")
    if not isinstance(settings, list) or not settings:
        raise invalid("0", "settings", "FieldMissing", "This field is missing.")
    for index, name in enumerate(settings):
        if not isinstance(name, str) or name not in HOOK_NAMES:
            raise invalid(
                "0", f"settings.{index}", "NotSupportedChoice", "The value you selected is not valid."
            )
    sort = body.get("sort")
    if isinstance(sort, bool) or not isinstance(sort, int | None):
        raise invalid("0", "sort", "InvalidType", "This value should be of type int.")
    return body


def subscribe(call: Call) -> Response:
    """`POST /webhooks`: 201; the same destination again replaces its settings and enables it (switches)."""
    _allowed(call)
    body = _checked(call)
    now = int(call.world.clock.now())
    with call.world.store.write() as connection:
        known = _find(connection, call.account.id, body["destination"])
        if not known and len(_find(connection, call.account.id, None)) >= MOST:
            raise Refused(problem(400, f"There may be {MOST} webhooks in an account"))
        connection.execute(
            "INSERT INTO webhooks (account_id, destination, settings, sort, disabled, client_id, created_by,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?)"
            " ON CONFLICT (account_id, destination) DO UPDATE SET settings = excluded.settings,"
            " sort = excluded.sort, disabled = min(disabled, ?), updated_at = excluded.updated_at",
            (call.account.id, body["destination"], json.dumps(_settings(call, body, known)),
             body.get("sort") or 10, call.bearer.client_id, call.bearer.user_id, now, now,
             int(not call.world.switches["webhook_post_enables"])),
        )  # fmt: skip
        row = _find(connection, call.account.id, body["destination"])[0]
        connection.execute("DELETE FROM bad_answers WHERE webhook_id = ?", (row[0],))
    return hal(_shown(call, row), 201)


def _settings(call: Call, body: Row, known: list[tuple[Any, ...]]) -> list[str]:
    """The names the subscription has from now on."""
    kept = json.loads(known[0][-1]) if known and call.world.switches["webhook_post_merges"] else []
    return list(dict.fromkeys([*kept, *body["settings"]]))


def unsubscribe(call: Call) -> Response:
    """`DELETE /webhooks` with the destination in the body: 204, or 404 when there is no such subscription."""
    _allowed(call)
    body = body_json(call)
    destination = body.get("destination") if isinstance(body, dict) else None
    with call.world.store.write() as connection:
        gone = connection.execute(
            "DELETE FROM webhooks WHERE account_id = ? AND destination = ?",
            (call.account.id, str(destination)),
        ).rowcount
    return empty() if gone else problem(404, "Webhook not found")
