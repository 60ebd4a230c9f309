"""Won, lost, received: what a lead's history makes of it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from widget_backend.amocrm.vocabulary import CLOSED, LOST, WON
from widget_backend.crm.history import LeadRow, Move, Place
from widget_backend.crm.stage_roles import PipelineRole

RECEIVED_WITHIN = timedelta(hours=24)
COUNTED_AS_NEW = frozenset({PipelineRole.SALES, PipelineRole.PRE_SALE})
OUTCOMES = {WON: "won", LOST: "lost"}

RoleOf = Callable[[int | None], PipelineRole]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """``name`` is won or lost. ``moved_at`` is the moment just before which the winner was responsible."""

    name: str
    closed_at: datetime
    pipeline_id: int | None
    moved_at: datetime


def outcome_of(lead: LeadRow, moves: Sequence[Move], role_of: RoleOf) -> Outcome | None:
    """Whether the lead is won or lost as things stand, when and where; None while it is neither.

    | now in                      | before that                            | outcome                        |
    | 142 / 143 of sales          | anything                               | won / lost there               |
    | post_sale, not 143          | entered 142 of sales, not undone since | won at that last entry         |
    | post_sale                   | entered 143 of sales, not undone since | lost at that last entry        |
    """
    role = role_of(lead.pipeline_id)
    if role is PipelineRole.SALES and lead.status_id in CLOSED:
        return _closed_now(lead, moves)
    if role is PipelineRole.POST_SALE:
        if lead.status_id != LOST:
            won = _moved_on(moves, WON, role_of)
            if won is not None:
                return won
        return _moved_on(moves, LOST, role_of)
    return None


def _closed_now(lead: LeadRow, moves: Sequence[Move]) -> Outcome:
    place = Place(lead.pipeline_id, lead.status_id)
    entered = [move.at for move in moves if move.after == place]
    closed_at = lead.closed_at or (entered[-1] if entered else lead.updated_at)
    return Outcome(
        name=OUTCOMES[lead.status_id or WON],
        closed_at=closed_at,
        pipeline_id=lead.pipeline_id,
        moved_at=entered[-1] if entered else closed_at,
    )


def _moved_on(moves: Sequence[Move], status_id: int, role_of: RoleOf) -> Outcome | None:
    """The last entry into 142 (143) of a sales pipeline, unless what came after undid it."""
    entries = [i for i, move in enumerate(moves) if _is_sales(move.after, role_of, status_id)]
    if not entries:
        return None
    entry = moves[entries[-1]]
    for move in moves[entries[-1] + 1 :]:
        reopened = move.after.is_open and role_of(move.after.pipeline_id) is PipelineRole.SALES
        won_undone = status_id == WON and move.after.status_id == LOST
        lost_undone = status_id == LOST and _is_sales(move.after, role_of, WON)
        if reopened or won_undone or lost_undone:
            return None
    return Outcome(
        name=OUTCOMES[status_id],
        closed_at=entry.at,
        pipeline_id=entry.after.pipeline_id,
        moved_at=entry.at,
    )


def _is_sales(place: Place, role_of: RoleOf, status_id: int) -> bool:
    return place.status_id == status_id and role_of(place.pipeline_id) is PipelineRole.SALES


def received_at(lead: LeadRow, moves: Sequence[Move], touches: Sequence[datetime]) -> datetime:
    """The moment whose responsible user is the receiver: first touch, closing, or 24 hours after creation."""
    moments = [lead.created_at + RECEIVED_WITHIN, *touches]
    entered = [move.at for move in moves if not move.after.is_open]
    if entered:
        moments.append(entered[0])
    elif lead.closed_at is not None:
        moments.append(lead.closed_at)
    return max(min(moments), lead.created_at)
