"""What an account's records refer to: pipelines, statuses, loss reasons, sources, task types, fields."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class Pipeline(Tenant, Base):
    """A board. ``role`` decides what its leads count for; guessed from the name until a person sets it."""

    __tablename__ = "pipelines"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    sort: Mapped[int] = mapped_column(default=0)
    is_main: Mapped[bool] = mapped_column(default=False)
    is_archive: Mapped[bool] = mapped_column(default=False)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str] = mapped_column(default="sales")
    role_set_by_person: Mapped[bool] = mapped_column(default=False)
    payload: Mapped[Json | None]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Status(Tenant, Base):
    """A column of a board. 142 and 143 exist in every pipeline; ``type`` 1 is the unsorted one."""

    __tablename__ = "statuses"

    pipeline_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    sort: Mapped[int] = mapped_column(default=0)
    type: Mapped[int] = mapped_column(default=0)
    color: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class LossReason(Tenant, Base):
    """Why leads are lost, in the account's own words."""

    __tablename__ = "loss_reasons"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    sort: Mapped[int] = mapped_column(default=0)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Source(Tenant, Base):
    """A lead source of the integration."""

    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    payload: Mapped[Json | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class TaskType(Tenant, Base):
    """A kind of task; 1 is a call, 2 a meeting, further ones belong to the account."""

    __tablename__ = "task_types"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    code: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class CustomField(Tenant, Base):
    """A field definition of one entity type."""

    __tablename__ = "custom_fields"

    entity_type: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    code: Mapped[str | None]
    type: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    payload: Mapped[Json | None]
    synced_at: Mapped[datetime] = mapped_column(Moment)
