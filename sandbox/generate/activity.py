"""What people do around a lead: calls, messages, mails, notes and tasks, on the lead and on its contacts."""

import math
from random import Random
from typing import Any

from sandbox.generate.department import (
    BY_ID,
    DAY_S,
    DISMISSED,
    DISMISSED_AGO_S,
    HEAD,
    ROBOT,
    TASK_ESTIMATE,
    TASK_FOLLOW_UP,
    TASK_MEETING,
    ZONE_OFFSET_S,
    Row,
)
from sandbox.generate.lead import Lead
from sandbox.generate.ledger import Ledger
from sandbox.generate.schedule import working
from sandbox.generate.texts import (
    CALL_RESULTS,
    CUSTOM_TASKS,
    DONE_RESULTS,
    FOLLOW_UP_TASKS,
    FREE_TASKS,
    HELD_RESULTS,
    MAIL_SUBJECTS,
    MEETING_TASKS,
    NOT_HELD_RESULTS,
    NOTES,
)

Entity = tuple[str, int]
TASK_TEXTS: dict[int, tuple[str, ...]] = {
    TASK_FOLLOW_UP: FOLLOW_UP_TASKS,
    TASK_MEETING: MEETING_TASKS,
    TASK_ESTIMATE: CUSTOM_TASKS,
}
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies"}


