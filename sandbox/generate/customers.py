"""Contacts and companies, and the bounded circle of those who come again."""

from dataclasses import dataclass, field
from random import Random

from sandbox.generate.department import FIELD_EMAIL, FIELD_INN, FIELD_PHONE, Row
from sandbox.generate.ledger import Ledger, group_of
from sandbox.generate.texts import COMPANY_FORMS, COMPANY_NAMES, FIRST_NAMES, LAST_NAMES

CIRCLE = 3000


@dataclass(kw_only=True)
class Card:
    """A contact or a company while its leads are still being told."""

    kind: str
    id: int
    name: str
    first_name: str = ""
    last_name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    inn: str | None = None
    owner_id: int
    created_by: int
    created_at: int
    is_unsorted: bool = False
    lead_ids: list[int] = field(default_factory=list)
    deadlines: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Customer:
    """Who a lead comes from: contacts (the first is the main one) and at most one company, if any."""

    contacts: list[Card]
    company: Card | None
    last_owner_id: int
    has_bought: bool = False

    @property
    def cards(self) -> list[Card]:
        return self.contacts + ([self.company] if self.company else [])


def new_customer(words: Random, ledger: Ledger, *, at: int, owner_id: int, by: int) -> Customer:
    """A stranger, with the events of his cards; one in fourteen leads comes with no contact at all."""
    count = words.choices((0, 1, 2), (7, 83, 10))[0]
    contacts = [_contact(words, ledger, at=at, owner_id=owner_id, by=by) for _ in range(count)]
    company = _company(words, ledger, at=at, owner_id=owner_id, by=by) if words.random() < 0.35 else None
    return Customer(contacts=contacts, company=company, last_owner_id=owner_id)


def phone(words: Random) -> str:
    """A phone the way people type it."""
    code, rest = words.randint(900, 999), f"{words.randrange(10**7):07d}"
    shape = words.randrange(5)
    return (
        f"+7{code}{rest}",
        f"8 ({code}) {rest[:3]}-{rest[3:5]}-{rest[5:]}",
        f"+7 {code} {rest[:3]}-{rest[3:5]}-{rest[5:]}",
        f"7{code}{rest}",
        f"8{code}{rest} доб. {words.randint(10, 99)}" if words.random() < 0.1 else f"8{code}{rest}",
    )[shape]


def _contact(words: Random, ledger: Ledger, *, at: int, owner_id: int, by: int) -> Card:
    first, last = words.choice(FIRST_NAMES), words.choice(LAST_NAMES)
    contact_id = ledger.next_id("contact")
    phones = tuple(phone(words) for _ in range(words.choices((0, 1, 2), (5, 83, 12))[0]))
    emails = (f"client{contact_id}@mail.example",) if words.random() < 0.55 else ()
    name = words.choices((f"{first} {last}", first, f"{last} {first} 😊", "Новый контакт"), (80, 12, 3, 5))[0]
    card = Card(kind="contact", id=contact_id, name=name, first_name=first if name != "Новый контакт" else "",
                last_name=last if last in name else "", phones=phones, emails=emails, owner_id=owner_id,
                created_by=by, created_at=at)  # fmt: skip
    ledger.event(at, "contact_added", ("contact", card.id), by=by)
    return card


def _company(words: Random, ledger: Ledger, *, at: int, owner_id: int, by: int) -> Card:
    company_id = ledger.next_id("company")
    name = f"{words.choice(COMPANY_FORMS)} «{words.choice(COMPANY_NAMES)}»"
    inn = f"77{words.randrange(10**8):08d}" if words.random() < 0.6 else None
    phones = (f"+7 495 {words.randint(200, 999)}-{words.randint(10, 99)}-{words.randint(10, 99)}",)
    card = Card(kind="company", id=company_id, name=name, inn=inn,
                phones=phones if words.random() < 0.5 else (), owner_id=owner_id, created_by=by,
                created_at=at)  # fmt: skip
    ledger.event(at, "company_added", ("company", card.id), by=by)
    return card


