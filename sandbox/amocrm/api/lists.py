"""The list engine: one query per page, and the HAL page around its rows."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import sqlite3
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

from sandbox.amocrm.api import event_names, filters, phpquery, rights
from sandbox.amocrm.api.answers import empty, hal
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import Resource
from sandbox.amocrm.http import Response
from sandbox.amocrm.storage import views
from sandbox.amocrm.storage.places import Listing
from sandbox.amocrm.storage.tables import DELETED, LISTED
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.world import Call

DEFAULT_LIMIT = 50
MAX_PAGE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which part of a list is asked for; `limit` 0 means all of it."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """Rows before it."""
        return (self.page - 1) * self.limit


def span(query: phpquery.Tree, resource: Resource, cap: int) -> Span:
    """Page and limit; over the cap, or not a number, means the default limit, without an error."""
    if not resource.paged:
        return Span(page=1, limit=0)
    limit = _number(query.get("limit"), DEFAULT_LIMIT)
    page = _number(query.get("page"), 1)
    return Span(page=min(max(page, 1), MAX_PAGE), limit=limit if 0 < limit <= cap else DEFAULT_LIMIT)


def _number(value: Any, default: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return default


def page(call: Call, resource: Resource, extra: Where | None = None, path: str | None = None) -> Response:
    """One page of a list; 204 when it has no rows. `extra` narrows it, `path` is the list's own address."""
    cap = call.world.switches["events_cap"] if resource.table == "events" else resource.cap
    wanted = span(call.query, resource, cap)
    where = conditions(call, resource)
    if extra is not None:
        where.add(extra.sql, *extra.values)
    with call.world.store.read() as connection:
        found = _rows(call, connection, resource, where, wanted)
        total = _count(connection, resource, where) if resource.totals and found else None
    more = bool(wanted.limit) and len(found) > wanted.limit
    items = _texts(call, resource, path, found[: wanted.limit] if more else found)
    if not items:
        return empty()
    return _wrap(call, resource, path or resource.path, wanted, items, total=total, more=more)


def _texts(
    call: Call, resource: Resource, path: str | None, rows: list[tuple[Any, str, str | None]]
) -> list[str]:
    if resource.table == "events":
        return event_names.texts(call, [body for _, body, _ in rows])
    return [row_text(call, resource, *row, path=path) for row in rows]


def conditions(call: Call, resource: Resource) -> Where:
    """Account, visibility and the filters of the query."""
    where = Where()
    where.add("account_id = ?", call.account.id)
    if resource.hidden:
        where.add("hidden = ?", DELETED if "only_deleted" in call.wanted else LISTED)
    _only_visible(call, where, resource)
    tree = call.query.get("filter")
    if isinstance(tree, dict) and not (resource.alpha and not filter_feature(call)):
        for name, node in tree.items():
            if name in resource.filters:
                resource.filters[name](where, node)
        if resource.table == "events":
            filters.event_entities(where, tree)
        if tree:
            _not_yet_indexed(call, where, resource, timed="updated_at" in tree)
    text = call.query.get("query")
    if resource.searched and isinstance(text, str) and text:
        filters.search(where, text, "name" if resource.hidden else "json_extract(body, '$.name')")
    return where


def _only_visible(call: Call, where: Where, resource: Resource) -> None:
    sql, values = rights.visible(call, resource.table)
    if sql != "1":
        where.add(sql, *values)


def _not_yet_indexed(call: Call, where: Where, resource: Resource, *, timed: bool) -> None:
    """Leave out of a filtered list what changed within the delay (switch `visibility_delay_s`).

    New rows are in no filtered list yet; changed ones are still found, but not by their new `updated_at`.
    """
    delay = call.world.switches["visibility_delay_s"]
    if not delay:
        return
    since = call.world.clock.now() - delay
    test = "(f.made_at > ? OR f.changed_at > ?)" if timed else "f.made_at > ?"
    where.add(
        f"id NOT IN (SELECT f.id FROM fresh f WHERE f.account_id = ? AND f.name = ? AND {test})",
        call.account.id, resource.table, *([since, since] if timed else [since]),
    )  # fmt: skip


def filter_feature(call: Call) -> bool:
    """Whether the account's filters on leads, contacts, companies and customers work."""
    switch = call.world.switches["api_filter_enabled"]
    return bool(call.account.body.get("is_api_filter_enabled", True) if switch is None else switch)


def _order(call: Call, resource: Resource) -> tuple[str, bool]:
    """The column, and whether it descends; rows alike in it come by id."""
    given = call.query.get("order")
    obeyed = resource.table != "events" or call.world.switches["events_order"] == "honoured"
    if isinstance(given, dict) and obeyed:
        for name, direction in given.items():
            if name in resource.orders:
                return name, str(direction).lower() == "desc"
    return resource.default_order, resource.descending


