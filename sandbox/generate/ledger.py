"""Turns what happens into rows: events with ULID-like ids, notes, tasks, talks, each numbered in turn."""

from random import Random
from typing import Any

from sandbox.generate.department import BY_ID, Row
from sandbox.generate.files import SnapshotFiles

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)


def ulid(moment_ms: int, tail: int) -> str:
    """26 characters, lower case, that sort by the millisecond first and by the 80-bit tail then."""
    value = moment_ms << 80 | tail
    return "".join(_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10))


def group_of(user_id: int) -> int:
    """The group amoCRM shows on a card: that of its responsible user."""
    return BY_ID[user_id].group_id if user_id in BY_ID else 0


class Ledger:
    """Writes the side rows of one account. `now_s` is the present: nothing may be dated after it."""

    def __init__(self, files: SnapshotFiles, *, account_id: int, now_s: int) -> None:
        self.files, self.account_id, self.now_s = files, account_id, now_s
        self._events = 0
        self._last_ids = {"note": 660_000, "task": 120_000, "talk": 190, "contact": 8_000, "company": 9_000}
        self._words = Random(0)
        self._in_second: dict[int, int] = {}

    def begin(self, words: Random) -> None:
        """Start the next lead: its own stream of random numbers, its own order inside one second."""
        self._words = words
        self._in_second = {}

    def next_id(self, kind: str) -> int:
        self._last_ids[kind] += 1
        return self._last_ids[kind]

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
        if at > self.now_s:
            raise ValueError(f"an event of {entity} lies after the present")
        place = self._in_second.get(at, 0)
        self._in_second[at] = place + 1
        self._events += 1
        tail = self._words.getrandbits(40) << 40 | self._events
        self.files.add_event({
            "id": ulid(at * 1000 + min(place, 999), tail), "type": kind, "entity_id": entity[1],
            "entity_type": entity[0], "created_by": by, "created_at": at, "value_after": after or [],
            "value_before": before or [], "account_id": self.account_id,
            "_embedded": {"entity": {"id": entity[1]}},
        })  # fmt: skip

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
        """Append a note to a lead, contact or company and its event; answers the note's id."""
        note_id = self.next_id("note")
        plural = {"lead": "notes_leads", "contact": "notes_contacts", "company": "notes_companies"}[entity[0]]
        self.files.add(plural, {
            "id": note_id, "entity_id": entity[1], "created_by": by, "updated_by": by, "created_at": at,
            "updated_at": at, "responsible_user_id": owner, "group_id": group_of(owner), "note_type": kind,
            "params": params, "account_id": self.account_id, "is_pinned": False,
        })  # fmt: skip
        if event:
            self.event(at, event, entity, by=by, after=[{"note": {"id": note_id}}])
        return note_id

    def task(self, task_id: int, entity: tuple[str | None, int | None], fields: dict[str, Any]) -> None:
        """Append a task as it stands at the end."""
        self.files.add("tasks", {
            "id": task_id, "created_by": fields["created_by"], "updated_by": fields["updated_by"],
            "created_at": fields["created_at"], "updated_at": fields["updated_at"],
            "responsible_user_id": fields["owner"], "group_id": group_of(fields["owner"]),
            "entity_id": entity[1], "entity_type": entity[0], "duration": fields["duration"],
            "is_completed": fields["is_completed"], "task_type_id": fields["type"], "text": fields["text"],
            "result": fields["result"], "complete_till": fields["complete_till"],
            "account_id": self.account_id,
        })  # fmt: skip
