"""Engines and transactions. Every transaction that touches an account's rows names that account first."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from widget_backend.clock import now

log = structlog.get_logger(__name__)
LONG_TRANSACTION_S = 20.0
# A server host that vanished without a word is noticed in a minute, not after the system's two hours.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def normalize_url(url: str) -> str:
    """``postgres://`` and ``postgresql://`` name the same thing to people; SQLAlchemy wants the driver."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def to_json(value: Any) -> str:
    """JSON for JSONB columns. A decimal becomes a number where that loses nothing, else a string."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON.")


def make_engine(url: str, *, pool_size: int = 10, max_overflow: int = 30) -> Engine:
    """An engine that connects on first use and survives a restart of the server.

    Errors never carry bound values (payloads, tokens, hook bodies), whoever logs them.
    """
    return create_engine(
        normalize_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=to_json,
        connect_args={"connect_timeout": 5, "application_name": "widget_backend", **KEEPALIVE},
    )


def set_account(session: Session, account_id: int) -> None:
    """Make the rest of this transaction see the rows of one account, and of no other."""
    session.execute(text("SELECT set_config('app.account_id', :id, true)"), {"id": str(account_id)})


@contextmanager
def session_scope(
    engine: Engine, account_id: int | None = None, *, snapshot: bool = False
) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any exception.

    Without ``account_id`` only the cross-account tables have rows. With ``snapshot`` all its statements see
    the database of one moment, so that the numbers of one answer fit each other; for reading only.
    """
    started = now()
    with Session(engine, expire_on_commit=False) as session, session.begin():
        if snapshot:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        if account_id is not None:
            set_account(session, account_id)
        yield session
    seconds = (now() - started).total_seconds()
    if seconds > LONG_TRANSACTION_S:
        log.warning("db.long_transaction", seconds=round(seconds, 1), account_id=account_id)
