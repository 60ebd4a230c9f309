"""POST and PATCH of cards and tasks, and what every write needs: check the body, open the change, answer."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.amocrm.api import jsonbody, shapes
from sandbox.amocrm.api.answers import Refused, hal, invalid, problem, validation
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import cards, journal, people, tasks
from sandbox.amocrm.life.change import Change, Impossible, Missing, changing
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

BATCH = 250
_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,), "price": (int, float), "price_with_minor_units": (int, float), "status_id": (int,),
    "pipeline_id": (int,),
    "responsible_user_id": (int,), "created_by": (int,), "updated_by": (int,), "created_at": (int,),
    "updated_at": (int,), "closed_at": (int,), "loss_reason_id": (int,), "source_id": (int,),
    "custom_fields_values": (list,),
    "_embedded": (dict,), "first_name": (str,), "last_name": (str,), "text": (str,), "complete_till": (int,),
    "task_type_id": (int,), "entity_id": (int,), "entity_type": (str,), "is_completed": (bool,),
    "duration": (int,), "note_type": (str,), "params": (dict,), "tags_to_add": (list,),
    "tags_to_delete": (list,),
}  # fmt: skip
# Python clients send `datetime.timestamp()`, a number with a fraction; it counts as its second.
_MOMENTS = ("created_at", "updated_at", "closed_at", "complete_till")


def body_json(call: Call) -> Any:
    """The body as JSON; 400 when it is none, or when its values are of impossible kinds."""
    try:
        body = jsonbody.parse(call.request.body)
    except ValueError:
        raise Refused(problem(400, "Syntax error in the JSON body")) from None
    shapes.check(body)
    return body


def batch(call: Call) -> list[Row]:
    """The body as a list of objects; 400 when it is none, empty, too long, or a field is of a wrong kind."""
    items = body_json(call)
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Refused(problem(400, "Request body must be a non-empty array of objects"))
    if len(items) > BATCH:
        raise Refused(problem(400, f"Too many items in the request, {BATCH} allowed"))
    errors = [_wrong_kinds(request_id(item, index), item) for index, item in enumerate(items)]
    if any(errors):
        raise Refused(validation([error for error in errors if error]))
    return items


def single(call: Call) -> Row:
    """The body as one object; 400 when it is none."""
    item = body_json(call)
    if not isinstance(item, dict):
        raise Refused(problem(400, "Request body must be an object"))
    error = _wrong_kinds("0", item)
    if error:
        raise Refused(validation([error]))
    return item


def request_id(item: Row, index: int) -> str:
    """The client's own mark of the item, else its place."""
    return str(item.get("request_id", index))


def _wrong_kinds(mark: str, item: Row) -> Row | None:
    errors = []
    for name in _MOMENTS:
        if isinstance(item.get(name), float) and math.isfinite(item[name]):
            item[name] = int(item[name])
    for name, kinds in _KINDS.items():
        value = item.get(name)
        if value is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            detail = f"This value should be of type {kinds[0].__name__}."
            errors.append({"code": "InvalidType", "path": name, "detail": detail})
    return {"request_id": mark, "errors": errors} if errors else None


@contextmanager
def writing(call: Call) -> Iterator[Change]:
    """A change of the account by an API call: every API write goes through here, and the journal has it."""
    try:
        body = json.loads(call.request.body.decode("utf-8", "replace") or "null")
    except (ValueError, RecursionError):
        body = None
    cause = journal.Cause(
        source="api", name=f"{call.request.method} {call.request.path}", params=dumps(body),
        client=call.bearer.client_id,
    )  # fmt: skip
    with changing(call.world, call.account, call.bearer.user_id, cause) as change:
        yield change


def once(call: Call, act: Callable[[Change], Row], mark: str = "0") -> Row:
    """One change of one thing; 404 when what it is about does not exist, 400 when it cannot be."""
    try:
        with writing(call) as change:
            return act(change)
    except Impossible as err:
        raise invalid(mark, err.path, err.code, str(err)) from None
    except Missing as err:
        raise Refused(problem(404, str(err))) from None


