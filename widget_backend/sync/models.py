"""How far each stream of each account is synced, how it last compared, and what is due when."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class Schedule(Base):
    """Work that must happen, one row per account and job. The row, not a queue message, is the promise.

    ``leased_until`` is set while a message about the row is on its way or a worker is busy with it; a lease
    that ran out means that the message or the worker was lost, and the row is handed out again.
    ``requests`` counts who asked for the job, so that asking while it runs makes it run once more.
    """

    __tablename__ = "schedule"
    __table_args__ = (Index("ix_schedule_due", "due_at"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True
    )
    job: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(Moment)
    every_s: Mapped[int]
    requests: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    last_done_at: Mapped[datetime | None] = mapped_column(Moment)


class SyncCursor(Tenant, Base):
    """Everything of this stream that changed up to ``synced_to`` is in the mirror.

    ``position`` is where an unfinished backfill goes on (page, last id, window), null when none runs.
    """

    __tablename__ = "sync_cursors"

    stream: Mapped[str] = mapped_column(primary_key=True)
    synced_to: Mapped[datetime | None] = mapped_column(Moment)
    backfilled_at: Mapped[datetime | None] = mapped_column(Moment)
    backfill_started_at: Mapped[datetime] = mapped_column(Moment)
    position: Mapped[Json | None]
    rows_seen: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class Reconciliation(Tenant, Base):
    """The last comparison of a list with the mirror.

    ``listed`` is how many records amoCRM showed, ``kept`` how many of them the mirror held afterwards;
    ``repaired`` counts what was mended: absent, behind, gone. ``held_back`` says why missing records were not
    believed gone, or why the list could not be read. ``position`` is where an unfinished comparison goes on.
    """

    __tablename__ = "reconciliations"

    stream: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    listed: Mapped[int | None]
    kept: Mapped[int | None]
    repaired: Mapped[Json | None]
    held_back: Mapped[str | None]
    position: Mapped[Json | None]
