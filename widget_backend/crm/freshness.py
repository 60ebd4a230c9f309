"""Up to which moment the mirror is known to be complete."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.sync.models import SyncCursor

# Cursors of a first copy that have no stream behind them: the dictionaries, and the facts built from it all.
DICTIONARIES = "dictionaries"
FACTS = "facts"
NO_STREAMS = (DICTIONARIES, FACTS)


def as_of(session: Session, account_id: int, streams: Collection[str] | None = None) -> datetime | None:
    """The moment up to which all streams (or these) are synced: the oldest cursor.

    None before the first complete copy of any of them. Cursors of all streams exist from the start of it.
    """
    query = select(SyncCursor).where(
        SyncCursor.account_id == account_id, SyncCursor.stream.not_in(NO_STREAMS)
    )
    if streams is not None:
        query = query.where(SyncCursor.stream.in_(streams))
    moments = [c.synced_to if c.backfilled_at is not None else None for c in session.scalars(query)]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def has_facts(session: Session, account_id: int) -> bool:
    """Whether facts were built once, from the leads at least."""
    cursor = session.get(SyncCursor, (account_id, FACTS))
    return cursor is not None and (cursor.synced_to is not None or cursor.backfilled_at is not None)
