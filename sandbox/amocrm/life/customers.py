"""Customers beyond what all cards share: mode, statuses, segments, purchases and bonus points."""

from typing import Any

from sandbox.amocrm.life import fields
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.storage import accounts
from sandbox.amocrm.vocabulary import Row

MODES = ("segments", "periodicity")
_STATUSES = (
    ("Недавняя покупка", True, "#fffeb2"),
    ("Пора купить", False, "#ffdc7f"),
    ("Потерян", False, "#ff8f92"),
)


def set_mode(change: Change, mode: str, *, is_enabled: bool) -> None:
    """Customers are switched on in one of two modes, or off."""
    body = {**change.account.body, "customers_mode": mode if is_enabled else "disabled"}
    accounts.save(change.connection, change.account.id, change.account.subdomain, body)
    change.reload_accounts = True
    if is_enabled and not change.rows("customers_statuses"):
        for index, (name, is_default, color) in enumerate(_STATUSES):
            add_status(change, {"name": name, "sort": index * 10, "color": color, "is_default": is_default})


def own(change: Change, given: Row) -> Row:
    """The fields of a new customer that other cards lack."""
    statuses = change.rows("customers_statuses")
    first = next((row for row in statuses if row.get("is_default")), statuses[0] if statuses else {})
    status_id = given.get("status_id") or first.get("id")
    _check_status(statuses, status_id)
    return {
        "next_price": given.get("next_price"),
        "next_date": given.get("next_date"),
        "status_id": status_id,
        "periodicity": given.get("periodicity"),
        "ltv": 0,
        "purchases_count": 0,
        "average_check": 0,
    }


def _check_status(statuses: list[Row], status_id: Any) -> None:
    if statuses and status_id not in {row.get("id") for row in statuses}:
        raise Impossible("The value you selected is not a valid choice.", "status_id")


def apply(change: Change, row: Row, patch: Row) -> None:
    """Status and segments of a patch, with the event of a changed status; the caller stores the row."""
    put_segments(change, row, patch.get("_embedded"))
    status_id, old = patch.get("status_id"), row.get("status_id")
    if status_id is None or status_id == old:
        return
    _check_status(change.rows("customers_statuses"), status_id)
    row["status_id"] = status_id
    before, after = {"customer_status": {"id": old}}, {"customer_status": {"id": status_id}}
    change.event("customer_status_changed", "customer", row["id"], [before], [after])


def put_segments(change: Change, row: Row, embedded: Any) -> None:
    """Replace the segments a customer belongs to, if the write names any; the caller stores the row."""
    if not isinstance(embedded, dict) or "segments" not in embedded:
        return
    wanted = embedded["segments"]
    items = [item for item in wanted if isinstance(item, dict)] if isinstance(wanted, list) else []
    for index, item in enumerate(items):
        if _known(change, "segments", item) is None:
            where = f"_embedded.segments.{index}.id"
            raise Impossible("The value you selected is not a valid choice.", where)
    row.setdefault("_embedded", {})["segments"] = [{"id": item["id"]} for item in items]


def add_status(change: Change, given: Row) -> Row:
    """A new status (period) of customers."""
    every = change.rows("customers_statuses")
    row: Row = {
        "id": change.next_id("customers_statuses"), "name": given["name"],
        "sort": max((whole(row.get("sort")) for row in every), default=0) + 10,
        "is_default": bool(given.get("is_default")) or not every, "conditions": [],
        "color": "#fffeb2", "type": 0, "account_id": change.account.id,
    }  # fmt: skip
    return _set_status(change, row, given)


def _set_status(change: Change, row: Row, given: Row) -> Row:
    for name in ("name", "color"):
        if given.get(name):
            row[name] = str(given[name])
    if isinstance(given.get("sort"), int) and abs(given["sort"]) < 2**31:
        row["sort"] = given["sort"]
    change.put("customers_statuses", row)
    return row


def edit_status(change: Change, status_id: Any, patch: Row) -> Row:
    """Name, colour and place of a status."""
    return _set_status(change, change.get("customers_statuses", status_id), patch)


def delete_status(change: Change, status_id: Any) -> None:
    """A status disappears. Impossible for the default one and while customers are in it."""
    row = change.get("customers_statuses", status_id)
    if row.get("is_default") or change.rows("customers", "status_id = ? AND hidden = 0", status_id):
        raise Impossible("The status is in use", "id")
    change.remove("customers_statuses", status_id)


def add_segment(change: Change, given: Row) -> Row:
    """A new segment of customers."""
    row: Row = {
        "id": change.next_id("segments"), "created_at": change.now, "updated_at": change.now,
        "account_id": change.account.id, "name": given["name"], "color": "10599D",
        "available_products_price_types": [], "customers_count": 0, "custom_fields_values": None,
    }  # fmt: skip
    return _set_segment(change, row, given)


def edit_segment(change: Change, segment_id: Any, patch: Row) -> Row:
    """Name, colour and fields of a segment."""
    row = change.get("segments", segment_id)
    row["updated_at"] = change.now
    return _set_segment(change, row, patch)


