"""Fixtures for all tests: real PostgreSQL and Redis, a migrated database, nothing left behind.

- `session`, `engine`: this worker's own database; `session` rolls everything back, commits included.
- `database`: a database of the test's own, for code that commits in other connections or processes.
- `redis_url`: this worker's own logical database, emptied before each test.
"""

import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.support import browser as programs
from tests.support.databases import (
    Database,
    TestServers,
    at_database,
    close_test_home,
    drop_database,
    make_database,
    open_test_home,
    running_servers,
)
from tests.support.network import close_network

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IN_CI = bool(os.environ.get("CI"))

# The same examples every time in CI; new ones, without a time limit on a busy machine, elsewhere.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, database=None)
hypothesis_settings.register_profile("local", deadline=None)
hypothesis_settings.load_profile("ci" if IN_CI else "local")

_home_lock = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    lock = open_test_home()
    if lock is not None:
        config.stash[_home_lock] = lock
    close_network()


def pytest_unconfigure(config: pytest.Config) -> None:
    lock = config.stash.get(_home_lock, None)
    if lock is not None:
        close_test_home(lock)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and programs.find_chromium() is None:
        if IN_CI:
            pytest.fail(f"{programs.MISSING}. Under CI browser tests must run.", pytrace=False)
        pytest.skip(programs.MISSING)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; only for tests marked `browser`."""
    found = programs.find_chromium()
    if found is None:
        pytest.skip(programs.MISSING)
    return found


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Headless Chromium, one for all browser tests of a worker: Playwright allows one loop per thread."""
    from tests.widget.pages import launched

    with launched() as opened:
        yield opened


@pytest.fixture(scope="session")
def servers() -> Iterator[TestServers]:
    """Running PostgreSQL and Redis; workers of one run share them."""
    with running_servers() as running:
        yield running


@pytest.fixture(scope="session")
def template_database(servers: TestServers) -> Iterator[Database]:
    """A database at the newest revision that nobody connects to: copies are made of it."""
    from widget_backend.db.migrate import upgrade

    template = make_database(servers, "template")
    try:
        upgrade(template.owner_url)
        yield template
    finally:
        drop_database(servers, template)


@pytest.fixture
def database(servers: TestServers, template_database: Database) -> Iterator[Database]:
    """A fresh migrated database for one test that really commits."""
    fresh = make_database(servers, "test", template_database.name)
    yield fresh
    drop_database(servers, fresh)


@pytest.fixture(scope="session")
def engine(servers: TestServers, template_database: Database) -> Iterator[Engine]:
    """The application role's engine on this worker's own database, which stays empty."""
    from widget_backend.db.engine import make_engine

    own = make_database(servers, "worker", template_database.name)
    made = make_engine(own.app_url)
    yield made
    made.dispose()
    drop_database(servers, own)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose commits are savepoints: everything is rolled back after the test."""
    with engine.connect() as connection:
        transaction = connection.begin()
        with Session(
            bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as opened:
            yield opened
        transaction.rollback()


@pytest.fixture
def redis_url(servers: TestServers, worker_id: str) -> str:
    """An empty logical database of this worker's own: 1 for the first worker, and so on; 0 is nobody's."""
    number = int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 1
    url = at_database(servers.redis_url, str(number))
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
