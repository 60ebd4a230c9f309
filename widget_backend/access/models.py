"""Settings of an account that people choose."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class AccountSettings(Tenant, Base):
    """One document per account; its shape and defaults are in ``access/settings.py``."""

    __tablename__ = "account_settings"

    document: Mapped[Json]
    updated_at: Mapped[datetime] = mapped_column(Moment)
