"""Lists of the account: products, invoices, suppliers and showrooms, and what of them hangs on leads."""

from collections.abc import Iterable
from random import Random
from typing import Any

from sandbox.generate import values
from sandbox.generate.cards import link
from sandbox.generate.department import HEAD, ROBOT, Row
from sandbox.generate.files import SnapshotFiles
from sandbox.generate.lead import Lead, money
from sandbox.generate.ledger import Ledger
from sandbox.generate.list_fields import (
    BILL_CODES,
    BILL_STATES,
    INVOICES,
    KINDS_OF_GOODS,
    PRICE,
    PRODUCTS,
    SHOWROOMS,
    SUPPLIERS,
    UNITS,
    VAT_TYPES,
    held,
)
from sandbox.generate.texts import GOODS

LISTS = ((PRODUCTS, "Товары", "products"), (INVOICES, "Счета", "invoices"),
         (SUPPLIERS, "Поставщики", "suppliers"), (SHOWROOMS, "Шоурумы", "regular"))  # fmt: skip
MADE_AT = 1_600_000_000
FIRST_PRODUCT = 3001
QUANTITIES: tuple[float, ...] = (1, 1, 1, 2, 3, 4, 10, 2.5)


def catalog_rows(account_id: int) -> Iterable[Row]:
    """`GET /catalogs`."""
    for sort, (catalog_id, name, kind) in enumerate(LISTS, start=1):
        yield {
            "id": catalog_id, "name": name, "created_by": HEAD, "updated_by": HEAD, "created_at": MADE_AT,
            "updated_at": MADE_AT, "sort": 10 * sort, "type": kind, "can_add_elements": True,
            "can_show_in_cards": kind != "regular", "can_link_multiple": kind != "invoices",
            "can_be_deleted": kind == "regular", "sdk_widget_code": None, "account_id": account_id,
        }  # fmt: skip


def standing_elements(files: SnapshotFiles, account_id: int) -> None:
    """Write the elements that were there before any lead: products with prices, suppliers, showrooms."""
    for n, name in enumerate(GOODS):
        rows = [
            held("SKU", {"value": f"KX-{n:03d}"}),
            held("DESCRIPTION", {"value": f"{name} <b>люкс</b>"}),
            held("GROUP", values.chosen(KINDS_OF_GOODS[n % len(KINDS_OF_GOODS)])),
            held("PRICE", {"value": f"{1990 + 7350 * n}.90"}),
            held("UNIT", values.chosen(UNITS[0])),
        ]
        files.add_by_id(
            "catalog_elements", _element(FIRST_PRODUCT + n, PRODUCTS, name, MADE_AT, HEAD, rows, account_id)
        )
    payee = held(
        "SUPPLIER", {"value": {"name": "Фабрика «Север»", "entity_id": 3201, "vat_id": "7707083893"}}
    )
    files.add_by_id(
        "catalog_elements", _element(3201, SUPPLIERS, "Фабрика «Север»", MADE_AT, HEAD, [payee], account_id)
    )
    for n, name in enumerate(("Шоурум на Лесной", "Showroom «Nord» 🛋")):
        row = _element(3301 + n, SHOWROOMS, name, MADE_AT, HEAD, None, account_id)
        files.add_by_id("catalog_elements", row)


def _element(
    number: int, catalog_id: int, name: str, at: int, by: int, rows: list[Row] | None, account_id: int
) -> Row:
    return {"id": number, "catalog_id": catalog_id, "name": name, "created_by": by, "updated_by": by,
            "created_at": at, "updated_at": at, "is_deleted": False, "custom_fields_values": rows,
            "account_id": account_id}  # fmt: skip


def attach(words: Random, ledger: Ledger, lead: Lead) -> None:
    """Products of some leads with a price, and invoices of some that were won. Call once, at the end."""
    if not lead.kopecks:
        return
    if words.random() < 0.3:
        for number in words.sample(range(len(GOODS)), k=words.choice((1, 1, 2, 3))):
            _hang(lead, FIRST_PRODUCT + number, PRODUCTS, words.choice(QUANTITIES), price_id=PRICE)
    if lead.won_at is not None and words.random() < 0.2:
        _invoice(words, ledger, lead, lead.won_at)
    if lead.is_deleted or lead.merged_into:
        return
    for element in lead.elements:
        ends = ("leads", lead.id), ("catalog_elements", element["id"])
        ledger.files.add_line("links", link(*ends, element["metadata"]))


def _hang(lead: Lead, number: int, catalog_id: int, quantity: float, price_id: int | None) -> None:
    metadata = {"quantity": quantity, "catalog_id": catalog_id, "price_id": price_id}
    lead.elements.append({"id": number, "metadata": metadata})


def _invoice(words: Random, ledger: Ledger, lead: Lead, at: int) -> None:
    number = ledger.id_at("element", at)
    state = words.choices(BILL_STATES, (20, 60, 12, 8))[0]
    price = f"{money(lead.kopecks)}"
    item: dict[str, Any] = {
        "sku": "KX-001", "description": words.choice(GOODS), "unit_price": money(lead.kopecks), "quantity": 1,
        "unit_type": "шт", "discount": {"type": "percentage", "value": 0}, "vat_rate_id": 1,
        "vat_rate_value": 20, "external_uid": "", "product_id": FIRST_PRODUCT + 1,
        "total_sum": money(lead.kopecks),
    }  # fmt: skip
    company = lead.customer.company
    payer = {"name": company.name if company else "Частное лицо",
             "type": "legal" if company else "individual", "vat_id": None}  # fmt: skip
    rows = [
        held("BILL_STATUS", values.chosen(state, BILL_CODES[state[0]])),
        held("BILL_PRICE", {"value": price}),
        held("PAYER", {"value": payer}),
        held("ITEMS", {"value": item}),
        held("BILL_COMMENT", {"value": "Без НДС"}),
        held("BILL_VAT_TYPE", values.chosen(VAT_TYPES[0])),
    ]
    if BILL_CODES[state[0]] == "paid":
        rows.append(held("BILL_PAYMENT_DATE", {"value": at}))
    by = ROBOT if words.random() < 0.3 else lead.owner_id
    row = _element(number, INVOICES, f"Счёт №{lead.id}", at, by, rows, ledger.account_id)
    ledger.files.add_by_id("catalog_elements", row)
    _hang(lead, number, INVOICES, 1, price_id=None)
