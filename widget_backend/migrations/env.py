"""Alembic environment: runs as the owner, one revision per transaction, never waits long for a lock."""

from alembic import context
from sqlalchemy import create_engine, text

from widget_backend.db.engine import normalize_url
from widget_backend.db.metadata import metadata

LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def run() -> None:
    engine = create_engine(normalize_url(context.config.get_main_option("sqlalchemy.url") or ""))
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=metadata, transaction_per_migration=True, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
