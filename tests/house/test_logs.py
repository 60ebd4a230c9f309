"""Log lines: one JSON object each, whoever writes them, without secrets and without rows of the database."""

import json
import logging

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from widget_backend import logs

PERSONAL = {"phone": "+79990001122", "name": "Ольга\nПетрова"}


def lines(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


@pytest.fixture(autouse=True)
def _afterwards() -> object:
    yield
    logs.configure("WARNING")


def test_every_line_is_one_object_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    with structlog.contextvars.bound_contextvars(account_id=7):
        structlog.get_logger().info("sync.page_stored", rows=250, status_code=200)
        logging.getLogger("celery.worker").warning("two\nlines %s", "of text")
        structlog.get_logger().debug("not at this level")
    ours, theirs = lines(capsys.readouterr().err)
    assert (ours["event"], ours["account_id"], ours["rows"], ours["status_code"]) == (
        "sync.page_stored",
        7,
        250,
        200,
    )
    assert (theirs["event"], theirs["account_id"], theirs["level"]) == ("two\nlines of text", 7, "warning")


@pytest.mark.parametrize(
    "name", ["access_token", "tokens", "client_secret", "PASSWORD", "code", "phone", "body", "key"]
)
def test_fields_that_promise_a_secret_are_blanked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    structlog.get_logger().info("x", **{name: "hush"})
    assert "hush" not in capsys.readouterr().err


def test_a_database_error_tells_no_row(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    statement = text("INSERT INTO integrations (client_id, title) VALUES (:phone, :name)")
    try:
        with engine.begin() as connection:
            connection.execute(statement, PERSONAL)
    except DBAPIError:
        structlog.get_logger().exception("job.crashed")
        logging.getLogger("celery").exception("job.crashed")
    said = lines(capsys.readouterr().err)
    assert len(said) == 2
    for line in said:
        told = str(line["exception"])
        assert "null value in column" in told
        assert not any(part in told for value in PERSONAL.values() for part in value.split("\n"))


def test_an_unknown_level_is_info(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("loud")
    structlog.get_logger().info("heard")
    assert lines(capsys.readouterr().err)[0]["event"] == "heard"
