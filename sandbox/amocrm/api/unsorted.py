"""Incoming leads in API v4: lists, creation of forms and sip, accept, decline, link, summary."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

from collections.abc import Callable
from typing import Any

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import hal, problem
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.writes import batch, each, request_id
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import notes, unsorted
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_HOME = "leads/unsorted"
_REQUIRED = {
    "forms": ("form_id", "form_name", "form_page"),
    "sip": ("from", "phone", "duration", "service_code"),
}


def listed(call: Call) -> Response:
    """`GET /leads/unsorted`: what still waits."""
    return lists.page(call, RESOURCES["unsorted"])


def one(call: Call, uid: str) -> Response:
    """`GET /leads/unsorted/{uid}`; 404 when it was sorted or never was."""
    response = lists.one(call, RESOURCES["unsorted"], uid)
    return problem(404, "Unsorted item not found") if response.status == 204 else response


def create(call: Call, category: str) -> Response:
    """`POST /leads/unsorted/forms` and `/sip`."""
    items = batch(call)
    rows = each(call, items, lambda change, item: _create(change, category, item))
    answers = [
        {"uid": row["uid"], "account_id": row["account_id"], "request_id": request_id(item, index),
         "_links": _link(call, row), "_embedded": _embedded(call, row)}
        for index, (item, row) in enumerate(zip(items, rows, strict=True))
    ]  # fmt: skip
    links = call.link(f"{_HOME}/{category}")
    return hal({"_total_items": len(answers), "_links": links, "_embedded": {"unsorted": answers}})


def _create(change: Change, category: str, item: Row) -> Row:
    for name in ("source_uid", "source_name", "metadata"):
        if item.get(name) in (None, ""):
            raise Impossible("This field is missing.", name, "FieldMissing")
    metadata = item["metadata"]
    if not isinstance(metadata, dict):
        raise Impossible("This value should be of type object.", "metadata", "InvalidType")
    for name in _REQUIRED[category]:
        if metadata.get(name) is None:
            raise Impossible("This field is missing.", f"metadata.{name}", "FieldMissing")
    kept = {name: value for name, value in metadata.items() if name != "is_call_event_needed"}
    row = unsorted.create(change, category, {**item, "metadata": kept})
    if category == "sip" and metadata.get("is_call_event_needed"):
        _note_call(change, row, kept)
    return row


def _note_call(change: Change, row: Row, metadata: Row) -> None:
    names = ("uniq", "duration", "link", "phone", "call_responsible")
    params = {name: metadata[name] for name in names if metadata.get(name) is not None}
    params["source"] = metadata.get("service_code")
    lead_id = row["_embedded"]["leads"][0]["id"]
    notes.create(change, "leads", {"entity_id": lead_id, "note_type": "call_in", "params": params})


def _link(call: Call, row: Row) -> Row:
    return call.link(f"{_HOME}/{row['uid']}")


def _embedded(call: Call, row: Row) -> Row:
    embedded = row.get("_embedded") or {}
    return {
        table: [{"id": item["id"],
                 "_links": call.link(f"{table}/{item['id']}")}
                for item in embedded.get(table) or []]
        for table in unsorted.BEHIND
    }  # fmt: skip


def _sorted(call: Call, act: Callable[[Change, Row], Row]) -> Response:
    row = batches.single(call, act)
    names = ("uid", "pipeline_id", "category", "created_at")
    shown = {name: row.get(name) for name in names} | {"_embedded": _embedded(call, row)}
    return hal({**shown, "_links": _link(call, row)})


def _user(change: Change, item: Row) -> int:
    """The user who sorts: the one named, else the token's."""
    user_id = item.get("user_id")
    if user_id in (None, 0):
        return change.by
    if isinstance(user_id, bool) or not isinstance(user_id, int) or change.find("users", user_id) is None:
        raise Impossible(f"there is no user {user_id}", "user_id")
    return user_id


def _status(item: Row) -> Any:
    status_id = item.get("status_id")
    if status_id is not None and (isinstance(status_id, bool) or not isinstance(status_id, int)):
        raise Impossible("This value should be of type int.", "status_id", "InvalidType")
    return status_id


def accept(call: Call, uid: str) -> Response:
    """`POST /leads/unsorted/{uid}/accept {user_id?, status_id?}`."""

    def act(change: Change, item: Row) -> Row:
        row, change.by = unsorted.waiting(change, uid), _user(change, item)
        return unsorted.accept(change, row, change.by, _status(item))

    return _sorted(call, act)


def decline(call: Call, uid: str) -> Response:
    """`DELETE /leads/unsorted/{uid}/decline {user_id?}`: a DELETE with a body."""

    def act(change: Change, item: Row) -> Row:
        row, change.by = unsorted.waiting(change, uid), _user(change, item)
        return unsorted.decline(change, row)

    return _sorted(call, act)


def link(call: Call, uid: str) -> Response:
    """`POST /leads/unsorted/{uid}/link {"link": {entity_type, entity_id}, "user_id"?}`: chats and mail."""

    def act(change: Change, item: Row) -> Row:
        row, change.by = unsorted.waiting(change, uid), _user(change, item)
        wanted = item.get("link")
        if not isinstance(wanted, dict):
            raise Impossible("This field is missing.", "link", "FieldMissing")
        return unsorted.tie(change, row, wanted.get("entity_type"), wanted.get("entity_id"))

    return _sorted(call, act)


def summary(call: Call) -> Response:
    """`GET /leads/unsorted/summary`: waiting ones by category, sorted ones by verdict, seconds until sorted.

    Filters on created_at, pipeline_id and category are about both.
    """
    where = lists.conditions(call, RESOURCES["unsorted"])
    with call.world.store.read() as connection:
        found = connection.execute(
            f"SELECT category, count(*) FROM unsorted WHERE {where.sql} GROUP BY category", where.values
        ).fetchall()
        how = connection.execute(
            "SELECT how, count(*), sum(sorted_at - created_at) FROM sorted_unsorted"
            f" WHERE {where.sql} GROUP BY how",
            where.values,
        ).fetchall()
    counts = dict(found)
    verdicts = {name: count for name, count, _ in how}
    total_s, total_n = sum(seconds or 0 for *_, seconds in how), sum(verdicts.values())
    return hal(
        {
            "total": sum(counts.values()),
            "accepted": verdicts.get("accept", 0),
            "declined": verdicts.get("decline", 0),
            "average_sort_time": round(total_s / total_n) if total_n else 0,
            "categories": {name: {"total": counts.get(name, 0)} for name in unsorted.CATEGORIES},
            "_links": call.link(f"{_HOME}/summary"),
        }
    )
