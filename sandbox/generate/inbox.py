"""Incoming leads of four categories: the item that waits in the unsorted, and what became of it."""

from random import Random
from typing import Any

from sandbox.generate.department import PIPELINES, SOURCES, Row
from sandbox.generate.disguise import written
from sandbox.generate.lead import Lead
from sandbox.generate.ledger import Ledger
from sandbox.generate.texts import CHAT_ORIGINS, FORM_NAMES, MAIL_SUBJECTS

# Category → its weight and the source of its leads.
CATEGORIES = {"forms": (45, "site"), "sip": (25, "sip"), "chats": (20, "tg"), "mail": (10, "mail")}
_SOURCE_OF = {row["external_id"]: row for row in SOURCES}


def some_category(words: Random) -> str:
    """How a lead comes in."""
    return words.choices(list(CATEGORIES), [weight for weight, _ in CATEGORIES.values()])[0]


def source_of(category: str) -> Row:
    """The account's source behind a category."""
    return _SOURCE_OF[CATEGORIES[category][1]]


def tell(words: Random, ledger: Ledger, lead: Lead, category: str, fate: tuple[str, int, int] | None) -> None:
    """Write the waiting item, if it still waits, and what became of it into the truth."""
    uid = f"{words.getrandbits(160):040x}"
    result, sorted_at, user_id = fate or (None, None, None)
    came_to = next(
        each.id for each in PIPELINES.values() if each.unsorted_id == lead.visits[0].status_id
    )  # fmt: skip
    ledger.truth.unsorted({
        "uid": uid, "category": category, "lead_id": lead.id, "pipeline_id": came_to,
        "created_at": lead.created_at, "result": result, "sorted_at": sorted_at, "user_id": user_id,
    })  # fmt: skip
    if lead.is_unsorted and not lead.is_deleted and lead.merged_into is None:
        ledger.files.add("unsorted", _row(words, ledger, lead, category, uid))


def _row(words: Random, ledger: Ledger, lead: Lead, category: str, uid: str) -> Row:
    source = source_of(category)
    customer = lead.customer
    return {
        "uid": uid, "source_uid": source["external_id"], "source_name": source["name"], "category": category,
        "pipeline_id": lead.pipeline_id, "created_at": lead.created_at,
        "metadata": METADATA[category](words, lead), "account_id": ledger.account_id,
        "_embedded": {
            "leads": [{"id": lead.id}], "contacts": [{"id": card.id} for card in customer.contacts],
            "companies": [{"id": customer.company.id}] if customer.company else [],
        },
    }  # fmt: skip


def _form(words: Random, lead: Lead) -> Row:
    return {
        "form_id": f"form-{lead.id % 3}", "form_name": words.choice(FORM_NAMES), "form_type": 1,
        "form_page": "https://shop.example/", "form_sent_at": lead.created_at, "ip": "192.0.2.10",
        "referer": "https://ya.example/", "visitor_uid": None,
    }  # fmt: skip


def _call(words: Random, lead: Lead) -> Row:
    numbers = [number for card in lead.customer.contacts for number in card.numbers]
    return {
        "from": written(words, numbers[0]) if numbers else "anonymous", "phone": "+7 495 100-00-01",
        "called_at": lead.created_at, "duration": words.choice((0, 12, 74)),
        "link": f"https://records.example/in/{lead.id}.mp3", "service_code": "mango",
        "uniq": f"{words.getrandbits(64):016x}", "call_responsible": lead.owner_id,
    }  # fmt: skip


def _mail(words: Random, lead: Lead) -> Row:
    mails = [mail for card in lead.customer.contacts for mail in card.mails]
    return {
        "from": {"email": mails[0] if mails else "unknown@client.example", "name": ""},
        "received_at": lead.created_at, "subject": words.choice(MAIL_SUBJECTS), "thread_id": lead.id * 10,
        "message_id": lead.id * 10 + 1, "content_summary": "Здравствуйте! Сколько стоит кухня?",
    }  # fmt: skip


def _chat(words: Random, lead: Lead) -> Row:
    origin: dict[str, Any] = {"chat_id": f"{words.getrandbits(128):032x}", "ref": None, "visitor_uid": None}
    name = lead.customer.contacts[0].name if lead.customer.contacts else "Гость"
    return {
        "from": name, "to": "Отдел продаж", "received_at": lead.created_at,
        "service": words.choice(CHAT_ORIGINS), "client": {"name": name, "avatar": None}, "origin": origin,
        "last_message_text": "Здравствуйте 👋", "source_name": source_of("chats")["name"],
    }  # fmt: skip


METADATA = {"forms": _form, "sip": _call, "mail": _mail, "chats": _chat}
