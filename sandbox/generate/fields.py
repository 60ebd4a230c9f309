"""Custom fields: their definitions as `GET /{entity}/custom_fields` shows them. Values are in `values.py`."""

from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.generate.department import Row

PHONE, EMAIL, POSITION, BIRTHDAY = 301, 303, 305, 306
UTM, KIND = 910, 911
INN, WEB, ADDRESS, LEGAL, OUR_COMPANY = 951, 952, 953, 954, 955
LOYALTY = 971
KINDS = ((77, "Опт"), (78, "Розница"), (79, "Дизайнер"))
MATERIALS = ((81, "Дуб"), (82, "МДФ"), (83, "Стекло"), (84, "Металл 🔩"))
PAYMENTS = ((86, "Наличные"), (87, "Карта"), (88, "Счёт"))
LOYALTIES = ((91, "Бронза"), (92, "Серебро"), (93, "Золото"))
SMART_ADDRESS = ("address_line_1", "address_line_2", "city", "state", "zip", "country")
PHONE_KINDS = ((711, "WORK"), (713, "WORKDD"), (715, "MOB"), (717, "FAX"), (719, "HOME"), (721, "OTHER"))
EMAIL_KINDS = ((723, "WORK"), (725, "PRIV"), (727, "OTHER"))
# (id, name, code, type): the predefined tracking fields of leads.
TRACKING = (
    (910, "utm_source", "UTM_SOURCE"),
    (912, "utm_medium", "UTM_MEDIUM"),
    (913, "utm_campaign", "UTM_CAMPAIGN"),
    (914, "utm_content", "UTM_CONTENT"),
    (915, "utm_term", "UTM_TERM"),
    (916, "utm_referrer", "UTM_REFERRER"),
    (917, "yclid", "YCLID"),
)
PLAIN_OF_LEADS = (
    (920, "Комментарий", "text"),
    (921, "Площадь, м²", "numeric"),
    (922, "Нужен монтаж", "checkbox"),
    (924, "Дата замера", "date"),
    (925, "Начало монтажа", "date_time"),
    (926, "Макет", "url"),
    (927, "Пожелания", "textarea"),
    (929, "Адрес", "streetaddress"),
    (931, "Юрлицо плательщика", "legal_entity"),
    (932, "Себестоимость", "monetary"),
    (933, "Договор", "file"),
    (934, "Коллекция", "chained_list"),
    (935, "Поставщик", "linked_entity"),
)


def definition(field_id: int, name: str, code: str | None, kind: str, entity: str, **more: Any) -> Row:
    """A field as `GET …/custom_fields` shows it, yet without account and place."""
    return {
        "id": field_id, "name": name, "type": kind, "account_id": 0, "code": code, "sort": 500,
        "is_api_only": False, "enums": None, "group_id": None, "required_statuses": [],
        "is_deletable": True, "is_predefined": False, "is_visible": True, "is_required": False,
        "entity_type": entity, "nested": None, "tracking_callback": None, "remind": None, "triggers": [],
        "currency": None, "hidden_statuses": [], "chained_lists": None, "search_in": None, "settings": None,
    } | more  # fmt: skip


def enums_of(pairs: Sequence[tuple[int, str]], *, coded: bool = False) -> list[Row]:
    """The choices of a field, given as (id, text)."""
    return [
        {"id": enum_id, "value": value, "sort": 500 + n, "code": value if coded else None}
        for n, (enum_id, value) in enumerate(pairs)
    ]


def _of_leads() -> Iterable[Row]:
    for field_id, name, code in TRACKING:
        yield definition(
            field_id, name, code, "tracking_data", "leads", is_predefined=True, is_deletable=False
        )
    yield definition(KIND, "Тип", None, "select", "leads", enums=enums_of(KINDS))
    yield definition(923, "Материалы", None, "multiselect", "leads", enums=enums_of(MATERIALS))
    yield definition(928, "Оплата", None, "radiobutton", "leads", enums=enums_of(PAYMENTS))
    places = list(enumerate(SMART_ADDRESS, start=1))
    yield definition(930, "Адрес доставки", None, "smart_address", "leads",
                 enums=[{"id": n, "value": code, "sort": n, "code": code} for n, code in places])  # fmt: skip
    for field_id, name, kind in PLAIN_OF_LEADS:
        more: Row = {"currency": "RUB"} if kind == "monetary" else {}
        if kind == "chained_list":
            more = {"chained_lists": [{"catalog_id": 2001, "title": "Товары", "parent_catalog_id": None}]}
        yield definition(field_id, name, None, kind, "leads", **more)


def _reach(entity: str) -> list[Row]:
    phones, mails = enums_of(PHONE_KINDS, coded=True), enums_of(EMAIL_KINDS, coded=True)
    return [
        definition(PHONE, "Телефон", "PHONE", "multitext", entity, enums=phones, is_predefined=True),
        definition(EMAIL, "Email", "EMAIL", "multitext", entity, enums=mails, is_predefined=True),
    ]


def custom_field_rows(account_id: int) -> dict[str, list[Row]]:
    """File → definitions, for leads, contacts, companies and customers."""
    rows = {
        "custom_fields_leads": list(_of_leads()),
        "custom_fields_contacts": [
            *_reach("contacts"),
            definition(POSITION, "Должность", "POSITION", "text", "contacts", is_predefined=True),
            definition(BIRTHDAY, "День рождения", None, "birthday", "contacts", remind="never"),
        ],
        "custom_fields_companies": [
            *_reach("companies"),
            definition(INN, "ИНН", "INN", "text", "companies"),
            definition(WEB, "Web", "WEB", "url", "companies", is_predefined=True),
            definition(ADDRESS, "Адрес", "ADDRESS", "textarea", "companies", is_predefined=True),
            definition(LEGAL, "Реквизиты", None, "legal_entity", "companies"),
            definition(OUR_COMPANY, "Наше юрлицо", None, "org_legal_name", "companies"),
        ],
        "custom_fields_customers": [
            definition(LOYALTY, "Уровень", None, "select", "customers", enums=enums_of(LOYALTIES)),
        ],
    }
    return {
        name: [row | {"account_id": account_id, "sort": 500 + n} for n, row in enumerate(fields)]
        for name, fields in rows.items()
    }
