"""Kinds and bounds of values by the name they stand under: what no handler could make sense of is refused."""

from collections.abc import Iterator
from typing import Any

from sandbox.amocrm.api.answers import Refused, validation
from sandbox.amocrm.vocabulary import Row

# Never a list or an object.
SCALARS = frozenset(
    (
        "id", "name", "first_name", "last_name", "price", "status_id", "pipeline_id", "responsible_user_id",
        "group_id", "created_by", "updated_by", "created_at", "updated_at", "closed_at", "loss_reason_id",
        "field_id", "field_code", "field_name", "enum_id", "enum_code", "entity_id", "entity_type",
        "to_entity_id", "to_entity_type", "catalog_id", "quantity", "is_main", "color", "sort", "code",
        "type", "direction", "phone", "email", "uniq", "duration", "note_type", "call_status",
        "call_responsible", "call_result", "text", "user_id", "contact_id", "external_id", "uid",
        "source_uid", "source_name", "destination", "comment", "completed_at", "category", "task_type_id",
        "complete_till", "is_completed", "mode", "is_enabled", "is_unsorted_on", "next_date", "next_price",
        "password", "lang", "price_with_minor_units", "request_id", "role_id", "price_id", "default",
        "can_add_elements", "can_show_in_cards", "is_api_only", "form_id", "form_name", "form_page",
        "form_sent_at", "referer", "ip", "from", "called_at", "service_code", "is_call_event_needed", "earn",
        "redeem", "source_id", "score", "labor_cost", "periodicity", "is_unsorted",
    )
)  # fmt: skip
# Lists of objects, or null.
LISTS = frozenset(
    (
        "tags", "contacts", "companies", "leads", "customers", "catalog_elements", "segments", "statuses",
        "tags_to_add", "tags_to_delete", "custom_fields_values", "enums", "values", "services", "pages",
    )
)  # fmt: skip
OBJECTS = frozenset(("_embedded", "metadata", "params", "result", "rights"))
# Never a text, wherever they stand.
NUMBERS = frozenset(
    ("created_at", "updated_at", "closed_at", "complete_till", "price", "price_with_minor_units")
)
# Hooks tell moments as local times, which end with the year 9999.
_END_OF_TIME = 253_402_300_799 - 14 * 3600
BOUNDS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(
        (
            "created_at", "updated_at", "closed_at", "complete_till", "completed_at", "next_date",
            "called_at", "form_sent_at", "received_at",
        ),
        (0, _END_OF_TIME),
    ),
    **dict.fromkeys(("price", "price_with_minor_units", "next_price"), (-(10**15), 10**15)),
}  # fmt: skip


def check(body: Any) -> None:
    """Refuse (400, with the paths) a body whose values are of impossible kinds."""
    items = body if isinstance(body, list) else [body]
    errors = []
    for index, item in enumerate(items):
        found = list(_wrong(item, "")) if isinstance(item, dict) else []
        if found:
            mark = item.get("request_id", index)
            errors.append({"request_id": str(mark), "errors": found})
    if errors:
        raise Refused(validation(errors))


def _wrong(value: Row, home: str) -> Iterator[Row]:
    for name, inner in value.items():
        path = f"{home}{name}"
        if name in SCALARS and isinstance(inner, list | dict):
            yield _kind_error(path, "scalar")
        elif name in NUMBERS and not (inner is None or _is_number(inner)):
            yield _kind_error(path, "numeric")
        elif name in BOUNDS and _beyond(inner, *BOUNDS[name]):
            yield _error(path, "InvalidValue", "This value is out of range.")
        elif name in LISTS and not _is_rows(inner):
            yield _kind_error(path, "array of objects")
        elif name in OBJECTS and not (inner is None or isinstance(inner, dict)) and inner != []:
            yield _kind_error(path, "object")
        elif isinstance(inner, dict) and name != "rights":  # where `leads` is an object
            yield from _wrong(inner, f"{path}.")
        elif isinstance(inner, list):
            for index, item in enumerate(inner):
                if isinstance(item, dict):
                    yield from _wrong(item, f"{path}.{index}.")


def _is_rows(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _beyond(value: Any, least: int, most: int) -> bool:
    return _is_number(value) and not least <= value <= most


def _kind_error(path: str, kind: str) -> Row:
    return _error(path, "InvalidType", f"This value should be of type {kind}.")


def _error(path: str, code: str, detail: str) -> Row:
    return {"code": code, "path": path, "detail": detail}
