"""Export runs: what was written where, and when."""

from datetime import datetime

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Moment, Tenant


class ExportRun(Tenant, Base):
    """One export: STARTED when it began, DONE or FAILED when it ended. A run found STARTED is done again."""

    __tablename__ = "export_runs"
    __table_args__ = (Index("ix_export_runs_account_id_started_at", "account_id", "started_at"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    sink: Mapped[str]
    target: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    rows: Mapped[int | None]
    error: Mapped[str | None]
