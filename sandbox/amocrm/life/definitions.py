"""Definitions of custom fields and their groups; cards follow when a field is renamed or deleted."""

import hashlib
from collections.abc import Callable
from typing import Any

from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.life.numbers import next_above
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.vocabulary import Row

TYPES = frozenset(
    (
        "text", "numeric", "checkbox", "select", "multiselect", "multitext", "date", "url",
        "textarea", "radiobutton", "streetaddress", "smart_address", "birthday", "legal_entity",
        "date_time", "items", "category", "price", "tracking_data", "linked_entity",
        "org_legal_name", "monetary", "chained_list", "file", "payer", "supplier",
    )
)  # fmt: skip
_CHOSEN = ("select", "multiselect", "radiobutton", "multitext", "category")
_PLAIN = ("name", "code", "is_api_only", "is_visible", "is_required", "required_statuses", "hidden_statuses",
          "remind", "currency", "tracking_callback", "search_in", "settings", "chained_lists", "nested",
          "sort")  # fmt: skip
# Which table's rows carry values of a kind's fields.
_CARRIERS = {"catalogs": "catalog_elements"}


def add_field(change: Change, of: str, given: Row, **more: Any) -> Row:
    """A new field of `of` (leads, …, segments, catalogs): `given` as in POST …/custom_fields.

    Impossible for an unknown type, a code in use, a choice without choices, a type not for this kind.
    """
    kind = given.get("type")
    if kind not in TYPES or (kind == "tracking_data" and of != "leads"):
        raise Impossible("The value you selected is not a valid choice.", "type")
    if kind in _CHOSEN and not isinstance(given.get("enums"), list):
        raise Impossible("This field is missing.", "enums", "FieldMissing")
    _free_code(change, of, given.get("code"), None)
    table = f"custom_fields_{of}"
    last = max((whole(row.get("sort")) for row in change.rows(table)), default=500)
    row: Row = {
        "id": _field_id(change), "name": given["name"], "type": kind, "account_id": change.account.id,
        "code": None, "sort": last + 1, "is_api_only": False, "enums": None, "group_id": None,
        "required_statuses": [], "is_deletable": True, "is_predefined": False, "entity_type": of,
        "tracking_callback": None, "remind": None, "triggers": [], "currency": None, "hidden_statuses": [],
        "chained_lists": None, "search_in": None, "settings": None, "nested": None, "is_visible": True,
        "is_required": False, **more,
    }  # fmt: skip
    _set(change, row, given)
    change.put(table, row)
    return row


_KINDS = ("leads", "contacts", "companies", "customers", "segments", "catalogs")


def _field_id(change: Change) -> int:
    """Fields of all kinds share their numbers."""
    largest = 0
    for of in _KINDS:
        found = change.connection.execute(
            f"SELECT max(id) FROM custom_fields_{of} WHERE account_id = ?",  # noqa: S608 (a name of ours)
            (change.account.id,),
        ).fetchone()[0]
        largest = max(largest, found if isinstance(found, int) else 0)
    return next_above(change, "custom_fields", largest)


def _free_code(change: Change, of: str, code: Any, own_id: Any) -> None:
    if not code:
        return
    for row in change.rows(f"custom_fields_{of}"):
        if row.get("code") == code and row.get("id") != own_id:
            raise Impossible("This value is already used.", "code", "NotUnique")


def _set(change: Change, row: Row, given: Row) -> None:
    for name in _PLAIN:
        if given.get(name) is not None:
            row[name] = given[name]
    if "group_id" in given:
        row["group_id"] = None if given["group_id"] is None else str(given["group_id"])
    if isinstance(given.get("enums"), list):
        row["enums"] = _enums(change, row, given["enums"])
    if not isinstance(row["sort"], int) or abs(row["sort"]) >= 2**31:
        raise Impossible("This value should be of type integer.", "sort", "InvalidType")


def _enums(change: Change, row: Row, given: list[Any]) -> list[Row]:
    """The whole new list of choices; those with a known id keep it."""
    known = {enum.get("id"): enum for enum in row.get("enums") or []}
    largest = max([0, *(number for number in known if isinstance(number, int))])
    enums = []
    for index, item in enumerate(given):
        if not isinstance(item, dict) or not isinstance(item.get("value"), str):
            raise Impossible("This field is missing.", f"enums.{index}.value", "FieldMissing")
        number = item.get("id")
        if not isinstance(number, int) or number not in known:
            number = next_above(change, "enums", max(largest, _LEAST_ENUM))
        old = known.get(number, {})
        sort, code = item.get("sort", old.get("sort", index)), item.get("code", old.get("code"))
        enums.append({"id": number, "value": item["value"], "sort": sort, "code": code})
    return enums


