"""Kinds of values by the name they stand under: what no handler could make sense of is refused."""

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
        "password", "lang", "request_id", "role_id", "price_id", "default", "can_add_elements",
        "can_show_in_cards", "is_api_only", "form_id", "form_name", "form_page", "form_sent_at", "referer",
        "ip", "from", "called_at", "service_code", "is_call_event_needed", "earn", "redeem",
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
            yield _error(path, "scalar")
        elif name in LISTS and not _is_rows(inner):
            yield _error(path, "array of objects")
        elif name in OBJECTS and not (inner is None or isinstance(inner, dict)) and inner != []:
            yield _error(path, "object")
        elif isinstance(inner, dict) and name != "rights":  # where `leads` is an object
            yield from _wrong(inner, f"{path}.")
        elif isinstance(inner, list):
            for index, item in enumerate(inner):
                if isinstance(item, dict):
                    yield from _wrong(item, f"{path}.{index}.")


def _is_rows(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def _error(path: str, kind: str) -> Row:
    return {"code": "InvalidType", "path": path, "detail": f"This value should be of type {kind}."}
