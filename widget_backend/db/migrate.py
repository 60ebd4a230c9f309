"""Bring a database to the newest schema, and say whether it is there. Runs as the owner role."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from widget_backend.db.engine import normalize_url
from widget_backend.errors import ConfigError

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
APP_ROLE = "app"
ADVISORY_KEY = 7_310_001


def _config(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", normalize_url(owner_url).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision of this code."""
    revision = ScriptDirectory.from_config(_config("postgresql://unused")).get_current_head()
    if revision is None:
        raise ConfigError("No migrations found.", remedy="Reinstall the product.")
    return revision


def current(engine: Engine) -> str | None:
    """The revision a database stands at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(owner_url: str, app_role: str = APP_ROLE) -> None:
    """Run all missing migrations, then grant the application role what it needs and nothing more.

    Two processes that migrate at once wait for each other; the second finds nothing to do.
    """
    engine = create_engine(normalize_url(owner_url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:k)"), {"k": ADVISORY_KEY})
            connection.commit()
            command.upgrade(_config(owner_url), "head")
            _grant(connection, app_role)
            connection.commit()
    except OperationalError as error:
        raise ConfigError(
            f"The database cannot be migrated: {str(error.orig).strip().splitlines()[0]}.",
            remedy="Check DATABASE_OWNER_URL and that the server is up.",
        ) from error
    finally:
        engine.dispose()


def _grant(connection: Connection, app_role: str) -> None:
    role = '"' + app_role.replace('"', '""') + '"'
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
    ):
        connection.execute(text(statement))
