"""Users, their groups and roles, and the history of memberships that amoCRM itself does not keep."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Json, Moment, Tenant


class User(Tenant, Base):
    """A user of the account. ``is_known`` is false for ids that only turned up inside other records."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str | None]
    phone: Mapped[str | None]
    group_id: Mapped[int | None]
    role_id: Mapped[int | None]
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    is_free: Mapped[bool] = mapped_column(default=False)
    is_known: Mapped[bool] = mapped_column(default=True)
    lead_view: Mapped[str | None]  # A whole account, G own group, M own, D nothing
    lang: Mapped[str | None]
    payload: Mapped[Json | None]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class UserGroup(Tenant, Base):
    """A department. Id 0 is amoCRM's default one."""

    __tablename__ = "user_groups"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    is_deleted: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime] = mapped_column(Moment)


class Role(Tenant, Base):
    """A named set of rights."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    payload: Mapped[Json | None]
    synced_at: Mapped[datetime] = mapped_column(Moment)


class GroupMembership(Tenant, Base):
    """From ``valid_from`` on the user is in ``group_id``. The first row is dated 1970."""

    __tablename__ = "group_memberships"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    valid_from: Mapped[datetime] = mapped_column(Moment, primary_key=True)
    group_id: Mapped[int | None]
