"""Pipelines and statuses: read by everybody, written by administrators."""

import json

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import empty, hal
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import pipelines
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.storage import views
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_HOME = "leads/pipelines"


def listed(call: Call) -> Response:
    """`GET /leads/pipelines`: all on one page, with their statuses."""
    return lists.page(call, RESOURCES["pipelines"])


def one(call: Call, pipeline_id: int) -> Response:
    """`GET /leads/pipelines/{id}`: the object itself."""
    return lists.one(call, RESOURCES["pipelines"], pipeline_id)


def statuses(call: Call, pipeline_id: int, status_id: int | None = None) -> Response:
    """`GET /leads/pipelines/{id}/statuses[/{id}]`; `with=descriptions`."""
    with call.world.store.read() as connection:
        row = connection.execute(
            "SELECT body FROM pipelines WHERE account_id = ? AND id = ?", (call.account.id, pipeline_id)
        ).fetchone()
    found = views.statuses_of(json.loads(row[0])) if row else []
    found = [status for status in found if status_id in (None, status.get("id"))]
    if not found:
        return empty()
    home = f"{_HOME}/{pipeline_id}/statuses"
    described = "descriptions" in call.wanted
    items = [
        views.spliced(f"{home}/{status.get('id')}", dumps(views.status_shown(status, described=described)))
        for status in found
    ]
    if status_id is not None:
        return hal(lists.hosted(call, items[0]))
    rows = ",".join(items)
    text = f'{{"_total_items":{len(items)},"_links":{views.link(home)},"_embedded":{{"statuses":[{rows}]}}}}'
    return hal(lists.hosted(call, text))


def _named(change: Change, given: Row) -> Row:
    fields = batches.only(given, pipelines.PIPELINE_FIELDS)
    return pipelines.add_pipeline(change, batches.text(given, "name"), **fields)


def _whole(call: Call, row: Row) -> Row:
    """A pipeline as an answer to a write: its statuses inside, links everywhere."""
    home = f"{_HOME}/{row['id']}/statuses"
    inside = [batches.shown(call, home, status) for status in views.statuses_of(row)]
    return {**batches.shown(call, _HOME, row), "_embedded": {"statuses": inside}}


def create(call: Call) -> Response:
    """`POST /leads/pipelines`: up to fifty in an account."""
    admin_only(call)
    items = batches.objects(call, pipelines.MOST_PIPELINES)
    rows = [_whole(call, row) for row in batches.each(call, items, _named)]
    return batches.answered(call, _HOME, "pipelines", items, rows)


def edit(call: Call, pipeline_id: int) -> Response:
    """`PATCH /leads/pipelines/{id}`."""
    admin_only(call)

    def act(change: Change, patch: Row) -> Row:
        fields = batches.only(patch, ("name", *pipelines.PIPELINE_FIELDS))
        return pipelines.edit_pipeline(change, pipeline_id, **fields)

    return hal(_whole(call, batches.single(call, act)))


def delete(call: Call, pipeline_id: int) -> Response:
    """`DELETE /leads/pipelines/{id}` → 200 `{}`; 400 for the last one and for one with leads."""
    admin_only(call)
    batches.removed(call, lambda change: pipelines.delete_pipeline(change, pipeline_id))
    return hal({})


def create_statuses(call: Call, pipeline_id: int) -> Response:
    """`POST /leads/pipelines/{id}/statuses`."""
    admin_only(call)
    items = batches.objects(call, pipelines.MOST_STATUSES)

    def act(change: Change, item: Row) -> Row:
        fields = batches.only(item, pipelines.STATUS_FIELDS)
        return pipelines.add_stage(change, pipeline_id, batches.text(item, "name"), **fields)

    rows = batches.each(call, items, act)
    return batches.listed(call, f"{_HOME}/{pipeline_id}/statuses", "statuses", items, rows)


def edit_status(call: Call, pipeline_id: int, status_id: int) -> Response:
    """`PATCH /leads/pipelines/{id}/statuses/{id}`."""
    admin_only(call)

    def act(change: Change, patch: Row) -> Row:
        fields = batches.only(patch, ("name", *pipelines.STATUS_FIELDS))
        return pipelines.edit_stage(change, pipeline_id, status_id, **fields)

    return hal(batches.shown(call, f"{_HOME}/{pipeline_id}/statuses", batches.single(call, act)))


def delete_status(call: Call, pipeline_id: int, status_id: int) -> Response:
    """`DELETE /leads/pipelines/{id}/statuses/{id}` → 204; 400 for system ones and for one with leads."""
    admin_only(call)
    return batches.removed(call, lambda change: pipelines.drop_stage(change, pipeline_id, status_id))
