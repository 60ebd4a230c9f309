"""Payload of the API → rows of users, groups, pipelines and the other dictionaries. Conventions as in
``parse``.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from widget_backend.amocrm.records import Row, as_record, first_id_of, id_of, named_row, ref_of
from widget_backend.amocrm.values import (
    as_bool,
    as_dict,
    as_id,
    as_int,
    as_list,
    as_text,
    as_text_or_none,
    storable,
)

LEAD_VIEWS = ("A", "G", "M", "D")


# --- people ------------------------------------------------------------------------------------------


def parse_user(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``users``. ``lead_view`` is A, G, M or D as amoCRM has it; an administrator sees all."""
    record = as_record(payload)
    rights, embedded = as_dict(record.get("rights")), as_dict(record.get("_embedded"))
    is_admin = as_bool(rights.get("is_admin"))
    view = as_text(as_dict(rights.get("leads")).get("view")).upper()
    group_id = as_int(rights.get("group_id"))
    return {
        "account_id": account_id,
        "id": id_of(record),
        "name": as_text(record.get("name")),
        "email": as_text_or_none(record.get("email")) or None,
        "phone": as_text_or_none(record.get("phone_number")) or None,
        "group_id": group_id if group_id is not None else first_id_of(embedded.get("groups")),
        "role_id": ref_of(rights, "role_id", embedded.get("roles")),
        "is_admin": is_admin,
        "is_active": as_bool(rights.get("is_active"), default=True),
        "is_free": as_bool(rights.get("is_free")),
        "is_known": True,
        "lead_view": "A" if is_admin else (view if view in LEAD_VIEWS else None),
        "lang": as_text_or_none(record.get("lang")) or None,
        "payload": storable(record),
        "synced_at": synced_at,
    }


def parse_role(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``roles``."""
    return named_row(account_id, as_record(payload), synced_at) | {"payload": storable(payload)}


def parse_groups(account_id: int, account: Any, synced_at: datetime) -> list[Row]:
    """Rows of ``user_groups`` from ``account?with=users_groups``. Id 0 is a real group, the default one."""
    rows = []
    for item in as_list(as_dict(as_dict(account).get("_embedded")).get("users_groups")):
        group_id = as_int(as_dict(item).get("id"))
        if group_id is not None:
            rows.append(
                {
                    "account_id": account_id,
                    "id": group_id,
                    "name": as_text(as_dict(item).get("name")),
                    "is_deleted": False,
                    "synced_at": synced_at,
                }
            )
    return rows


# --- dictionaries ------------------------------------------------------------------------------------


def parse_account(payload: Any) -> Row:
    """What is kept of ``GET /account``: id, subdomain, name, country, currency, timezone, filters, whose
    token it is.

    ``timezone`` is None if amoCRM names none (``with=datetime_settings`` not asked for), or one that nobody
    here knows: with it no day of the account would have a beginning.
    """
    record = as_record(payload)
    settings = as_dict(as_dict(record.get("_embedded")).get("datetime_settings"))
    return {
        "account_id": id_of(record),
        "subdomain": as_text(record.get("subdomain")).lower(),
        "name": as_text(record.get("name")),
        "country": as_text(record.get("country")) or "RU",
        "currency": as_text(record.get("currency")) or "RUB",
        "timezone": _zone(settings.get("timezone")),
        "filters_enabled": as_bool(record.get("is_api_filter_enabled"), default=True),
        "current_user_id": as_id(record.get("current_user_id")),
    }


def _zone(value: Any) -> str | None:
    name = as_text_or_none(value) or ""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def parse_task_types(account_id: int, account: Any, synced_at: datetime) -> list[Row]:
    """Rows of ``task_types`` from ``account?with=task_types``."""
    items = as_list(as_dict(as_dict(account).get("_embedded")).get("task_types"))
    return [
        named_row(account_id, item, synced_at)
        | {"code": as_text_or_none(item.get("code")) or None, "is_deleted": False}
        for item in map(as_dict, items)
        if as_id(item.get("id")) is not None
    ]


def parse_pipeline(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``pipelines`` without its role, which is ours."""
    record = as_record(payload)
    return named_row(account_id, record, synced_at) | {
        "sort": as_int(record.get("sort")) or 0,
        "is_main": as_bool(record.get("is_main")),
        "is_archive": as_bool(record.get("is_archive")),
        "is_deleted": False,
        "payload": storable(record),
    }


def parse_statuses(account_id: int, pipeline: Any, synced_at: datetime) -> list[Row]:
    """Rows of ``statuses``: the columns inside one pipeline of the list."""
    record = as_record(pipeline)
    pipeline_id = id_of(record)
    items = map(as_dict, as_list(as_dict(record.get("_embedded")).get("statuses")))
    return [
        named_row(account_id, item, synced_at)
        | {
            "pipeline_id": pipeline_id,
            "sort": as_int(item.get("sort")) or 0,
            "type": as_int(item.get("type")) or 0,
            "color": as_text_or_none(item.get("color")) or None,
            "is_deleted": False,
        }
        for item in items
        if as_id(item.get("id")) is not None
    ]


def parse_loss_reason(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``loss_reasons``."""
    record = as_record(payload)
    return named_row(account_id, record, synced_at) | {
        "sort": as_int(record.get("sort")) or 0,
        "is_deleted": False,
    }


def parse_source(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``sources``."""
    record = as_record(payload)
    return named_row(account_id, record, synced_at) | {"payload": storable(record), "is_deleted": False}


def parse_custom_field(account_id: int, payload: Any, synced_at: datetime, entity_type: str) -> Row:
    """A row of ``custom_fields``; ``entity_type`` is the plural of the list it was read from."""
    record = as_record(payload)
    return named_row(account_id, record, synced_at) | {
        "entity_type": entity_type,
        "code": as_text_or_none(record.get("code")) or None,
        "type": as_text_or_none(record.get("type")) or None,
        "is_deleted": False,
        "payload": storable(record),
    }
