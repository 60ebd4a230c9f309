"""The schema's promises: account first in every key, other accounts out of reach, no drift."""

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from tests.support.builders import ACCOUNT, a_lead, a_pipeline, an_account, in_account
from tests.support.databases import Database
from widget_backend.bootstrap import check_role
from widget_backend.db import migrate
from widget_backend.db.base import CROSS_ACCOUNT_TABLES
from widget_backend.db.engine import make_engine, normalize_url, session_scope, set_account
from widget_backend.db.metadata import metadata
from widget_backend.errors import ConfigError

TENANT_TABLES = sorted(set(metadata.tables) - CROSS_ACCOUNT_TABLES)


@pytest.mark.parametrize("name", TENANT_TABLES)
def test_the_account_is_first_in_every_key(name: str) -> None:
    table = metadata.tables[name]
    assert next(iter(table.primary_key.columns)).name == "account_id"
    for index in table.indexes:
        assert next(iter(index.columns)).name == "account_id", index.name


@pytest.mark.parametrize("name", TENANT_TABLES)
def test_row_level_security_binds_the_owner_too(engine: Engine, name: str) -> None:
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = to_regclass(:name)"),
            {"name": name},
        ).one()
    assert tuple(row) == (True, True)


def test_the_list_of_cross_account_tables_is_the_whole_of_it(engine: Engine) -> None:
    with engine.connect() as connection:
        bare = set(
            connection.scalars(
                text(
                    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                    " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relrowsecurity"
                )
            )
        )
    assert bare - {"alembic_version"} == CROSS_ACCOUNT_TABLES


def test_a_transaction_sees_one_account_or_none(session: Session) -> None:
    for account_id in (ACCOUNT, ACCOUNT + 1):
        an_account(session, account_id)
        in_account(session, account_id)
        a_pipeline(session)
        a_lead(session, account_id)
    count = text("SELECT array_agg(account_id) FROM leads")
    set_account(session, ACCOUNT)
    assert session.scalar(count) == [ACCOUNT]
    session.execute(text("SELECT set_config('app.account_id', '', true)"))
    assert session.scalar(count) is None


def test_a_row_of_another_account_cannot_be_written(session: Session) -> None:
    an_account(session, ACCOUNT)
    an_account(session, ACCOUNT + 1)
    set_account(session, ACCOUNT + 1)
    with pytest.raises(ProgrammingError, match="row-level security"):
        session.execute(
            text(
                "INSERT INTO user_groups (account_id, id, name, is_deleted, synced_at)"
                " VALUES (:id, 1, '', false, now())"
            ),
            {"id": ACCOUNT},
        )


def test_the_owner_is_bound_as_well(database: Database) -> None:
    app = make_engine(database.app_url)
    with session_scope(app) as session:
        an_account(session, ACCOUNT)
    with session_scope(app, ACCOUNT) as session:
        in_account(session, ACCOUNT)
        a_lead(session, 7001)
    owner = create_engine(normalize_url(database.owner_url))
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM leads")) == 0
    for made in (app, owner):
        made.dispose()


def test_privileged_roles_are_refused_at_start(database: Database) -> None:
    owner = create_engine(normalize_url(database.owner_url))
    with pytest.raises(ConfigError, match="owner of tables"):
        check_role(owner)
    app = make_engine(database.app_url)
    check_role(app)
    for made in (app, owner):
        made.dispose()


def test_models_and_migrations_agree(database: Database) -> None:
    command.check(migrate._config(database.owner_url))


def test_there_is_one_head() -> None:
    script = ScriptDirectory.from_config(migrate._config("postgresql://nobody"))
    assert script.get_heads() == [migrate.head()]


def test_migrating_twice_does_nothing(database: Database) -> None:
    migrate.upgrade(database.owner_url)
    migrate.upgrade(database.owner_url)


def test_the_application_cannot_change_the_schema(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("CREATE TABLE mine (id int)"))
