"""The journal done again: the same lines in a fresh simulator of the same snapshot give the same account."""

import json
from collections.abc import Iterable
from typing import Any

from werkzeug.exceptions import HTTPException

from sandbox.amocrm.api import phpquery, routes
from sandbox.amocrm.api.answers import Refused
from sandbox.amocrm.auth.bearer import user_of
from sandbox.amocrm.doorstep import ODD, Door, Wrong, account_of, reply
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.life import actions
from sandbox.amocrm.life.change import Impossible, Missing, changing
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.world import Bearer, Call, World
from sandbox.clock import Clock

# Integrations, their tokens and hooks belong to the simulator, not to the account.
PASSED_OVER = frozenset({"uninstall"})
_ROUTES = routes.url_map().bind("sandbox")


class _Still(Clock):
    """A clock that shows the second the change happened in for as long as it is done again."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self._at = at

    def now(self) -> float:
        """That second."""
        return self._at


def replay(world: World, account_id: int, lines: Iterable[dict[str, Any]]) -> int:
    """Do the lines of one account's journal again, in order; how many were done.

    ValueError names the first that is refused: then the snapshot or the switches are others than they were.
    """
    running, done = world.clock, 0
    try:
        for line in lines:
            account = world.accounts.get(account_id)
            if account is None:
                raise ValueError(f"there is no account {account_id}")
            world.clock = _Still(float(line["at"]))
            try:
                done += _again(world, account, line)
            except (Impossible, Missing, Refused, HTTPException) as err:
                raise ValueError(f"line {line.get('id')} ({line.get('name')}) is refused: {err}") from None
    finally:
        world.clock = running
    return done


def _again(world: World, account: Account, line: dict[str, Any]) -> int:
    if line["name"] in PASSED_OVER:
        return 0
    if line["source"] == "action":
        with changing(world, account, int(line["by"])) as change:
            actions.run(change, line["name"], line["params"])
        return 1
    method, _, path = line["name"].partition(" ")
    handler, args = _ROUTES.match(path, method)
    with world.store.read() as connection:
        user = user_of(connection, account.id, int(line["by"]))
    body = b"" if line["params"] is None else dumps(line["params"]).encode("utf-8", "replace")
    bearer = Bearer(
        client_id=line.get("client") or "",
        user_id=int(line["by"]),
        user=user,
        is_admin=bool(user["rights"].get("is_admin")),
    )
    request = Request(method=method, path=path, query="", headers={}, body=body, peer="127.0.0.1")
    response: Response = handler(Call(world=world, request=request, account=account, bearer=bearer), **args)
    if response.status >= 400:
        raise Refused(response)
    return 1


def door(world: World, request: Request, rest: str) -> Response:
    """`POST /_sandbox/replay` with the lines of a journal as body → how many were done again."""
    account = account_of(world, request, phpquery.parse(request.query).get("subdomain"))
    try:
        lines = [json.loads(line) for line in request.body.splitlines() if line.strip()]
        return reply({"done": replay(world, account.id, lines)})
    except ValueError as err:
        raise Wrong(str(err)) from None
    except ODD as err:
        raise Wrong(f"these lines cannot be done: {err!r}") from err


DOORS: dict[tuple[str, str], Door] = {("POST", "replay"): door}
