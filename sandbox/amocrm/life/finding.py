"""Whose number or address is this: cards by phone (last ten digits) or e-mail, and their open leads."""

from collections.abc import Iterator
from typing import Any

from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import CLOSED, Row

DIGITS = 10
SHORTEST = 5


def last_digits(phone: Any) -> str:
    """The digits amoCRM compares phones by: the last ten."""
    return "".join(character for character in str(phone or "") if character.isdigit())[-DIGITS:]


def by_phone(change: Change, table: str, phone: Any) -> list[Row]:
    """Visible cards with the phone, oldest first; none for what is no phone."""
    wanted = last_digits(phone)
    if len(wanted) < SHORTEST:
        return []
    near = f"%{wanted}%"
    where = "hidden = 0 AND digits(json_extract(body, '$.custom_fields_values')) LIKE ?"
    return [row for row in change.rows(table, where, near)
            if any(last_digits(value) == wanted for value in values_of(row, "PHONE"))]  # fmt: skip


def by_email(change: Change, table: str, email: Any) -> list[Row]:
    """Visible cards with the e-mail address, whatever its case, oldest first."""
    wanted = str(email or "").strip().casefold()
    if not wanted:
        return []
    where = "hidden = 0 AND fold(json_extract(body, '$.custom_fields_values')) LIKE ?"
    return [row for row in change.rows(table, where, f"%{wanted}%")
            if any(str(value).strip().casefold() == wanted for value in values_of(row, "EMAIL"))]  # fmt: skip


def values_of(row: Row, code: str) -> Iterator[Any]:
    """The values of a card's fields with this code."""
    for field in row.get("custom_fields_values") or []:
        if field.get("field_code") == code:
            yield from (value.get("value") for value in field.get("values") or [])


def open_leads(change: Change, card: Row) -> list[Row]:
    """The card's leads that are neither won, lost, deleted nor merged."""
    found = [
        change.find("leads", item.get("id")) for item in (card.get("_embedded") or {}).get("leads") or []
    ]
    return [lead for lead in found if lead is not None and is_open(lead)]


def is_open(lead: Row) -> bool:
    """Whether people still work on it."""
    gone = lead.get("is_deleted") or lead.get("_merged_into")
    return not gone and lead.get("status_id") not in CLOSED
