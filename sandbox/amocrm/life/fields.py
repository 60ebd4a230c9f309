"""Custom field values of a card: what a patch may set, and the event of each field that changed."""

from typing import Any

from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import DATE_TYPES, FIELD_TYPE_CODES, SINGULAR, Row
from sandbox.clock import parse_moment

_TEXTS = ("text", "textarea", "url", "streetaddress", "numeric", "monetary")


def apply(change: Change, table: str, row: Row, wanted: Any, given: bool) -> None:
    """Set the fields the patch names and leave the others; no values, or null, clear a field."""
    if not given or wanted is None:
        return
    if not isinstance(wanted, list):
        raise Impossible("This value should be of type array.", "custom_fields_values", "InvalidType")
    kept = {field.get("field_id"): field for field in row.get("custom_fields_values") or []}
    for index, item in enumerate(wanted):
        definition = _definition(change, table, item, index)
        field_id = definition["id"]
        old = kept.get(field_id)
        new = _field(definition, item, index)
        if new is None:
            kept.pop(field_id, None)
        else:
            kept[field_id] = new
        if (old or {}).get("values") != (new or {}).get("values"):
            _event(change, table, row, definition, old, new)
    row["custom_fields_values"] = list(kept.values()) or None


def resolved(definitions: list[Row], wanted: Any) -> list[tuple[Any, Row | None]]:
    """The fields that a write names, by id or code, each with its value as it is stored; None clears it.

    For things that are no cards (elements of catalogs, segments): no events. Impossible as in `apply`.
    """
    if not isinstance(wanted, list):
        raise Impossible("This value should be of type array.", "custom_fields_values", "InvalidType")
    found = []
    for index, item in enumerate(wanted):
        item = item if isinstance(item, dict) else {}
        name, own = ("field_id", "id") if item.get("field_id") is not None else ("field_code", "code")
        key = item.get(name)
        definition = next((row for row in definitions if key is not None and row.get(own) == key), None)
        if definition is None:
            where = f"custom_fields_values.{index}.{name}"
            raise Impossible("The value you selected is not a valid choice.", where)
        found.append((definition["id"], _field(definition, item, index)))
    return found


def _definition(change: Change, table: str, item: Any, index: int) -> Row:
    item = item if isinstance(item, dict) else {}
    where = f"custom_fields_values.{index}.field_id"
    found = None
    if item.get("field_id") is not None:
        found = change.find(f"custom_fields_{table}", item["field_id"])
    elif item.get("field_code"):
        where = f"custom_fields_values.{index}.field_code"
        every = change.rows(f"custom_fields_{table}")
        found = next((field for field in every if field.get("code") == item["field_code"]), None)
    if found is None:
        raise Impossible("The value you selected is not a valid choice.", where)
    return found


def _field(definition: Row, item: Row, index: int) -> Row | None:
    values = item.get("values")
    if not values:
        return None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise Impossible(
            "This value should be of type array.", f"custom_fields_values.{index}.values", "InvalidType"
        )
    return {
        "field_id": definition["id"],
        "field_name": definition.get("name"),
        "field_code": definition.get("code"),
        "field_type": definition.get("type"),
        "values": [_value(definition, value, f"custom_fields_values.{index}.values.{n}")
                   for n, value in enumerate(values)],
    }  # fmt: skip


def _value(definition: Row, value: Row, path: str) -> Row:
    enums = definition.get("enums") or []
    if not enums:
        return {"value": _plain(str(definition.get("type")), value.get("value"), f"{path}.value")}
    chosen = next((enum for enum in enums if _means(enum, value)), None)
    if definition.get("type") == "multitext":
        chosen = chosen or enums[0]
        plain = value.get("value")
    elif chosen is None:
        raise Impossible("The value you selected is not a valid choice.", path)
    else:
        plain = chosen.get("value")
    return {"value": plain, "enum_id": chosen.get("id"), "enum_code": _code(definition, chosen)}


def _plain(kind: str, value: Any, path: str) -> Any:
    """A value as it is read back: moments, also written as RFC 3339, as Unix seconds, numbers as texts."""
    if kind in DATE_TYPES and isinstance(value, str):
        return _moment(value, path)
    if kind in _TEXTS and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return bool(value) if kind == "checkbox" and isinstance(value, int) else value


def _moment(text: str, path: str) -> int:
    """Unix seconds of RFC 3339, which without an offset is UTC, or of digits."""
    try:
        return int(parse_moment(text))
    except (ValueError, OverflowError):
        raise Impossible("This value is not a valid date.", path, "InvalidDate") from None


def _code(definition: Row, enum: Row) -> Any:
    return enum.get("code") or (enum.get("value") if definition.get("type") == "multitext" else None)


def _means(enum: Row, value: Row) -> bool:
    if value.get("enum_id") is not None:
        return bool(enum.get("id") == value["enum_id"])
    if value.get("enum_code"):
        return value["enum_code"] in (enum.get("code"), enum.get("value"))
    return enum.get("value") is not None and enum.get("value") == value.get("value")


def _event(change: Change, table: str, row: Row, definition: Row, old: Row | None, new: Row | None) -> None:
    kind = f"custom_field_{definition['id']}_value_changed"
    change.event(kind, SINGULAR[table], row["id"], _shown(definition, old), _shown(definition, new))


def _shown(definition: Row, field: Row | None) -> list[Row]:
    values = (field or {}).get("values") or []
    if not values:
        return []
    first = values[0]
    return [
        {
            "custom_field_value": {
                "field_id": definition["id"],
                "field_type": FIELD_TYPE_CODES.get(str(definition.get("type")), 1),
                "enum_id": first.get("enum_id"),
                "text": None if first.get("value") is None else str(first["value"]),
            }
        }
    ]
