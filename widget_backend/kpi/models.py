"""Facts derived from the mirror: built by rule, rebuilt whenever what they rest on changes."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Moment, Money, Tenant


class StaleSubject(Tenant, Base):
    """A record whose facts must be rebuilt: written in the same transaction as the change itself.

    ``version`` grows with every change, so that a rebuild deletes only the mark it has seen.
    """

    __tablename__ = "stale_subjects"

    entity_type: Mapped[str] = mapped_column(primary_key=True)  # leads, contacts, companies, tasks
    entity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(default=1)
    marked_at: Mapped[datetime] = mapped_column(Moment)


class StatusVisit(Tenant, Base):
    """A lead's stay in one status: [started_at, ended_at), ``ended_at`` null while it lasts."""

    __tablename__ = "status_visits"
    __table_args__ = (Index("ix_status_visits_account_id_started_at", "account_id", "started_at"),)

    lead_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pipeline_id: Mapped[int | None]
    status_id: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    started_by: Mapped[int | None]


class OwnerInterval(Tenant, Base):
    """A lead's responsible user over [started_at, ended_at); ``user_id`` null where history is broken."""

    __tablename__ = "owner_intervals"

    lead_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int | None]
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class PriceInterval(Tenant, Base):
    """A lead's price over [started_at, ended_at)."""

    __tablename__ = "price_intervals"

    lead_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    price: Mapped[Decimal] = mapped_column(Money)
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class LeadFact(Tenant, Base):
    """What one lead contributes to the metrics. Absent for deleted and merged leads.

    ``new_*``: the lead as a new one (first pipeline, receiver); ``is_new`` says whether it counts as one.
    ``outcome`` is won, lost or null; ``closed_*`` says when, in which pipeline and whose. Group columns hold
    the user's group at that moment: ``new_group_id`` at receipt, ``closed_group_id`` and ``current_group_id``
    (that of the present owner) at the closing. ``settles_at`` is set while the receiver is open: then
    the fact changes without any change in the mirror.
    """

    __tablename__ = "lead_facts"
    __table_args__ = (
        Index("ix_lead_facts_account_id_created_at", "account_id", "created_at"),
        Index("ix_lead_facts_account_id_outcome_closed_at", "account_id", "outcome", "closed_at"),
        Index(
            "ix_lead_facts_unsettled",
            "account_id",
            "settles_at",
            postgresql_where=text("settles_at IS NOT NULL"),
        ),
    )

    lead_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(Moment)
    price: Mapped[Decimal] = mapped_column(Money)
    source_id: Mapped[int | None]
    is_new: Mapped[bool]
    new_pipeline_id: Mapped[int | None]
    new_user_id: Mapped[int | None]
    new_group_id: Mapped[int | None]
    settles_at: Mapped[datetime | None] = mapped_column(Moment)
    current_user_id: Mapped[int | None]
    current_group_id: Mapped[int | None]
    outcome: Mapped[str | None]
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_pipeline_id: Mapped[int | None]
    closed_user_id: Mapped[int | None]
    closed_group_id: Mapped[int | None]
    loss_reason_id: Mapped[int | None]


class CallLeg(Tenant, Base):
    """One call note, normalised: what decides which notes are the same call. Key as in ``notes``."""

    __tablename__ = "call_legs"
    __table_args__ = (
        Index("ix_call_legs_account_id_uniq", "account_id", "uniq"),
        Index("ix_call_legs_account_id_phone_at", "account_id", "phone", "at"),
        Index("ix_call_legs_account_id_entity", "account_id", "note_entity_type", "note_entity_id"),
    )

    note_entity_type: Mapped[str] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note_entity_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
    direction: Mapped[str]  # in, out
    uniq: Mapped[str | None]
    phone: Mapped[str | None]  # last ten digits
    seconds: Mapped[int]
    is_answered: Mapped[bool]
    user_id: Mapped[int | None]


class CallFact(Tenant, Base):
    """One call, however often it was logged; ``note_*`` names its longest leg, whose values it has."""

    __tablename__ = "call_facts"
    __table_args__ = (
        Index("ix_call_facts_account_id_at", "account_id", "at"),
        Index("ix_call_facts_account_id_lead_id", "account_id", "lead_id"),
        Index("ix_call_facts_account_id_entity", "account_id", "note_entity_type", "note_entity_id", "at"),
    )

    note_entity_type: Mapped[str] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note_entity_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
    direction: Mapped[str]  # in, out
    seconds: Mapped[int]
    is_answered: Mapped[bool]
    phone: Mapped[str | None]  # last ten digits
    user_id: Mapped[int | None]
    group_id: Mapped[int | None]
    lead_id: Mapped[int | None]
    pipeline_id: Mapped[int | None]
    source_id: Mapped[int | None]
