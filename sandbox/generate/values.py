"""Values of custom fields as rows show them: a builder for each type, and what this account's cards hold."""

from random import Random
from typing import Any

from sandbox.generate import fields
from sandbox.generate.department import DAY_S, ZONE_OFFSET_S, Row
from sandbox.generate.texts import ADDRESSES, LONG_TEXTS, POSITIONS, UTM_SOURCES, UTM_TERMS

FIRST_BIRTHDAY_S = -15 * 365 * DAY_S


def one(field_id: int, name: str, code: str | None, kind: str, *values: Row) -> Row:
    """A field with its values, in amoCRM's shape."""
    return {"field_id": field_id, "field_name": name, "field_code": code, "field_type": kind,
            "values": list(values)}  # fmt: skip


def chosen(pair: tuple[int, str], code: str | None = None) -> Row:
    """The value of a list: its text and its enum."""
    return {"value": pair[1], "enum_id": pair[0], "enum_code": code}


def multitext(field_id: int, texts: tuple[str, ...]) -> Row:
    """Phones or e-mails, each with a kind; the kinds repeat where there are many."""
    name, code, kinds = (
        ("Телефон", "PHONE", (fields.PHONE_KINDS[0], fields.PHONE_KINDS[2], *fields.PHONE_KINDS[3:]))
        if field_id == fields.PHONE
        else ("Email", "EMAIL", fields.EMAIL_KINDS)
    )
    values = [
        {"value": text, "enum_id": kinds[n % len(kinds)][0], "enum_code": kinds[n % len(kinds)][1]}
        for n, text in enumerate(texts)
    ]
    return one(field_id, name, code, "multitext", *values)


def kind_of(place: int) -> Row:
    """The "Тип" of a lead: a select."""
    return one(fields.KIND, "Тип", None, "select", chosen(fields.KINDS[place]))


def tracking(words: Random, lead_id: int) -> list[Row]:
    """The UTM fields of a lead that came through the site; not all of them are always there."""
    texts = (
        UTM_SOURCES[lead_id % len(UTM_SOURCES)], "cpc", f"kitchen_{lead_id % 9}", f"banner-{lead_id % 4}",
        UTM_TERMS[lead_id % len(UTM_TERMS)], "https://ya.example/?q=%D0%BA%D1%83%D1%85%D0%BD%D1%8F",
        str(words.getrandbits(60)),
    )  # fmt: skip
    count = (1, 3, 5, 7)[lead_id % 4]
    return [
        one(field_id, name, code, "tracking_data", {"value": text})
        for (field_id, name, code), text in list(zip(fields.TRACKING, texts, strict=True))[:count]
    ]


def questionnaire(words: Random, lead_id: int, at: int) -> list[Row]:
    """A lead whose card was filled in to the last field: every type that cards of leads may have."""
    day = at - (at + ZONE_OFFSET_S) % DAY_S
    uuid = f"{words.getrandbits(128):032x}"
    plain: dict[str, Any] = {
        "text": words.choice(LONG_TEXTS), "numeric": str(words.randint(10, 900) / 10),
        "checkbox": words.random() < 0.5, "date": day + 7 * DAY_S, "date_time": at + 5 * DAY_S,
        "url": f"https://files.example/{lead_id}?a=1&b=%D1%8F#x", "textarea": words.choice(LONG_TEXTS),
        "streetaddress": words.choice(ADDRESSES), "monetary": f"{words.randint(1000, 99999)}.50",
        "legal_entity": {"name": "ООО «Плательщик»", "entity_type": 1, "vat_id": "7707083893",
                         "tax_registration_reason_code": 773601001, "address": words.choice(ADDRESSES)},
        "file": {"file_uuid": uuid, "version_uuid": uuid, "file_name": "Договор №1 (скан).pdf",
                 "file_size": words.randint(1000, 10**7), "is_deleted": False},
        "chained_list": {"catalog_id": 2001, "catalog_element_id": 3001 + lead_id % 12},
        "linked_entity": {"name": "Фабрика «Север»", "entity_id": 3201, "entity_type": "catalog_elements",
                          "catalog_id": 2003},
    }  # fmt: skip
    rows = []
    for field_id, name, kind in fields.PLAIN_OF_LEADS:
        # Lists of lists hold the ids themselves, everything else wraps them in `value`.
        value = plain[kind] if kind == "chained_list" else {"value": plain[kind]}
        rows.append(one(field_id, name, None, kind, value))
    some = words.sample(fields.MATERIALS, k=words.randint(1, 3))
    rows.append(one(923, "Материалы", None, "multiselect", *(chosen(pair) for pair in some)))
    payment = chosen(words.choice(fields.PAYMENTS))
    rows.append(one(928, "Оплата", None, "radiobutton", payment))
    parts = ("ул. Лесная, 5", "кв. 12", "Москва", "Москва", "127055", "RU")
    lines = zip(fields.SMART_ADDRESS, parts, strict=True)
    address = [{"value": text, "enum_id": n, "enum_code": code} for n, (code, text) in enumerate(lines, 1)]
    return [*rows, one(930, "Адрес доставки", None, "smart_address", *address)]


def person_fields(words: Random) -> list[Row]:
    """What some contacts carry beside phones and e-mails."""
    born = FIRST_BIRTHDAY_S + words.randrange(40 * 365) * DAY_S
    return [
        one(fields.POSITION, "Должность", "POSITION", "text", {"value": words.choice(POSITIONS)}),
        one(fields.BIRTHDAY, "День рождения", None, "birthday", {"value": born}),
    ]


def company_fields(words: Random, inn: str | None, name: str) -> list[Row]:
    """What some companies carry beside phones, e-mails and their tax id."""
    legal = {"name": name, "entity_type": 1, "vat_id": inn or "", "address": words.choice(ADDRESSES)}
    return [
        one(fields.WEB, "Web", "WEB", "url", {"value": "https://company.example"}),
        one(fields.ADDRESS, "Адрес", "ADDRESS", "textarea", {"value": words.choice(ADDRESSES)}),
        one(fields.LEGAL, "Реквизиты", None, "legal_entity", {"value": legal}),
        one(fields.OUR_COMPANY, "Наше юрлицо", None, "org_legal_name", {"value": {"name": "ООО «Мебель»"}}),
    ]
