"""The application on a database of its own, with one account, its people and its leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.callers import SECRET, Caller
from tests.support.builders import (
    ACCOUNT,
    NEW,
    TALKS,
    a_call,
    a_group,
    a_lead,
    a_pipeline,
    a_user,
    an_account,
    in_account,
    moved,
)
from tests.support.databases import Database
from tests.support.sandbox import make_services
from widget_backend.app import create_app
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.kpi.build import rebuild
from widget_backend.oauth.models import Account, Integration
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.streams import STREAMS

OTHER = ACCOUNT + 1
WON_IN_JANUARY = {501: (7001, 7002), 502: (7003,), 503: (7004, 7005, 7006)}


@pytest.fixture
def services(database: Database, redis_url: str, tmp_path: Path) -> Iterator[Services]:
    made = make_services(database.app_url, redis_url, "http://127.0.0.1:9", tmp_path)
    yield made
    made.close()


@pytest.fixture
def filled(services: Services) -> Services:
    """Two accounts. In the first: 501 admin, 502 and 504 in group 88, 503 in group 0, and January's wins."""
    for account_id in (ACCOUNT, OTHER):
        with session_scope(services.engine, account_id) as session:
            an_account(session, account_id)
            in_account(session, account_id)
            a_pipeline(session)
            a_group(session, 88)
            a_user(session, 501, group_id=88, is_admin=True, lead_view="A")
            a_user(session, 502, group_id=88, lead_view="G")
            a_user(session, 503, group_id=0, lead_view="M")
            a_user(session, 504, group_id=88, lead_view="D")
            a_user(session, 505, group_id=0, is_active=False)
            a_user(session, 506, group_id=0, lead_view="A")
            for user_id, leads in WON_IN_JANUARY.items():
                for lead_id in leads:
                    a_lead(
                        session, lead_id, user=user_id, status=142, closed="2026-01-20 12:00", price=lead_id
                    )
            moved(session, 7001, "2025-12-30 12:00", NEW, TALKS)
            a_call(session, ("leads", 7001), "2026-01-21 10:00", by=501)
            a_call(session, ("leads", 7004), "2026-01-21 11:00", by=503)
            rebuild(session, account_id, None, as_of=now())
            for name in (*(stream.name for stream in STREAMS), "facts"):
                session.add(
                    SyncCursor(
                        account_id=account_id,
                        stream=name,
                        synced_to=now(),
                        backfilled_at=now(),
                        backfill_started_at=now(),
                        rows_seen=0,
                        updated_at=now(),
                    )
                )
            session.get_one(Account, account_id).state = "active"
            integration = session.get_one(Integration, f"client-{account_id}")
            integration.secret_encrypted = services.vault.encrypt(SECRET)
            integration.redirect_uri = "https://kpi.example.com/oauth/callback"
    return services


@pytest.fixture
def client(filled: Services) -> FlaskClient:
    app = create_app(filled)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


@pytest.fixture
def call(client: FlaskClient) -> Caller:
    return Caller(client=client)
