"""Hook intake: durable before the answer, never refused for what it says, closed to strangers."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.support.builders import ACCOUNT
from widget_backend.api import hooks
from widget_backend.bootstrap import Services
from widget_backend.db.engine import make_engine, session_scope
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account
from widget_backend.sync.install import prepare_account
from widget_backend.sync.models import Schedule
from widget_backend.webhooks.inbox import destination, ensure_endpoint
from widget_backend.webhooks.models import WebhookDelivery, WebhookEndpoint

BODY = b"leads%5Bstatus%5D%5B0%5D%5Bid%5D=7001&account%5Bid%5D=31000001"


@pytest.fixture
def address(filled: Services) -> str:
    """The path of the account's hook address."""
    with session_scope(filled.engine, ACCOUNT) as session:
        ensure_endpoint(session, filled.vault, ACCOUNT)
        prepare_account(session, filled.settings, ACCOUNT)
    with session_scope(filled.engine) as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        return destination(endpoint, filled.vault, "")


def stored(services: Services) -> list[bytes]:
    with session_scope(services.engine, ACCOUNT) as session:
        return list(session.scalars(select(WebhookDelivery.body).order_by(WebhookDelivery.id)))


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        b"",
        b"\xff\xfe not a form at all %zz",
        b"account%5Bid%5D=999&leads%5Badd%5D%5B0%5D%5Bid%5D=1",
        b"leads[add][0][name]=" + b"x" * (2 * 1024 * 1024),
    ],
)
def test_every_body_is_stored_as_it_came(
    client: FlaskClient, filled: Services, address: str, body: bytes
) -> None:
    answer = client.post(address, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert stored(filled) == [body]


def test_a_paused_account_still_stores(client: FlaskClient, filled: Services, address: str) -> None:
    with session_scope(filled.engine) as session:
        session.get_one(Account, ACCOUNT).state = "paused"
    assert client.post(address, data=BODY).status_code == 200
    assert stored(filled) == [BODY]


def test_a_hook_makes_its_job_due(client: FlaskClient, filled: Services, address: str) -> None:
    def row() -> Any:
        with session_scope(filled.engine) as session:
            return session.get_one(Schedule, (ACCOUNT, Job.PROCESS_HOOKS))

    before = row().requests
    client.post(address, data=BODY)
    assert row().requests == before + 1


def test_an_unknown_address_stores_nothing_and_soon_gets_429(
    client: FlaskClient, filled: Services, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_limiter", type(hooks._limiter)(type(hooks._limiter.storage)()))
    codes = [client.post("/hooks/amocrm/guess", data=BODY).status_code for _ in range(40)]
    assert codes[0] == 404
    assert codes[-1] == 429
    assert stored(filled) == []
    assert client.post(address, data=BODY).status_code == 200, "a genuine hook is never limited"


def test_a_body_over_eight_megabytes_is_refused(client: FlaskClient, filled: Services, address: str) -> None:
    answer = client.post(address, data=b"x" * (8 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert stored(filled) == []


def test_an_inbox_that_cannot_be_written_is_503(client: FlaskClient, filled: Services, address: str) -> None:
    filled.engine.dispose()
    filled.__dict__["engine"] = make_engine("postgresql://app@127.0.0.1:9/app")
    answer = client.post(address, data=BODY)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
