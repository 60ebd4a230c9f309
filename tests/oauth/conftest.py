"""A database that really commits, a vault, and a token endpoint on loopback."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.amocrm.scripted import ScriptedServer
from tests.oauth.world import KEY, FakeAmo, add_integration
from tests.support.databases import Database
from widget_backend.db.engine import make_engine
from widget_backend.oauth.vault import Vault


@pytest.fixture
def vault() -> Vault:
    return Vault([KEY])


@pytest.fixture
def own(database: Database, vault: Vault) -> Iterator[Engine]:
    """The application role on a database of the test's own, with one integration registered."""
    made = make_engine(database.app_url)
    add_integration(made, vault)
    yield made
    made.dispose()


@pytest.fixture
def amo() -> FakeAmo:
    return FakeAmo()


@pytest.fixture
def server(amo: FakeAmo) -> Iterator[ScriptedServer]:
    with ScriptedServer(amo) as running:
        yield running
