"""Customers beyond the cards: mode, statuses, segments, purchases, bonus points."""

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import Refused, hal, invalid, problem
from sandbox.amocrm.api.filters import Where
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.api.writes import customers_on
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import customers
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

_MOST = 250


def switched_on(call: Call, table: str = "customers") -> None:
    """Refuse (402) customers where the account has not switched them on."""
    customers_on(call, table)


def set_mode(call: Call) -> Response:
    """`PATCH /customers/mode {mode, is_enabled}`: 402 when the tariff has no customers."""
    admin_only(call)
    if not call.world.switches["customers_tariff"]:
        raise Refused(problem(402, "Customers are not available on this tariff"))

    def act(change: Change, item: Row) -> Row:
        mode, is_enabled = item.get("mode"), item.get("is_enabled")
        if mode not in customers.MODES:
            raise invalid("0", "mode", "NotSupportedChoice", "The value you selected is not a valid choice.")
        if not isinstance(is_enabled, bool):
            raise invalid("0", "is_enabled", "FieldMissing", "This field is missing.")
        customers.set_mode(change, mode, is_enabled=is_enabled)
        return {"mode": mode, "is_enabled": is_enabled}

    return hal(batches.single(call, act))


def statuses(call: Call) -> Response:
    """`GET /customers/statuses`."""
    switched_on(call)
    return lists.page(call, RESOURCES["customers_statuses"])


def status(call: Call, row_id: int) -> Response:
    """`GET /customers/statuses/{id}`."""
    switched_on(call)
    return lists.one(call, RESOURCES["customers_statuses"], row_id)


def create_statuses(call: Call) -> Response:
    """`POST /customers/statuses`."""
    admin_only(call)
    switched_on(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        return customers.add_status(change, item)

    return batches.listed(call, "customers/statuses", "statuses", items, batches.each(call, items, act))


def edit_status(call: Call, row_id: int) -> Response:
    """`PATCH /customers/statuses/{id}`."""
    admin_only(call)
    switched_on(call)
    row = batches.single(call, lambda change, patch: customers.edit_status(change, row_id, patch))
    return hal(batches.shown(call, "customers/statuses", row))


def delete_status(call: Call, row_id: int) -> Response:
    """`DELETE /customers/statuses/{id}` → 204; 400 while it is in use."""
    admin_only(call)
    switched_on(call)
    return batches.removed(call, lambda change: customers.delete_status(change, row_id))


def segments(call: Call) -> Response:
    """`GET /customers/segments`."""
    switched_on(call)
    return lists.page(call, RESOURCES["segments"])


def segment(call: Call, row_id: int) -> Response:
    """`GET /customers/segments/{id}`."""
    switched_on(call)
    return lists.one(call, RESOURCES["segments"], row_id)


def create_segments(call: Call) -> Response:
    """`POST /customers/segments`."""
    admin_only(call)
    switched_on(call)
    items = batches.objects(call, _MOST)

    def act(change: Change, item: Row) -> Row:
        batches.text(item, "name")
        return customers.add_segment(change, item)

    return batches.listed(call, "customers/segments", "segments", items, batches.each(call, items, act))


def edit_segments(call: Call) -> Response:
    """`PATCH /customers/segments`."""
    admin_only(call)
    switched_on(call)
    items = batches.objects(call, _MOST)
    rows = batches.each(
        call, items, lambda change, item: customers.edit_segment(change, batches.with_id(item), item)
    )
    return batches.listed(call, "customers/segments", "segments", items, rows)


def edit_segment(call: Call, row_id: int) -> Response:
    """`PATCH /customers/segments/{id}`."""
    admin_only(call)
    switched_on(call)
    row = batches.single(call, lambda change, patch: customers.edit_segment(change, row_id, patch))
    return hal(batches.shown(call, "customers/segments", row))


def delete_segment(call: Call, row_id: int) -> Response:
    """`DELETE /customers/segments/{id}` → 204."""
    admin_only(call)
    switched_on(call)
    return batches.removed(call, lambda change: customers.delete_segment(change, row_id))


def transactions(call: Call, customer_id: int | None = None) -> Response:
    """Purchases of all customers, or of one; deleted ones are left out."""
    switched_on(call)
    extra = Where()
    extra.add("hidden = 0")
    if customer_id is None:
        return lists.page(call, RESOURCES["transactions"], extra)
    extra.add("customer_id = ?", customer_id)
    return lists.page(call, RESOURCES["transactions"], extra, f"customers/{customer_id}/transactions")


def transaction(call: Call, row_id: int, customer_id: int | None = None) -> Response:
    """One purchase."""
    switched_on(call)
    extra = Where()
    extra.add("hidden = 0")
    if customer_id is not None:
        extra.add("customer_id = ?", customer_id)
    return lists.one(call, RESOURCES["transactions"], row_id, extra)


def create_transactions(call: Call, customer_id: int) -> Response:
    """`POST /customers/{id}/transactions`: price is required; the customer's sums follow."""
    switched_on(call)
    items = batches.objects(call, _MOST)
    rows = batches.each(
        call, items, lambda change, item: customers.add_transaction(change, customer_id, item)
    )
    return batches.listed(call, "customers/transactions", "transactions", items, rows)


def delete_transaction(call: Call, row_id: int, customer_id: int | None = None) -> Response:
    """`DELETE /customers/transactions/{id}` or `/customers/{id}/transactions/{id}` → 204."""
    switched_on(call)
    return batches.removed(call, lambda change: customers.delete_transaction(change, row_id, customer_id))


def bonus_points(call: Call, customer_id: int) -> Response:
    """`POST /customers/{id}/bonus_points {earn|redeem}` → what the customer has then."""
    switched_on(call)
    points = batches.single(call, lambda change, item: customers.bonus_points(change, customer_id, item))
    return hal({"id": customer_id, "bonus_points": points})
