"""One generated account of each kind for all tests of this folder."""

import pytest

from sandbox.generate import write_snapshot
from tests.sandbox.generate.account import FIRST_OF_MONTH, NOW, Account

# (end of the history, seed, leads): large, on the first of a month, small, and nearly nothing.
KINDS = {
    "mid-month": (NOW, 7, 2000),
    "first-of-month": (FIRST_OF_MONTH, 11, 2000),
    "small": (NOW, 23, 200),
    "tiny": (FIRST_OF_MONTH, 3, 10),
}


def _generated(kind: str, factory: pytest.TempPathFactory) -> Account:
    now, seed, leads = KINDS[kind]
    target = factory.mktemp("generated") / "account"
    write_snapshot(target, leads=leads, seed=seed, now=now)
    return Account(target, now)


@pytest.fixture(scope="session", params=KINDS)
def any_account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """What must hold in every account."""
    return _generated(request.param, tmp_path_factory)


@pytest.fixture(scope="session", params=["mid-month", "first-of-month"])
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """What must hold where there is enough of everything."""
    return _generated(request.param, tmp_path_factory)
