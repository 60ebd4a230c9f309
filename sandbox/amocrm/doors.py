"""The sandbox's own doors under /_sandbox/, outside amoCRM's addresses."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import ipaddress
import json
import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.life import actions
from sandbox.amocrm.life.change import Impossible, Missing, changing
from sandbox.amocrm.storage import tables
from sandbox.amocrm.storage.accounts import Account, first_admin
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.world import World
from sandbox.clock import parse_moment

JSON = "application/json"


class Wrong(Exception):
    """The call cannot be served: 400 (or `status`) with this message."""

    def __init__(self, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.more = more


def reply(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status=status, body=(dumps(value) + "\n").encode("utf-8", "replace"), content_type=JSON)


def answer(world: World, request: Request) -> Response:
    """The answer of a door; 403 for anyone who does not sit on the same machine."""
    if not ipaddress.ip_address(request.peer).is_loopback:
        return reply({"error": "the sandbox's doors are open to its own machine only"}, 403)
    name, _, rest = request.path.removeprefix("/_sandbox/").partition("/")
    door = _DOORS.get((request.method, name))
    if door is None:
        known = any(door_name == name for _, door_name in _DOORS)
        return reply({"error": "wrong verb" if known else f"there is no door {name}"}, 405 if known else 404)
    try:
        return door(world, request, rest)
    except Wrong as err:
        return reply({"error": str(err), **err.more}, err.status)


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body or b"{}")
    except ValueError:
        raise Wrong("the body is no JSON") from None


def _object(request: Request) -> dict[str, Any]:
    body = _body(request)
    if not isinstance(body, dict):
        raise Wrong("the body must be an object")
    return body


def _account(world: World, request: Request, named: Any) -> Account:
    """The account that is named, else the one the Host header means."""
    found = world.accounts.named(str(named)) if named else world.accounts.by_host(request.host())
    if found is None:
        names = ", ".join(account.subdomain for account in world.accounts.all())
        raise Wrong(f"say which account: subdomain is one of {names}", 404 if named else 400)
    return found


def _integration(world: World, client_id: Any) -> tokens.Integration:
    with world.store.read() as connection:
        found = tokens.find_integration(connection, client_id)
    if found is None:
        raise Wrong(f"there is no integration {client_id}", 404)
    return found


def index(world: World, request: Request, rest: str) -> Response:
    """Accounts, clock, switches, and what else can be called."""
    shown = [{"id": a.id, "subdomain": a.subdomain, "name": a.body.get("name")} for a in world.accounts.all()]
    calls = sorted(f"{method} /_sandbox/{name}" for method, name in _DOORS)
    return reply(
        {
            "accounts": shown,
            "clock": _clock(world),
            "switches": world.switches.all(),
            "faults": world.faults.all(),
            "actions": sorted(actions.ACTIONS),
            "calls": calls,
        }
    )


def ready(world: World, request: Request, rest: str) -> Response:
    """Answers as soon as the simulator does."""
    return reply({"ready": True})


def integrations(world: World, request: Request, rest: str) -> Response:
    """A new private integration, or another redirect address for a known one."""
    body = _object(request)
    redirect_uri = body.get("redirect_uri")
    if not isinstance(redirect_uri, str) or not redirect_uri:
        raise Wrong("redirect_uri is missing")
    if body.get("client_id"):
        return _move_integration(world, _integration(world, body["client_id"]), body)
    account = _account(world, request, body.get("subdomain"))
    client_id, secret = str(uuid.uuid4()), secrets.token_hex(32)
    with world.store.write() as connection:
        connection.execute(
            "INSERT INTO integrations VALUES (?, ?, ?, ?, ?, ?, ?)",
            (client_id, secret, redirect_uri, account.id, body.get("name"), body.get("disconnect_uri"),
             int(world.clock.now())),
        )  # fmt: skip
    return _shown_integration(world, _integration(world, client_id))


def _move_integration(world: World, known: tokens.Integration, body: dict[str, Any]) -> Response:
    disconnect_uri = body.get("disconnect_uri", known.disconnect_uri)
    with world.store.write() as connection:
        connection.execute(
            "UPDATE integrations SET redirect_uri = ?, disconnect_uri = ? WHERE client_id = ?",
            (body["redirect_uri"], disconnect_uri, known.client_id),
        )
    return _shown_integration(world, _integration(world, known.client_id))


def _shown_integration(world: World, integration: tokens.Integration) -> Response:
    account = world.accounts.get(integration.account_id) if integration.account_id is not None else None
    return reply(
        {
            "client_id": integration.client_id,
            "client_secret": integration.client_secret,
            "redirect_uri": integration.redirect_uri,
            "subdomain": account.subdomain if account else None,
            "disconnect_uri": integration.disconnect_uri,
        }
    )


def _owner(world: World, request: Request, integration: tokens.Integration, named: Any) -> Account:
    if not named and integration.account_id is not None:
        found = world.accounts.get(integration.account_id)
        if found is not None:
            return found
    return _account(world, request, named)


def codes(world: World, request: Request, rest: str) -> Response:
    """A fresh authorization code."""
    body = _object(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    with world.store.read() as connection:
        user_id = int(body.get("user_id") or first_admin(connection, account.id))
    return reply({"code": tokens.new_code(world, integration.client_id, account.id, user_id)})


def widget_token(world: World, request: Request, rest: str) -> Response:
    """What `$authorizedAjax` would carry; `claims` overrides single ones."""
    body = _object(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    if not isinstance(body.get("user_id"), int):
        raise Wrong("user_id is missing")
    claims = body.get("claims") or {}
    return reply({"token": tokens.widget_token(world, integration, account, body["user_id"], **claims)})


def do_actions(world: World, request: Request, rest: str) -> Response:
    """Each action in a transaction of its own, in order; the first that fails ends the call and is named."""
    given = _body(request)
    given = given if isinstance(given, list) else [given]
    results: list[Any] = []
    for number, raw in enumerate(given):
        if not isinstance(raw, dict) or not isinstance(raw.get("do"), str):
            raise Wrong('an action is an object with "do"', done=results, failed=number)
        params = {name: value for name, value in raw.items() if name not in ("do", "by", "subdomain")}
        account = _account(world, request, raw.get("subdomain"))
        try:
            with changing(world, account, int(raw.get("by") or 0)) as change:
                results.append(_result(actions.run(change, raw["do"], params)))
        except (Impossible, Missing) as err:
            raise Wrong(str(err), done=results, failed=number) from None
    return reply({"done": results})


def _result(value: Any) -> Any:
    if isinstance(value, list):
        return {"ids": [row.get("id") for row in value]}
    return {"id": value.get("id")} if isinstance(value, dict) else {}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.clock.now(), "offset_s": world.clock.offset_s}


def clock(world: World, request: Request, rest: str) -> Response:
    """The sandbox's time; POST {"now": ISO or Unix} or {"advance_s": N} sets it."""
    if request.method == "POST":
        body = _object(request)
        try:
            if "now" in body:
                world.clock.set(parse_moment(str(body["now"])))
            elif "advance_s" in body:
                world.clock.advance(float(body["advance_s"]))
            else:
                raise ValueError("say now or advance_s")
        except (TypeError, ValueError) as err:
            raise Wrong(str(err)) from None
    return reply(_clock(world))


