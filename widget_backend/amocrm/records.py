"""What the parsers of all entities share: ids, moments, references. Knows no entity."""

from datetime import UTC, datetime
from typing import Any

from widget_backend.amocrm.values import as_dict, as_id, as_int, as_list, as_moment, as_text
from widget_backend.errors import UnreadableRecord

Row = dict[str, Any]
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


def as_record(payload: Any) -> dict[str, Any]:
    """The payload, if it is an object. Raises UnreadableRecord."""
    if not isinstance(payload, dict):
        raise UnreadableRecord("A record is not an object.")
    return payload


def id_of(record: dict[str, Any]) -> int:
    """The record's own id. Raises UnreadableRecord without one."""
    return required_id(record, "id")


def required_id(record: dict[str, Any], name: str) -> int:
    """A positive integer that the record must have. Raises UnreadableRecord."""
    value = as_id(record.get(name))
    if value is None:
        raise UnreadableRecord(f"A record has no {name}.", id=as_id(record.get("id")))
    return value


def moments_of(record: dict[str, Any]) -> tuple[datetime, datetime]:
    """Created and updated; one stands in for the other, and a record with neither has no place in time.

    Created at 0 is 1970, as everybody reads it who takes the number as it stands: not the day of an edit.
    Raises UnreadableRecord.
    """
    created_at, updated_at = as_moment(record.get("created_at")), as_moment(record.get("updated_at"))
    if created_at is None and as_int(record.get("created_at")) == 0:
        created_at = FIRST_MOMENT
    known = created_at or updated_at
    if known is None:
        raise UnreadableRecord("A record has no time.", id=as_id(record.get("id")))
    return created_at or known, updated_at or known


def card_moments_of(record: dict[str, Any]) -> tuple[datetime, datetime]:
    """As ``moments_of``, but a card with neither stands at the beginning of time: it exists all the same."""
    try:
        return moments_of(record)
    except UnreadableRecord:
        return FIRST_MOMENT, FIRST_MOMENT


def named_row(account_id: int, record: dict[str, Any], synced_at: datetime) -> Row:
    """The columns that every dictionary has."""
    return {
        "account_id": account_id,
        "id": id_of(record),
        "name": as_text(record.get("name")),
        "synced_at": synced_at,
    }


def ref_of(record: dict[str, Any], name: str, embedded: Any) -> int | None:
    """An id from its own field, else from the embedded object, which may come alone or in a list."""
    own = as_id(record.get(name))
    return own if own is not None else first_id_of(embedded)


def first_id_of(embedded: Any) -> int | None:
    """The id of an embedded object, which may come alone or in a list; 0 is an id here (groups)."""
    items = as_list(embedded)
    return as_int(as_dict(items[0]).get("id")) if items else None
