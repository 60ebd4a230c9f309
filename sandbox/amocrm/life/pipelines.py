"""Pipelines and their statuses: made, changed and deleted, by the API and by people alike."""

from typing import Any

from sandbox.amocrm.life import cards
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.life.numbers import next_above
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.storage import views
from sandbox.amocrm.vocabulary import CLOSED, LOST, UNSORTED_TYPE, WON, Row

MOST_PIPELINES = 50
MOST_STATUSES = 100  # in one pipeline, system ones included
COLOURS = (
    "#fffeb2", "#fffd7f", "#fff000", "#ffeab2", "#ffdc7f", "#ffce5a", "#ffdbdb", "#ffc8c8",
    "#ff8f92", "#d6eaff", "#c1e0ff", "#98cbff", "#ebffb1", "#deff81", "#87f2c0", "#f9deff",
    "#f3beff", "#ccc8f9", "#eb93ff", "#f2f3f4", "#e6e8ea",
)  # fmt: skip
PIPELINE_FIELDS = ("sort", "is_main", "is_unsorted_on", "is_archive", "_embedded")
STATUS_FIELDS = ("sort", "color", "descriptions")
LEVELS = ("newbie", "candidate", "master")
LONGEST_DESCRIPTION = 1000
# id (None: a new one), name, sort, type, colour
_UNSORTED = (None, "Неразобранное", 10, UNSORTED_TYPE, "#c1c1c1")
_WON = (WON, "Успешно реализовано", 10000, 0, "#CCFF66")
_LOST = (LOST, "Закрыто и не реализовано", 11000, 0, "#D5D8DB")


def add_pipeline(change: Change, name: str, **given: Any) -> Row:
    """A new pipeline: fields as in POST /leads/pipelines, its statuses inside `_embedded.statuses`.

    Impossible when the account has its fifty, or a status cannot be.
    """
    every = change.rows("pipelines")
    if len(every) >= MOST_PIPELINES:
        raise Impossible(f"There may be {MOST_PIPELINES} pipelines in an account", "name", "LimitExceeded")
    row: Row = {
        "id": change.next_id("pipelines"),
        "name": name,
        "sort": _sort(given, max((whole(row.get("sort")) for row in every), default=0) + 1),
        "is_main": bool(given.get("is_main")) or not every,
        "is_unsorted_on": bool(given.get("is_unsorted_on", True)),
        "is_archive": False,
        "account_id": change.account.id,
        "_embedded": {"statuses": []},
    }
    _fill(change, row, (given.get("_embedded") or {}).get("statuses"))
    _only_main(change, row)
    change.put("pipelines", row)
    return row


def _fill(change: Change, row: Row, given: Any) -> None:
    """The system's statuses and those that were asked for; 142 and 143 may bring a name and a colour."""
    items = given if isinstance(given, list) else []
    items = [item for item in items if isinstance(item, dict)]
    statuses = row["_embedded"]["statuses"]
    if row["is_unsorted_on"]:
        statuses.append(_system(change, row, _UNSORTED))
    for index, item in enumerate(items):
        if item.get("id") not in CLOSED:
            statuses.append(_status_row(change, row, item, f"_embedded.statuses.{index}."))
    for system in (_WON, _LOST):
        closed = _system(change, row, system)
        asked: Row = next((item for item in items if item.get("id") == closed["id"]), {})
        _set_status(closed, {**asked, "sort": closed["sort"]}, "_embedded.statuses.")
        statuses.append(closed)
    _check_number(statuses)


def _check_number(statuses: list[Row]) -> None:
    if len(statuses) > MOST_STATUSES:
        raise Impossible(f"There may be {MOST_STATUSES} statuses in a pipeline", "name", "LimitExceeded")


def _new_status_id(change: Change) -> int:
    taken = [status.get("id") for row in change.rows("pipelines") for status in views.statuses_of(row)]
    return next_above(change, "statuses", max([1000, *(n for n in taken if isinstance(n, int))]))


def _system(change: Change, pipeline: Row, what: tuple[int | None, str, int, int, str]) -> Row:
    status_id, name, sort, kind, color = what
    return {
        "id": status_id or _new_status_id(change), "name": name, "sort": sort, "is_editable": False,
        "pipeline_id": pipeline["id"], "color": color, "type": kind, "account_id": change.account.id,
    }  # fmt: skip


