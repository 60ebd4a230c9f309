"""Writes of dictionaries: a list of objects in, done in one change, the whole objects out.

Cards, tasks and notes are written by `api/writes.py`; it also reads the bodies and opens the change.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.amocrm.api.answers import Refused, empty, hal, problem
from sandbox.amocrm.api.writes import batch, body_json, once, request_id, writing
from sandbox.amocrm.api.writes import each as each
from sandbox.amocrm.api.writes import with_id as with_id
from sandbox.amocrm.http import Response
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.storage.texts import without_links
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call


def objects(call: Call, most: int) -> list[Row]:
    """The body as a list of at most `most` objects; 400 when it is none, empty or longer."""
    items = batch(call)
    if len(items) > most:
        raise Refused(problem(400, f"Too many items in the request, {most} allowed"))
    return items


def single(call: Call, act: Callable[[Change, Row], Any]) -> Any:
    """One object in, one change; 404 when what it is about does not exist, 400 when it cannot be."""
    item = body_json(call) if call.request.body.strip() else {}
    if not isinstance(item, dict):
        raise Refused(problem(400, "Request body must be an object"))
    return once(call, lambda change: act(change, item))


def removed(call: Call, act: Callable[[Change], Any]) -> Response:
    """A deletion: 204; 404 when there is nothing to delete, 400 when it may not go. No body is needed."""
    try:
        with writing(call) as change:
            act(change)
    except Impossible as err:
        raise Refused(problem(400, str(err))) from None
    except Missing as err:
        raise Refused(problem(404, str(err))) from None
    return empty()


def text(item: Row, name: str) -> str:
    """A text that must be given; Impossible when it is missing, blank or no text."""
    value = item.get(name)
    if value is None or value == "":
        raise Impossible("This field is missing.", name, "FieldMissing")
    if not isinstance(value, str):
        raise Impossible("This value should be of type string.", name, "InvalidType")
    return value


def shown(call: Call, path: str, row: Row) -> Row:
    """A row as an answer has it: without what the simulator keeps for itself, with its link."""
    kept = {name: value for name, value in row.items() if not name.startswith("_") or name == "_embedded"}
    link = call.link(f"{path}/{row.get('id')}")
    return {**without_links(kept), "_links": link}


def only(item: Row, names: Sequence[str]) -> Row:
    """The named fields of an item, those it has."""
    return {name: item[name] for name in names if name in item}


def listed(
    call: Call, path: str, key: str, items: Sequence[Row], rows: Sequence[Row], status: int = 200
) -> Response:
    """The answer to a batch: every row whole, with the `request_id` of its item."""
    return answered(call, path, key, items, [shown(call, path, row) for row in rows], status)


def answered(
    call: Call, path: str, key: str, items: Sequence[Row], answers: Sequence[Row], status: int = 200
) -> Response:
    """As `listed`, for rows that already are as the answer shows them."""
    marked = [
        {**answer, "request_id": request_id(item, index)}
        for index, (item, answer) in enumerate(zip(items, answers, strict=True))
    ]
    links = call.link(path)
    return hal({"_total_items": len(marked), "_links": links, "_embedded": {key: marked}}, status)
