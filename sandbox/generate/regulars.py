"""amoCRM's own customers and their transactions: cards of people who have bought, with what they paid."""

from collections.abc import Iterable
from random import Random

from sandbox.generate import fields, values
from sandbox.generate.cards import link
from sandbox.generate.customers import Customer, Regular
from sandbox.generate.department import DAY_S, ROBOT, Row
from sandbox.generate.files import to_text
from sandbox.generate.lead import Number, money
from sandbox.generate.ledger import Ledger, group_of
from sandbox.generate.texts import TRANSACTION_COMMENTS

STATUSES = ((16_001, "Недавняя покупка", "#fffeb2"), (16_002, "Пора купить", "#ffdc7f"),
            (16_003, "Потерян", "#ff8f92"))  # fmt: skip
SEGMENTS = ((16_501, "Разовые"), (16_502, "Постоянные"), (16_503, "Оптовики"))
PERIOD_DAYS = (30, 60, 90)
MADE_AT = 1_600_000_000


def status_rows(account_id: int) -> Iterable[Row]:
    """`GET /customers/statuses`."""
    for n, (status_id, name, color) in enumerate(STATUSES):
        yield {"id": status_id, "name": name, "sort": 10 * n, "is_default": n == 0, "conditions": [],
               "color": color, "type": 0, "account_id": account_id}  # fmt: skip


def segment_rows(ledger: Ledger) -> Iterable[Row]:
    """`GET /customers/segments`, with the customers that were written so far."""
    for segment_id, name in SEGMENTS:
        yield {"id": segment_id, "created_at": MADE_AT, "updated_at": MADE_AT, "name": name,
               "account_id": ledger.account_id, "color": "10599D", "available_products_price_types": [],
               "customers_count": ledger.in_segment[segment_id], "custom_fields_values": None}  # fmt: skip


def bought(words: Random, ledger: Ledger, customer: Customer, *, at: int, kopecks: int) -> None:
    """A lead was won: some buyers get a customer card, those who have one get a transaction."""
    main = next((card for card in customer.contacts if not card.is_deleted), None)
    if main is None or (customer.regular is None and words.random() >= 0.35):
        return
    regular = customer.regular
    if regular is None:
        regular = Regular(
            id=ledger.id_at("customer", at), name=main.name, owner_id=customer.last_owner_id,
            created_by=ROBOT if words.random() < 0.3 else customer.last_owner_id, created_at=at,
            updated_at=at, next_at=at, level=words.randrange(len(fields.LOYALTIES)),
        )  # fmt: skip
        customer.regular = regular
        ledger.event(at, "customer_added", ("customer", regular.id), by=regular.created_by)
    elif at <= regular.updated_at:
        at = regular.updated_at + 1  # leads of one customer may be won in another order than they are told
    if at <= ledger.now_s:
        _pay(words, ledger, regular, at, kopecks)


def _pay(words: Random, ledger: Ledger, regular: Regular, at: int, kopecks: int) -> None:
    number, is_deleted = ledger.id_at("transaction", at), words.random() < 0.03
    by = regular.owner_id if words.random() < 0.8 else ROBOT
    regular.updated_at = max(regular.updated_at, at)
    regular.next_at = at + PERIOD_DAYS[regular.level] * DAY_S
    ledger.files.add_by_id("transactions", {
        "id": number, "price": money(kopecks), "comment": words.choice(TRANSACTION_COMMENTS),
        "completed_at": at, "customer_id": regular.id, "created_by": by, "updated_by": by, "created_at": at,
        "updated_at": at, "is_deleted": is_deleted, "account_id": ledger.account_id,
        "_embedded": {"customer": {"id": regular.id}, "catalog_elements": []},
    })  # fmt: skip
    entity = ("customer", regular.id)
    ledger.note(at, "transaction", entity, {"transaction_id": number}, by=by, owner=regular.owner_id,
                event=None)  # fmt: skip
    ledger.event(at, "transaction_added", entity, by=by, after=[{"transaction": {"id": number}}])
    if not is_deleted:
        regular.paid += kopecks
        regular.purchases += 1


def write(ledger: Ledger, customer: Customer) -> None:
    """The customer card as it stands at the end, and its links; nothing where there is none."""
    regular = customer.regular
    if regular is None:
        return
    contacts = [card for card in customer.contacts if not card.is_deleted]
    row = _row(ledger, regular)
    row["_embedded"] = {
        "segments": [{"id": SEGMENTS[regular.level][0]}], "tags": [],
        "contacts": [{"id": card.id, "is_main": n == 0} for n, card in enumerate(contacts)],
        "companies": [{"id": customer.company.id}] if customer.company else [], "catalog_elements": [],
    }  # fmt: skip
    ledger.files.add_sorted("customers", regular.id, to_text(row))
    ledger.in_segment[SEGMENTS[regular.level][0]] += 1
    for n, card in enumerate(contacts):
        ends = ("customers", regular.id), ("contacts", card.id)
        ledger.files.add_line("links", link(*ends, {"main_contact": n == 0}))
    if customer.company:
        ends = ("customers", regular.id), ("companies", customer.company.id)
        ledger.files.add_line("links", link(*ends, None))


def _row(ledger: Ledger, regular: Regular) -> Row:
    level = values.one(
        fields.LOYALTY, "Уровень", None, "select", values.chosen(fields.LOYALTIES[regular.level])
    )
    average: Number = money(round(regular.paid / regular.purchases)) if regular.purchases else 0
    return {
        "id": regular.id, "name": regular.name, "next_price": average, "next_date": regular.next_at,
        "responsible_user_id": regular.owner_id, "group_id": group_of(regular.owner_id),
        "status_id": STATUSES[regular.level][0], "periodicity": PERIOD_DAYS[regular.level],
        "created_by": regular.created_by, "updated_by": regular.owner_id, "created_at": regular.created_at,
        "updated_at": regular.updated_at, "closest_task_at": min(regular.deadlines, default=None),
        "is_deleted": False, "custom_fields_values": [level], "ltv": money(regular.paid),
        "purchases_count": regular.purchases, "average_check": average, "account_id": ledger.account_id,
    }  # fmt: skip
