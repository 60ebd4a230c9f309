"""Rows of contacts and companies, and of the links between cards."""

from sandbox.generate.customers import Card
from sandbox.generate.department import Row
from sandbox.generate.files import to_text
from sandbox.generate.ledger import Ledger, group_of


def contact_row(ledger: Ledger, card: Card, company: Card | None, regular_id: int | None) -> Row:
    """A contact as `GET /contacts` shows it with every `with=`."""
    names = {"id": card.id, "name": card.name, "first_name": card.first_name, "last_name": card.last_name}
    tied = company is not None and not card.is_deleted
    linked = {
        "companies": [{"id": company.id}] if company and tied else [],
        "leads": [{"id": n} for n in card.lead_ids],
    }
    row = names | _common(ledger, card) | {"is_unsorted": card.is_unsorted}
    row |= {"_embedded": {"tags": card.tags, **linked, **_tail(regular_id), "social_profiles": []}}
    return row if card.merged_into is None else row | {"_merged_into": card.merged_into}


def company_row(ledger: Ledger, card: Card, contacts: list[Card], regular_id: int | None) -> Row:
    """A company as `GET /companies` shows it with every `with=`."""
    linked = {
        "leads": [{"id": n} for n in card.lead_ids],
        "contacts": [{"id": each.id} for each in contacts if not each.is_deleted],
    }
    row = {"id": card.id, "name": card.name} | _common(ledger, card)
    return row | {"_embedded": {"tags": card.tags, **linked, **_tail(regular_id)}}


def _tail(regular_id: int | None) -> Row:
    return {"customers": [] if regular_id is None else [{"id": regular_id}], "catalog_elements": []}


def _common(ledger: Ledger, card: Card) -> Row:
    return {
        "responsible_user_id": card.owner_id, "group_id": group_of(card.owner_id),
        "created_by": card.created_by, "updated_by": card.updated_by, "created_at": card.created_at,
        "updated_at": card.updated_at, "closest_task_at": min(card.deadlines, default=None),
        "is_deleted": card.is_deleted, "custom_fields_values": card.fields, "account_id": ledger.account_id,
    }  # fmt: skip


def link(one: tuple[str, int], other: tuple[str, int], metadata: Row | None) -> str:
    """One line of `GET /{entity}/links`."""
    return (
        f'{{"entity_id":{one[1]},"entity_type":"{one[0]}","to_entity_id":{other[1]},'
        f'"to_entity_type":"{other[0]}","metadata":{to_text(metadata) if metadata else "null"}}}'
    )
