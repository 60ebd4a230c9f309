"""Payload of the API → the columns of one mirror row. All oddities of amoCRM's fields end here.

Every function takes ``account_id`` from the caller (a payload's own is not trusted), returns a plain dict of
columns, and raises UnreadableRecord for what cannot be stored under a key.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from widget_backend.amocrm.parse_dictionaries import (
    parse_account,
    parse_custom_field,
    parse_groups,
    parse_loss_reason,
    parse_pipeline,
    parse_role,
    parse_source,
    parse_statuses,
    parse_task_types,
    parse_user,
)
from widget_backend.amocrm.records import (
    Row,
    as_record,
    card_moments_of,
    id_of,
    moments_of,
    ref_of,
    required_id,
)
from widget_backend.amocrm.values import (
    as_bool,
    as_decimal,
    as_dict,
    as_id,
    as_int,
    as_list,
    as_moment,
    as_text,
    as_text_or_none,
    storable,
)
from widget_backend.errors import UnreadableRecord

__all__ = [
    "is_deleted_stub",
    "lead_links",
    "parse_account",
    "parse_company",
    "parse_contact",
    "parse_custom_field",
    "parse_deleted_stub",
    "parse_event",
    "parse_groups",
    "parse_lead",
    "parse_loss_reason",
    "parse_note",
    "parse_pipeline",
    "parse_role",
    "parse_source",
    "parse_statuses",
    "parse_task",
    "parse_task_types",
    "parse_user",
    "price_of",
]


# --- leads, contacts, companies ----------------------------------------------------------------------


def parse_lead(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``leads``. Refuses rows of ``with=only_deleted``: see ``parse_deleted_stub``."""
    record = _live(payload)
    row = _shared(account_id, record, synced_at)
    embedded = as_dict(record.get("_embedded"))
    return row | {
        "price": price_of(record),
        "pipeline_id": as_id(record.get("pipeline_id")),
        "status_id": as_id(record.get("status_id")),
        "loss_reason_id": ref_of(record, "loss_reason_id", embedded.get("loss_reason")),
        "source_id": ref_of(record, "source_id", embedded.get("source")),
        "closed_at": as_moment(record.get("closed_at")),
    }


