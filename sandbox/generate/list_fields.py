"""Fields of the elements of lists: their definitions and, by their codes, values in amoCRM's shape."""

from collections.abc import Iterable

from sandbox.generate import values
from sandbox.generate.department import Row
from sandbox.generate.fields import definition, enums_of

PRODUCTS, INVOICES, SUPPLIERS, SHOWROOMS = 2001, 2002, 2003, 2004
BILL_STATES = ((5001, "Создан"), (5002, "Оплачен"), (5003, "Частично оплачен"), (5004, "Аванс"))
BILL_CODES = {5001: "created", 5002: "paid", 5003: "partially_paid", 5004: "paid_in_advance"}
KINDS_OF_GOODS = ((5101, "Кухни"), (5102, "Шкафы"), (5103, "Двери"))
UNITS = ((5201, "шт"), (5202, "м²"))
VAT_TYPES = ((5301, "Не облагается"), (5302, "Включён в цену"))
PRICE = 984
# Code → (id, list, name, type, choices).
FIELDS: dict[str, tuple[int, int, str, str, tuple[tuple[int, str], ...] | None]] = {
    "SKU": (981, PRODUCTS, "Артикул", "text", None),
    "DESCRIPTION": (982, PRODUCTS, "Описание", "textarea", None),
    "GROUP": (983, PRODUCTS, "Группа", "category", KINDS_OF_GOODS),
    "PRICE": (PRICE, PRODUCTS, "Цена", "price", None),
    "UNIT": (985, PRODUCTS, "Единица", "select", UNITS),
    "BILL_STATUS": (990, INVOICES, "Статус", "select", BILL_STATES),
    "BILL_PRICE": (991, INVOICES, "Сумма", "numeric", None),
    "BILL_PAYMENT_DATE": (992, INVOICES, "Оплачен", "date_time", None),
    "PAYER": (993, INVOICES, "Плательщик", "payer", None),
    "ITEMS": (994, INVOICES, "Позиции", "items", None),
    "BILL_COMMENT": (995, INVOICES, "Комментарий", "textarea", None),
    "BILL_VAT_TYPE": (996, INVOICES, "НДС", "select", VAT_TYPES),
    "SUPPLIER": (997, SUPPLIERS, "Реквизиты", "supplier", None),
}


def list_field_rows(account_id: int) -> Iterable[Row]:
    """`GET /catalogs/{id}/custom_fields` of every list, each with the id of its list."""
    for n, (code, (field_id, catalog_id, name, kind, choices)) in enumerate(FIELDS.items()):
        enums = enums_of(choices) if choices else None
        if enums and code == "BILL_STATUS":
            enums = [enum | {"code": BILL_CODES[enum["id"]]} for enum in enums]
        row = definition(field_id, name, code, kind, "catalogs", enums=enums, is_predefined=True)
        yield row | {"account_id": account_id, "sort": 500 + n, "catalog_id": catalog_id}


def held(code: str, value: Row) -> Row:
    """The field of that code with one value."""
    field_id, _, name, kind, _ = FIELDS[code]
    return values.one(field_id, name, code, kind, value)
