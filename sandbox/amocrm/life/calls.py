"""A call known only by its phone number: on which card it is noted."""

from typing import Any

from sandbox.amocrm.life import finding, notes
from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import SINGULAR, Row

KINDS = {"inbound": "call_in", "outbound": "call_out"}
_PARAMS = ("uniq", "duration", "source", "link", "phone", "call_result", "call_status")


def place(change: Change, phone: Any) -> tuple[str, int] | None:
    """Table and id of the card; None for a number nobody has.

    One open lead of the people with this number: the lead. No open lead and one customer: the customer.
    Several or none: the contact, or else the company.
    """
    people = finding.by_phone(change, "contacts", phone)
    companies = finding.by_phone(change, "companies", phone)
    cards = people or companies
    if not cards:
        return None
    leads = {lead["id"] for card in [*people, *companies] for lead in finding.open_leads(change, card)}
    if len(leads) == 1:
        return "leads", leads.pop()
    customers = _customers(change, cards)
    if not leads and len(customers) == 1:
        return "customers", customers.pop()
    return ("contacts" if people else "companies"), int(cards[0]["id"])


def _customers(change: Change, cards: list[Row]) -> set[int]:
    shown = [
        item.get("id") for card in cards for item in (card.get("_embedded") or {}).get("customers") or []
    ]
    rows = [change.find("customers", row_id) for row_id in shown]
    return {row["id"] for row in rows if row is not None and not row.get("is_deleted")}


def note_call(change: Change, given: Row) -> Row | None:
    """Note an item of POST /calls where it belongs; None when nobody has the number.

    The answer is the note's row with `entity_type` added, in the singular.
    """
    placed = place(change, given.get("phone"))
    if placed is None:
        return None
    table, entity_id = placed
    author = given.get("created_by", 0)
    responsible = given.get("call_responsible", given.get("responsible_user_id"))
    params = {name: given.get(name) for name in _PARAMS if given.get(name) is not None}
    params["call_responsible"] = author if responsible is None else responsible
    note: Row = {"entity_id": entity_id, "note_type": KINDS[given["direction"]], "params": params}
    note |= {"created_by": author, "updated_by": given.get("updated_by", author)}
    for name in ("responsible_user_id", "created_at", "updated_at"):
        if given.get(name) is not None:
            note[name] = given[name]
    by, change.by = change.by, author
    try:
        row = notes.create(change, table, note)
    finally:
        change.by = by
    return {**row, "entity_type": SINGULAR[table]}
