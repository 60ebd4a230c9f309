"""Catalogs (lists, products, invoices) and their elements."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life import fields
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.vocabulary import Row

MOST = 10
TYPES = ("regular", "invoices", "products", "suppliers")
_SWITCHES = ("can_add_elements", "can_show_in_cards", "can_link_multiple")


def add_catalog(change: Change, given: Row) -> Row:
    """A new catalog. Impossible when the account has its ten, or the type is unknown or taken."""
    every = change.rows("catalogs")
    kind = given.get("type") or "regular"
    if kind not in TYPES or (kind != "regular" and any(row.get("type") == kind for row in every)):
        raise Impossible("The value you selected is not a valid choice.", "type")
    if len(every) >= MOST:
        raise Impossible(f"There may be {MOST} catalogs in an account", "name", "LimitExceeded")
    row: Row = {
        "id": change.next_id("catalogs"), "name": given["name"],
        "created_by": change.by, "updated_by": change.by,
        "created_at": change.now, "updated_at": change.now,
        "sort": max((whole(row.get("sort")) for row in every), default=0) + 10, "type": kind,
        "can_add_elements": True, "can_show_in_cards": False, "can_link_multiple": True,
        "can_be_deleted": kind == "regular", "sdk_widget_code": None, "account_id": change.account.id,
    }  # fmt: skip
    _set(row, given)
    change.put("catalogs", row)
    return row


def _set(row: Row, given: Row) -> None:
    if given.get("name"):
        row["name"] = str(given["name"])
    for name in _SWITCHES:
        if isinstance(given.get(name), bool):
            row[name] = given[name]
    if isinstance(given.get("sort"), int) and abs(given["sort"]) < 2**31:
        row["sort"] = given["sort"]


def edit_catalog(change: Change, catalog_id: Any, patch: Row) -> Row:
    """Name, place and switches of a catalog; its type stays."""
    row = change.get("catalogs", catalog_id)
    _set(row, patch)
    row["updated_at"], row["updated_by"] = change.now, change.by
    change.put("catalogs", row)
    return row


def add_element(change: Change, catalog_id: Any, given: Row) -> Row:
    """A new element of a catalog; Missing when there is no such catalog."""
    change.get("catalogs", catalog_id)
    row: Row = {
        "id": change.next_id("catalog_elements"), "name": given["name"], "created_by": change.by,
        "updated_by": change.by, "created_at": change.now, "updated_at": change.now, "is_deleted": None,
        "custom_fields_values": None, "catalog_id": catalog_id, "account_id": change.account.id,
    }  # fmt: skip
    return _written(change, row, given, "add")


def element_of(change: Change, catalog_id: Any, element_id: Any) -> Row:
    """An element; Missing when it is not in that catalog."""
    row = change.get("catalog_elements", element_id)
    if row.get("catalog_id") != catalog_id:
        raise Missing(f"there is no element {element_id} in catalog {catalog_id}")
    return row


def edit_element(change: Change, catalog_id: Any, element_id: Any, patch: Row) -> Row:
    """Name and field values of an element."""
    row = element_of(change, catalog_id, element_id)
    if patch.get("name"):
        row["name"] = str(patch["name"])
    row["updated_at"], row["updated_by"] = change.now, change.by
    return _written(change, row, patch, "update")


def _written(change: Change, row: Row, given: Row, action: str) -> Row:
    given_values = given.get("custom_fields_values")
    if given_values is not None:
        kept = {field.get("field_id"): field for field in row.get("custom_fields_values") or []}
        mine = change.rows("custom_fields_catalogs", "catalog_id = ?", row["catalog_id"])
        for field_id, field in fields.resolved(mine, given_values):
            if field is None:
                kept.pop(field_id, None)
            else:
                kept[field_id] = field
        row["custom_fields_values"] = list(kept.values()) or None
    change.put("catalog_elements", row)
    change.hook(f"{action}_catalog_element", "catalogs", action, items.catalog_element(row))
    return row
