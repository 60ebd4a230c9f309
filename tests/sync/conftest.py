"""A small generated account in a simulator of the test's own, without its rate limit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import Database
from tests.support.sandbox import Sandbox, install, make_services, running_sandbox
from widget_backend.bootstrap import Services
from widget_backend.oauth.models import Account
from widget_backend.sync.backfill import backfill

LEADS = 120


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(
        tmp_path,
        "--generate",
        f"leads={LEADS},seed=11",
        "--rate-limit",
        "0",
        "--state",
        str(tmp_path / "state"),
    ) as running:
        yield running


@pytest.fixture
def services(database: Database, redis_url: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[Services]:
    made = make_services(database.app_url, redis_url, sandbox.origin, tmp_path, requests_per_s=500)
    yield made
    made.close()


@pytest.fixture
def account(services: Services, sandbox: Sandbox) -> Account:
    """Installed, nothing copied yet."""
    return install(services, sandbox)


@pytest.fixture
def mirrored(services: Services, account: Account) -> Account:
    """Installed and copied."""
    assert backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
    return account