def each(call: Call, items: list[Row], act: Callable[[Change, Row], Row]) -> list[Row]:
    """Do the same with every item in one transaction; bad items refuse the whole batch, and all are named."""
    done, errors = [], []
    with writing(call) as change:
        for index, item in enumerate(items):
            try:
                done.append(act(change, item))
            except (Impossible, Missing) as err:
                errors.append({"request_id": request_id(item, index), "errors": [_told(err)]})
        if errors:
            raise Refused(validation(errors))
    return done


def _told(err: Impossible | Missing) -> Row:
    if isinstance(err, Impossible):
        return {"code": err.code, "path": err.path, "detail": str(err)}
    return {"code": "NotFound", "path": "id", "detail": str(err)}


def thin(call: Call, path: str, items: list[Row], rows: list[Row], *fields: str) -> list[Row]:
    """What an answer says about each row: its id, the named fields, the item's mark and the link."""
    answers = []
    for index, (item, row) in enumerate(zip(items, rows, strict=True)):
        answer = {"id": row["id"], **{name: row.get(name) for name in fields}}
        answer["request_id"] = request_id(item, index)
        answer["_links"] = call.link(f"{path}/{row['id']}")
        answers.append(answer)
    return answers


def listed(call: Call, path: str, key: str, answers: list[Row]) -> Response:
    """The HAL answer to a batch."""
    links = call.link(path)
    return hal({"_links": links, "_embedded": {key: answers}})


def customers_on(call: Call, table: str) -> None:
    """Refuse (402) customers where the account has not switched them on."""
    if table == "customers" and call.account.body.get("customers_mode") in (None, "disabled", "unavailable"):
        raise Refused(problem(402, "Customers are not available in the account"))


def with_id(item: Row) -> int:
    """The item's id; Impossible when it has none."""
    value = item.get("id")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Impossible("This value should not be blank.", "id", "FieldMissing")
    return value


def create_cards(call: Call, table: str) -> Response:
    """`POST /{leads|contacts|companies|customers}`."""
    customers_on(call, table)
    items = batch(call)
    rows = each(call, items, lambda change, item: people.create(change, table, item))
    return listed(call, table, table, thin(call, table, items, rows))


def edit_cards(call: Call, table: str) -> Response:
    """`PATCH /{leads|contacts|companies|customers}`."""
    customers_on(call, table)
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        return cards.edit(change, table, change.live(table, with_id(item)), item)

    rows = each(call, items, act)
    return listed(call, table, table, thin(call, table, items, rows, "updated_at"))


def edit_card(call: Call, table: str, row_id: int) -> Response:
    """`PATCH /{leads|contacts|companies|customers}/{id}`; 404 when there is no such card."""
    customers_on(call, table)
    item = single(call)
    row = once(call, lambda change: cards.edit(change, table, change.live(table, row_id), item))
    return hal(_alone(thin(call, table, [item], [row], "updated_at")[0]))


def _alone(answer: Row) -> Row:
    """The answer to a change of one thing needs no mark."""
    return {name: value for name, value in answer.items() if name != "request_id"}


def create_tasks(call: Call) -> Response:
    """`POST /tasks`: text and complete_till are required."""
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        for name in ("text", "complete_till"):
            if item.get(name) is None:
                raise Impossible("This field is missing.", name, "FieldMissing")
        return tasks.create(change, item)

    rows = each(call, items, act)
    return listed(call, "tasks", "tasks", thin(call, "tasks", items, rows))


def edit_tasks(call: Call) -> Response:
    """`PATCH /tasks`."""
    items = batch(call)
    rows = each(
        call, items, lambda change, item: tasks.edit(change, change.get("tasks", with_id(item)), item)
    )
    return listed(call, "tasks", "tasks", thin(call, "tasks", items, rows, "updated_at"))


def edit_task(call: Call, row_id: int) -> Response:
    """`PATCH /tasks/{id}`."""
    item = single(call)
    row = once(call, lambda change: tasks.edit(change, change.get("tasks", row_id), item))
    return hal(_alone(thin(call, "tasks", [item], [row], "updated_at")[0]))
