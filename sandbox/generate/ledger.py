"""Turns what happens into rows: events with ULID-like ids, notes, tasks, talks, numbered as time goes on."""

from collections import Counter
from random import Random
from typing import Any

from sandbox.generate.department import BY_ID, Row
from sandbox.generate.files import SnapshotFiles, to_text
from sandbox.generate.truth import Truth

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
NOTE_LISTS = {
    "lead": "notes_leads",
    "contact": "notes_contacts",
    "company": "notes_companies",
    "customer": "notes_customers",
}
# Ids of what happens after a lead arrives grow with time, as amoCRM's do: so many numbers for each second.
NUMBERS_A_SECOND = 32
FIRST_IDS = {
    "note": 660_001,
    "task": 120_001,
    "talk": 191,
    "element": 30_001,
    "customer": 15_001,
    "transaction": 17_001,
}


def ulid(moment_ms: int, tail: int) -> str:
    """26 characters, lower case, that sort by the millisecond first and by the 64-bit tail then."""
    pairs = _PAIRS
    # The tail is written in hexadecimal digits, which are a part of the alphabet.
    return (
        f"{pairs[moment_ms >> 40 & 1023]}{pairs[moment_ms >> 30 & 1023]}{pairs[moment_ms >> 20 & 1023]}"
        f"{pairs[moment_ms >> 10 & 1023]}{pairs[moment_ms & 1023]}{tail:016x}"
    )


def group_of(user_id: int) -> int:
    """The group amoCRM shows on a card: that of its responsible user."""
    return BY_ID[user_id].group_id if user_id in BY_ID else 0


class Ledger:
    """Writes the side rows of one account. `now_s` is the present: nothing may be dated after it."""

    def __init__(self, files: SnapshotFiles, *, account_id: int, first_s: int, now_s: int) -> None:
        self.files, self.account_id, self.now_s = files, account_id, now_s
        self.truth = Truth(files)
        self._first_s = first_s
        self._taken = bytearray(now_s - first_s + 2)
        self.in_segment: Counter[int] = Counter()  # customers written, by their segment
        self._events = 0
        self._last_ids = {"contact": 8_000, "company": 9_000}
        self._words = Random(0)
        self._in_second: dict[int, int] = {}
        self._event_end = f',"account_id":{account_id},"_embedded":{{"entity":{{"id":'

    def begin(self, words: Random) -> None:
        """Start the next lead: its own stream of random numbers, its own order inside one second."""
        self._words = words
        self._in_second = {}

    def next_id(self, kind: str) -> int:
        """The next number for a contact or a company, which come in the order of time anyway."""
        self._last_ids[kind] += 1
        return self._last_ids[kind]

    def id_at(self, kind: str, at: int) -> int:
        """A number for what is created at that second: no other of its kind has it, later ones are larger."""
        second = at - self._first_s
        place = self._taken[second]
        if place >= NUMBERS_A_SECOND:
            raise ValueError(f"more than {NUMBERS_A_SECOND} things happen in one second")
        self._taken[second] = place + 1
        return FIRST_IDS[kind] + second * NUMBERS_A_SECOND + place

    def event(
        self,
        at: int,
        kind: str,
        entity: tuple[str, int],
        *,
        by: int,
        before: list[Row] | None = None,
        after: list[Row] | None = None,
    ) -> None:
        """Append one line of the audit log; several of one lead in one second keep the order of the calls."""
        self.told(
            at,
            kind,
            entity,
            by=by,
            before=to_text(before) if before else "[]",
            after=to_text(after) if after else "[]",
        )  # fmt: skip)

    def told(
        self, at: int, kind: str, entity: tuple[str, int], *, by: int, before: str = "[]", after: str = "[]"
    ) -> None:
        """The same, with the values already as texts of JSON."""
        # Written by hand: there are more of these lines than of all others, and only the values vary.
        if at > self.now_s:
            raise ValueError(f"an event of {entity} lies after the present")
        place = self._in_second.get(at, 0)
        self._in_second[at] = place + 1
        self._events += 1
        event_id = ulid(at * 1000 + min(place, 999), self._words.getrandbits(32) << 32 | self._events)
        line = (
            f'{{"id":"{event_id}","type":"{kind}","entity_id":{entity[1]},"entity_type":"{entity[0]}",'
            f'"created_by":{by},"created_at":{at},"value_after":{after},'
            f'"value_before":{before}{self._event_end}{entity[1]}}}}}}}'
        )
        self.files.add_sorted("events", at, line, event_id)

    def note(
        self,
        at: int,
        kind: str,
        entity: tuple[str, int],
        params: Row,
        *,
        by: int,
        owner: int,
        event: str | None,
    ) -> int:
        """Append a note to a lead, contact, company or customer and its event; answers the note's id."""
        note_id = self.id_at("note", at)
        self.files.add_by_id(NOTE_LISTS[entity[0]], {
            "id": note_id, "entity_id": entity[1], "created_by": by, "updated_by": by, "created_at": at,
            "updated_at": at, "responsible_user_id": owner, "group_id": group_of(owner), "note_type": kind,
            "params": params, "account_id": self.account_id, "is_pinned": False,
        })  # fmt: skip
        if event:
            self.told(at, event, entity, by=by, after=f'[{{"note":{{"id":{note_id}}}}}]')
        return note_id

    def task(self, task_id: int, entity: tuple[str | None, int | None], fields: dict[str, Any]) -> None:
        """Append a task as it stands at the end."""
        self.files.add_by_id("tasks", {
            "id": task_id, "created_by": fields["created_by"], "updated_by": fields["updated_by"],
            "created_at": fields["created_at"], "updated_at": fields["updated_at"],
            "responsible_user_id": fields["owner"], "group_id": group_of(fields["owner"]),
            "entity_id": entity[1], "entity_type": entity[0], "duration": fields["duration"],
            "is_completed": fields["is_completed"], "task_type_id": fields["type"], "text": fields["text"],
            "result": fields["result"], "complete_till": fields["complete_till"],
            "account_id": self.account_id,
        })  # fmt: skip
