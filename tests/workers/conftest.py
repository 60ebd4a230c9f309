"""One installed account on a database of its own; no amoCRM behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import ACCOUNT, an_account
from tests.support.databases import Database
from tests.support.sandbox import make_services
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.sync.install import prepare_account


@pytest.fixture
def services(database: Database, redis_url: str, tmp_path: Path) -> Iterator[Services]:
    made = make_services(database.app_url, redis_url, "http://127.0.0.1:9", tmp_path)
    with session_scope(made.engine) as session:
        an_account(session, ACCOUNT)
        prepare_account(session, made.settings, ACCOUNT)
    yield made
    made.close()
