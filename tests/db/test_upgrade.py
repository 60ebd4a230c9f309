"""A database that an earlier release has filled comes up to this one with all it holds."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from tests.support.databases import Database, TestServers, drop_database, make_database
from widget_backend.db import migrate
from widget_backend.db.engine import normalize_url

# Written in the words of the first schema, which never change: builders follow the present one.
OF_0001 = (
    "INSERT INTO integrations (client_id, secret_encrypted, redirect_uri, title, created_at)"
    " VALUES ('an-id', '\\x00', 'https://kpi.example.com/oauth/callback', '', now())",
    "INSERT INTO accounts (account_id, subdomain, domain, name, state, client_id, timezone, currency,"
    " country, filters_enabled, installed_at, updated_at)"
    " VALUES (31000001, 'demo', 'demo.amocrm.ru', '', 'active', 'an-id', 'Europe/Moscow', 'RUB',"
    " 'RU', true, now(), now())",
    "INSERT INTO schedule (account_id, job, due_at, every_s, requests, failures)"
    " VALUES (31000001, 'sync.incremental', now(), 60, 0, 0)",
    "SELECT set_config('app.account_id', '31000001', true)",
    "INSERT INTO leads (account_id, id, name, price, created_at, updated_at, is_deleted, payload, synced_at)"
    " VALUES (31000001, 7001, 'Заказ 15', 45000, now(), now(), false, '{}', now())",
)


@pytest.fixture
def first_release(servers: TestServers) -> Iterator[Database]:
    """A database as release 0001 left it, with an account and a lead."""
    empty = make_database(servers, "upgrade")
    command.upgrade(migrate._config(empty.owner_url), "0001")
    owner = create_engine(normalize_url(empty.owner_url))
    with owner.begin() as connection:
        for statement in OF_0001:
            connection.execute(text(statement))
    owner.dispose()
    yield empty
    drop_database(servers, empty)


def test_the_first_release_comes_up_with_its_data(first_release: Database) -> None:
    migrate.upgrade(first_release.owner_url)
    owner = create_engine(normalize_url(first_release.owner_url))
    assert migrate.current(owner) == migrate.head()
    with owner.begin() as connection:
        jobs = set(connection.scalars(text("SELECT job FROM schedule WHERE account_id = 31000001")))
        connection.execute(text("SELECT set_config('app.account_id', '31000001', true)"))
        lead = connection.execute(text("SELECT id, name, price FROM leads")).one()
    owner.dispose()
    assert tuple(lead) == (7001, "Заказ 15", 45000)
    # A job that came with a later release is planned for those who were there before it.
    assert jobs == {"sync.incremental", "sync.reconcile"}