# Above what small snapshots use, so that a number means one choice only.
_LEAST_ENUM = 1_000_000


def edit_field(change: Change, of: str, field_id: Any, patch: Row) -> Row:
    """Change a definition; cards show the new name, code and choices at once, without being touched."""
    row = change.get(f"custom_fields_{of}", field_id)
    if patch.get("type") not in (None, row.get("type")):
        raise Impossible("The type of a field cannot be changed.", "type")
    _free_code(change, of, patch.get("code"), field_id)
    row.setdefault("sort", 500)
    _set(change, row, patch)
    change.put(f"custom_fields_{of}", row)
    _rewrite(change, of, field_id, lambda field: _renamed(row, field))
    return row


def delete_field(change: Change, of: str, field_id: Any) -> None:
    """A field disappears, with its values on all cards. Impossible for the system's own ones."""
    row = change.get(f"custom_fields_{of}", field_id)
    if row.get("is_deletable") is False or row.get("is_predefined"):
        raise Impossible("A system field cannot be deleted", "id")
    change.remove(f"custom_fields_{of}", field_id)
    _rewrite(change, of, field_id, lambda field: None)


def _renamed(definition: Row, field: Row) -> Row | None:
    """A card's value under the new name; values whose choice is gone go too."""
    enums = {enum.get("id"): enum for enum in definition.get("enums") or []}
    values = []
    for value in field.get("values") or []:
        number = value.get("enum_id") if isinstance(value, dict) else None
        if number is None or definition.get("type") == "multitext":
            values.append(value)
        elif number in enums:
            values.append({**value, "value": enums[number]["value"], "enum_code": enums[number].get("code")})
    if not values:
        return None
    return {
        **field,
        "field_name": definition.get("name"),
        "field_code": definition.get("code"),
        "values": values,
    }


def _rewrite(change: Change, of: str, field_id: Any, new: Callable[[Row], Row | None]) -> None:
    table = _CARRIERS.get(of, of)
    for row in change.rows(table, "instr(body, ?) > 0", f'"field_id":{field_id}'):
        fields = row.get("custom_fields_values") or []
        kept = [new(field) if field.get("field_id") == field_id else field for field in fields]
        row["custom_fields_values"] = [field for field in kept if field is not None] or None
        change.put(table, row)


def system_groups(of: str) -> list[Row]:
    """The groups every account has; they cannot be changed."""
    named = [("default", "Основное"), *([("statistic", "Статистика")] if of == "leads" else [])]
    return [
        {"id": name, "name": title, "is_predefined": True, "entity_type": of, "sort": index}
        for index, (name, title) in enumerate(named)
    ]


def add_group(change: Change, of: str, given: Row) -> Row:
    """A new group with a text for an id, as the vendor has them."""
    known = [*system_groups(of), *change.rows("custom_field_groups", "entity_type = ?", of)]
    number = next_above(change, "custom_field_groups", 0)
    digest = hashlib.blake2b(f"{change.account.id}:{number}".encode(), digest_size=6).hexdigest()
    row = {
        "id": f"{of}_{int(digest, 16)}", "name": given["name"], "is_predefined": False, "entity_type": of,
        "sort": max((whole(group.get("sort")) for group in known), default=0) + 1,
    }  # fmt: skip
    change.put("custom_field_groups", row)
    return edit_group(change, of, row["id"], given)


def edit_group(change: Change, of: str, group_id: str, patch: Row) -> Row:
    """Name, place, and which fields stand in it."""
    row = change.get("custom_field_groups", group_id)
    if patch.get("name"):
        row["name"] = str(patch["name"])
    if isinstance(patch.get("sort"), int) and abs(patch["sort"]) < 2**31:
        row["sort"] = patch["sort"]
    change.put("custom_field_groups", row)
    fields = patch.get("fields")
    for field_id in fields if isinstance(fields, list) else ():
        field = _field_of(change, of, field_id)
        if field is None:
            raise Impossible("The value you selected is not a valid choice.", "fields")
        change.put(f"custom_fields_{of}", {**field, "group_id": group_id})
    return row


def _field_of(change: Change, of: str, field_id: Any) -> Row | None:
    known = isinstance(field_id, int) and abs(field_id) < 2**63
    return change.find(f"custom_fields_{of}", field_id) if known else None


def delete_group(change: Change, of: str, group_id: str) -> None:
    """A group disappears; its fields stand in none. Impossible for the system's own ones."""
    if any(group["id"] == group_id for group in system_groups(of)):
        raise Impossible("A system group cannot be deleted", "id")
    change.get("custom_field_groups", group_id)
    change.remove("custom_field_groups", group_id)
    for field in change.rows(f"custom_fields_{of}"):
        if field.get("group_id") == group_id:
            change.put(f"custom_fields_{of}", {**field, "group_id": None})