def parse_contact(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``contacts``; a nameless contact is called by its first and last name."""
    record = _live(payload)
    row = _shared(account_id, record, synced_at)
    if not row["name"]:
        parts = (as_text(record.get("first_name")), as_text(record.get("last_name")))
        row["name"] = " ".join(part for part in parts if part)
    return row


def parse_company(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``companies``."""
    return _shared(account_id, _live(payload), synced_at)


def is_deleted_stub(payload: Any) -> bool:
    """Whether this is a recycle-bin row that carries an id, ``updated_at`` and little else."""
    record = as_dict(payload)
    return as_bool(record.get("is_deleted")) and as_moment(record.get("created_at")) is None


def parse_deleted_stub(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """What a recycle-bin row may change of the stored one: the mark, its moment, who did it."""
    record = as_record(payload)
    deleted_at = as_moment(record.get("updated_at")) or synced_at
    return {
        "account_id": account_id,
        "id": id_of(record),
        "is_deleted": True,
        "deleted_at": deleted_at,
        "updated_at": deleted_at,
        "updated_by": as_int(record.get("updated_by")),
        "synced_at": synced_at,
    }


def price_of(record: dict[str, Any]) -> Decimal | None:
    """The budget in whole units of the currency; ``price_with_minor_units`` where the account has it."""
    exact = as_decimal(record.get("price_with_minor_units"))
    return exact if exact is not None else as_decimal(record.get("price"))


def lead_links(account_id: int, payload: Any) -> list[Row]:
    """Rows of ``links``: the contacts and companies of one lead, each once. Empty if it has none."""
    record = as_record(payload)
    lead_id, embedded = id_of(record), as_dict(record.get("_embedded"))
    found: dict[tuple[str, int], Row] = {}
    for to_type in ("contacts", "companies"):
        for item in as_list(embedded.get(to_type)):
            link = as_dict(item)
            to_id = as_id(link.get("id"))
            if to_id is not None:
                main = link.get("is_main", as_dict(link.get("metadata")).get("main_contact"))
                found[to_type, to_id] = {
                    "account_id": account_id,
                    "lead_id": lead_id,
                    "to_type": to_type,
                    "to_id": to_id,
                    "is_main": as_bool(main),
                }
    return list(found.values())


def _shared(account_id: int, record: dict[str, Any], synced_at: datetime) -> Row:
    """The columns that leads, contacts and companies have in common."""
    created_at, updated_at = card_moments_of(record)
    deleted = as_bool(record.get("is_deleted"))
    return {
        "account_id": account_id,
        "id": id_of(record),
        "name": as_text(record.get("name")),
        "responsible_user_id": as_id(record.get("responsible_user_id")),
        "group_id": as_int(record.get("group_id")),
        "created_by": as_int(record.get("created_by")),
        "updated_by": as_int(record.get("updated_by")),
        "created_at": created_at,
        "updated_at": updated_at,
        "closest_task_at": as_moment(record.get("closest_task_at")),
        "is_deleted": deleted,
        "deleted_at": updated_at if deleted else None,
        "payload": storable(record),
        "synced_at": synced_at,
    }


# --- tasks, notes, events ----------------------------------------------------------------------------


def parse_task(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``tasks``. ``result`` is ``[]`` while there is none."""
    record = as_record(payload)
    created_at, updated_at = moments_of(record)
    results = [as_dict(item) for item in as_list(record.get("result"))]
    deleted = as_bool(record.get("is_deleted"))
    return {
        "account_id": account_id,
        "id": id_of(record),
        "entity_type": as_text_or_none(record.get("entity_type")) or None,
        "entity_id": as_id(record.get("entity_id")),
        "task_type_id": as_id(record.get("task_type_id")),
        "text": as_text(record.get("text")),
        "responsible_user_id": as_id(record.get("responsible_user_id")),
        "group_id": as_int(record.get("group_id")),
        "created_by": as_int(record.get("created_by")),
        "updated_by": as_int(record.get("updated_by")),
        "created_at": created_at,
        "updated_at": updated_at,
        "complete_till": as_moment(record.get("complete_till")),
        "is_completed": as_bool(record.get("is_completed")),
        "result_text": as_text_or_none(results[0].get("text")) if results else None,
        "is_deleted": deleted,
        "deleted_at": updated_at if deleted else None,
        "payload": storable(record),
        "synced_at": synced_at,
    }


def parse_note(account_id: int, payload: Any, synced_at: datetime, entity_type: str) -> Row:
    """A row of ``notes``; ``entity_type`` is the plural of the list it was read from."""
    record = as_record(payload)
    created_at, updated_at = moments_of(record)
    note_type = as_text_or_none(record.get("note_type"))
    if not note_type:
        raise UnreadableRecord("A note has no type.", id=id_of(record))
    return {
        "account_id": account_id,
        "entity_type": entity_type,
        "id": id_of(record),
        "entity_id": required_id(record, "entity_id"),
        "note_type": note_type,
        "created_by": as_int(record.get("created_by")),
        "updated_by": as_int(record.get("updated_by")),
        "responsible_user_id": as_id(record.get("responsible_user_id")),
        "group_id": as_int(record.get("group_id")),
        "created_at": created_at,
        "updated_at": updated_at,
        "params": storable(as_dict(record.get("params"))),
        "is_deleted": as_bool(record.get("is_deleted")),
        "synced_at": synced_at,
    }


def parse_event(account_id: int, payload: Any, synced_at: datetime) -> Row:
    """A row of ``events``; values are lists, also where amoCRM sends an object or nothing."""
    record = as_record(payload)
    event_id, kind = as_text(record.get("id")), as_text(record.get("type"))
    created_at = as_moment(record.get("created_at"))
    if not event_id or not kind or created_at is None:
        raise UnreadableRecord("An event lacks its id, type or time.", id=event_id or None)
    return {
        "account_id": account_id,
        "created_at": created_at,
        "id": event_id,
        "type": kind,
        "entity_type": as_text_or_none(record.get("entity_type")) or None,
        "entity_id": as_id(record.get("entity_id")),
        "created_by": as_int(record.get("created_by")),
        "value_before": storable(as_list(record.get("value_before"))),
        "value_after": storable(as_list(record.get("value_after"))),
        "synced_at": synced_at,
    }


def _live(payload: Any) -> dict[str, Any]:
    record = as_record(payload)
    if is_deleted_stub(record):
        raise UnreadableRecord("A deleted record without its fields.", id=as_id(record.get("id")))
    return record
