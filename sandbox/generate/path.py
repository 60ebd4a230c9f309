"""The course of a lead over the boards: stages, wins, losses, returns, hops, and changes on the way."""

import math
from functools import cache
from itertools import accumulate
from random import Random

from sandbox.generate.department import (
    BY_ID,
    DAY_S,
    DISMISSED,
    FOREMAN,
    HEAD,
    LOSS_REASONS,
    LOST,
    PIPELINES,
    PRODUCTION,
    REPEAT,
    ROBOT,
    SALES,
    SELLERS,
    WON,
    is_gone,
)
from sandbox.generate.lead import Lead, some_tag
from sandbox.generate.schedule import Arrival, working

LOSS_ODDS = {SALES: (0.46, 0.24, 0.18, 0.15, 0.1), REPEAT: (0.2, 0.14, 0.08)}
DWELL_HOURS = {SALES: (6, 30, 60, 72, 48), REPEAT: (12, 36, 48), PRODUCTION: (30, 96, 40)}
MOVES_AT_MOST = 24
DOUBLE_REASON = LOSS_REASONS[2]["id"]


class PresentReached(Exception):
    """The lead's story has caught up with the present: what is left has not happened yet."""


class Course:
    """Tells one lead's story from its arrival to its end or to the present."""

    def __init__(self, lead: Lead, words: Random, *, now_s: int) -> None:
        self.lead, self.words, self.now_s = lead, words, now_s
        self.at = lead.created_at
        self.sorted: tuple[str, int, int] | None = None  # how, when and by whom the incoming lead was sorted

    def tell(self, arrival: Arrival) -> None:
        """Let the lead live; changes after the present are left out."""
        try:
            if arrival.closes_at is not None:
                self._steer(arrival.ending == "won", arrival.closes_at)
                return
            if self.lead.is_unsorted:
                self._sort()
            while not self.lead.is_deleted and self._climb() and self.lead.updated_at < self.now_s:
                pass
        except PresentReached:
            return

    def close_as_double(self) -> None:
        """Somebody notices that the client has applied before, and closes this lead."""
        try:
            self._wait(3)
        except PresentReached:
            return
        self.lead.move(self.at, self.lead.pipeline_id, LOST, by=self._actor(), reason=DOUBLE_REASON)

    def absorb(self, at: int, loser_id: int) -> None:
        """A duplicate is merged into the lead at that moment, before it goes on."""
        self.lead.absorb(at, loser_id, by=HEAD)
        self.at = at

    def delete(self, by: int) -> None:
        """Somebody throws the lead away some time after its last change, if that has come yet."""
        at = self.at + round(self.words.expovariate(1 / (6 * DAY_S))) + 60
        if at <= self.now_s:
            self.lead.delete(at, by=by)

    @property
    def was_declined(self) -> bool:
        """Whether the incoming lead was declined."""
        return self.sorted is not None and self.sorted[0] == "declined"

    # -- the clock of the story

    def _wait(self, hours: float, sigma: float = 1.0) -> None:
        stuck = 30 if self.words.random() < 0.03 else 1
        seconds = hours * 3600 * math.exp(self.words.gauss(0, sigma)) * stuck
        at = max(working(self.words, self.at + round(seconds)), self.at + 1)
        self._leave_dismissed(until=at)
        self.at = max(self.at, at)
        if self.at > self.now_s:
            raise PresentReached

    def _soon(self, most_s: int) -> bool:
        """Move on by a little; False (and stay) when that is already the future."""
        at = self.at + self.words.randint(1, most_s)
        if at > self.now_s:
            return False
        self.at = at
        return True

    def _leave_dismissed(self, *, until: int) -> None:
        """Open leads of a dismissed manager are handed over by the head in one go; a few are forgotten."""
        gone_ago_s = BY_ID[self.lead.owner_id].gone_ago_s
        if gone_ago_s is None or self.lead.is_closed:
            return
        day = self.now_s - gone_ago_s
        if self.at < day <= until and self.words.random() < 0.8:
            self.at = day
            self.lead.give(day, pick_owner(self.words, day, self.now_s), by=HEAD)

    def _actor(self) -> int:
        """Who moves the lead: mostly its owner, sometimes a robot or the head."""
        owner = self.lead.owner_id
        if is_gone(owner, self.at, self.now_s):
            return HEAD
        return self.words.choices((owner, ROBOT, HEAD), cum_weights=(85, 96, 100))[0]

    # -- what may happen

    def _sort(self) -> None:
        """An incoming lead is taken on, declined, or left lying."""
        chance = self.words.random()
        if chance < 0.03:
            self._leave_dismissed(until=self.now_s)
            raise PresentReached
        owner = pick_owner(self.words, self.at, self.now_s)
        self._wait(1.5, 1.3)
        if is_gone(owner, self.at, self.now_s):
            owner = HEAD
        if chance > 0.92:
            self.sorted = ("declined", self.at, owner)
            self.lead.delete(self.at, by=owner)
            return
        self.sorted = ("accepted", self.at, owner)
        pipeline = PIPELINES[self.lead.pipeline_id]
        # Accepting does both in one second; which line comes first differs.
        if self.words.random() < 0.5:
            self.lead.give(self.at, owner, by=owner)
            self.lead.move(self.at, pipeline.id, pipeline.stage_ids[0], by=owner)
        else:
            self.lead.move(self.at, pipeline.id, pipeline.stage_ids[0], by=owner)
            self.lead.give(self.at, owner, by=owner)

    def _climb(self) -> bool:
        """From the present stage to a close. Answers whether the lead came back and the climb begins anew."""
        for _ in range(MOVES_AT_MOST):
            pipeline = PIPELINES[self.lead.pipeline_id]
            stages = pipeline.stage_ids
            place = stages.index(self.lead.status_id)
            self._wait(DWELL_HOURS[pipeline.id][place])
            self._incidents()
            chance = self.words.random()
            skill = BY_ID[self.lead.owner_id].skill
            if chance < min(0.9, LOSS_ODDS[pipeline.id][place] / skill):
                return self._lose()
            if place == len(stages) - 1 or self.words.random() < 0.03:
                return self._win()
            self._step(place)
        return False

    def _step(self, place: int) -> None:
        """One stage on; sometimes one back, one skipped, or over to the other sales board."""
        pipeline = PIPELINES[self.lead.pipeline_id]
        stages = pipeline.stage_ids
        turn = self.words.choices(("on", "skip", "back", "board"), cum_weights=(82, 91, 98, 100))[0]
        if turn == "board":
            other = PIPELINES[REPEAT if pipeline.id == SALES else SALES]
            self.lead.move(self.at, other.id, other.stage_ids[1], by=self._actor())
            return
        step = {"on": 1, "skip": 2, "back": -1}[turn]
        target = min(max(place + step, 0), len(stages) - 1)
        if target != place:
            self.lead.move(self.at, pipeline.id, stages[target], by=self._actor())

    def _incidents(self) -> None:
        """Small changes just before a move: price, owner, tag, name."""
        words, lead = self.words, self.lead
        if words.random() < (0.3 if lead.kopecks == 0 else 0.08) and self._soon(1800):
            lead.reprice(self.at, some_price(words, lead.kopecks), by=self._actor())
        if words.random() < 0.05 and self._soon(1800):
            lead.give(self.at, pick_owner(words, self.at, self.now_s), by=words.choice((HEAD, ROBOT)))
        if words.random() < 0.05 and self._soon(600):
            lead.tag(self.at, some_tag(words), by=self._actor())
        if words.random() < 0.02 and self._soon(600):
            lead.rename(self.at, f"{lead.name} / уточнено", by=self._actor())
        if words.random() < 0.01 and self._soon(600):
            lead.untag(self.at, by=self._actor())
        if words.random() < 0.02 and self._soon(600):
            lead.choose_kind(self.at, words.randrange(3), by=self._actor())
        if words.random() < 0.004 and self._soon(3600):
            self._thrown_away_by_mistake()
        self._soon(120)

    def _thrown_away_by_mistake(self) -> None:
        """Deleted, and restored from the recycle bin after a while."""
        at = self.at + self.words.randint(30, 2 * DAY_S)
        if at <= self.now_s:
            self.lead.delete(self.at, by=self._actor())
            self.at = at
            self.lead.restore(at, by=HEAD)

    def _win(self) -> bool:
        words, lead = self.words, self.lead
        if lead.kopecks == 0 and words.random() < 0.9:
            lead.reprice(self.at, some_price(words, 0), by=self._actor())
            self._soon(900)
        self._close(WON)
        lead.customer.has_bought = True
        if words.random() < 0.03 and self._soon(5 * DAY_S):
            lead.reprice(self.at, some_price(words, lead.kopecks), by=HEAD)
        if words.random() < 0.03:
            return self._reopen()
        if lead.pipeline_id == SALES and words.random() < 0.4:
            return self._produce()
        return False

    def _lose(self) -> bool:
        words = self.words
        self._close(LOST)
        chance = words.random()
        if chance < 0.04:
            return self._reopen()
        if chance < 0.048:
            self._wait(72)
            self.lead.move(self.at, self.lead.pipeline_id, WON, by=HEAD)
            self.lead.customer.has_bought = True
        elif chance < 0.052:
            self._wait(24)
            self.lead.move(self.at, PRODUCTION, PIPELINES[PRODUCTION].stage_ids[0], by=HEAD)
        return False

    def _close(self, status_id: int) -> None:
        """Into 142 or 143; now and then the owner changes in that second, before or after it in the log."""
        words, lead = self.words, self.lead
        reason = (
            words.choices(LOSS_REASONS, cum_weights=(30, 38, 45, 70, 85, 95, 100))[0]["id"]
            if status_id == LOST
            else None
        )
        by, shape = self._actor(), words.random()
        if shape < 0.03:
            lead.give(self.at, pick_owner(words, self.at, self.now_s), by=ROBOT)
        lead.move(self.at, lead.pipeline_id, status_id, by=by, reason=reason)
        if 0.03 <= shape < 0.06:
            lead.give(self.at, pick_owner(words, self.at, self.now_s), by=ROBOT)

    def _reopen(self) -> bool:
        """A closed lead comes back to a stage of its board."""
        self._wait(96)
        stages = PIPELINES[self.lead.pipeline_id].stage_ids
        self.lead.move(
            self.at, self.lead.pipeline_id, stages[self.words.randrange(len(stages))], by=self._actor()
        )
        return True

    def _produce(self) -> bool:
        """A won lead goes over to production, where few come back to sales or are returned."""
        words, lead = self.words, self.lead
        if not self._soon(900):
            return False
        stages = PIPELINES[PRODUCTION].stage_ids
        lead.move(self.at, PRODUCTION, stages[0], by=ROBOT)
        if words.random() < 0.6:
            lead.give(self.at, FOREMAN, by=ROBOT)
        for place, status_id in enumerate(stages):
            if place:
                lead.move(self.at, PRODUCTION, status_id, by=FOREMAN)
            self._wait(DWELL_HOURS[PRODUCTION][place], 0.6)
            if words.random() < 0.012:
                lead.move(self.at, SALES, PIPELINES[SALES].stage_ids[-1], by=HEAD)
                return True
        lead.move(self.at, PRODUCTION, LOST if words.random() < 0.03 else WON, by=FOREMAN)
        return False

    def _steer(self, is_won: bool, closes_at: int) -> None:
        """A short straight path that closes at a given moment, with the owner kept."""
        lead, words = self.lead, self.words
        stages = PIPELINES[lead.pipeline_id].stage_ids
        stages = stages[1:] if is_won else stages[1:2]
        span = closes_at - lead.created_at
        for number, status_id in enumerate(stages, start=1):
            self.at = lead.created_at + span * number // (len(stages) + 1)
            lead.move(self.at, lead.pipeline_id, status_id, by=lead.owner_id)
        if lead.kopecks == 0:
            lead.reprice(self.at, some_price(words, 0), by=lead.owner_id)
        self.at = closes_at
        reason = None if is_won else LOSS_REASONS[0]["id"]
        lead.move(closes_at, lead.pipeline_id, WON if is_won else LOST, by=lead.owner_id, reason=reason)
        lead.customer.has_bought |= is_won


def pick_owner(words: Random, at: int, now_s: int) -> int:
    """A seller employed at that moment, by their share of leads."""
    ids, shares = _team(tuple(person.id for person in DISMISSED if is_gone(person.id, at, now_s)))
    return words.choices(ids, cum_weights=shares)[0]


@cache
def _team(gone: tuple[int, ...]) -> tuple[list[int], list[float]]:
    """Sellers without those who have left, and their shares of leads added up."""
    present = [person for person in SELLERS if person.id not in gone]
    return [person.id for person in present], list(accumulate(person.load for person in present))


def some_price(words: Random, present: int) -> int:
    """In kopecks: log-normal, mostly whole hundreds of roubles, one in five with kopecks; or a discount."""
    if present and words.random() < 0.8:
        return max(1, round(present * words.choice((0.9, 0.95, 0.97, 1.1, 1.25, 2))))
    roubles = words.lognormvariate(11, 0.9)
    return round(roubles * 100) if words.random() < 0.2 else round(roubles / 100) * 10_000