class Circle:
    """Customers who may come again, at most `CIRCLE` of them; those who leave are written and forgotten."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._members: list[Customer] = []

    def invite(self, words: Random) -> Customer | None:
        """One who comes again, rather a buyer than not; None while nobody was here."""
        if not self._members:
            return None
        tried = [words.choice(self._members) for _ in range(4)]
        return next((customer for customer in tried if customer.has_bought), tried[0])

    def admit(self, words: Random, customer: Customer) -> None:
        if len(self._members) < CIRCLE:
            self._members.append(customer)
            return
        place = words.randrange(CIRCLE)
        self._write(self._members[place])
        self._members[place] = customer

    def close(self) -> None:
        """Write everybody still here."""
        for customer in self._members:
            self._write(customer)
        self._members = []

    def _write(self, customer: Customer) -> None:
        for card in customer.contacts:
            self._ledger.files.add_by_id("contacts", self._contact_row(card, customer.company))
        if customer.company:
            self._ledger.files.add_by_id("companies", self._company_row(customer.company, customer.contacts))
            for card in customer.contacts:
                self._ledger.files.add(
                    "links", link(("contacts", card.id), ("companies", customer.company.id), None)
                )

    def _contact_row(self, card: Card, company: Card | None) -> Row:
        row = self._common(card)
        names = {"id": card.id, "name": card.name, "first_name": card.first_name, "last_name": card.last_name}
        linked = {
            "companies": [{"id": company.id}] if company else [],
            "leads": [{"id": n} for n in card.lead_ids],
        }
        more = {"is_unsorted": card.is_unsorted, "social_profiles": []}
        return names | row | more | {
            "_embedded": {"tags": [], **linked, "customers": [], "catalog_elements": []}
        }  # fmt: skip

    def _company_row(self, card: Card, contacts: list[Card]) -> Row:
        linked = {
            "leads": [{"id": n} for n in card.lead_ids],
            "contacts": [{"id": each.id} for each in contacts],
        }
        return {"id": card.id, "name": card.name} | self._common(card) | {
            "_embedded": {"tags": [], **linked, "customers": [], "catalog_elements": []}
        }  # fmt: skip

    def _common(self, card: Card) -> Row:
        return {
            "responsible_user_id": card.owner_id, "group_id": group_of(card.owner_id),
            "created_by": card.created_by, "updated_by": card.created_by, "created_at": card.created_at,
            "updated_at": card.created_at,
            "closest_task_at": min(card.deadlines, default=None), "is_deleted": False,
            "custom_fields_values": _fields(card), "account_id": self._ledger.account_id,
        }  # fmt: skip


def link(one: tuple[str, int], other: tuple[str, int], metadata: Row | None) -> Row:
    """One line of `GET /{entity}/links`."""
    return {"entity_id": one[1], "entity_type": one[0], "to_entity_id": other[1], "to_entity_type": other[0],
            "metadata": metadata}  # fmt: skip


def _fields(card: Card) -> list[Row] | None:
    values: list[Row] = []
    if card.phones:
        kinds = ((711, "WORK"), (715, "MOB"))
        values.append({
            "field_id": FIELD_PHONE, "field_name": "Телефон", "field_code": "PHONE",
            "field_type": "multitext", "values": [
                {"value": number, "enum_id": enum_id, "enum_code": code}
                for number, (enum_id, code) in zip(card.phones, kinds, strict=False)
            ],
        })  # fmt: skip
    if card.emails:
        values.append({
            "field_id": FIELD_EMAIL, "field_name": "Email", "field_code": "EMAIL", "field_type": "multitext",
            "values": [{"value": mail, "enum_id": 723, "enum_code": "WORK"} for mail in card.emails],
        })  # fmt: skip
    if card.inn:
        values.append({"field_id": FIELD_INN, "field_name": "ИНН", "field_code": "INN", "field_type": "text",
                       "values": [{"value": card.inn}]})  # fmt: skip
    return values or None
