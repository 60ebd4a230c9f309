"""A lead's past, told from its present row and amoCRM's event log: statuses, responsible users, prices.

Pure: dataclasses in, dataclasses out, nothing read from anywhere. The log is dirty in real accounts (events
missing, repeated, unordered, with empty values), so nothing here raises on it: the present row decides the
present, and what cannot be known is None. Intervals are half-open and tile [created_at, ∞).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any, Protocol, TypeVar

from widget_backend.amocrm.vocabulary import CLOSED, LEAD_STATUS_CHANGED, RESPONSIBLE_CHANGED, SALE_CHANGED

# Trying every order of one second's events is cheap below this many, and more never happens to people.
MAX_CHAIN = 8
Step = TypeVar("Step")


@dataclass(frozen=True, kw_only=True)
class LeadRow:
    """The columns of a lead as amoCRM shows it now."""

    id: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    pipeline_id: int | None
    status_id: int | None
    responsible_user_id: int | None
    price: Decimal | None
    source_id: int | None = None
    loss_reason_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RawEvent:
    """One event as stored."""

    id: str
    type: str
    created_at: datetime
    created_by: int | None
    value_before: Any
    value_after: Any


@dataclass(frozen=True, order=True)
class Place:
    """A column of a board. 142 and 143 exist in every pipeline, so a status alone says nothing."""

    pipeline_id: int | None
    status_id: int | None

    @property
    def is_open(self) -> bool:
        return self.status_id not in CLOSED


@dataclass(frozen=True, kw_only=True)
class Move:
    """A lead left ``before`` (None: unknown) for ``after``."""

    at: datetime
    before: Place | None
    after: Place
    by: int | None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A stay in one status: [started_at, ended_at), ``ended_at`` None while it lasts."""

    place: Place
    started_at: datetime
    ended_at: datetime | None
    started_by: int | None


@dataclass(frozen=True, kw_only=True)
class Owned:
    """Who was responsible over [started_at, ended_at); ``user_id`` None where nobody or nobody knows."""

    user_id: int | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Priced:
    """The price over [started_at, ended_at)."""

    price: Decimal
    started_at: datetime
    ended_at: datetime | None


# --- reading values ------------------------------------------------------------------------------------


def _inner(value: Any, name: str) -> dict[str, Any] | None:
    """``[{"lead_status": {…}}]`` → ``{…}``; None for ``[]`` and every other shape."""
    first = value[0] if isinstance(value, list) and value else value
    inner = first.get(name) if isinstance(first, dict) else None
    return inner if isinstance(inner, dict) else None


