"""Catalogs and their elements."""

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import hal
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only, catalogs_open
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import catalogs
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_MOST = 250


def listed(call: Call) -> Response:
    """`GET /catalogs`."""
    catalogs_open(call)
    return lists.page(call, RESOURCES["catalogs"])


def one(call: Call, catalog_id: int) -> Response:
    """`GET /catalogs/{id}`."""
    catalogs_open(call)
    return lists.one(call, RESOURCES["catalogs"], catalog_id)


def create(call: Call) -> Response:
    """`POST /catalogs`: up to ten in an account."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        return catalogs.add_catalog(change, item)

    return batches.listed(call, "catalogs", "catalogs", items, batches.each(call, items, act))


def edit_many(call: Call) -> Response:
    """`PATCH /catalogs`."""
    admin_only(call)
    items = batches.objects(call, _MOST)
    rows = batches.each(
        call, items, lambda change, item: catalogs.edit_catalog(change, batches.with_id(item), item)
    )
    return batches.listed(call, "catalogs", "catalogs", items, rows)


def edit(call: Call, catalog_id: int) -> Response:
    """`PATCH /catalogs/{id}`."""
    admin_only(call)
    row = batches.single(call, lambda change, patch: catalogs.edit_catalog(change, catalog_id, patch))
    return hal(batches.shown(call, "catalogs", row))


def _of(catalog_id: int) -> Where:
    extra = Where()
    extra.add("catalog_id = ?", catalog_id)
    return extra


def elements(call: Call, catalog_id: int) -> Response:
    """`GET /catalogs/{id}/elements`: `query`, `filter[id]`."""
    catalogs_open(call)
    resource = RESOURCES["catalog_elements"]
    return lists.page(call, resource, _of(catalog_id), f"catalogs/{catalog_id}/elements")


def element(call: Call, catalog_id: int, row_id: int) -> Response:
    """`GET /catalogs/{id}/elements/{id}`."""
    catalogs_open(call)
    resource = RESOURCES["catalog_elements"]
    return lists.one(call, resource, row_id, _of(catalog_id), f"catalogs/{catalog_id}/elements")


def create_elements(call: Call, catalog_id: int) -> Response:
    """`POST /catalogs/{id}/elements`."""
    catalogs_open(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        return catalogs.add_element(change, catalog_id, item)

    rows = batches.each(call, items, act)
    return batches.listed(call, f"catalogs/{catalog_id}/elements", "elements", items, rows)


def edit_elements(call: Call, catalog_id: int) -> Response:
    """`PATCH /catalogs/{id}/elements`."""
    catalogs_open(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        return catalogs.edit_element(change, catalog_id, batches.with_id(item), item)

    rows = batches.each(call, items, act)
    return batches.listed(call, f"catalogs/{catalog_id}/elements", "elements", items, rows)


def edit_element(call: Call, catalog_id: int, row_id: int) -> Response:
    """`PATCH /catalogs/{id}/elements/{id}`."""
    catalogs_open(call)
    row = batches.single(call, lambda change, patch: catalogs.edit_element(change, catalog_id, row_id, patch))
    return hal(batches.shown(call, f"catalogs/{catalog_id}/elements", row))
