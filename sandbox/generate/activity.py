"""What people do around a lead: calls, notes and tasks, on the lead, its contacts and company."""

import math
from random import Random
from typing import Any

from sandbox.generate.department import (
    BY_ID,
    HEAD,
    ROBOT,
    TASK_ESTIMATE,
    TASK_FOLLOW_UP,
    TASK_MEETING,
    Row,
    is_gone,
)
from sandbox.generate.disguise import written
from sandbox.generate.lead import Lead
from sandbox.generate.ledger import Ledger
from sandbox.generate.messages import Messages, note_text
from sandbox.generate.schedule import working
from sandbox.generate.tasks import task_text, write_task
from sandbox.generate.texts import CALL_RESULTS

Entity = tuple[str, int]


class Activity:
    """Writes the activity around one lead whose course is already told. `until` is its end or the present."""

    def __init__(self, lead: Lead, words: Random, ledger: Ledger, *, until: int) -> None:
        self.lead, self.words, self.ledger, self.until = lead, words, ledger, until
        self._texts = Messages(lead, words, ledger, until=until, owner=self._owner, phone=self._phone)

    def write(self, *, must_call_from: int | None = None) -> None:
        """All of it; `must_call_from` asks for one more call by the owner between that moment and the end."""
        words, lead = self.words, self.lead
        if must_call_from is not None:
            at = words.randint(max(must_call_from, lead.created_at), self.until)
            self._call(at, "call_out", answered=True)
        chance = words.random()
        if chance > 0.96 and must_call_from is None:
            self._unanswered()
            return
        if chance < 0.93 and not lead.is_unsorted:
            self._first_touch()
            for _ in range(words.choices((0, 1, 2, 3, 5), cum_weights=(40, 72, 88, 96, 100))[0]):
                self._call(self._moment(), words.choice(("call_in", "call_out", "call_out")))
        for _ in range(words.choices((0, 1, 2), cum_weights=(60, 90, 100))[0]):
            self._common(self._moment())
        if words.random() < 0.06:
            self._texts.some(self._moment())
        if words.random() < 0.16:
            self._texts.chat(self._moment())
        for _ in range(words.choices((0, 1, 2, 3), cum_weights=(14, 54, 84, 100))[0]):
            self._task(self._moment())

    def _unanswered(self) -> None:
        """The client tried once or twice, and nobody ever answered."""
        for _ in range(self.words.randint(0, 2)):
            self._call(self._moment(), "call_in", answered=False)

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
        return HEAD if is_gone(owner, at, self.ledger.now_s) else owner

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
        kind = self.words.choices(("call_out", "call_in", "mail", "sms"), cum_weights=(74, 88, 96, 100))[0]
        if kind in ("call_out", "call_in"):
            self._call(at, kind)
        elif kind == "mail":
            self._texts.mail(at)
        else:
            self._texts.sms(at)

    # -- calls

    def _phone(self) -> str:
        numbers = [number for card in self.lead.customer.contacts for number in card.numbers]
        return written(self.words, self.words.choice(numbers)) if numbers else f"+7999{self.lead.id:07d}"

    def _call(self, at: int, kind: str, *, answered: bool | None = None) -> None:
        words, who = self.words, self._owner(at)
        if answered is None:
            answered = words.random() < (0.8 if kind == "call_in" else 0.68)
        talk_s = max(1, round(words.lognormvariate(4.5, 1.0)))
        duration = talk_s if answered else words.choices((0, 11), cum_weights=(9, 10))[0]
        uniq = f"{words.getrandbits(64):016x}.{self.lead.id}" if words.random() < 0.9 else None
        params: dict[str, Any] = {
            "uniq": uniq, "duration": duration, "source": words.choice(("mango", "uis", "beeline")),
            "link": f"https://records.example/{self.lead.id}/{at}.mp3" if answered else None,
            "phone": self._phone(), "call_result": words.choice(CALL_RESULTS),
        }  # fmt: skip
        # An eleven-second "no answer" is ringing time: only the status tells.
        if not answered or words.random() < 0.7:
            talked, missed = (
                words.choices((4, 2, 5, 8), cum_weights=(90, 96, 98, 100))[0],
                words.choice((6, 6, 7, 3, 1)),
            )
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

    # -- notes and tasks

    def _common(self, at: int) -> None:
        robot = self.words.random() < 0.1
        who = self._owner(at)
        by = ROBOT if robot else who
        text = {"text": note_text(self.words)}
        self.ledger.note(at, "common", self._place(), text, by=by, owner=who, event="common_note_added")

    def _task(self, at: int) -> None:
        words, regular = self.words, self.lead.customer.regular
        kind = words.choices((TASK_FOLLOW_UP, TASK_MEETING, TASK_ESTIMATE), cum_weights=(74, 92, 100))[0]
        place = self._place()
        if regular and kind == TASK_FOLLOW_UP and at >= regular.created_at:
            place = ("customer", regular.id)
        deadline = write_task(
            words, self.ledger, place, at=at, owner=self._owner(at), kind=kind, text=task_text(words, kind),
            until=self.until, closed=self.lead.is_closed or self.lead.is_deleted,
        )  # fmt: skip
        if deadline is not None:
            cards = {(card.kind, card.id): card.deadlines for card in self.lead.customer.cards}
            if regular:
                cards[("customer", regular.id)] = regular.deadlines
            cards.get(place, self.lead.deadlines).append(deadline)
