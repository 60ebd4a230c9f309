"""Hooks as the simulator sends them, over HTTP, into rows: forged, repeated, lost and late ones included."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from sqlalchemy import func, select
from werkzeug.serving import make_server

from tests.support.databases import Database
from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import Sandbox, an_open_lead, install, make_services, running_sandbox
from tests.support.waiting import wait_until
from widget_backend.app import create_app
from widget_backend.bootstrap import Services
from widget_backend.crm.models import Lead
from widget_backend.db.engine import session_scope
from widget_backend.kpi.models import LeadFact
from widget_backend.oauth.models import Account
from widget_backend.sync.backfill import backfill
from widget_backend.sync.from_hooks import process_hooks
from widget_backend.webhooks.inbox import destination
from widget_backend.webhooks.models import WebhookDelivery, WebhookEndpoint
from widget_backend.webhooks.subscription import CORE, EVENTS, ensure_subscription


class Installed:
    """An account with hooks that really arrive."""

    def __init__(self, services: Services, sandbox: Sandbox, account: Account):
        self.services = services
        self.sandbox = sandbox
        self.account = account
        self.account_id = account.account_id

    def waiting(self) -> int:
        with session_scope(self.services.engine, self.account_id) as session:
            return (
                session.scalar(
                    select(func.count())
                    .select_from(WebhookDelivery)
                    .where(WebhookDelivery.processed_at.is_(None))
                )
                or 0
            )

    def process(self) -> None:
        while process_hooks(self.services.engine, self.services.client(self.account), self.account_id):
            pass

    def ensure(self) -> bool:
        return ensure_subscription(
            self.services.engine,
            self.services.client(self.account),
            self.services.vault,
            self.account_id,
            self.services.settings.public_url,
        )

    def address(self) -> str:
        with session_scope(self.services.engine) as session:
            endpoint = session.scalars(select(WebhookEndpoint)).one()
            return destination(endpoint, self.services.vault, self.services.settings.public_url)


@pytest.fixture
def installed(database: Database, redis_url: str, free_port: int, tmp_path: Path) -> Iterator[Installed]:
    public_url = f"http://127.0.0.1:{free_port}"
    with running_sandbox(tmp_path, "--generate", "leads=40,seed=3", "--rate-limit", "0") as sandbox:
        services = make_services(
            database.app_url, redis_url, sandbox.origin, tmp_path, public_url, requests_per_s=500
        )
        server = make_server("127.0.0.1", free_port, create_app(services), threaded=True)
        Thread(target=server.serve_forever, daemon=True).start()
        account = install(services, sandbox)
        backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
        made = Installed(services, sandbox, account)
        assert made.ensure()
        yield made
        server.shutdown()
        server.server_close()
        services.close()


def test_a_won_deal_reaches_the_facts_through_its_hook(installed: Installed) -> None:
    lead = an_open_lead(installed.sandbox)
    installed.sandbox.act({"do": "win_lead", "lead_id": lead["id"], "price": 98765, "by": 502})
    wait_until(lambda: installed.waiting() > 0, "the hook arrives")
    installed.process()
    with session_scope(installed.services.engine, installed.account_id) as session:
        fact = session.get_one(LeadFact, (installed.account_id, lead["id"]))
        assert (fact.outcome, fact.price, fact.closed_user_id) == ("won", 98765, lead["responsible_user_id"])
    assert installed.waiting() == 0


def test_every_kind_of_change_arrives(installed: Installed) -> None:
    lead = an_open_lead(installed.sandbox)
    contact = installed.sandbox.truth("contacts")[0]
    somebody_else = next(
        user["id"]
        for user in installed.sandbox.truth("users")
        if user["rights"]["is_active"] and user["id"] != lead["responsible_user_id"]
    )
    installed.sandbox.act(
        {"do": "create_lead", "name": "С сайта", "pipeline_id": 3100, "price": 1, "by": 502},
        {"do": "edit", "id": contact["id"], "entity": "contacts", "set": {"name": "Ольга 🌷"}, "by": 502},
        {
            "do": "call",
            "id": lead["id"],
            "direction": "in",
            "duration": 70,
            "phone": "+79990001122",
            "by": 502,
        },
        {"do": "create_task", "lead_id": lead["id"], "complete_till": 1900000000, "text": "КП", "by": 502},
        {"do": "reassign", "id": lead["id"], "user_id": somebody_else, "by": 501},
    )
    wait_until(lambda: installed.waiting() >= 5, "the hooks arrive")
    wait_until(lambda: not installed.sandbox.door("deliveries")["states"].get("pending"), "all are delivered")
    installed.process()
    assert_mirror_is_true(installed.services, installed.account_id, installed.sandbox)


def test_a_deleted_lead_is_marked_by_its_hook(installed: Installed) -> None:
    lead = an_open_lead(installed.sandbox)
    installed.sandbox.act({"do": "delete", "id": lead["id"], "by": 501})
    wait_until(lambda: installed.waiting() > 0, "the hook arrives")
    installed.process()
    with session_scope(installed.services.engine, installed.account_id) as session:
        assert session.get_one(Lead, (installed.account_id, lead["id"])).is_deleted


def test_forged_repeated_and_foreign_hooks_change_nothing(installed: Installed) -> None:
    lead = an_open_lead(installed.sandbox)
    body = (
        f"leads[status][0][id]={lead['id']}&leads[status][0][status_id]=142&leads[status][0][price]=99999999"
        f"&account[id]={installed.account_id}"
    )
    foreign = body.replace(str(installed.account_id), "4711")
    unknown = f"spaceships[launch][0][id]=1&account[id]={installed.account_id}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for data in (body, body, foreign, unknown, "%%%=&&[[["):
        answer = requests.post(installed.address(), data=data, headers=headers, timeout=10)
        assert answer.status_code == 200
    installed.process()
    assert installed.waiting() == 0
    assert_mirror_is_true(installed.services, installed.account_id, installed.sandbox)


def test_a_crash_before_the_mark_repeats_the_batch(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = an_open_lead(installed.sandbox)
    installed.sandbox.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
    wait_until(lambda: installed.waiting() > 0, "the hook arrives")
    from widget_backend.sync import from_hooks as handlers

    def crash(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(handlers, "refresh_facts", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            installed.process()
    assert installed.waiting() > 0
    installed.process()
    with session_scope(installed.services.engine, installed.account_id) as session:
        assert session.get_one(LeadFact, (installed.account_id, lead["id"])).outcome == "won"


def test_a_lost_subscription_is_made_again(installed: Installed) -> None:
    client = installed.services.client(installed.account)
    client.request("DELETE", "/api/v4/webhooks", json={"destination": installed.address()})
    assert installed.ensure()
    answer = client.get("/api/v4/webhooks")
    assert [w["destination"] for w in answer["_embedded"]["webhooks"]] == [installed.address()]
    assert set(answer["_embedded"]["webhooks"][0]["settings"]) == set(EVENTS)


def test_an_older_address_of_ours_is_unsubscribed(installed: Installed) -> None:
    before = installed.address()
    client = installed.services.client(installed.account)
    moved = "http://127.0.0.1:9/elsewhere"
    assert ensure_subscription(
        installed.services.engine, client, installed.services.vault, installed.account_id, moved
    )
    listed = [w["destination"] for w in client.get("/api/v4/webhooks")["_embedded"]["webhooks"]]
    assert listed == [before.replace(installed.services.settings.public_url, moved)]


def test_a_record_that_may_not_be_seen_does_not_hold_up_the_others(installed: Installed) -> None:
    lead = an_open_lead(installed.sandbox)
    forbidden = {"status": 403, "body": '{"status":403}', "content_type": "application/json", "count": None}
    installed.sandbox.door("faults", [{"route": f"/api/v4/leads/{lead['id']}$", **forbidden}])
    installed.sandbox.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
    wait_until(lambda: installed.waiting() > 0, "the hook arrives")
    installed.process()
    assert installed.waiting() == 0
    with session_scope(installed.services.engine, installed.account_id) as session:
        assert not session.get_one(Lead, (installed.account_id, lead["id"])).is_deleted, "refused is not gone"


def test_a_great_backlog_is_worked_off_in_batches(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = an_open_lead(installed.sandbox)
    body = f"leads[update][0][id]={lead['id']}&account[id]={installed.account_id}"
    for padding in (0, 3000, 3000, 10, 10):
        padded = f"{body}&leads[update][0][name]={'x' * padding}"
        assert requests.post(installed.address(), data=padded.encode(), timeout=10).status_code == 200
    from widget_backend.sync import from_hooks

    monkeypatch.setattr(from_hooks, "BATCH_BYTES", 2500)
    client = installed.services.client(installed.account)
    left = []
    while process_hooks(installed.services.engine, client, installed.account_id):
        left.append(installed.waiting())
    assert left == [4, 3, 2], "a body that is too large alone goes alone"
    assert installed.waiting() == 0


def test_events_that_amocrm_does_not_know_are_left_out(installed: Installed) -> None:
    client = installed.services.client(installed.account)
    client.request("DELETE", "/api/v4/webhooks", json={"destination": installed.address()})
    bad = {"status": 400, "body": '{"status":400}', "content_type": "application/json", "count": 1}
    installed.sandbox.door("faults", [{"route": "/api/v4/webhooks$", "method": "POST", **bad}])
    assert installed.ensure()
    [webhook] = client.get("/api/v4/webhooks")["_embedded"]["webhooks"]
    assert set(webhook["settings"]) == set(CORE)
    before = len(installed.sandbox.door("requests")["requests"])
    assert installed.ensure()
    sent = installed.sandbox.door("requests")["requests"][before:]
    assert [one["method"] for one in sent] == ["GET"], "and not asked for again and again"


def test_an_account_without_hooks_keeps_the_address_to_be_removed(installed: Installed) -> None:
    client = installed.services.client(installed.account)
    forbidden = {"status": 402, "body": '{"status":402}', "content_type": "application/json", "count": None}
    installed.sandbox.door("faults", [{"route": "/api/v4/webhooks$", **forbidden}])
    moved = "http://127.0.0.1:9/elsewhere"
    services = installed.services
    assert not ensure_subscription(services.engine, client, services.vault, installed.account_id, moved)
    with session_scope(services.engine) as session:
        endpoint = session.scalars(select(WebhookEndpoint)).one()
        assert endpoint.destination == installed.address()
        assert endpoint.accepted_events is None