def _status_row(change: Change, pipeline: Row, given: Row, at: str = "") -> Row:
    if not isinstance(given.get("name"), str) or not given["name"]:
        raise Impossible("This field is missing.", f"{at}name", "FieldMissing")
    ordinary = [s for s in pipeline["_embedded"]["statuses"] if s.get("id") not in CLOSED]
    last = max((whole(status.get("sort")) for status in ordinary), default=10)
    row = {
        "id": _new_status_id(change), "name": given["name"], "sort": _sort(given, last + 10),
        "is_editable": True, "pipeline_id": pipeline["id"], "color": COLOURS[0], "type": 0,
        "account_id": change.account.id,
    }  # fmt: skip
    _set_status(row, given, at)
    return row


def _sort(given: Row, default: int) -> int:
    value = given.get("sort")
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
        raise Impossible("This value should be of type integer.", "sort", "InvalidType")
    return value


def _set_status(row: Row, given: Row, at: str = "") -> None:
    color = given.get("color")
    if color is not None and color != row["color"]:
        if color not in COLOURS:
            raise Impossible("The value you selected is not a valid choice.", f"{at}color")
        row["color"] = color
    if given.get("name"):
        row["name"] = str(given["name"])
    row["sort"] = _sort(given, row["sort"])
    if given.get("descriptions") is not None:
        row["descriptions"] = _descriptions(given["descriptions"], f"{at}descriptions")


def _descriptions(given: Any, at: str) -> list[Row]:
    found = []
    for index, item in enumerate(given if isinstance(given, list) else [given]):
        item = item if isinstance(item, dict) else {}
        if item.get("level") not in LEVELS:
            raise Impossible("The value you selected is not a valid choice.", f"{at}.{index}.level")
        words = str(item.get("description") or "")
        if len(words) > LONGEST_DESCRIPTION:
            raise Impossible("This value is too long.", f"{at}.{index}.description", "TooLong")
        found.append({"id": index + 1, "level": item["level"], "description": words})
    return found


def edit_pipeline(change: Change, pipeline_id: Any, **patch: Any) -> Row:
    """Name, place, main mark, incoming leads on or off, archive; Missing when there is no such pipeline."""
    row = change.get("pipelines", pipeline_id)
    if patch.get("name"):
        row["name"] = str(patch["name"])
    row["sort"] = _sort(patch, whole(row.get("sort")) or 1)
    if patch.get("is_main"):
        row["is_main"] = True
        _only_main(change, row)
    if isinstance(patch.get("is_archive"), bool):
        row["is_archive"] = patch["is_archive"]
    if isinstance(patch.get("is_unsorted_on"), bool):
        _switch_unsorted(change, row, on=patch["is_unsorted_on"])
    change.put("pipelines", row)
    return row


def _only_main(change: Change, row: Row) -> None:
    for other in change.rows("pipelines") if row["is_main"] else ():
        if other.get("is_main") and other.get("id") != row["id"]:
            change.put("pipelines", {**other, "is_main": False})


def _switch_unsorted(change: Change, row: Row, *, on: bool) -> None:
    statuses = [status for status in views.statuses_of(row) if on or status.get("type") != UNSORTED_TYPE]
    if on and all(status.get("type") != UNSORTED_TYPE for status in statuses):
        statuses.insert(0, _system(change, row, _UNSORTED))
    gone = {s.get("id") for s in views.statuses_of(row)} - {s.get("id") for s in statuses}
    for status_id in gone:
        if _leads_of(change, row["id"], status_id):
            raise Impossible("There are incoming leads in the pipeline", "is_unsorted_on")
    row["is_unsorted_on"], row["_embedded"] = on, {"statuses": statuses}


def _leads_of(change: Change, pipeline_id: Any, status_id: Any = None) -> list[Row]:
    where, values = "pipeline_id = ? AND hidden IN (0, 1)", [pipeline_id]
    if status_id is not None:
        where, values = f"{where} AND status_id = ?", [pipeline_id, status_id]
    return change.rows("leads", where, *values)


def rename_pipeline(change: Change, pipeline_id: Any, name: str) -> None:
    """A pipeline gets another name."""
    edit_pipeline(change, pipeline_id, name=name)


