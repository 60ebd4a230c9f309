"""GET handlers: everything that is a list or a row of one."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import json
from typing import Any

from sandbox.amocrm.api import lists, phpquery
from sandbox.amocrm.api.answers import Refused, empty, hal, problem
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.http import Response
from sandbox.amocrm.storage import views
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.vocabulary import EVENT_TYPE_NUMBERS, EVENT_TYPES, PERSON_LIKE, Row
from sandbox.amocrm.world import Call

_ACCOUNT_TOP = ("amojo_id", "uuid", "version", "drive_url", "is_api_filter_enabled")
_ACCOUNT_EMBEDDED = ("amojo_rights", "users_groups", "task_types", "entity_names", "datetime_settings",
                     "invoices_settings")  # fmt: skip


def admin_only(call: Call) -> None:
    """Refuse (403) whoever is no administrator."""
    if not call.bearer.is_admin:
        raise Refused(problem(403, "Доступ запрещен"))


def _customers_on(call: Call, table: str) -> None:
    """Refuse (402) customers where the account has not switched them on."""
    if table == "customers" and call.account.body.get("customers_mode") in (None, "disabled", "unavailable"):
        raise Refused(problem(402, "Customers are not available in the account"))


def account(call: Call) -> Response:
    """`GET /account`."""
    body = dict(call.account.body)
    embedded = body.pop("_embedded", {})
    body["subdomain"] = call.account.subdomain
    body["current_user_id"] = call.bearer.user_id
    body["is_api_filter_enabled"] = lists.filter_feature(call)
    for name in _ACCOUNT_TOP:
        if name not in call.wanted:
            body.pop(name, None)
    path = f"account?{call.request.query}" if call.request.query else "account"
    body["_links"] = {"self": {"href": f"{call.account.origin}/api/v4/{path}"}}
    shown = {name: embedded[name] for name in _ACCOUNT_EMBEDDED if name in call.wanted and name in embedded}
    return hal({**body, "_embedded": shown} if shown else body)


def _simple_list(table: str, *, admin: bool = False) -> Any:
    def handler(call: Call) -> Response:
        if admin:
            admin_only(call)
        return lists.page(call, RESOURCES[table])

    return handler


def _simple_row(table: str, *, admin: bool = False) -> Any:
    def handler(call: Call, row_id: Any) -> Response:
        if admin:
            admin_only(call)
        return lists.one(call, RESOURCES[table], row_id)

    return handler


users, user = _simple_list("users", admin=True), _simple_row("users", admin=True)
roles, role = _simple_list("roles", admin=True), _simple_row("roles", admin=True)
sources, source = _simple_list("sources", admin=True), _simple_row("sources", admin=True)
loss_reasons, loss_reason = _simple_list("loss_reasons"), _simple_row("loss_reasons")
tasks, task = _simple_list("tasks"), _simple_row("tasks")
catalogs = _simple_list("catalogs")
unsorted = _simple_list("unsorted")
pipelines = _simple_list("pipelines")
events = _simple_list("events")


def event(call: Call, event_id: str) -> Response:
    """`GET /events/{id}`."""
    return lists.one(call, RESOURCES["events"], event_id)


def unsorted_one(call: Call, uid: str) -> Response:
    """`GET /leads/unsorted/{uid}`."""
    response = lists.one(call, RESOURCES["unsorted"], uid)
    return problem(404, "Unsorted item not found") if response.status == 204 else response


def catalog(call: Call, catalog_id: int) -> Response:
    """`GET /catalogs/{id}`."""
    return lists.one(call, RESOURCES["catalogs"], catalog_id)


def pipeline(call: Call, pipeline_id: int) -> Response:
    """`GET /leads/pipelines/{id}`: the object itself."""
    return lists.one(call, RESOURCES["pipelines"], pipeline_id)


def statuses(call: Call, pipeline_id: int, status_id: int | None = None) -> Response:
    """`GET /leads/pipelines/{id}/statuses[/{id}]`."""
    with call.world.store.read() as connection:
        row = connection.execute(
            "SELECT body FROM pipelines WHERE account_id = ? AND id = ?", (call.account.id, pipeline_id)
        ).fetchone()
    found = views.statuses_of(json.loads(row[0])) if row else []
    found = [status for status in found if status_id in (None, status.get("id"))]
    if not found:
        return empty()
    home = f"leads/pipelines/{pipeline_id}/statuses"
    items = [views.spliced(f"{home}/{status.get('id')}", dumps(status)) for status in found]
    if status_id is not None:
        return hal(lists.hosted(call, items[0]))
    rows = ",".join(items)
    text = f'{{"_total_items":{len(items)},"_links":{views.link(home)},"_embedded":{{"statuses":[{rows}]}}}}'
    return hal(lists.hosted(call, text))


def cards(call: Call, table: str) -> Response:
    """Lists of leads, contacts, companies, customers."""
    _customers_on(call, table)
    return lists.page(call, RESOURCES[table])


def card(call: Call, table: str, row_id: int) -> Response:
    """One lead, contact, company or customer."""
    _customers_on(call, table)
    return lists.one(call, RESOURCES[table], row_id)


def notes(call: Call, table: str, entity_id: int | None = None) -> Response:
    """Notes of all cards of a kind, or of one."""
    _customers_on(call, table)
    resource = RESOURCES[f"notes_{table}"]
    if entity_id is None:
        return lists.page(call, resource)
    extra = Where()
    extra.add("entity_id = ?", entity_id)
    return lists.page(call, resource, extra, f"{table}/{entity_id}/notes")


def note(call: Call, table: str, note_id: int, entity_id: int | None = None) -> Response:
    """One note."""
    _customers_on(call, table)
    return lists.one(call, RESOURCES[f"notes_{table}"], note_id)


def custom_fields(call: Call, table: str) -> Response:
    """Definitions of custom fields."""
    return lists.page(call, RESOURCES[f"custom_fields_{table}"])


def custom_field(call: Call, table: str, row_id: int) -> Response:
    """One definition."""
    return lists.one(call, RESOURCES[f"custom_fields_{table}"], row_id)


def tags(call: Call, table: str) -> Response:
    """Tags of a kind of card; a tag that names no kind belongs to all."""
    extra = Where()
    extra.add("coalesce(entity_type, ?) = ?", table, table)
    text = call.query.get("query")
    if isinstance(text, str) and text:
        extra.add("fold(name) LIKE ?", f"%{text.casefold()}%")
    return lists.page(call, RESOURCES["tags"], extra, f"{table}/tags")


def transactions(call: Call, customer_id: int | None = None) -> Response:
    """Purchases of all customers, or of one."""
    _customers_on(call, "customers")
    if customer_id is None:
        return lists.page(call, RESOURCES["transactions"])
    extra = Where()
    extra.add("customer_id = ?", customer_id)
    return lists.page(call, RESOURCES["transactions"], extra, f"customers/{customer_id}/transactions")


def talk(call: Call, row_id: str) -> Response:
    """`GET /talks/{id}`; talk ids are numbers, here and there texts."""
    found = lists.one(call, RESOURCES["talks"], int(row_id) if row_id.isdecimal() else row_id)
    return problem(404, "Talk not found") if found.status == 204 else found


def _of_catalog(catalog_id: int) -> Where:
    extra = Where()
    extra.add("catalog_id = ?", catalog_id)
    return extra


def catalog_elements(call: Call, catalog_id: int) -> Response:
    """Elements of a catalog."""
    resource = RESOURCES["catalog_elements"]
    return lists.page(call, resource, _of_catalog(catalog_id), f"catalogs/{catalog_id}/elements")


def catalog_element(call: Call, catalog_id: int, row_id: int) -> Response:
    """One element of a catalog."""
    return lists.one(call, RESOURCES["catalog_elements"], row_id, _of_catalog(catalog_id))


def event_types(call: Call) -> Response:
    """`GET /events/types`."""
    rows: list[Row] = [
        {
            "key": name,
            "type": EVENT_TYPE_NUMBERS.get(name, 200 + index),
            "lang": name.replace("_", " ").capitalize(),
        }
        for index, name in enumerate(EVENT_TYPES)
    ]
    links = {"self": {"href": f"{call.account.origin}/api/v4/events/types"}}
    return hal({"_total_items": len(rows), "_links": links, "_embedded": {"events_types": rows}})


def unsorted_summary(call: Call) -> Response:
    """Counts of what still waits; accepted and declined ones leave no rows, so they are zero here."""
    where = lists.conditions(call, RESOURCES["unsorted"])
    with call.world.store.read() as connection:
        found = connection.execute(
            f"SELECT category, count(*) FROM unsorted WHERE {where.sql} GROUP BY category", where.values
        ).fetchall()
    categories = {name: {"total": count} for name, count in found}
    total = sum(count for _, count in found)
    counts = {"total": total, "accepted": 0, "declined": 0, "average_sort_time": 0, "categories": categories}
    links = {"self": {"href": f"{call.account.origin}/api/v4/leads/unsorted/summary"}}
    return hal({**counts, "_links": links})


def links(call: Call, table: str, row_id: int | None = None) -> Response:
    """Links of one card, or of those that `filter[entity_id]` names."""
    tree = call.query.get("filter")
    tree = tree if isinstance(tree, dict) else {}
    given = (
        [row_id]
        if row_id is not None
        else [int(n) for n in phpquery.values(tree.get("entity_id")) if n.isdecimal()]
    )
    rows = [row for number in given for row in _links_of(call, table, number)]
    for name in ("to_entity_id", "to_entity_type"):
        wanted = set(phpquery.values(tree.get(name)))
        rows = [row for row in rows if not wanted or str(row.get(name)) in wanted]
    path = f"{table}/links" if row_id is None else f"{table}/{row_id}/links"
    return lists.scan_links(call, rows, path)


def _links_of(call: Call, table: str, row_id: int) -> list[Row]:
    with call.world.store.read() as connection:
        card_row = connection.execute(
            f'SELECT body FROM "{table}" WHERE account_id = ? AND id = ? AND hidden = 0',
            (call.account.id, row_id),
        ).fetchone()
        stored = connection.execute(
            "SELECT body FROM links WHERE account_id = ? AND entity_id = ? AND entity_type = ?",
            (call.account.id, row_id, table),
        ).fetchall()
    if card_row is None:
        return []
    rows = [
        json.loads(body) for (body,) in stored if json.loads(body).get("to_entity_type") not in PERSON_LIKE
    ]
    embedded = json.loads(card_row[0]).get("_embedded") or {}
    for name in (*PERSON_LIKE, "catalog_elements"):
        rows += [_link_row(table, row_id, name, item) for item in embedded.get(name) or []]
    return list({(row.get("to_entity_type"), row.get("to_entity_id")): row for row in rows}.values())


def _link_row(table: str, row_id: int, name: str, item: Row) -> Row:
    metadata = item.get("metadata")
    if "is_main" in item:
        metadata = {"main_contact": item["is_main"]}
    return {
        "entity_id": row_id,
        "entity_type": table,
        "to_entity_id": item.get("id"),
        "to_entity_type": name,
        "metadata": metadata,
    }
