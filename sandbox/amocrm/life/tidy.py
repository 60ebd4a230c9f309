"""Rows of odd snapshots as changes take them: what is of an impossible kind counts as not there."""

from typing import Any

from sandbox.amocrm.vocabulary import PERSON_LIKE, Row

_EMBEDDING = frozenset((*PERSON_LIKE, "unsorted", "users", "roles"))
_LINKED = frozenset((*PERSON_LIKE, "catalog_elements"))
_OBJECTS = ("rights", "params", "metadata")


def tidied(table: str, row: Row) -> Row:
    """The row, its `_embedded` an object whose lists hold objects, its fields and choices lists of objects.

    A row that is as the vendor has it comes back as it is; stored ones stay odd until they change.
    """
    if table in _EMBEDDING:
        embedded = row.get("_embedded")
        embedded = embedded if isinstance(embedded, dict) else {}
        row["_embedded"] = {name: _embedded(name, value) for name, value in embedded.items()}
    if "custom_fields_values" in row:
        row["custom_fields_values"] = _fields(row["custom_fields_values"])
    if "enums" in row:
        row["enums"] = _rows(row["enums"])
    for name in _OBJECTS:
        if not isinstance(row.get(name), dict | None):
            row[name] = {}
    return row


def _rows(value: Any) -> list[Row] | None:
    """The objects of a list; None for what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else None


def _embedded(name: str, value: Any) -> Any:
    if name not in _LINKED and name not in ("tags", "segments"):
        return value
    found = _rows(value) or []
    return [item for item in found if item.get("id") is not None] if name in _LINKED else found


def _fields(value: Any) -> list[Row] | None:
    found = _rows(value)
    return found and [item for item in found if isinstance(item.get("values") or [], list)]


def whole(value: Any) -> int:
    """A whole number, also one written as text; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit():
        return int(value[:18])
    return value if isinstance(value, int) else 0