def delete_pipeline(change: Change, pipeline_id: Any, move_to: Any = None) -> None:
    """A pipeline disappears; its leads go to the first status of `move_to` when that is named.

    Impossible while it has leads (those in the recycle bin count), or when it is the last one. Events and old
    leads keep its number.
    """
    row = change.get("pipelines", pipeline_id)
    others = [other for other in change.rows("pipelines") if other.get("id") != pipeline_id]
    if not others:
        raise Impossible("The last pipeline cannot be deleted", "id")
    if move_to is not None:
        _move_leads(change, pipeline_id, move_to)
    if _leads_of(change, pipeline_id):
        raise Impossible("The pipeline has leads", "id")
    change.remove("pipelines", pipeline_id)
    if row.get("is_main"):
        change.put("pipelines", {**others[0], "is_main": True})


def _move_leads(change: Change, pipeline_id: Any, move_to: Any) -> None:
    for lead in _leads_of(change, pipeline_id):
        cards.edit(change, "leads", lead, {"pipeline_id": move_to})


def status_of(change: Change, pipeline_id: Any, status_id: Any) -> tuple[Row, Row]:
    """A pipeline and one of its statuses; Missing when one of them is not there."""
    pipeline = change.get("pipelines", pipeline_id)
    for status in views.statuses_of(pipeline):
        if status.get("id") == status_id:
            return pipeline, status
    raise Missing(f"pipeline {pipeline_id} has no status {status_id}")


def add_stage(change: Change, pipeline_id: Any, name: str, **given: Any) -> Row:
    """A new column of the board: fields as in POST …/statuses. Impossible above a hundred."""
    pipeline = change.get("pipelines", pipeline_id)
    statuses = views.statuses_of(pipeline)
    pipeline["_embedded"] = {"statuses": statuses}
    row = _status_row(change, pipeline, {"name": name, **given})
    statuses.append(row)
    _check_number(statuses)
    statuses.sort(key=lambda status: whole(status.get("sort")))
    change.put("pipelines", pipeline)
    return row


def edit_stage(change: Change, pipeline_id: Any, status_id: Any, **patch: Any) -> Row:
    """A column gets another name, colour, place or descriptions.

    Of won and lost only name, colour and descriptions change; the one for incoming leads stays as it is.
    """
    pipeline, status = status_of(change, pipeline_id, status_id)
    if status.get("type") == UNSORTED_TYPE:
        raise Impossible("The status of incoming leads cannot be changed", "id")
    if status_id in CLOSED and patch.get("sort") not in (None, status.get("sort")):
        raise Impossible("The place of a system status cannot be changed", "sort")
    _set_status(status, patch)
    pipeline["_embedded"]["statuses"].sort(key=lambda item: whole(item.get("sort")))
    change.put("pipelines", pipeline)
    return status


def rename_stage(change: Change, pipeline_id: Any, status_id: Any, name: str) -> None:
    """A column of the board gets another name."""
    edit_stage(change, pipeline_id, status_id, name=name)


def delete_stage(change: Change, pipeline_id: Any, status_id: Any, move_to: Any = None) -> None:
    """A column disappears; its leads go to `move_to`, else to the first ordinary status left."""
    pipeline, status = status_of(change, pipeline_id, status_id)
    if status_id in CLOSED or status.get("type") == UNSORTED_TYPE:
        raise Impossible(f"status {status_id} belongs to the system", "status_id")
    left = [item for item in views.statuses_of(pipeline) if item.get("id") != status_id]
    target = move_to or next((item["id"] for item in left if item.get("type") != UNSORTED_TYPE), None)
    for lead in _leads_of(change, pipeline_id, status_id):
        cards.edit(change, "leads", lead, {"status_id": target})
    pipeline["_embedded"]["statuses"] = left
    change.put("pipelines", pipeline)


def drop_stage(change: Change, pipeline_id: Any, status_id: Any) -> None:
    """Delete a column the way the API does: Impossible while leads stand in it."""
    status_of(change, pipeline_id, status_id)
    if _leads_of(change, pipeline_id, status_id):
        raise Impossible("The status has leads", "id")
    delete_stage(change, pipeline_id, status_id)
