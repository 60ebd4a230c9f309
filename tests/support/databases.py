"""Real servers and databases for tests: those of TEST_*_URL, or own ones that end with the test run."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from widget_backend.local import locks, postgres
from widget_backend.local.home import Home, open_home, read_secrets
from widget_backend.local.servers import acquire, down

HOME_VARIABLE = "APP_TEST_HOME"
PREFIX = "app-tests-"


@dataclass(frozen=True, kw_only=True)
class TestServers:
    """URLs of servers that tests may fill; `admin_url` may make databases that `owner_url`'s role owns."""

    __test__ = False

    app_url: str
    owner_url: str
    admin_url: str
    redis_url: str


@dataclass(frozen=True, kw_only=True)
class Database:
    """One migrated database: `app_url` as the product sees it, `owner_url` as migrations do."""

    name: str
    app_url: str
    owner_url: str


def open_test_home() -> int | None:
    """Names a directory for this run's servers (in the environment, so that xdist workers share it).

    Called by the process that starts the run; the answer is its lock, None in a worker.
    """
    if os.environ.get(HOME_VARIABLE):
        return None
    _sweep()
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    home.chmod(0o755)  # so that root's servers can run as nobody, the usual case
    os.environ[HOME_VARIABLE] = str(home)
    # Locked before it has its name: a run that sweeps must not take it for an abandoned one.
    lock = locks.open_lock(home / "new.lock")
    locks.try_exclusive(lock)
    (home / "new.lock").rename(home / "run.lock")
    return lock


def close_test_home(lock: int) -> None:
    """Stops this run's servers and removes their data."""
    home = Path(os.environ.pop(HOME_VARIABLE))
    down(home)
    shutil.rmtree(home, ignore_errors=True)
    os.close(lock)


def _sweep() -> None:
    """Removes what killed test runs left: directories whose lock nobody holds any more."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if (home / "run.lock").exists() and not locks.is_held(home / "run.lock"):
                down(home)
                shutil.rmtree(home, ignore_errors=True)


@contextlib.contextmanager
def running_servers() -> Iterator[TestServers]:
    """Servers for as long as the context lasts."""
    app_url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
    if app_url and redis_url:
        owner_url = os.environ.get("TEST_DATABASE_OWNER_URL", "")
        if not owner_url:
            raise RuntimeError("TEST_DATABASE_URL needs TEST_DATABASE_OWNER_URL beside it (with CREATEDB).")
        yield TestServers(app_url=app_url, owner_url=owner_url, admin_url=owner_url, redis_url=redis_url)
        return
    os.environ["APP_LOCAL_FAST"] = "1"
    home = Path(os.environ[HOME_VARIABLE])
    with acquire(home) as lease:
        own = lease.servers
        yield TestServers(
            app_url=app_url or own.database_url,
            owner_url=os.environ.get("TEST_DATABASE_OWNER_URL") or own.database_owner_url,
            admin_url=_admin_url(open_home(home), own.database_url)
            if not app_url
            else os.environ["TEST_DATABASE_OWNER_URL"],
            redis_url=redis_url or own.redis_url,
        )


def _admin_url(home: Home, app_url: str) -> str:
    secrets = read_secrets(home)
    if secrets is None:
        raise RuntimeError(f"{home.path} has no secrets")
    return postgres.superuser_url(secrets, urlsplit(app_url).port or 0)


def at_database(url: str, name: str) -> str:
    """The same server and role, another database (for Redis: another number)."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def make_database(servers: TestServers, prefix: str, template: str | None = None) -> Database:
    """A new database owned by the owner role: empty, or a copy of `template` (which nobody may be using)."""
    name = f"{prefix}_{uuid4().hex[:12]}"
    owner = urlsplit(servers.owner_url).username or ""
    statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
    if template:
        statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(statement)
    return Database(
        name=name,
        app_url=at_database(servers.app_url, name),
        owner_url=at_database(servers.owner_url, name),
    )


def drop_database(servers: TestServers, database: Database) -> None:
    """Drops it, whoever is still connected."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        admin.execute(statement)
