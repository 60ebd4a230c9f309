"""The real `worker` and `beat` processes on real servers: install, copy, hooks, kills and outages."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from tests.support.databases import Database
from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import ROOT, Sandbox, an_open_lead, make_services, request_install, running_sandbox
from tests.support.waiting import wait_until
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.oauth.models import Account, AccountState
from widget_backend.schedule import LEASE_S

WORKER = (
    "-m celery --app workers.celery_app worker --queues hooks,sync,reports --pool threads --concurrency 4"
)
COMMANDS = {"worker": f"{WORKER} --without-gossip --without-mingle", "beat": "-m workers.dispatcher"}


class House:
    """The processes of one installation, started and killed one by one."""

    def __init__(self, services: Services, directory: Path):
        self.services = services
        self.directory = directory
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environ(self, **changes: str) -> dict[str, str]:
        settings = self.services.settings
        return {
            **os.environ,
            "APP_HOME": str(self.directory),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "ENCRYPTION_KEYS": settings.encryption_keys[0],
            "PUBLIC_URL": settings.public_url,
            "AMOCRM_ORIGIN": settings.amocrm_origin or "",
            "SYNC_EVERY_S": "2",
            **changes,
        }

    def start(self, *names: str, **changes: str) -> None:
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, *COMMANDS[name].split()],
                    cwd=ROOT,
                    env=self.environ(**changes),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    def end(self, name: str, how: signal.Signals) -> int:
        process = self.running.pop(name)
        process.send_signal(how)
        return process.wait(60)

    def said(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path, "--generate", "leads=300,seed=9") as running:
        yield running


@pytest.fixture
def house(database: Database, redis_url: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[House]:
    services = make_services(database.app_url, redis_url, sandbox.origin, tmp_path)
    made = House(services, tmp_path)
    yield made
    for process in made.running.values():
        process.kill()
        process.wait()
    services.close()


def account(house: House) -> Account | None:
    with session_scope(house.services.engine) as session:
        return session.query(Account).one_or_none()


def is_active(house: House) -> bool:
    found = account(house)
    return found is not None and found.state == AccountState.ACTIVE


def api_requests(sandbox: Sandbox) -> int:
    return len(sandbox.door("requests")["requests"])


def is_true(house: House, sandbox: Sandbox) -> bool:
    found = account(house)
    assert found is not None
    try:
        assert_mirror_is_true(house.services, found.account_id, sandbox)
    except AssertionError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_an_installation_survives_kills_and_outages(house: House, sandbox: Sandbox) -> None:
    request_install(house.services, sandbox)
    house.start("worker", "beat")
    wait_until(lambda: api_requests(sandbox) > 20, "the copy is under way", 120)
    assert house.end("worker", signal.SIGKILL) == -signal.SIGKILL
    assert house.end("beat", signal.SIGKILL) == -signal.SIGKILL
    house.start("worker", "beat")
    wait_until(lambda: is_active(house), "the copy is complete", LEASE_S + 120)
    wait_until(lambda: is_true(house, sandbox), "the mirror is true", 60)

    with redis.Redis.from_url(house.services.settings.redis_url) as client:
        client.client_kill_filter(skipme=True)
    with house.services.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
    wait_until(lambda: is_true(house, sandbox), "it goes on", LEASE_S + 60)
    assert house.end("beat", signal.SIGTERM) == 0
    assert "Traceback" not in house.said("beat")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_is_set_up_wrongly_says_so_and_ends(
    house: House, database: Database, name: str
) -> None:
    for changes, expected in (
        ({"ENCRYPTION_KEYS": "", "SYNC_EVERY_S": "never"}, "ENCRYPTION_KEYS is missing"),
        ({"DATABASE_URL": database.owner_url}, "an owner of tables"),
    ):
        house.start(name, **changes)
        assert house.running.pop(name).wait(60) == 1
        assert expected in house.said(name)
    assert "Traceback" not in house.said(name)
