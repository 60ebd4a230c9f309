"""Tasks, notes (calls among them) and events: what people and robots did."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class Task(Tenant, Base):
    """A task. ``entity_type`` is plural (leads, contacts, companies, customers) or null."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_account_id_entity", "account_id", "entity_type", "entity_id"),
        Index("ix_tasks_account_id_updated_at", "account_id", "updated_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_type: Mapped[str | None]
    entity_id: Mapped[int | None]
    task_type_id: Mapped[int | None]
    text: Mapped[str] = mapped_column(default="")
    responsible_user_id: Mapped[int | None]
    group_id: Mapped[int | None]
    created_by: Mapped[int | None]
    updated_by: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    complete_till: Mapped[datetime | None] = mapped_column(Moment)
    is_completed: Mapped[bool] = mapped_column(default=False)
    result_text: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)
    payload: Mapped[Json]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Note(Tenant, Base):
    """A note in the feed of an entity; calls are notes of type call_in and call_out.

    ``entity_type`` (leads, contacts, companies, customers) is part of the key: amoCRM lists the notes of each
    entity type apart, and nothing promises that ids never meet.
    """

    __tablename__ = "notes"
    __table_args__ = (
        Index("ix_notes_account_id_entity", "account_id", "entity_type", "entity_id"),
        Index("ix_notes_account_id_type_created_at", "account_id", "note_type", "created_at"),
    )

    entity_type: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entity_id: Mapped[int]
    note_type: Mapped[str]
    created_by: Mapped[int | None]
    updated_by: Mapped[int | None]
    responsible_user_id: Mapped[int | None]
    group_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    params: Mapped[Json]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Event(Tenant, Base):
    """One line of amoCRM's audit log. Never changes; ``created_at`` is in the key for partitions by month.

    ``entity_type`` is singular here (lead, contact, company, customer, task), as amoCRM has it.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_account_id_entity", "account_id", "entity_type", "entity_id", "created_at"),
        Index("ix_events_account_id_type_created_at", "account_id", "type", "created_at"),
    )

    created_at: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    entity_type: Mapped[str | None]
    entity_id: Mapped[int | None]
    created_by: Mapped[int | None]
    value_before: Mapped[list[Any]]
    value_after: Mapped[list[Any]]
    synced_at: Mapped[datetime] = mapped_column(Moment)