def _rows(
    call: Call, connection: sqlite3.Connection, resource: Resource, where: Where, wanted: Span
) -> list[tuple[Any, str, str | None]]:
    column, descending = _order(call, resource)
    listing = Listing(
        table=resource.table, where=where.sql, values=tuple(where.values), column=column,
        descending=descending, offset=wanted.offset, limit=wanted.limit,
    )  # fmt: skip
    # Ids first: rows that are skipped over must not be read, only their index entries.
    ids = call.world.store.places.rowids(connection, listing)
    marks = ", ".join("?" * len(ids))
    rows = connection.execute(
        f'SELECT rowid, id, body, view FROM "{resource.table}" WHERE rowid IN ({marks})', ids
    ).fetchall()
    by_rowid = {row[0]: row[1:] for row in rows}
    return [by_rowid[rowid] for rowid in ids if rowid in by_rowid]


def _count(connection: sqlite3.Connection, resource: Resource, where: Where) -> int:
    found = connection.execute(f'SELECT count(*) FROM "{resource.table}" WHERE {where.sql}', where.values)
    return int(found.fetchone()[0])


def row_text(
    call: Call, resource: Resource, row_id: Any, body: str, view: str | None, path: str | None = None
) -> str:
    """The answer's text for one row; `path` is the list's own address, where rows of `nested` ones live."""
    if resource.hidden and "only_deleted" in call.wanted:
        return views.bin_text(resource.table, body)
    if view is not None:
        return views.joined(resource.table, view, call.wanted)
    if resource.table == "pipelines":
        return views.pipeline_text(body, described="descriptions" in call.wanted)
    if resource.table == "tags":
        return views.tag_text(body)
    if resource.key == "notes":
        body = views.note_body(body, pinned="is_pinned" in call.wanted)
    home = path if resource.nested and path else resource.path
    return views.spliced(f"{home}/{row_id}", body)


def one(
    call: Call, resource: Resource, row_id: Any, extra: Where | None = None, path: str | None = None
) -> Response:
    """One row by id; 204 when it does not exist, is deleted or merged, or may not be seen."""
    where = Where()
    where.add("account_id = ? AND id = ?", call.account.id, row_id)
    if resource.hidden:
        where.add("hidden = ?", DELETED if "only_deleted" in call.wanted else LISTED)
    _only_visible(call, where, resource)
    if extra is not None:
        where.add(extra.sql, *extra.values)
    with call.world.store.read() as connection:
        row = connection.execute(
            f'SELECT id, body, view FROM "{resource.table}" WHERE {where.sql}', where.values
        ).fetchone()
    if row is None:
        return empty()
    return hal(hosted(call, _texts(call, resource, path, [row])[0]))


def hosted(call: Call, text: str) -> str:
    """Put the account's host where the marks are."""
    return text.replace(views.HOST_MARK, call.account.origin)


def _wrap(
    call: Call,
    resource: Resource,
    path: str,
    wanted: Span,
    items: list[str],
    *,
    total: int | None,
    more: bool,
) -> Response:
    def address(number: int) -> dict[str, str]:
        return {"href": f"{call.account.origin}/api/v4/{path}{_query(call, wanted, number)}"}

    links = {"self": address(wanted.page)}
    if more:
        links["next"] = address(wanted.page + 1)
    if wanted.page > 1:
        links |= {"first": address(1), "prev": address(wanted.page - 1)}
    head = "" if total is None else f'"_total_items":{total},'
    if resource.paged:
        head += f'"_page":{wanted.page},'
        if total is not None:
            pages = -(-total // wanted.limit)
            head += f'"_page_count":{pages},'
            links["last"] = address(pages)
    rows = hosted(call, ",".join(items))
    return hal(f'{{{head}"_links":{dumps(links)},"_embedded":{{"{resource.key}":[{rows}]}}}}')


def _query(call: Call, wanted: Span, number: int) -> str:
    """The query as it came, with limit and page as they were understood."""
    kept = [
        pair
        for pair in call.request.query.split("&")
        if pair and unquote_plus(pair.split("=")[0]) not in ("page", "limit")
    ]
    if wanted.limit:
        kept += [f"limit={wanted.limit}", f"page={number}"]
    return "?" + "&".join(kept) if kept else ""


def scan_links(call: Call, rows: list[dict[str, Any]], path: str) -> Response:
    """A list that is computed, not stored: links of a card. The vendor's page of it names no 204."""
    query = "?" + quote(call.request.query, safe="=&[]%+,") if call.request.query else ""
    links = call.link(f"{path}{query}")
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"links": rows}})
