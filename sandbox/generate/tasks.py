"""Tasks with their events: set, moved, done in time, late or never."""

from random import Random
from typing import Any

from sandbox.generate.department import (
    DAY_S,
    HEAD,
    ROBOT,
    TASK_ESTIMATE,
    TASK_FOLLOW_UP,
    TASK_MEETING,
    ZONE_OFFSET_S,
)
from sandbox.generate.ledger import Ledger
from sandbox.generate.schedule import working
from sandbox.generate.texts import (
    CUSTOM_TASKS,
    DONE_RESULTS,
    FOLLOW_UP_TASKS,
    FREE_TASKS,
    HELD_RESULTS,
    HOSTILE,
    MEETING_TASKS,
    NOT_HELD_RESULTS,
)

Entity = tuple[str, int]
TASK_TEXTS: dict[int, tuple[str, ...]] = {
    TASK_FOLLOW_UP: FOLLOW_UP_TASKS,
    TASK_MEETING: MEETING_TASKS,
    TASK_ESTIMATE: CUSTOM_TASKS,
}
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"}


def task_text(words: Random, kind: int) -> str:
    """What is to be done."""
    return words.choice(HOSTILE) if words.random() < 0.01 else words.choice(TASK_TEXTS[kind])


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
    task_id, now_s = ledger.id_at("task", at), ledger.now_s
    entity = ("task", task_id)
    creator = words.choices((owner, ROBOT, HEAD), cum_weights=(75, 93, 100))[0]
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
