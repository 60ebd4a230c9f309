"""What is written around a lead: mails, SMS, chats with their talks, and notes of the rarer kinds."""

from collections.abc import Callable
from random import Random
from typing import Any

from sandbox.generate.department import BY_ID, ROBOT, Row
from sandbox.generate.files import to_text
from sandbox.generate.lead import Lead
from sandbox.generate.ledger import Ledger
from sandbox.generate.texts import CHAT_ORIGINS, HOSTILE, MAIL_SUBJECTS, NOTES, SMS_TEXTS

Entity = tuple[str, int]
SITE_EVENTS = {
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "geolocation": "geo_note_added",
    "attachment": "attachment_note_added",
    "site_visit": "site_visit_note_added",
    "message_cashier": "message_to_cashier_note_added",
}


def note_text(words: Random) -> str:
    """The text of a common note; some would break a careless page, table or query."""
    return words.choice(HOSTILE) if words.random() < 0.08 else words.choice(NOTES)


class Messages:
    """Writes the texts around one lead; `owner` answers who was responsible at a moment."""

    def __init__(
        self,
        lead: Lead,
        words: Random,
        ledger: Ledger,
        *,
        until: int,
        owner: Callable[[int], int],
        phone: Callable[[], str],
    ) -> None:
        self._lead, self._words, self._ledger, self._until = lead, words, ledger, until
        self._owner, self._phone = owner, phone
        self._place: Entity = ("lead", lead.id)

    def some(self, at: int) -> None:
        """One text of a rarer kind."""
        kind = self._words.choice(("mail", "sms", *SITE_EVENTS))
        if kind == "mail":
            self.mail(at, income=True)
        elif kind == "sms":
            self.sms(at, income=True)
        else:
            by = ROBOT if kind != "attachment" else self._owner(at)
            self._ledger.note(at, kind, self._place, self._params(kind), by=by, owner=self._owner(at),
                              event=SITE_EVENTS[kind])  # fmt: skip

    def _params(self, kind: str) -> Row:
        uuid = f"{self._words.getrandbits(128):032x}"
        params: dict[str, Row] = {
            "service_message": {"service": "Робот", "text": "Заявка распределена"},
            "extended_service_message": {"service": "Оплата", "text": "Счёт выставлен\nСрок 3 дня"},
            "geolocation": {"text": "Клиент на карте", "address": "Москва, Лесная, 5", "longitude": "37.59",
                            "latitude": "55.78"},
            "attachment": {"original_name": "Чертёж <1>.pdf", "attachment": f"{uuid}.pdf", "file_uuid": uuid,
                           "version_uuid": uuid, "file_name": "Чертёж <1>.pdf", "is_drive_attachment": True},
            "site_visit": {"text": "Смотрит каталог", "url": "https://shop.example/kitchen?x=1&y=2"},
            "message_cashier": {"status": "created", "text": "Чек создан"},
        }  # fmt: skip
        return params[kind]

    def mail(self, at: int, *, income: bool = False) -> None:
        """A letter of the owner, or of the client (`income`)."""
        who, words = self._owner(at), self._words
        mails = [mail for card in self._lead.customer.contacts for mail in card.mails]
        ours = {"email": BY_ID[who].email, "name": BY_ID[who].name}
        theirs = {"email": mails[0] if mails else "info@client.example", "name": ""}
        params: dict[str, Any] = {
            "thread_id": self._lead.id * 10, "message_id": self._lead.id * 10 + 1 + income, "private": False,
            "income": income, "from": theirs if income else ours, "to": ours if income else theirs,
            "subject": words.choice(MAIL_SUBJECTS), "attach_cnt": 0 if income else 1,
            "content_summary": "Спасибо, посмотрим." if income else "Добрый день! Во вложении расчёт.",
            "delivery": None if income else {"status": "delivered", "time": at},
        }  # fmt: skip
        self._ledger.note(at, "amomail_message", self._place, params, by=ROBOT if income else who, owner=who,
                          event="incoming_mail" if income else "outgoing_mail")  # fmt: skip

    def sms(self, at: int, *, income: bool = False) -> None:
        """A short message of the owner, or of the client (`income`)."""
        who = self._owner(at)
        text = self._words.choice(SMS_TEXTS) if income else "Добрый день! Ваша заявка принята."
        self._ledger.note(at, "sms_in" if income else "sms_out", self._place,
                          {"text": text, "phone": self._phone()}, by=ROBOT if income else who, owner=who,
                          event="incoming_sms" if income else "outgoing_sms")  # fmt: skip

    def chat(self, start: int) -> None:
        """A talk: the client writes, the owner or a robot answers; a fifth of them stand on the contact."""
        words, talk_id = self._words, self._ledger.id_at("talk", start)
        contact = self._lead.customer.contacts[0] if self._lead.customer.contacts else None
        place: Entity = ("contact", contact.id) if contact and words.random() < 0.2 else self._place
        origin, told = words.choice(CHAT_ORIGINS), [{"talk": {"id": talk_id}}]
        self._ledger.event(start, "talk_created", place, by=ROBOT, after=told)
        at, answered_at = start, None
        for number in range(words.randint(1, 4)):
            message = [
                {"message": {"id": f"{words.getrandbits(128):032x}", "origin": origin, "talk_id": talk_id}}
            ]
            if number % 2 == 0:
                self._ledger.event(at, "incoming_chat_message", place, by=ROBOT, after=message)
            else:
                by = ROBOT if words.random() < 0.2 else self._owner(at)
                self._ledger.event(at, "outgoing_chat_message", place, by=by, after=message)
                if answered_at is None:
                    self._ledger.event(at, "conversation_answered", place, by=by, after=told)
                answered_at = at
            later = at + words.randint(20, 3600)
            if later > self._until:
                break
            at = later
        is_closed = answered_at is not None and words.random() < 0.8
        if is_closed:
            self._ledger.event(at, "talk_closed", place, by=self._owner(at), after=told)
        row = {
            "talk_id": talk_id, "created_at": start, "updated_at": at, "rate": 0,
            "contact_id": contact.id if contact else None, "chat_id": f"{words.getrandbits(128):032x}",
            "entity_id": self._lead.id, "entity_type": "lead", "is_in_work": not is_closed,
            "is_read": answered_at is not None, "origin": origin, "missed_at": None,
            "account_id": self._ledger.account_id,
        }  # fmt: skip
        self._ledger.files.add_sorted("talks", talk_id, to_text(row))
