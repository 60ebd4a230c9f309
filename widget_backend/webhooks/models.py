"""Where hooks arrive (the secret part of our address) and the raw bodies, kept until long after their use."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class WebhookEndpoint(Base):
    """One secret address. Looked up by the hash of the secret; the secret itself is stored encrypted."""

    __tablename__ = "webhook_endpoints"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.account_id", ondelete="CASCADE"), unique=True
    )
    secret_encrypted: Mapped[bytes]
    destination: Mapped[str | None]
    accepted_events: Mapped[list[str] | None]
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class WebhookDelivery(Tenant, Base):
    """One request body exactly as it came. ``processed_at`` is set when its entities were re-read."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        Index("ix_webhook_inbox_waiting", "account_id", "id", postgresql_where=text("processed_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Moment)
    body: Mapped[bytes]
    processed_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[Json | None]
