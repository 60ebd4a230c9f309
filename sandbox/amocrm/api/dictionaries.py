"""Tags, loss reasons and sources: lists and writes."""

from typing import Any

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import hal
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import dictionary
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_REASONS = "leads/loss_reasons"
_MOST = 250


def tags(call: Call, table: str) -> Response:
    """Tags of a kind of card; a tag that names no kind belongs to all."""
    extra = Where()
    extra.add("coalesce(entity_type, ?) = ?", table, table)
    text = call.query.get("query")
    if isinstance(text, str) and text:
        extra.add("fold(name) LIKE ?", f"%{text.casefold()}%")
    return lists.page(call, RESOURCES["tags"], extra, f"{table}/tags")


def create_tags(call: Call, table: str) -> Response:
    """`POST /{entity}/tags`: a known name answers the tag there is."""
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        return dictionary.add_tag(change, table, batches.text(item, "name"), item.get("color"))

    rows = batches.each(call, items, act)
    answers = [{name: row.get(name) for name in ("id", "name", "color")} for row in rows]
    return batches.answered(call, f"{table}/tags", "tags", items, answers)


def loss_reasons(call: Call) -> Response:
    """`GET /leads/loss_reasons`."""
    return lists.page(call, RESOURCES["loss_reasons"])


def loss_reason(call: Call, row_id: int) -> Response:
    """`GET /leads/loss_reasons/{id}`."""
    return lists.one(call, RESOURCES["loss_reasons"], row_id)


def create_loss_reasons(call: Call) -> Response:
    """`POST /leads/loss_reasons`."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        return dictionary.add_loss_reason(change, batches.text(item, "name"), item.get("sort"))

    return batches.listed(call, _REASONS, "loss_reasons", items, batches.each(call, items, act))


def delete_loss_reason(call: Call, row_id: int) -> Response:
    """`DELETE /leads/loss_reasons/{id}` → 204."""
    admin_only(call)
    return batches.removed(call, lambda change: dictionary.delete_loss_reason(change, row_id))


def _of_caller(call: Call) -> Where:
    """Sources this integration made; those of the snapshot name no owner and are everybody's."""
    extra = Where()
    extra.add(
        "NOT EXISTS (SELECT 1 FROM source_owners o WHERE o.account_id = sources.account_id"
        " AND o.source_id = sources.id AND o.client_id <> ?)",
        call.bearer.client_id,
    )
    return extra


def sources(call: Call) -> Response:
    """`GET /sources`: those of the calling integration."""
    admin_only(call)
    return lists.page(call, RESOURCES["sources"], _of_caller(call))


def source(call: Call, row_id: int) -> Response:
    """`GET /sources/{id}`."""
    admin_only(call)
    return lists.one(call, RESOURCES["sources"], row_id, _of_caller(call))


def create_sources(call: Call) -> Response:
    """`POST /sources`: name and external_id are required."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        batches.text(item, "external_id")
        return dictionary.add_source(change, call.bearer.client_id, item)

    return batches.listed(call, "sources", "sources", items, batches.each(call, items, act))


def _edited(change: Change, call: Call, source_id: Any, patch: Row) -> Row:
    row = dictionary.own_source(change, call.bearer.client_id, source_id)
    return dictionary.edit_source(change, call.bearer.client_id, row, patch)


def edit_sources(call: Call) -> Response:
    """`PATCH /sources`."""
    admin_only(call)
    items = batches.objects(call, _MOST)
    rows = batches.each(call, items, lambda change, item: _edited(change, call, batches.with_id(item), item))
    return batches.listed(call, "sources", "sources", items, rows)


def edit_source(call: Call, row_id: int) -> Response:
    """`PATCH /sources/{id}`."""
    admin_only(call)
    row = batches.single(call, lambda change, patch: _edited(change, call, row_id, patch))
    return hal(batches.shown(call, "sources", row))


def delete_sources(call: Call) -> Response:
    """`DELETE /sources` with `[{"id"}]` → 204."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change) -> None:
        for item in items:
            dictionary.delete_source(change, call.bearer.client_id, batches.with_id(item))

    return batches.removed(call, act)


def delete_source(call: Call, row_id: int) -> Response:
    """`DELETE /sources/{id}` → 204; 404 for another integration's."""
    admin_only(call)
    return batches.removed(
        call, lambda change: dictionary.delete_source(change, call.bearer.client_id, row_id)
    )
