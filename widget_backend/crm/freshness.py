"""Up to which moment the mirror is known to be complete."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.sync.models import SyncCursor

# The cursor that stands for the first build of the facts; it has no stream behind it.
FACTS = "facts"


def as_of(session: Session, account_id: int, streams: Collection[str] | None = None) -> datetime | None:
    """The moment up to which all streams (or these) are synced: the oldest cursor.

    None before the first complete copy of any of them. Cursors of all streams exist from the start of it.
    """
    query = select(SyncCursor).where(SyncCursor.account_id == account_id, SyncCursor.stream != FACTS)
    if streams is not None:
        query = query.where(SyncCursor.stream.in_(streams))
    moments = [c.synced_to if c.backfilled_at is not None else None for c in session.scalars(query)]
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None
