"""The fixtures themselves: isolated, real, and closed to the outside."""

import socket
import urllib.request

import psycopg
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.support.databases import Database
from tests.support.network import NetworkIsClosed


@pytest.mark.parametrize("_again", [1, 2])
def test_a_committed_row_is_gone_in_the_next_test(session: Session, _again: int) -> None:
    session.execute(text("CREATE TEMPORARY TABLE scratch (n int)"))
    session.execute(text("INSERT INTO scratch VALUES (1)"))
    session.commit()
    assert session.scalar(text("SELECT count(*) FROM scratch")) == 1


def test_the_session_is_the_application_role(session: Session) -> None:
    role = session.execute(
        text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    ).one()
    assert tuple(role) == (False, False)


@pytest.mark.parametrize("_again", [1, 2])
def test_every_test_gets_a_database_of_its_own(database: Database, _again: int) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE TABLE only_here (n int)")
    with psycopg.connect(database.app_url) as app:
        assert app.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_the_application_role_owns_no_table(engine: Engine) -> None:
    with engine.connect() as connection:
        owners = set(connection.scalars(text("SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")))
        assert owners == {"app_owner"}


@pytest.mark.parametrize("_again", [1, 2])
def test_redis_is_empty_at_the_start_of_a_test(redis_url: str, _again: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "over")


def test_the_network_is_closed() -> None:
    with pytest.raises(NetworkIsClosed), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
    with pytest.raises((NetworkIsClosed, OSError)):
        urllib.request.urlopen("http://example.org/", timeout=1)