def _set_segment(change: Change, row: Row, given: Row) -> Row:
    for name in ("name", "color"):
        if given.get(name):
            row[name] = str(given[name])
    if isinstance(given.get("available_products_price_types"), list):
        row["available_products_price_types"] = given["available_products_price_types"]
    if given.get("custom_fields_values") is not None:
        mine = change.rows("custom_fields_segments")
        found = fields.resolved(mine, given["custom_fields_values"])
        row["custom_fields_values"] = [field for _, field in found if field is not None] or None
    change.put("segments", row)
    return row


def delete_segment(change: Change, segment_id: Any) -> None:
    """A segment disappears, from its customers too."""
    change.get("segments", segment_id)
    change.remove("segments", segment_id)
    for customer in change.rows("customers", "instr(body, '\"segments\"') > 0"):
        embedded = customer.get("_embedded") or {}
        left = [item for item in embedded.get("segments") or [] if item.get("id") != segment_id]
        if left != embedded.get("segments"):
            change.put("customers", {**customer, "_embedded": {**embedded, "segments": left}})


def add_transaction(change: Change, customer_id: Any, given: Row) -> Row:
    """A purchase of a customer: his sum, number and average follow, and `next_*` when they are given."""
    customer = change.live("customers", customer_id)
    price = given.get("price")
    if not isinstance(price, int | float) or isinstance(price, bool):
        raise Impossible("This field is missing.", "price", "FieldMissing")
    row: Row = {
        "id": change.next_id("transactions"), "price": price, "comment": given.get("comment"),
        "completed_at": given.get("completed_at") or change.now, "customer_id": customer_id,
        "created_by": given.get("created_by", change.by), "updated_by": change.by,
        "created_at": given.get("created_at") or change.now, "updated_at": change.now, "is_deleted": False,
        "account_id": change.account.id,
        "_embedded": {"customer": {"id": customer_id}, "catalog_elements": _bought(change, given)},
    }  # fmt: skip
    change.put("transactions", row)
    after = [{"transaction": {"id": row["id"]}}]
    change.event("transaction_added", "customer", customer_id, [], after)
    for name in ("next_price", "next_date"):
        if given.get(name) is not None:
            customer[name] = given[name]
    _sum_up(change, customer)
    return row


def _bought(change: Change, given: Row) -> list[Row]:
    embedded = given.get("_embedded")
    items = embedded.get("catalog_elements") if isinstance(embedded, dict) else None
    found = []
    for index, item in enumerate(items if isinstance(items, list) else ()):
        element = _known(change, "catalog_elements", item)
        if element is None:
            where = f"_embedded.catalog_elements.{index}.id"
            raise Impossible("The value you selected is not a valid choice.", where)
        metadata = item.get("metadata")
        quantity = metadata.get("quantity", 1) if isinstance(metadata, dict) else 1
        found.append(
            {"id": element["id"], "metadata": {"quantity": quantity, "catalog_id": element.get("catalog_id")}}
        )
    return found


def _known(change: Change, table: str, item: Any) -> Row | None:
    """The row an item names by its id; None when it names none."""
    row_id = item.get("id") if isinstance(item, dict) else None
    return change.find(table, row_id) if isinstance(row_id, int) and abs(row_id) < 2**63 else None


def _sum_up(change: Change, customer: Row) -> None:
    prices = [
        row.get("price") or 0
        for row in change.rows("transactions", "customer_id = ? AND hidden = 0", customer["id"])
    ]
    old, ltv = customer.get("ltv"), sum(prices)
    customer["ltv"], customer["purchases_count"] = ltv, len(prices)
    customer["average_check"] = round(ltv / len(prices)) if prices else 0
    customer["updated_at"], customer["updated_by"] = change.now, change.by
    change.put("customers", customer)
    if old != ltv:
        before, after = {"ltv_field_value": {"ltv": old}}, {"ltv_field_value": {"ltv": ltv}}
        change.event("ltv_field_changed", "customer", customer["id"], [before], [after])


def delete_transaction(change: Change, transaction_id: Any, customer_id: Any = None) -> None:
    """A purchase is taken back. Missing when there is none, or it is another customer's."""
    row = change.live("transactions", transaction_id)
    if customer_id not in (None, row.get("customer_id")):
        raise Missing(f"there is no transaction {transaction_id} of customer {customer_id}")
    change.put("transactions", {**row, "is_deleted": True, "updated_at": change.now, "updated_by": change.by})
    customer = change.find("customers", row.get("customer_id"))
    if customer is not None:
        _sum_up(change, customer)


def bonus_points(change: Change, customer_id: Any, given: Row) -> int:
    """Earn or redeem points; answers what the customer has then. Impossible to redeem more than that."""
    customer = change.live("customers", customer_id)
    earned, redeemed = given.get("earn"), given.get("redeem")
    points = earned if earned is not None else redeemed
    if (earned is None) == (redeemed is None) or not isinstance(points, int) or not 0 < points < 2**31:
        raise Impossible("Say earn or redeem, a whole number above zero.", "earn", "InvalidType")
    has = int(customer.get("_bonus_points") or 0) + (points if earned is not None else -points)
    if has < 0:
        raise Impossible("There are not enough points.", "redeem", "InvalidValue")
    customer["_bonus_points"] = has
    change.put("customers", customer)
    return has
