"""Who leads come from: contacts and companies while their leads are told, and strangers among them."""

from dataclasses import dataclass, field
from random import Random

from sandbox.generate import fields, values
from sandbox.generate.book import Book
from sandbox.generate.department import TAGS, Row
from sandbox.generate.doubles import Doubles
from sandbox.generate.firms import Firms
from sandbox.generate.ledger import Ledger


@dataclass(kw_only=True)
class Card:
    """A contact or a company while its leads are still being told."""

    kind: str
    id: int
    name: str
    first_name: str = ""
    last_name: str = ""
    numbers: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    fields: list[Row] | None
    owner_id: int
    created_by: int
    created_at: int
    updated_by: int
    updated_at: int
    is_unsorted: bool = False
    is_deleted: bool = False
    merged_into: int | None = None
    tags: list[Row] = field(default_factory=list)
    lead_ids: list[int] = field(default_factory=list)
    deadlines: list[int] = field(default_factory=list)

    def touch(self, at: int, by: int) -> None:
        """The card's own columns changed."""
        if at >= self.updated_at:
            self.updated_at, self.updated_by = at, by


@dataclass(kw_only=True)
class Regular:
    """amoCRM's customer card of somebody who has bought: purchases as (price in kopecks) so far."""

    id: int
    name: str
    owner_id: int
    created_by: int
    created_at: int
    updated_at: int
    next_at: int
    level: int
    paid: int = 0
    purchases: int = 0
    deadlines: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Customer:
    """Who a lead comes from: contacts (the first is the main one) and at most one company, if any.

    `busy_until` is when the latest of his leads closed, None while one is open.
    """

    contacts: list[Card]
    company: Card | None
    last_owner_id: int
    has_bought: bool = False
    busy_until: int | None = None
    last_lead_id: int = 0
    regular: Regular | None = None

    @property
    def cards(self) -> list[Card]:
        return self.contacts + ([self.company] if self.company else [])


class Strangers:
    """Makes customers nobody knows yet, with the events of their cards and the labels of look-alikes."""

    def __init__(self, ledger: Ledger, *, seed: int) -> None:
        book = Book(seed)
        self._ledger = ledger
        self._doubles, self._firms = Doubles(book), Firms(book)

    def customer(self, words: Random, *, at: int, owner_id: int, by: int) -> Customer:
        """A stranger; one in fourteen leads comes with no contact at all."""
        count = words.choices((0, 1, 2, 3), (70, 830, 85, 15))[0]
        company = self._company(words, at=at, owner_id=owner_id, by=by) if words.random() < 0.35 else None
        # Colleagues often leave the number of their office beside their own.
        office = company.numbers[:1] if company and count > 1 and words.random() < 0.7 else ()
        contacts: list[Card] = []
        for _ in range(count):
            contacts.append(self.contact(words, at=at, owner_id=owner_id, by=by, office=office))
            if office and len(contacts) > 1:
                ids = (contacts[0].id, contacts[-1].id)
                self._ledger.truth.pair("contacts", ids, same=False, kinds=("shared_company_phone",), at=at)
        return Customer(contacts=contacts, company=company, last_owner_id=owner_id)

    def contact(
        self, words: Random, *, at: int, owner_id: int, by: int, office: tuple[str, ...] = ()
    ) -> Card:
        """A new contact; `office`: ten digits of a phone that is not its own."""
        face = self._doubles.face(words)
        card_id = self._ledger.next_id("contact")
        self._doubles.remember(words, face, card_id)
        if face.label:
            same, kinds, earlier_id = face.label
            self._ledger.truth.pair("contacts", (earlier_id, card_id), same=same, kinds=kinds, at=at)
        return self.shown(words, card_id, face.name, (face.first, face.last), at=at, owner_id=owner_id, by=by,
                          phones=(*face.phones, *(f"8{number}" for number in office)),
                          numbers=face.numbers + office, mails=face.emails)  # fmt: skip

    def shown(
        self, words: Random, card_id: int, name: str, names: tuple[str, str], *, at: int, owner_id: int,
        by: int, phones: tuple[str, ...], numbers: tuple[str, ...], mails: tuple[str, ...],
    ) -> Card:  # fmt: skip
        """A contact's card with these values, and the event of its creation."""
        rows = [values.multitext(fields.PHONE, phones)] if phones else []
        rows += [values.multitext(fields.EMAIL, mails)] if mails else []
        rows += values.person_fields(words) if words.random() < 0.08 else []
        card = Card(kind="contact", id=card_id, name=name, first_name=names[0], last_name=names[1],
                    numbers=numbers, mails=mails, fields=rows or _nothing(card_id), owner_id=owner_id,
                    created_by=by, created_at=at, updated_by=by, updated_at=at)  # fmt: skip
        self._ledger.event(at, "contact_added", ("contact", card_id), by=by)
        if words.random() < 0.04:
            self._tag(words, card, at, by)
        return card

    def _company(self, words: Random, *, at: int, owner_id: int, by: int) -> Card:
        firm = self._firms.firm(words)
        card_id = self._ledger.next_id("company")
        self._firms.remember(words, firm, card_id)
        if firm.label:
            same, kinds, earlier_id = firm.label
            self._ledger.truth.pair("companies", (earlier_id, card_id), same=same, kinds=kinds, at=at)
        rows = [values.multitext(fields.PHONE, firm.phones)] if firm.phones else []
        if firm.inn:
            rows.append(values.one(fields.INN, "ИНН", "INN", "text", {"value": firm.inn}))
        if words.random() < 0.08:
            rows += values.company_fields(words, firm.inn, firm.name)
        card = Card(kind="company", id=card_id, name=firm.name, numbers=firm.numbers,
                    fields=rows or _nothing(card_id), owner_id=owner_id, created_by=by, created_at=at,
                    updated_by=by, updated_at=at)  # fmt: skip
        self._ledger.event(at, "company_added", ("company", card_id), by=by)
        if words.random() < 0.06:
            self._tag(words, card, at, by)
        return card

    def _tag(self, words: Random, card: Card, at: int, by: int) -> None:
        tag = words.choice(TAGS)
        card.tags.append(tag)
        after = [{"tag": {"name": tag["name"]}}]
        self._ledger.event(at, "entity_tag_added", (card.kind, card.id), by=by, after=after)


def _nothing(card_id: int) -> list[Row] | None:
    """amoCRM shows either null or an empty list where no field is filled in."""
    return None if card_id % 3 else []
