"""Declarative base, constraint names, and the two kinds of tables: one account's, and cross-account ones."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, Numeric

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Moment = DateTime(timezone=True)
Money = Numeric(20, 4)
Json = dict[str, Any]


class Base(DeclarativeBase):
    """All tables. ``type_annotation_map`` keeps the models short."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, Json: JSONB, list[Any]: JSONB, list[str]: JSONB}  # noqa: RUF012


class Tenant:
    """Mixin of every table that belongs to one account: ``account_id`` is the first column of its key.

    Row-level security (forced, so that it binds the owner too) shows only the rows of the account named by
    the transaction's ``app.account_id``.
    """

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True, sort_order=-100
    )


# The only tables without row-level security, because they are read before the account is known.
CROSS_ACCOUNT_TABLES = frozenset(
    {"accounts", "integrations", "oauth_states", "install_requests", "webhook_endpoints", "schedule"}
)
