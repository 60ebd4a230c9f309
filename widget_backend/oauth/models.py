"""Integrations, accounts, tokens, and codes waiting to be exchanged. Secrets are stored encrypted only."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from widget_backend.db.base import Base, Moment, Tenant


class AccountState(StrEnum):
    """What an account may do now; the command line and the API show these words."""

    BACKFILLING = "backfilling"
    ACTIVE = "active"
    PAUSED = "paused"
    REAUTH_REQUIRED = "reauth_required"
    DISCONNECTED = "disconnected"


SYNCING = (AccountState.BACKFILLING, AccountState.ACTIVE)


class Integration(Base):
    """One pair of client id and secret. A private integration serves one account, a public one many."""

    __tablename__ = "integrations"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    secret_encrypted: Mapped[bytes]
    previous_secret_encrypted: Mapped[bytes | None]
    previous_valid_until: Mapped[datetime | None] = mapped_column(Moment)
    redirect_uri: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(Moment)


class Account(Base):
    """An amoCRM account, keyed by amoCRM's own numeric id (hosts and subdomains may change).

    ``limited_view`` says why the connected user may not see everything, null when nothing is known against.
    """

    __tablename__ = "accounts"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    subdomain: Mapped[str] = mapped_column(index=True)
    domain: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=AccountState.BACKFILLING)
    state_reason: Mapped[str | None]
    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id"))
    timezone: Mapped[str] = mapped_column(default="Europe/Moscow")
    currency: Mapped[str] = mapped_column(default="RUB")
    country: Mapped[str] = mapped_column(default="RU")
    filters_enabled: Mapped[bool] = mapped_column(default=True)
    limited_view: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class OAuthState(Base):
    """An unguessable value that ties a redirect to the install link we gave out. Used once."""

    __tablename__ = "oauth_states"

    state: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class InstallRequest(Base):
    """An authorisation code as it arrived. A worker exchanges it: amoCRM waits 3 s and never retries."""

    __tablename__ = "install_requests"
    __table_args__ = (
        Index("ix_install_requests_waiting", "received_at", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("integrations.client_id", ondelete="CASCADE"))
    referer: Mapped[str]
    code_encrypted: Mapped[bytes | None]
    received_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    account_id: Mapped[int | None]
    error: Mapped[str | None]


class OAuthToken(Tenant, Base):
    """The account's token pair. ``version`` grows by one with each pair, so that a waiter sees it changed."""

    __tablename__ = "oauth_tokens"

    client_id: Mapped[str]
    access_encrypted: Mapped[bytes]
    refresh_encrypted: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(Moment)
    refreshed_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[int]
    user_id: Mapped[int | None]
    api_domain: Mapped[str | None]
