"""POST and PATCH handlers: check the body, hand it to the write path, answer thinly."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.amocrm.api.answers import Refused, empty, hal, invalid, problem, validation
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import cards, notes, people, tasks
from sandbox.amocrm.life.change import Change, Impossible, Missing, changing
from sandbox.amocrm.vocabulary import NOTE_PARAMS, PERSON_LIKE, Row
from sandbox.amocrm.world import Call

BATCH = 250
_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,), "price": (int, float), "status_id": (int,), "pipeline_id": (int,),
    "responsible_user_id": (int,), "created_by": (int,), "updated_by": (int,), "created_at": (int,),
    "updated_at": (int,), "closed_at": (int,), "loss_reason_id": (int,), "custom_fields_values": (list,),
    "_embedded": (dict,), "first_name": (str,), "last_name": (str,), "text": (str,), "complete_till": (int,),
    "task_type_id": (int,), "entity_id": (int,), "entity_type": (str,), "is_completed": (bool,),
    "duration": (int,), "note_type": (str,), "params": (dict,), "tags_to_add": (list,),
    "tags_to_delete": (list,),
}  # fmt: skip


def body_json(call: Call) -> Any:
    """The body as JSON; 400 when it is none."""
    try:
        return json.loads(call.request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(problem(400, "Syntax error in the JSON body")) from None


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
    for name, kinds in _KINDS.items():
        value = item.get(name)
        if value is None:
            continue
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            detail = f"This value should be of type {kinds[0].__name__}."
            errors.append({"code": "InvalidType", "path": name, "detail": detail})
    return {"request_id": mark, "errors": errors} if errors else None


def _each(call: Call, items: list[Row], act: Callable[[Change, Row], Row]) -> list[Row]:
    """Do the same with every item in one transaction; one bad item refuses the whole batch."""
    done = []
    with changing(call.world, call.account, call.bearer.user_id) as change:
        for index, item in enumerate(items):
            try:
                done.append(act(change, item))
            except Impossible as err:
                raise invalid(request_id(item, index), err.path, err.code, str(err)) from None
            except Missing as err:
                raise invalid(request_id(item, index), "id", "NotFound", str(err)) from None
    return done


def _thin(call: Call, path: str, items: list[Row], rows: list[Row], *fields: str) -> list[Row]:
    answers = []
    for index, (item, row) in enumerate(zip(items, rows, strict=True)):
        answer = {"id": row["id"], **{name: row.get(name) for name in fields}}
        answer["request_id"] = request_id(item, index)
        answer["_links"] = {"self": {"href": f"{call.account.origin}/api/v4/{path}/{row['id']}"}}
        answers.append(answer)
    return answers


def _listed(call: Call, path: str, key: str, answers: list[Row]) -> Response:
    links = {"self": {"href": f"{call.account.origin}/api/v4/{path}"}}
    return hal({"_links": links, "_embedded": {key: answers}})


def _may(call: Call, table: str) -> None:
    if table == "customers" and call.account.body.get("customers_mode") in (None, "disabled", "unavailable"):
        raise Refused(problem(402, "Customers are not available in the account"))


def _with_id(item: Row) -> Any:
    if not isinstance(item.get("id"), int):
        raise Impossible("This value should not be blank.", "id", "FieldMissing")
    return item["id"]


def create_cards(call: Call, table: str) -> Response:
    """`POST /{leads|contacts|companies|customers}`."""
    _may(call, table)
    items = batch(call)
    rows = _each(call, items, lambda change, item: people.create(change, table, item))
    return _listed(call, table, table, _thin(call, table, items, rows))


def edit_cards(call: Call, table: str) -> Response:
    """`PATCH /{leads|contacts|companies|customers}`."""
    _may(call, table)
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        return cards.edit(change, table, change.live(table, _with_id(item)), item)

    rows = _each(call, items, act)
    return _listed(call, table, table, _thin(call, table, items, rows, "updated_at"))


def edit_card(call: Call, table: str, row_id: int) -> Response:
    """`PATCH /{leads|contacts|companies|customers}/{id}`; 404 when there is no such card."""
    _may(call, table)
    item = single(call)
    try:
        with changing(call.world, call.account, call.bearer.user_id) as change:
            row = cards.edit(change, table, change.live(table, row_id), item)
    except Impossible as err:
        raise invalid("0", err.path, err.code, str(err)) from None
    except Missing as err:
        return problem(404, str(err))
    answer = _thin(call, table, [item], [row], "updated_at")[0]
    return hal({name: value for name, value in answer.items() if name != "request_id"})


def create_tasks(call: Call) -> Response:
    """`POST /tasks`: text and complete_till are required."""
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        for name in ("text", "complete_till"):
            if item.get(name) is None:
                raise Impossible("This field is missing.", name, "FieldMissing")
        return tasks.create(change, item)

    rows = _each(call, items, act)
    return _listed(call, "tasks", "tasks", _thin(call, "tasks", items, rows))


def edit_tasks(call: Call) -> Response:
    """`PATCH /tasks`."""
    items = batch(call)
    rows = _each(
        call, items, lambda change, item: tasks.edit(change, change.get("tasks", _with_id(item)), item)
    )
    return _listed(call, "tasks", "tasks", _thin(call, "tasks", items, rows, "updated_at"))


def edit_task(call: Call, row_id: int) -> Response:
    """`PATCH /tasks/{id}`."""
    item = single(call)
    try:
        with changing(call.world, call.account, call.bearer.user_id) as change:
            row = tasks.edit(change, change.get("tasks", row_id), item)
    except Impossible as err:
        raise invalid("0", err.path, err.code, str(err)) from None
    except Missing as err:
        return problem(404, str(err))
    answer = _thin(call, "tasks", [item], [row], "updated_at")[0]
    return hal({name: value for name, value in answer.items() if name != "request_id"})


def create_notes(call: Call, table: str, entity_id: int | None = None) -> Response:
    """`POST /{entity}/notes` and `/{entity}/{id}/notes`."""
    _may(call, table)
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        item = item if entity_id is None else {**item, "entity_id": entity_id}
        if item.get("note_type") not in NOTE_PARAMS:
            raise Impossible("The value you selected is not a valid choice.", "note_type")
        for name in notes.missing_params(item["note_type"], item.get("params")):
            raise Impossible("This field is missing.", f"params.{name}", "FieldMissing")
        return notes.create(change, table, item)

    rows = _each(call, items, act)
    path = f"{table}/notes" if entity_id is None else f"{table}/{entity_id}/notes"
    return _listed(call, path, "notes", _thin(call, f"{table}/notes", items, rows, "entity_id"))


def edit_notes(call: Call, table: str) -> Response:
    """`PATCH /{entity}/notes`."""
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        return notes.edit(change, table, change.get(f"notes_{table}", _with_id(item)), item)

    rows = _each(call, items, act)
    return _listed(call, f"{table}/notes", "notes", _thin(call, f"{table}/notes", items, rows, "updated_at"))


def edit_note(call: Call, table: str, note_id: int) -> Response:
    """`PATCH /{entity}/notes/{id}`."""
    item = {**single(call), "id": note_id}
    rows = _each(
        call,
        [item],
        lambda change, patch: notes.edit(change, table, change.get(f"notes_{table}", note_id), patch),
    )
    return hal(_thin(call, f"{table}/notes", [item], rows, "updated_at")[0])


def _partner(change: Change, table: str, item: Row) -> int | None:
    """The id of the one embedded contact or company, which is made when it has none."""
    given = ((item.get("_embedded") or {}).get(table) or [None])[0]
    if not isinstance(given, dict):
        return None
    if given.get("id"):
        return int(given["id"])
    return int(
        people.create(change, table, {"responsible_user_id": item.get("responsible_user_id"), **given})["id"]
    )


def complex_leads(call: Call) -> Response:
    """`POST /leads/complex`: a bare list as answer; duplicate control never joins anything here."""
    items = batch(call)
    if len(items) > 50:
        raise Refused(problem(400, "Too many items in the request, 50 allowed"))

    def act(change: Change, item: Row) -> Row:
        contact_id, company_id = _partner(change, "contacts", item), _partner(change, "companies", item)
        embedded = {"tags": (item.get("_embedded") or {}).get("tags") or []}
        embedded["contacts"] = [{"id": contact_id}] if contact_id else []
        embedded["companies"] = [{"id": company_id}] if company_id else []
        lead = people.create(change, "leads", {**item, "_embedded": embedded})
        if contact_id and company_id:
            people.link(change, "contacts", contact_id, "companies", company_id)
        return {"id": lead["id"], "contact_id": contact_id, "company_id": company_id}

    rows = _each(call, items, act)
    answers = [
        {**row, "request_id": [request_id(item, index)], "merged": False}
        for index, (item, row) in enumerate(zip(items, rows, strict=True))
    ]
    return hal(answers)


def _partners(call: Call) -> list[Row]:
    items = batch(call)
    for index, item in enumerate(items):
        if item.get("to_entity_type") not in PERSON_LIKE or not isinstance(item.get("to_entity_id"), int):
            raise invalid(str(index), "to_entity_type", "NotSupportedChoice", "This link cannot be made.")
    return items


def link(call: Call, table: str, row_id: int) -> Response:
    """`POST /{entity}/{id}/link`."""
    items = _partners(call)

    def act(change: Change, item: Row) -> Row:
        is_main = (item.get("metadata") or {}).get("is_main")
        people.link(change, table, row_id, item["to_entity_type"], item["to_entity_id"], is_main=is_main)
        return {
            "entity_id": row_id,
            "entity_type": table,
            "to_entity_id": item["to_entity_id"],
            "to_entity_type": item["to_entity_type"],
            "metadata": item.get("metadata"),
        }

    rows = _each(call, items, act)
    links = {"self": {"href": f"{call.account.origin}/api/v4/{table}/{row_id}/links"}}
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"links": rows}})


def unlink(call: Call, table: str, row_id: int) -> Response:
    """`POST /{entity}/{id}/unlink`."""

    def act(change: Change, item: Row) -> Row:
        people.unlink(change, table, row_id, item["to_entity_type"], item["to_entity_id"])
        return item

    _each(call, _partners(call), act)
    return empty()