def faults(world: World, request: Request, rest: str) -> Response:
    """Faults on routes; POST a list to replace them, {"add": [...]} to add, [] to clear."""
    if request.method == "POST":
        body = _body(request)
        added = body.get("add") if isinstance(body, dict) else None
        wanted = [*world.faults.all(), *added] if isinstance(added, list) else body
        if not isinstance(wanted, list):
            raise Wrong('faults are a list, or {"add": [...]}')
        try:
            world.faults.set(wanted)
        except (TypeError, ValueError) as err:
            raise Wrong(str(err)) from None
    return reply({"faults": world.faults.all()})


def limits(world: World, request: Request, rest: str) -> Response:
    """The switches; POST an object with those to change, null sets one back."""
    if request.method == "POST":
        wanted = _object(request)
        try:
            world.switches.change(wanted)
        except ValueError as err:
            raise Wrong(str(err)) from None
        if wanted.get("banned") is False:
            world.limiter.forgive()
        world.wake_delivery()
    return reply(world.switches.all())


def requests(world: World, request: Request, rest: str) -> Response:
    """The request log: `since` (moment), `after` (id), `limit`."""
    query = phpquery.parse(request.query)
    try:
        since = parse_moment(str(query.get("since") or 0))
        after, limit = int(query.get("after") or 0), int(query.get("limit") or 100_000)
    except ValueError as err:
        raise Wrong(str(err)) from None
    return reply({"requests": list(world.log.since(since, after, limit))})


def deliveries(world: World, request: Request, rest: str) -> Response:
    """Hooks by state: pending, done, failed; and the subscriptions as they are."""
    with world.store.read() as connection:
        states = connection.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
        last = connection.execute(
            "SELECT id, destination, method, body, state, attempts, last_status, queued_at, due_at"
            " FROM deliveries ORDER BY id DESC LIMIT 200"
        ).fetchall()
    names = ("id", "destination", "method", "body", "state", "attempts", "last_status", "queued_at", "due_at")
    rows = [dict(zip(names, row, strict=True)) for row in last]
    for row in rows:
        row["body"] = bytes(row["body"]).decode("utf-8", "replace")
    return reply({"states": dict(states), "last": rows})


def truth(world: World, request: Request, rest: str) -> Response:
    """JSON Lines of one entity as it is now; `account` gives account.json."""
    account = _account(world, request, phpquery.parse(request.query).get("subdomain"))
    entity = rest.removesuffix(".jsonl").removesuffix(".json")
    if entity == "account":
        return reply({**account.body, "subdomain": account.subdomain})
    if entity not in tables.TABLES:
        raise Wrong(f"there is no {entity}; there are account, {', '.join(tables.TABLES)}", 404)
    return Response(stream=_lines(world, account, entity), content_type="application/x-ndjson")


def _lines(world: World, account: Account, entity: str) -> Iterator[bytes]:
    with world.store.read() as connection:
        found = connection.execute(
            f'SELECT body FROM "{entity}" WHERE account_id = ? ORDER BY id', (account.id,)
        )
        while rows := found.fetchmany(1000):
            yield "".join(f"{body}\n" for (body,) in rows).encode("utf-8", "replace")


Door = Callable[[World, Request, str], Response]
_DOORS: dict[tuple[str, str], Door] = {
    ("GET", ""): index,
    ("GET", "ready"): ready,
    ("POST", "integrations"): integrations,
    ("POST", "codes"): codes,
    ("POST", "widget_token"): widget_token,
    ("POST", "actions"): do_actions,
    ("GET", "clock"): clock,
    ("POST", "clock"): clock,
    ("GET", "faults"): faults,
    ("POST", "faults"): faults,
    ("GET", "limits"): limits,
    ("POST", "limits"): limits,
    ("GET", "requests"): requests,
    ("GET", "deliveries"): deliveries,
    ("GET", "truth"): truth,
}
