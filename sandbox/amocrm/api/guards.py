"""Rights on writes, put around the handlers by the table of routes; administrators pass untouched.

A row that the user may not even see is answered as if it were not there.
"""

import json
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from sandbox.amocrm.api import rights
from sandbox.amocrm.api.answers import Refused, invalid, problem
from sandbox.amocrm.http import Response
from sandbox.amocrm.vocabulary import PERSON_LIKE, Row
from sandbox.amocrm.world import Call

Handler = Callable[..., Response]
Check = Callable[[Call, dict[str, Any]], None]


def _guarded(handler: Handler, check: Check) -> Handler:
    @wraps(handler)
    def guarded(call: Call, **args: Any) -> Response:
        if not call.bearer.is_admin:
            check(call, args)
        return handler(call, **args)

    return guarded


def adding(handler: Handler, table: str | None = None) -> Handler:
    """New cards: the right `add` of their kind."""

    def check(call: Call, args: dict[str, Any]) -> None:
        if not rights.may_add(call, table or args["table"]):
            raise Refused(rights.denied())

    return _guarded(handler, check)


def editing(handler: Handler, table: str | None = None, name: str = "id") -> Handler:
    """Changed cards or tasks, by the id in the path or those called `name` in the body: the right `edit`."""

    def check(call: Call, args: dict[str, Any]) -> None:
        kind = table or args["table"]
        for row_id, mark in _ids(call, args, "row_id", name):
            _seen(call, kind, row_id, mark, name)
            if not rights.reaches(call, kind, row_id, "edit"):
                raise Refused(rights.denied())

    return _guarded(handler, check)


def about(handler: Handler) -> Handler:
    """New notes: only on cards that may be seen."""

    def check(call: Call, args: dict[str, Any]) -> None:
        for entity_id, mark in _ids(call, args, "entity_id", "entity_id"):
            _seen(call, args["table"], entity_id, mark, "entity_id")

    return _guarded(handler, check)


def noting(handler: Handler) -> Handler:
    """Changed notes: only of cards that may be seen."""

    def check(call: Call, args: dict[str, Any]) -> None:
        for note_id, mark in _ids(call, args, "note_id", "id"):
            entity_id = _entity_of(call, args["table"], note_id)
            if entity_id is not None:
                _seen(call, args["table"], entity_id, mark, "id")

    return _guarded(handler, check)


def _entity_of(call: Call, table: str, note_id: int) -> int | None:
    with call.world.store.read() as connection:
        found = connection.execute(
            f"SELECT entity_id FROM notes_{table} WHERE account_id = ? AND id = ?",  # noqa: S608 (a name of ours)
            (call.account.id, note_id),
        ).fetchone()
    return found[0] if found else None


def tasking(handler: Handler) -> Handler:
    """New tasks: only on cards that may be seen."""

    def check(call: Call, args: dict[str, Any]) -> None:
        for index, item in enumerate(_items(call)):
            table, entity_id = item.get("entity_type"), item.get("entity_id")
            if table in PERSON_LIKE and isinstance(entity_id, int):
                _seen(call, str(table), entity_id, str(item.get("request_id", index)), "entity_id")

    return _guarded(handler, check)


def _items(call: Call) -> list[Row]:
    """The body's objects; what is no body is the handler's business to refuse."""
    try:
        body = json.loads(call.request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return []
    return [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []


def _ids(call: Call, args: dict[str, Any], arg: str, name: str) -> Iterator[tuple[int, str | None]]:
    """Ids with the mark of their item; None for the one in the path."""
    if args.get(arg) is not None:
        yield args[arg], None
        return
    for index, item in enumerate(_items(call)):
        if isinstance(item.get(name), int) and abs(item[name]) < 2**63:
            yield item[name], str(item.get("request_id", index))


def _seen(call: Call, table: str, row_id: int, mark: str | None, path: str) -> None:
    if rights.reaches(call, table, row_id, "view"):
        return
    if mark is None:
        raise Refused(problem(404, f"there is no {table} {row_id}"))
    raise invalid(mark, path, "NotFound", f"there is no {table} {row_id}")
