"""Advisory locks: one job per subject, whatever process runs it, gone when its holder dies."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)


@contextmanager
def try_lock(engine: Engine, subject: str, account_id: int) -> Iterator[bool]:
    """Hold the session-level lock ``(subject, account)``; yields False at once if somebody else holds it.

    The lock lives on its own connection, so it spans several transactions and vanishes with the process.
    """
    key = _key(subject, account_id)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(
            connection.scalar(text("SELECT pg_try_advisory_lock(CAST(:a AS int), CAST(:b AS int))"), key)
        )
        try:
            yield held
        finally:
            if held:
                _unlock(connection, key)


def _unlock(connection: Connection, key: dict[str, int]) -> None:
    try:
        connection.execute(text("SELECT pg_advisory_unlock(CAST(:a AS int), CAST(:b AS int))"), key)
    except DBAPIError as error:
        # The server went away, and the lock with it. The work under it has ended by now, one way or another,
        # and that must not be hidden by the end of an end.
        connection.invalidate()
        log.warning("db.lock_was_lost", reason=type(error.orig).__name__)


def wait_for_lock(session: Session, subject: str, account_id: int) -> None:
    """Hold the lock ``(subject, account)`` until the transaction ends; waits for its present holder."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(CAST(:a AS int), CAST(:b AS int))"), _key(subject, account_id)
    )


def _key(subject: str, account_id: int) -> dict[str, int]:
    """Two 32-bit numbers. Different subjects that meet in one number only wait for each other needlessly."""
    return {"a": zlib.crc32(subject.encode()) - 2**31, "b": (account_id % 2**32) - 2**31}
