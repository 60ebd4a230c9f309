"""When leads appear: seasons, weekdays, working hours, and a share steered into the running month."""

import datetime as dt
import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.generate.department import DAY_S, MANAGERS, ZONE_OFFSET_S

HISTORY_DAYS = 425
MONTH_WEIGHTS = (0.75, 0.9, 1.05, 1.0, 0.85, 0.9, 0.85, 0.9, 1.1, 1.15, 1.2, 1.1)
WEEKDAY_WEIGHTS = (1.15, 1.1, 1.0, 1.0, 0.95, 0.35, 0.25)
OPENS_S, CLOSES_S = 9 * 3600, 19 * 3600


@dataclass(frozen=True, kw_only=True, order=True)
class Arrival:
    """A lead to come: its moment, and (steered ones) whose it is and how it must end in the running month."""

    at: int
    number: int = 0
    owner_id: int | None = None
    ending: str | None = None  # "won", "lost", "new"
    closes_at: int | None = None


def local(moment_s: int) -> dt.datetime:
    """The wall clock of the account at that moment, as a naive-looking UTC datetime."""
    return dt.datetime.fromtimestamp(moment_s + ZONE_OFFSET_S, tz=dt.UTC)


def month_start(now_s: int) -> int:
    """The first second of the running month in the account's zone."""
    wall = local(now_s).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(wall.timestamp()) - ZONE_OFFSET_S


def working(words: random.Random, moment_s: int) -> int:
    """That moment, moved (mostly) to the nearest later working time; one in ten stays where it is."""
    if words.random() < 0.1:
        return moment_s
    second_of_day = (moment_s + ZONE_OFFSET_S) % DAY_S
    if second_of_day >= CLOSES_S:
        moment_s += DAY_S - second_of_day + OPENS_S + words.randrange(3 * 3600)
    elif second_of_day < OPENS_S:
        moment_s += OPENS_S - second_of_day + words.randrange(3 * 3600)
    weekday = local(moment_s).weekday()
    return moment_s + (7 - weekday) * DAY_S if weekday > 4 else moment_s


def first_moment(now_s: int) -> int:
    """Local midnight at which the generated history begins."""
    midnight = now_s - (now_s + ZONE_OFFSET_S) % DAY_S
    return midnight - HISTORY_DAYS * DAY_S


def arrivals(*, leads: int, seed: int, now_s: int) -> Iterator[Arrival]:
    """`leads` arrivals in the order of time, none after `now_s`; holds one day of them in memory."""
    steered = _steered(leads, random.Random(f"steered:{seed}"), now_s)
    ordinary = _ordinary(leads - len(steered), random.Random(f"arrivals:{seed}"), now_s)
    return heapq.merge(ordinary, sorted(steered))


def _ordinary(count: int, words: random.Random, now_s: int) -> Iterator[Arrival]:
    start = first_moment(now_s)
    weights = [
        _day_weight(start + day * DAY_S, day) * words.lognormvariate(0, 0.2)
        for day in range(HISTORY_DAYS + 1)
    ]
    weights[-1] *= (now_s - start - HISTORY_DAYS * DAY_S) / DAY_S
    total, gone, given = sum(weights), 0.0, 0
    for day, weight in enumerate(weights):
        gone += weight
        due = count if day == HISTORY_DAYS else round(count * gone / total)
        midnight = start + day * DAY_S
        span = min(DAY_S, now_s - midnight + 1)
        seconds = sorted(_second_of_day(words, span) for _ in range(due - given))
        yield from (Arrival(at=midnight + second, number=given + n) for n, second in enumerate(seconds))
        given = due


def _day_weight(midnight_s: int, day: int) -> float:
    wall = local(midnight_s)
    holidays = 0.15 if wall.month == 1 and wall.day <= 8 else 1.0
    return (
        holidays
        * MONTH_WEIGHTS[wall.month - 1]
        * WEEKDAY_WEIGHTS[wall.weekday()]
        * (1 + 0.25 * day / HISTORY_DAYS)
    )


def _second_of_day(words: random.Random, span_s: int) -> int:
    second = (
        int(words.triangular(OPENS_S, CLOSES_S, 12 * 3600))
        if words.random() < 0.8
        else words.randrange(DAY_S)
    )
    return second if second < span_s else words.randrange(span_s)


def _steered(leads: int, words: random.Random, now_s: int) -> list[Arrival]:
    """Arrivals that give the running month wins, losses, new leads and calls, on its first day too."""
    begin = month_start(now_s)
    wanted = [(ending, person.id) for ending in ("won", "lost", "new", "won") for person in MANAGERS]
    result = []
    for number, (ending, owner_id) in enumerate(wanted[: leads // 3]):
        closes_at = None if ending == "new" else _within_month(words, begin, now_s)
        at = (
            _within_month(words, begin, now_s)
            if closes_at is None
            else working(words, closes_at - words.randint(12 * DAY_S, 70 * DAY_S))
        )
        result.append(
            Arrival(
                at=at, number=1_000_000_000 + number, owner_id=owner_id, ending=ending, closes_at=closes_at
            )
        )
    return result


def _within_month(words: random.Random, begin: int, now_s: int) -> int:
    moment = words.randint(begin, now_s)
    shifted = working(words, moment)
    return shifted if shifted <= now_s else moment
