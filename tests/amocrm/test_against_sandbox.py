"""Client, parsers and token check against the simulator: two independent readings of one reference."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from tests.support.sandbox import Sandbox, running_sandbox
from widget_backend import clock
from widget_backend.amocrm import parse
from widget_backend.amocrm.client import AmoClient, Token, make_session
from widget_backend.amocrm.limiter import Priority, RedisBudget
from widget_backend.amocrm.pages import pages
from widget_backend.amocrm.resources import RESOURCES
from widget_backend.amocrm.values import storable
from widget_backend.amocrm.widget_token import IntegrationKeys, verify
from widget_backend.errors import AmoRejected, NeedsReauthorization
from widget_backend.oauth.credentials import Credentials
from widget_backend.oauth.endpoint import Grant, TokenEndpoint, TokenRefused

REDIRECT = "https://app.example/oauth/callback"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(directory, "--generate", "leads=300,seed=7", "--subdomain", "demo") as running:
        yield running


class Installed:
    """An integration authorised in the simulator, and a client that uses it."""

    def __init__(self, sandbox: Sandbox, redis_client: redis.Redis):
        made = sandbox.door("integrations", {"redirect_uri": REDIRECT})
        self.credentials = Credentials(
            client_id=made["client_id"], client_secret=made["client_secret"], redirect_uri=REDIRECT
        )
        self.session = make_session()
        self.endpoint = TokenEndpoint(self.session, sandbox.origin)
        code = sandbox.door("codes", {"client_id": made["client_id"]})["code"]
        self.code = code
        self.grant: Grant = self.endpoint.exchange_code("demo.amocrm.ru", self.credentials, code)
        assert self.grant.account_id is not None
        self.account_id = self.grant.account_id
        self.version = 1
        self.refreshed: list[int] = []
        self.client = AmoClient(
            self.account_id,
            "demo.amocrm.ru",
            self.token,
            self.refresh,
            RedisBudget(redis_client, self.account_id, made["client_id"]),
            self.session,
            sandbox.origin,
        )

    def token(self) -> Token:
        return Token(
            access=self.grant.access,
            version=self.version,
            expires_at=self.grant.expires_at(clock.now()),
        )

    def refresh(self, seen_version: int) -> Token:
        self.refreshed.append(seen_version)
        self.grant = self.endpoint.refresh("demo.amocrm.ru", self.credentials, self.grant.refresh)
        self.version += 1
        return self.token()


@pytest.fixture
def installed(sandbox: Sandbox, redis_url: str) -> Iterator[Installed]:
    with redis.Redis.from_url(redis_url) as client:
        made = Installed(sandbox, client)
        yield made
        made.session.close()


def everything(client: AmoClient, name: str, **more: Any) -> list[Any]:
    resource = RESOURCES[name]
    params = {**resource.params(), **more}
    return [item for page in pages(client, resource.path, resource.key, params) for item in page]


COMPARED = ["leads", "contacts", "companies", "tasks", "notes_leads", "notes_contacts", "events", "users",
            "pipelines", "loss_reasons", "custom_fields_leads"]  # fmt: skip
READERS: dict[str, Any] = {
    "leads": parse.parse_lead,
    "contacts": parse.parse_contact,
    "companies": parse.parse_company,
    "tasks": parse.parse_task,
    "events": parse.parse_event,
    "users": parse.parse_user,
    "pipelines": parse.parse_pipeline,
    "loss_reasons": parse.parse_loss_reason,
}


def test_every_list_is_read_whole_within_the_limit_and_parsed(sandbox: Sandbox, installed: Installed) -> None:
    for name in COMPARED:
        got = everything(installed.client, name)
        truth = [row for row in sandbox.truth(name) if not (row.get("is_deleted") or row.get("_merged_into"))]
        assert sorted(str(row["id"]) for row in got) == sorted(str(row["id"]) for row in truth), name
        reader = READERS.get(name)
        for row in got:
            if reader is not None:
                assert str(reader(installed.account_id, row, AT)["id"]) == str(row["id"])
    log = [
        entry
        for entry in sandbox.door("requests")["requests"]
        if entry["integration"] == installed.credentials.client_id and entry["path"].startswith("/api/v4/")
    ]
    assert {entry["status"] for entry in log} == {200}
    assert len(log) == installed.client.requests.total()


def test_a_leads_columns_are_the_sandboxs_truth(sandbox: Sandbox, installed: Installed) -> None:
    truth = {row["id"]: row for row in sandbox.truth("leads")}
    rows = [parse.parse_lead(installed.account_id, raw, AT) for raw in everything(installed.client, "leads")]
    assert rows
    for row in rows:
        expected = truth[row["id"]]
        for column in ("name", "status_id", "pipeline_id", "loss_reason_id", "created_by", "group_id"):
            assert row[column] == expected[column], (row["id"], column)
        for column in ("created_at", "updated_at"):
            assert row[column].timestamp() == expected[column]
        assert row["price"] == parse.price_of(expected)


def test_the_account_names_its_zone_groups_and_task_types(installed: Installed) -> None:
    payload = installed.client.get(
        "account", {"with": "users_groups,task_types,datetime_settings,is_api_filter_enabled"}
    )
    details = parse.parse_account(payload)
    assert (details["account_id"], details["subdomain"]) == (installed.account_id, "demo")
    assert details["timezone"]
    assert parse.parse_groups(installed.account_id, payload, AT)
    assert parse.parse_task_types(installed.account_id, payload, AT)


def test_filters_and_order_are_understood(sandbox: Sandbox, installed: Installed) -> None:
    ids = sorted(row["id"] for row in sandbox.truth("leads") if not row.get("is_deleted"))[:3]
    got = everything(installed.client, "leads", filter={"id": ids}, order={"id": "asc"})
    assert [row["id"] for row in got] == ids
    moment = got[0]["updated_at"]
    window = everything(installed.client, "leads", filter={"updated_at": {"from": moment, "to": moment}})
    assert {row["updated_at"] for row in window} == {moment}


def test_a_missing_entity_is_none(installed: Installed) -> None:
    assert installed.client.find("leads/999999999") is None
    assert installed.client.find("tasks/999999999") is None


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "count": 1},
        {"status": 502, "body": "<html>bad gateway</html>", "count": 1},
        {"garbage": True, "count": 1},
        {"drop": "answer", "count": 1},
        {"drop": "request", "count": 1},
    ],
)
def test_passing_faults_are_survived(sandbox: Sandbox, installed: Installed, fault: dict[str, Any]) -> None:
    expected = everything(installed.client, "loss_reasons")
    sandbox.door("faults", [{"route": "/api/v4/leads/loss_reasons", **fault}])
    assert storable(everything(installed.client, "loss_reasons")) == storable(expected)
    assert installed.client.requests["loss_reasons"] == 3


def test_a_refused_access_token_is_refreshed_and_an_old_refresh_token_is_dead(installed: Installed) -> None:
    first = installed.grant
    installed.grant = Grant(**{**first.__dict__, "access": first.access + "x"})
    assert installed.client.get("account")["id"] == installed.account_id
    assert installed.refreshed == [1]
    with pytest.raises(TokenRefused) as caught:
        installed.endpoint.refresh("demo.amocrm.ru", installed.credentials, first.refresh)
    assert (caught.value.context["status"], caught.value.context["hint"]) == (401, "Token has been revoked")
    assert installed.endpoint.current_domain("api-b.amocrm.ru", installed.grant.refresh) == "demo.amocrm.ru"
    with pytest.raises(AmoRejected):
        installed.endpoint.exchange_code("demo.amocrm.ru", installed.credentials, installed.code)


def test_a_token_that_stays_refused_needs_a_person(installed: Installed) -> None:
    def useless(seen_version: int) -> Token:
        return Token(access="nonsense", version=seen_version + 1, expires_at=clock.now())

    installed.client._token_source = lambda: useless(0)
    installed.client._refresh = useless
    with pytest.raises(NeedsReauthorization):
        installed.client.get("leads", priority=Priority.USER)


def test_the_pages_token_is_accepted(sandbox: Sandbox, installed: Installed) -> None:
    client_id = installed.credentials.client_id
    token = sandbox.door("widget_token", {"client_id": client_id, "user_id": installed.grant.user_id})[
        "token"
    ]

    def lookup(client_uuid: str) -> IntegrationKeys | None:
        if client_uuid != client_id:
            return None
        return IntegrationKeys(secrets=(installed.credentials.client_secret,), redirect_uri=REDIRECT)

    identity = verify(token, lookup)
    assert (identity.account_id, identity.user_id) == (installed.account_id, installed.grant.user_id)
    assert identity.domain == "demo.amocrm.ru"