class Activity:
    """Writes the activity around one lead whose course is already told. `until` is its end or the present."""

    def __init__(self, lead: Lead, words: Random, ledger: Ledger, *, until: int) -> None:
        self.lead, self.words, self.ledger, self.until = lead, words, ledger, until

    def write(self, *, must_call_from: int | None = None) -> None:
        """All of it; `must_call_from` asks for one more call by the owner between that moment and the end."""
        if must_call_from is not None:
            at = self.words.randint(max(must_call_from, self.lead.created_at), self.until)
            self._call(at, "call_out", answered=True)
        if self.words.random() < 0.93 and not self.lead.is_unsorted:
            self._first_touch()
            for _ in range(self.words.choices((0, 1, 2, 3, 5), (40, 32, 16, 8, 4))[0]):
                self._call(self._moment(), self.words.choice(("call_in", "call_out", "call_out")))
        for _ in range(self.words.choices((0, 1, 2), (60, 30, 10))[0]):
            self._common(self._moment())
        if self.words.random() < 0.16:
            self._chat()
        for _ in range(self.words.choices((0, 1, 2, 3), (14, 40, 30, 16))[0]):
            self._task(self._moment())

    # -- moments and people

    def _moment(self) -> int:
        """Some moment of the lead's life, denser at its beginning."""
        start = self.lead.created_at
        raw = start + int((self.until - start) * self.words.random() ** 1.7)
        at = working(self.words, raw)
        return at if at <= self.until else raw

    def _owner(self, at: int) -> int:
        """The owner then, or the head where that person was already dismissed."""
        owner = self.lead.owner_at(at)
        return HEAD if owner == DISMISSED and at >= self.ledger.now_s - DISMISSED_AGO_S else owner

    def _place(self) -> Entity:
        """Where a call, note or task is put: the lead, its main contact, rarely its company."""
        customer, chance = self.lead.customer, self.words.random()
        if customer.contacts and chance < 0.4:
            return "contact", customer.contacts[0].id
        if customer.company and chance > 0.96:
            return "company", customer.company.id
        return "lead", self.lead.id

    def _first_touch(self) -> None:
        delay = 2400 * math.exp(self.words.gauss(0, 1.6))
        at = working(self.words, self.lead.created_at + 1 + round(delay))
        if at > self.until:
            return
        kind = self.words.choices(("call_out", "call_in", "mail", "sms"), (74, 14, 8, 4))[0]
        if kind in ("call_out", "call_in"):
            self._call(at, kind)
        elif kind == "mail":
            self._mail(at)
        else:
            self._sms(at)

    # -- calls

    def _phone(self) -> str:
        phones = [number for card in self.lead.customer.contacts for number in card.phones]
        return self.words.choice(phones) if phones else f"+7999{self.lead.id:07d}"

    def _call(self, at: int, kind: str, *, answered: bool | None = None) -> None:
        words, who = self.words, self._owner(at)
        if answered is None:
            answered = words.random() < (0.8 if kind == "call_in" else 0.68)
        talk_s = max(1, round(words.lognormvariate(4.5, 1.0)))
        duration = talk_s if answered else words.choices((0, 11), (9, 1))[0]
        uniq = f"{words.getrandbits(64):016x}.{self.lead.id}" if words.random() < 0.9 else None
        params: dict[str, Any] = {
            "uniq": uniq, "duration": duration, "source": words.choice(("mango", "uis", "beeline")),
            "link": f"https://records.example/{self.lead.id}/{at}.mp3" if answered else None,
            "phone": self._phone(), "call_result": words.choice(CALL_RESULTS),
        }  # fmt: skip
        # An eleven-second "no answer" is ringing time: only the status tells.
        if not answered or words.random() < 0.7:
            talked, missed = words.choices((4, 2, 5, 8), (90, 6, 2, 2))[0], words.choice((6, 6, 7, 3, 1))
            if answered or duration or words.random() < 0.7:
                params["call_status"] = talked if answered else missed
        params["call_responsible"], by = self._responsible(who)
        if params["call_responsible"] is None:
            del params["call_responsible"]
        place = self._place()
        event = "incoming_call" if kind == "call_in" else "outgoing_call"
        self.ledger.note(at, kind, place, params, by=by, owner=who, event=event)
        self._repeat(at, kind, place, params, by=by, who=who)

    def _responsible(self, who: int) -> tuple[int | str | None, int]:
        """`call_responsible` and `created_by`: an id, a text of some kind, or nothing and a human author."""
        person = BY_ID[who]
        shape = self.words.choices(
            ("id", "digits", "name", "email", "phone", "extension", "author", "nobody"),
            (64, 3, 3, 2, 2, 3, 20, 3),
        )[0]
        text: dict[str, int | str | None] = {
            "id": who, "digits": str(who), "name": person.name, "email": person.email.upper(),
            "phone": person.phone.replace("+7", "8"), "extension": f"доб. {who - 400}", "author": None,
            "nobody": None,
        }  # fmt: skip
        return text[shape], who if shape in ("author", "extension") else ROBOT

    def _repeat(self, at: int, kind: str, place: Entity, params: Row, *, by: int, who: int) -> None:
        """Sometimes telephony and a widget both log a call: same `uniq`, or none and almost one second."""
        again = at + self.words.randint(0, 4)
        if self.words.random() >= (0.04 if params["uniq"] else 0.15) or again > self.until:
            return
        copy = dict(params)
        if params["uniq"]:
            copy["duration"] = max(0, params["duration"] - self.words.choice((0, 3, 20)))
        self.ledger.note(again, kind, place, copy, by=by, owner=who, event=None)

    # -- texts

    def _common(self, at: int) -> None:
        robot = self.words.random() < 0.1
        who = self._owner(at)
        params = {"text": self.words.choice(NOTES)}
        by = ROBOT if robot else who
        self.ledger.note(at, "common", self._place(), params, by=by, owner=who, event="common_note_added")

    def _mail(self, at: int) -> None:
        who = self._owner(at)
        mails = [mail for card in self.lead.customer.contacts for mail in card.emails]
        params = {
            "thread_id": self.lead.id * 10, "message_id": self.lead.id * 10 + 1, "private": False,
            "income": False,
            "from": {"email": BY_ID[who].email, "name": BY_ID[who].name},
            "to": {"email": mails[0] if mails else "info@client.example", "name": ""},
            "subject": self.words.choice(MAIL_SUBJECTS), "attach_cnt": 1,
            "content_summary": "Добрый день! Во вложении расчёт.",
            "delivery": {"status": "delivered", "time": at},
        }  # fmt: skip
        place = ("lead", self.lead.id)
        self.ledger.note(at, "amomail_message", place, params, by=who, owner=who, event="outgoing_mail")

    def _sms(self, at: int) -> None:
        who = self._owner(at)
        params = {"text": "Добрый день! Ваша заявка принята.", "phone": self._phone()}
        place = ("lead", self.lead.id)
        self.ledger.note(at, "sms_out", place, params, by=who, owner=who, event="outgoing_sms")

    def _chat(self) -> None:
        """A talk: the client writes, the owner or a robot answers; a fifth of them stand on the contact."""
        words, talk_id = self.words, self.ledger.next_id("talk")
        contact = self.lead.customer.contacts[0] if self.lead.customer.contacts else None
        place: Entity = ("lead", self.lead.id)
        if contact and words.random() < 0.2:
            place = ("contact", contact.id)
        start = at = self._moment()
        answered_at = None
        for number in range(words.randint(1, 4)):
            message_id = f"{words.getrandbits(128):032x}"
            message = [{"message": {"id": message_id, "origin": "telegram", "talk_id": talk_id}}]
            if number % 2 == 0:
                self.ledger.event(at, "incoming_chat_message", place, by=ROBOT, after=message)
            else:
                by = ROBOT if words.random() < 0.2 else self._owner(at)
                self.ledger.event(at, "outgoing_chat_message", place, by=by, after=message)
                answered_at = at
            later = at + words.randint(20, 3600)
            if later > self.until:
                break
            at = later
        self.ledger.files.add("talks", {
            "talk_id": talk_id, "created_at": start, "updated_at": at, "rate": 0,
            "contact_id": contact.id if contact else None, "chat_id": f"{words.getrandbits(128):032x}",
            "entity_id": self.lead.id, "entity_type": "lead", "is_in_work": answered_at is None,
            "is_read": answered_at is not None, "origin": "telegram", "missed_at": None,
            "account_id": self.ledger.account_id,
        })  # fmt: skip

    # -- tasks

    def _task(self, at: int) -> None:
        words = self.words
        kind = words.choices((TASK_FOLLOW_UP, TASK_MEETING, TASK_ESTIMATE), (74, 18, 8))[0]
        text = words.choice(TASK_TEXTS[kind])
        place = self._place()
        deadline = write_task(
            words, self.ledger, place, at=at, owner=self._owner(at), kind=kind, text=text,
            until=self.until, closed=self.lead.is_closed or self.lead.is_deleted,
        )  # fmt: skip
        if deadline is not None:
            cards = {(card.kind, card.id): card.deadlines for card in self.lead.customer.cards}
            cards.get(place, self.lead.deadlines).append(deadline)


