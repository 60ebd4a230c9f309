"""Leads, contacts, companies and the links between them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Money, Tenant


class Lead(Tenant, Base):
    """A lead as amoCRM last showed it. A deleted one keeps its last good columns, marked.

    ``price`` is ``price_with_minor_units`` where amoCRM gives it. ``deleted_at`` is null while it exists;
    ``merged_into`` is the lead that swallowed it, if known.
    """

    __tablename__ = "leads"
    __table_args__ = (
        Index("ix_leads_account_id_updated_at", "account_id", "updated_at"),
        Index("ix_leads_account_id_created_at", "account_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    price: Mapped[Decimal | None] = mapped_column(Money)
    responsible_user_id: Mapped[int | None]
    group_id: Mapped[int | None]
    pipeline_id: Mapped[int | None]
    status_id: Mapped[int | None]
    loss_reason_id: Mapped[int | None]
    source_id: Mapped[int | None]
    created_by: Mapped[int | None]
    updated_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closest_task_at: Mapped[datetime | None] = mapped_column(Moment)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    merged_into: Mapped[int | None]
    payload: Mapped[Json]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class _Person:
    """What contacts and companies have in common."""

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    responsible_user_id: Mapped[int | None]
    group_id: Mapped[int | None]
    created_by: Mapped[int | None]
    updated_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    closest_task_at: Mapped[datetime | None] = mapped_column(Moment)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    merged_into: Mapped[int | None]
    payload: Mapped[Json]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Contact(Tenant, _Person, Base):
    """A person; phones and e-mails are in ``payload.custom_fields_values``."""

    __tablename__ = "contacts"
    __table_args__ = (Index("ix_contacts_account_id_updated_at", "account_id", "updated_at"),)


class Company(Tenant, _Person, Base):
    """A company."""

    __tablename__ = "companies"
    __table_args__ = (Index("ix_companies_account_id_updated_at", "account_id", "updated_at"),)


class Link(Tenant, Base):
    """The present links of a lead to contacts and companies (``to_type``: contacts, companies)."""

    __tablename__ = "links"
    __table_args__ = (Index("ix_links_account_id_to", "account_id", "to_type", "to_id"),)

    lead_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    to_type: Mapped[str] = mapped_column(primary_key=True)
    to_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_main: Mapped[bool] = mapped_column(default=False)
