"""Definitions of custom fields and their groups, of cards, segments and catalogs."""

import json
import sqlite3

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import Refused, empty, hal, problem
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import definitions
from sandbox.amocrm.life.change import Change, Missing
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_MOST = 250


def _home(of: str, catalog_id: int | None) -> str:
    """The address in front of /custom_fields."""
    if of == "segments":
        return "customers/segments"
    return of if catalog_id is None else f"catalogs/{catalog_id}"


def _in_catalog(call: Call, catalog_id: int | None) -> Where | None:
    if catalog_id is None:
        return None
    with call.world.store.read() as connection:
        known = connection.execute(
            "SELECT 1 FROM catalogs WHERE account_id = ? AND id = ?", (call.account.id, catalog_id)
        ).fetchone()
    if known is None:
        raise Refused(problem(404, f"there is no catalog {catalog_id}"))
    extra = Where()
    extra.add("catalog_id = ?", catalog_id)
    return extra


def listed(call: Call, table: str, catalog_id: int | None = None) -> Response:
    """`GET …/custom_fields`."""
    resource = RESOURCES[f"custom_fields_{table}"]
    extra = _in_catalog(call, catalog_id)
    return lists.page(call, resource, extra, f"{_home(table, catalog_id)}/custom_fields")


def one(call: Call, table: str, row_id: int, catalog_id: int | None = None) -> Response:
    """`GET …/custom_fields/{id}`."""
    resource = RESOURCES[f"custom_fields_{table}"]
    extra = _in_catalog(call, catalog_id)
    return lists.one(call, resource, row_id, extra, f"{_home(table, catalog_id)}/custom_fields")


def create(call: Call, table: str, catalog_id: int | None = None) -> Response:
    """`POST …/custom_fields` → 201; name and type are required."""
    admin_only(call)
    _in_catalog(call, catalog_id)
    items = batches.objects(call, _MOST)
    more = {} if catalog_id is None else {"catalog_id": catalog_id}

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        batches.text(item, "type")
        return definitions.add_field(change, table, item, **more)

    rows = batches.each(call, items, act)
    home = f"{_home(table, catalog_id)}/custom_fields"
    return batches.listed(call, home, "custom_fields", items, rows, 201)


def _mine(change: Change, table: str, row_id: int, catalog_id: int | None) -> None:
    row = change.get(f"custom_fields_{table}", row_id)
    if catalog_id is not None and row.get("catalog_id") != catalog_id:
        raise Missing(f"catalog {catalog_id} has no field {row_id}")


def edit_many(call: Call, table: str, catalog_id: int | None = None) -> Response:
    """`PATCH …/custom_fields`."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        field_id = batches.with_id(item)
        _mine(change, table, field_id, catalog_id)
        return definitions.edit_field(change, table, field_id, item)

    rows = batches.each(call, items, act)
    return batches.listed(call, f"{_home(table, catalog_id)}/custom_fields", "custom_fields", items, rows)


def edit(call: Call, table: str, row_id: int, catalog_id: int | None = None) -> Response:
    """`PATCH …/custom_fields/{id}`."""
    admin_only(call)

    def act(change: Change, patch: Row) -> Row:
        _mine(change, table, row_id, catalog_id)
        return definitions.edit_field(change, table, row_id, patch)

    row = batches.single(call, act)
    return hal(batches.shown(call, f"{_home(table, catalog_id)}/custom_fields", row))


def delete(call: Call, table: str, row_id: int, catalog_id: int | None = None) -> Response:
    """`DELETE …/custom_fields/{id}` → 204; 400 for the system's own."""
    admin_only(call)

    def act(change: Change) -> None:
        _mine(change, table, row_id, catalog_id)
        definitions.delete_field(change, table, row_id)

    return batches.removed(call, act)


def groups(call: Call, table: str, group_id: str | None = None) -> Response:
    """`GET …/custom_fields/groups[/{id}]`: each with the ids of its fields, the system's own first."""
    with call.world.store.read() as connection:
        stored = connection.execute(
            "SELECT body FROM custom_field_groups WHERE account_id = ? AND entity_type = ? ORDER BY sort, id",
            (call.account.id, table),
        ).fetchall()
        found = [*definitions.system_groups(table), *(json.loads(body) for (body,) in stored)]
        found = [_with_fields(connection, call.account.id, table, row) for row in found]
    home = f"{table}/custom_fields/groups"
    rows = [batches.shown(call, home, row) for row in found if group_id in (None, row["id"])]
    if not rows:
        return empty()
    if group_id is not None:
        return hal(rows[0])
    links = call.link(home)
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"custom_field_groups": rows}})


def _with_fields(connection: sqlite3.Connection, account_id: int, of: str, row: Row) -> Row:
    found = connection.execute(
        f"SELECT id, body FROM custom_fields_{of} WHERE account_id = ? ORDER BY sort, id",  # noqa: S608
        (account_id,),
    ).fetchall()
    fields = [number for number, body in found if json.loads(body).get("group_id") == row["id"]]
    return {**row, "fields": fields}


def create_groups(call: Call, table: str) -> Response:
    """`POST …/custom_fields/groups`."""
    admin_only(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        return _with_fields(
            change.connection, change.account.id, table, definitions.add_group(change, table, item)
        )

    home = f"{table}/custom_fields/groups"
    return batches.listed(call, home, "custom_field_groups", items, batches.each(call, items, act))


def edit_group(call: Call, table: str, group_id: str) -> Response:
    """`PATCH …/custom_fields/groups/{id}`."""
    admin_only(call)

    def act(change: Change, patch: Row) -> Row:
        row = definitions.edit_group(change, table, group_id, patch)
        return _with_fields(change.connection, change.account.id, table, row)

    return hal(batches.shown(call, f"{table}/custom_fields/groups", batches.single(call, act)))


def delete_group(call: Call, table: str, group_id: str) -> Response:
    """`DELETE …/custom_fields/groups/{id}` → 204; 400 for the system's own."""
    admin_only(call)
    return batches.removed(call, lambda change: definitions.delete_group(change, table, group_id))