def write_task(
    words: Random,
    ledger: Ledger,
    place: Entity | None,
    *,
    at: int,
    owner: int,
    kind: int,
    text: str,
    until: int,
    closed: bool,
) -> int | None:
    """One task with its events. Answers its deadline when it is still open, else None."""
    task_id, now_s = ledger.next_id("task"), ledger.now_s
    entity = ("task", task_id)
    creator = words.choices((owner, ROBOT, HEAD), (75, 18, 7))[0]
    till = _deadline(words, at)
    ledger.event(at, "task_added", entity, by=creator)
    changed_at, changed_by = at, creator
    if words.random() < 0.1:
        moved_at = words.randint(at, till + DAY_S)
        if moved_at <= until:
            later = _deadline(words, moved_at)
            ledger.event(moved_at, "task_deadline_changed", entity, by=owner,
                         before=[{"task_deadline": {"timestamp": till}}],
                         after=[{"task_deadline": {"timestamp": later}}])  # fmt: skip
            till, changed_at, changed_by = later, moved_at, owner
    late = words.random() < 0.2
    done_at = changed_at + int((till - changed_at) * words.random())
    if late:
        done_at = till + words.randint(600, 3 * DAY_S)
    done_at = min(done_at, until) if closed else done_at
    forgotten = words.random() < (0.03 if closed else 0.15)
    completed = not forgotten and changed_at <= done_at <= min(until, now_s)
    result: Any = []
    if completed:
        changed_at, changed_by = done_at, ROBOT if words.random() < 0.06 else owner
        result = _result(words, kind)
        ledger.event(done_at, "task_completed", entity, by=changed_by)
    ledger.task(task_id, (PLURAL[place[0]], place[1]) if place else (None, None), {
        "created_by": creator, "updated_by": changed_by, "created_at": at, "updated_at": changed_at,
        "owner": owner, "duration": 3600 if kind == TASK_MEETING else 0, "is_completed": completed,
        "type": kind, "text": text, "result": result, "complete_till": till,
    })  # fmt: skip
    return None if completed else till


def free_task(words: Random, ledger: Ledger, *, at: int, owner: int) -> None:
    """A task that hangs on nothing."""
    write_task(words, ledger, None, at=at, owner=owner, kind=TASK_FOLLOW_UP, text=words.choice(FREE_TASKS),
               until=ledger.now_s, closed=False)  # fmt: skip


def _deadline(words: Random, at: int) -> int:
    """One to ten days ahead; every third is "all day", that is 23:59 local time."""
    till = working(words, at + words.randint(3600, 10 * DAY_S))
    if words.random() < 0.33:
        till = till - (till + ZONE_OFFSET_S) % DAY_S + DAY_S - 60
    return till


def _result(words: Random, kind: int) -> Any:
    if words.random() < 0.35:
        return []
    texts: tuple[str, ...] = DONE_RESULTS
    if kind == TASK_MEETING:
        texts = HELD_RESULTS if words.random() < 0.75 else NOT_HELD_RESULTS
    return {"text": words.choice(texts)}