def _id(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else None


def read_place(value: Any, fallback_pipeline_id: int | None) -> Place | None:
    """A status value of an event; an event without a pipeline stayed in the one it is read for."""
    inner = _inner(value, "lead_status")
    status_id = _id(inner.get("id")) if inner else None
    if inner is None or status_id is None:
        return None
    pipeline_id = _id(inner.get("pipeline_id"))
    return Place(pipeline_id if pipeline_id is not None else fallback_pipeline_id, status_id)


def read_user(value: Any) -> int | None:
    """The user id of a responsible value; None for nobody (0) and for unreadable ones."""
    inner = _inner(value, "responsible_user")
    return (_id(inner.get("id")) or None) if inner else None


def read_price(value: Any) -> Decimal | None:
    """The price of a sale value; an empty one is no price, that is 0. None for unreadable ones."""
    if value in (None, [], {}):
        return Decimal(0)
    inner = _inner(value, "sale_field_value")
    if inner is None:
        return None
    sale = inner.get("sale")
    if sale in (None, ""):
        return Decimal(0)
    try:
        price = Decimal(str(sale))
    except InvalidOperation:
        return None
    return price if price.is_finite() else None


# --- one order for any arrival -------------------------------------------------------------------------


def _chained(
    steps: Sequence[Step], ends: Callable[[Step], tuple[Hashable, Hashable]], start: Hashable
) -> list[Step]:
    """Order the steps of one second so that each begins where the one before ended, if they can be.

    ``ends`` gives (before, after), before None when unknown. The order that starts at ``start`` is
    preferred; then repeated steps are dropped; then the given order stands.
    """
    distinct: dict[tuple[Hashable, Hashable], Step] = {}
    for step in steps:
        distinct.setdefault(ends(step), step)
    for candidates in (list(steps), list(distinct.values())):
        if len(candidates) == 1:
            return candidates
        if len(candidates) <= MAX_CHAIN:
            firsts: list[Hashable] = [start] if start is not None else []
            firsts += [ends(step)[0] for step in candidates]
            for first in firsts:
                path = _path(candidates, ends, first)
                if path is not None:
                    return path
    return list(distinct.values())


def _path(
    steps: list[Step], ends: Callable[[Step], tuple[Hashable, Hashable]], state: Hashable
) -> list[Step] | None:
    """Depth-first search for an order that uses every step; None when there is none."""
    if not steps:
        return []
    for index, step in enumerate(steps):
        before, after = ends(step)
        if before is None or before == state:
            rest = _path(steps[:index] + steps[index + 1 :], ends, after)
            if rest is not None:
                return [step, *rest]
    return None


def _sorted_events(events: Iterable[RawEvent], type_: str) -> list[RawEvent]:
    """Events of one type, each id once, in the order of the log."""
    by_id = {event.id: event for event in events if event.type == type_}
    return sorted(by_id.values(), key=lambda event: (event.created_at, event.id))


# --- statuses ------------------------------------------------------------------------------------------


def status_moves(lead: LeadRow, events: Iterable[RawEvent]) -> list[Move]:
    """The lead's real moves in order: self-moves and events that do not say where it went are left out."""
    moves = []
    for event in _sorted_events(events, LEAD_STATUS_CHANGED):
        after = read_place(event.value_after, lead.pipeline_id)
        before = read_place(event.value_before, after.pipeline_id if after else lead.pipeline_id)
        if after is not None and before != after:
            moves.append(Move(at=event.created_at, before=before, after=after, by=event.created_by))
    ordered: list[Move] = []
    for _, second in groupby(moves, key=lambda move: move.at):
        place = ordered[-1].after if ordered else None
        ordered += _chained(list(second), lambda move: (move.before, move.after), place)
    return ordered


def first_place(lead: LeadRow, events: Iterable[RawEvent], moves: Sequence[Move]) -> Place:
    """Where the lead was created: ``value_before`` of its first status event, else where it is now."""
    if moves:
        return moves[0].before or moves[0].after
    for event in _sorted_events(events, LEAD_STATUS_CHANGED):
        place = read_place(event.value_before, lead.pipeline_id)
        if place is not None:
            return place
    return Place(lead.pipeline_id, lead.status_id)


def status_visits(lead: LeadRow, events: Iterable[RawEvent]) -> list[Visit]:
    """The lead's stays in statuses, being created in one included.

    Where the log ends elsewhere than the lead stands now, a last visit to the present status is added: from
    ``closed_at`` for a closed one, else from ``updated_at``, never before the last known visit began.
    """
    events = list(events)
    moves = status_moves(lead, events)
    place, start, by = first_place(lead, events, moves), lead.created_at, None
    present = Place(lead.pipeline_id, lead.status_id)
    steps = [(move.after, move.at, move.by) for move in moves]
    last = moves[-1].after if moves else place
    if lead.status_id is not None and last != present:
        last_at = max([lead.created_at, *(move.at for move in moves)])
        known = lead.closed_at if not present.is_open and lead.closed_at else lead.updated_at
        steps.append((present, max(known, last_at), None))
    visits = []
    for after, at, moved_by in steps:
        if after == place:
            continue
        end = max(at, start)
        visits.append(Visit(place=place, started_at=start, ended_at=end, started_by=by))
        place, start, by = after, end, moved_by
    visits.append(Visit(place=place, started_at=start, ended_at=None, started_by=by))
    return visits


# --- responsible users ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Handover:
    at: datetime
    before: int | None
    after: int | None


def owner_intervals(lead: LeadRow, events: Iterable[RawEvent]) -> list[Owned]:
    """Who was responsible when, chained backwards from the present user.

    A link that does not fit ends the chain: from that event on it is the user known afterwards, before it
    nobody knows.
    """
    handovers = []
    for event in _sorted_events(events, RESPONSIBLE_CHANGED):
        before, after = read_user(event.value_before), read_user(event.value_after)
        if before != after:
            handovers.append(_Handover(at=event.created_at, before=before, after=after))
    user_id, end = lead.responsible_user_id or None, None
    backwards: list[Owned] = []
    for step in _backwards(handovers, user_id):
        start = max(step.at, lead.created_at)
        if end is not None:
            start = min(start, end)
        backwards.append(Owned(user_id=user_id, started_at=start, ended_at=end))
        end = start
        if step.after != user_id:
            user_id = None
            break
        user_id = step.before
        if user_id is None:
            break
    backwards.append(Owned(user_id=user_id, started_at=lead.created_at, ended_at=end))
    return backwards[::-1]


def _backwards(handovers: Sequence[_Handover], user_id: int | None) -> list[_Handover]:
    """Latest first; within one second, in the order that leads back from the later user."""
    ordered: list[_Handover] = []
    for _, second in groupby(reversed(handovers), key=lambda step: step.at):
        known = ordered[-1].before if ordered else user_id
        ordered += _chained(list(second)[::-1], lambda step: (step.after, step.before), known)
    return ordered


# --- prices --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Repricing:
    at: datetime
    before: Decimal | None
    after: Decimal


def price_intervals(lead: LeadRow, events: Iterable[RawEvent]) -> list[Priced]:
    """The lead's price over time; no price is 0.

    Events carry whole units: where the last one agrees with the present price but for its fraction, the
    present price is taken. Where they disagree, it holds from ``updated_at``.
    """
    changes = []
    for event in _sorted_events(events, SALE_CHANGED):
        before, after = read_price(event.value_before), read_price(event.value_after)
        if after is not None and before != after:
            changes.append(_Repricing(at=event.created_at, before=before, after=after))
    present = lead.price if lead.price is not None else Decimal(0)
    ordered: list[_Repricing] = []
    for _, second in groupby(changes, key=lambda change: change.at):
        known = ordered[-1].after if ordered else None
        ordered += _chained(list(second), lambda change: (change.before, change.after), known)
    if not ordered:
        return [Priced(price=present, started_at=lead.created_at, ended_at=None)]
    first = ordered[0].before
    price, start = first if first is not None else ordered[0].after, lead.created_at
    steps = [(change.after, change.at) for change in ordered]
    if abs(steps[-1][0] - present) < 1:
        steps[-1] = (present, steps[-1][1])
    else:
        steps.append((present, max(lead.updated_at, steps[-1][1])))
    prices = []
    for after, at in steps:
        if after == price:
            continue
        end = max(at, start)
        prices.append(Priced(price=price, started_at=start, ended_at=end))
        price, start = after, end
    prices.append(Priced(price=price, started_at=start, ended_at=None))
    return prices


# --- looking up ----------------------------------------------------------------------------------------


class Spanned(Protocol):
    """Anything that begins somewhere."""

    @property
    def started_at(self) -> datetime: ...


Span = TypeVar("Span", bound=Spanned)


def holding_at(intervals: Sequence[Span], moment: datetime) -> Span | None:
    """The interval that holds at ``moment``, changes of that very second included; None before the first."""
    found = None
    for interval in intervals:
        if interval.started_at > moment:
            break
        found = interval
    return found


def holding_before(intervals: Sequence[Span], moment: datetime) -> Span:
    """The interval that held just before ``moment``; the first one for moments before it."""
    found = intervals[0]
    for interval in intervals[1:]:
        if interval.started_at >= moment:
            break
        found = interval
    return found
