"""The sandbox's own doors under /_sandbox/, outside amoCRM's addresses."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import ipaddress
from collections.abc import Iterator
from typing import Any

from sandbox.amocrm import replay
from sandbox.amocrm.api import phpquery
from sandbox.amocrm.auth import doors as auth
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.doorstep import (
    LARGEST,
    ODD,
    Door,
    Wrong,
    account_of,
    body_of,
    number_of,
    object_of,
    reply,
)
from sandbox.amocrm.hooks import hostile
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.life import actions, journal
from sandbox.amocrm.life.change import Impossible, Missing, changing
from sandbox.amocrm.storage import tables
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import World
from sandbox.clock import parse_moment


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


def index(world: World, request: Request, rest: str) -> Response:
    """Accounts, clock, switches, and what else can be called."""
    shown = [{"id": a.id, "subdomain": a.subdomain, "name": a.body.get("name")} for a in world.accounts.all()]
    calls = sorted(f"{method} /_sandbox/{name}" for method, name in _DOORS)
    with world.store.read() as connection:
        known = tokens.integrations(connection)
    return reply(
        {
            "accounts": shown,
            "integrations": known,
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


def do_actions(world: World, request: Request, rest: str) -> Response:
    """Each action in a transaction of its own, in order; the first that fails ends the call and is named."""
    given = body_of(request)
    given = given if isinstance(given, list) else [given]
    results: list[Any] = []
    for number, raw in enumerate(given):
        if not isinstance(raw, dict) or not isinstance(raw.get("do"), str):
            raise Wrong('an action is an object with "do"', done=results, failed=number)
        params = {name: value for name, value in raw.items() if name not in ("do", "by", "subdomain")}
        account = account_of(world, request, raw.get("subdomain"))
        try:
            with changing(world, account, _by(raw)) as change:
                results.append(_result(actions.run(change, raw["do"], params)))
        except (Impossible, Missing, Wrong) as err:
            raise Wrong(str(err), done=results, failed=number) from None
        except ODD as err:
            text = f"{raw['do']} cannot be done with these parameters: {err!r}"
            raise Wrong(text, done=results, failed=number) from err
    return reply({"done": results})


def _by(raw: dict[str, Any]) -> int:
    return 0 if raw.get("by") is None else number_of(raw, "by", None, 0, LARGEST)


def _result(value: Any) -> Any:
    if isinstance(value, list):
        return {"ids": [row.get("id") for row in value]}
    return {"id": value.get("id")} if isinstance(value, dict) else {}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.clock.now(), "offset_s": world.clock.offset_s}


def clock(world: World, request: Request, rest: str) -> Response:
    """The sandbox's time; POST {"now": ISO or Unix} or {"advance_s": N} sets it."""
    if request.method == "POST":
        body = object_of(request)
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
        body = body_of(request)
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
        wanted = object_of(request)
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
    since, after = _from(query)
    limit = _whole(query, "limit", 100_000)
    return reply({"requests": list(world.log.since(since, after, limit))})


def _from(query: phpquery.Tree) -> tuple[float, int]:
    """The moment and the id that a log is asked for from."""
    try:
        since = parse_moment(str(query.get("since") or 0))
    except ValueError as err:
        raise Wrong(str(err)) from None
    return since, _whole(query, "after", 0)


def _whole(query: phpquery.Tree, name: str, default: int) -> int:
    text = str(query.get(name) or default)
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Wrong(f"{name} must be a whole number")
    return int(text)


def journal_lines(world: World, request: Request, rest: str) -> Response:
    """JSON Lines of every accepted change, oldest first: `since` (moment), `after` (id), `subdomain`."""
    query = phpquery.parse(request.query)
    account = account_of(world, request, query.get("subdomain"))
    since, after = _from(query)
    with world.store.read() as connection:
        body = "".join(journal.lines(connection, account.id, since, after))
    return Response(body=body.encode("utf-8", "replace"), content_type="application/x-ndjson")


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
    account = account_of(world, request, phpquery.parse(request.query).get("subdomain"))
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


_DOORS: dict[tuple[str, str], Door] = {
    **auth.DOORS,
    **hostile.DOORS,
    **replay.DOORS,
    ("GET", ""): index,
    ("GET", "ready"): ready,
    ("POST", "actions"): do_actions,
    ("GET", "clock"): clock,
    ("POST", "clock"): clock,
    ("GET", "faults"): faults,
    ("POST", "faults"): faults,
    ("GET", "limits"): limits,
    ("POST", "limits"): limits,
    ("GET", "requests"): requests,
    ("GET", "journal"): journal_lines,
    ("GET", "deliveries"): deliveries,
    ("GET", "truth"): truth,
}
