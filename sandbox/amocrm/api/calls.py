"""`POST /calls`: calls known by their phone number, each placed or refused on its own."""

from sandbox.amocrm.api.answers import hal, validation
from sandbox.amocrm.api.writes import batch, request_id, writing
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import calls
from sandbox.amocrm.life.change import Impossible, Missing
from sandbox.amocrm.life.notes import check_params
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

NOT_FOUND_CODE = 263
_REQUIRED = ("direction", "duration", "source", "phone")


def create(call: Call) -> Response:
    """What found its card stands in `_embedded.calls`, the rest in `errors`; a malformed item refuses all."""
    items = batch(call)
    wrong = [error for index, item in enumerate(items) if (error := _wrong(item, index))]
    if wrong:
        return validation(wrong)
    done, errors = [], []
    with writing(call) as change:
        for index, item in enumerate(items):
            mark = request_id(item, index)
            try:
                row = calls.note_call(change, item)
            except (Impossible, Missing) as err:
                errors.append(_error(mark, str(err)))
                continue
            if row is None:
                errors.append(_error(mark, "Entity not found"))
            else:
                done.append(_shown(row, mark))
    body: Row = {"_total_items": len(done), "errors": errors, "_embedded": {"calls": done}}
    return hal(body)


def _wrong(item: Row, index: int) -> Row | None:
    """The validation error of an item; None for a good one."""
    missing = next((name for name in _REQUIRED if item.get(name) is None), None)
    found = (missing, "FieldMissing", "This field is missing.") if missing else None
    if found is None and item["direction"] not in calls.KINDS:
        found = ("direction", "NotSupportedChoice", "The value you selected is not a valid choice.")
    if found is None:
        params = {
            name: item.get(name) for name in ("duration", "source", "phone", "call_status") if name in item
        }
        try:
            check_params("call_in", {"uniq": "", **params})
        except Impossible as err:
            found = (err.path.removeprefix("params."), err.code, str(err))
    if found is None:
        return None
    path, code, detail = found
    return {"request_id": request_id(item, index), "errors": [{"code": code, "path": path, "detail": detail}]}


def _error(mark: str, detail: str) -> Row:
    return {"request_id": mark, "title": "Entity not found", "status": NOT_FOUND_CODE, "detail": detail}


def _shown(row: Row, mark: str) -> Row:
    return {
        "id": row["id"],
        "entity_id": row["entity_id"],
        "entity_type": row["entity_type"],
        "account_id": row["account_id"],
        "request_id": mark,
        "_embedded": {"entity": {"id": row["entity_id"]}},
    }
