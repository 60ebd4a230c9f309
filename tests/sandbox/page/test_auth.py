"""Disposable tokens: fetched once, kept 25 minutes, every bad kind; and requests over two origins."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import requests
from playwright.sync_api import Page, expect

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from sandbox.page.tokens import KINDS
from tests.sandbox.amocrm.support import account_json, small_account, write_account
from tests.sandbox.page import support
from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import script
from tests.widget import pages
from tests.widget.fakes import CLIENT_ID, Backend, Crm

ASK = """window.ask = function (name) {
  var answer = self.$authorizedAjax({ url: '%s/api/v1/panel', dataType: 'json', timeout: 7000 });
  window[name] = null;
  answer.done(function () { window[name] = 200; }).fail(function (xhr) {
    window[name] = [xhr.status, xhr.responseText || '', xhr.getResponseHeader('Retry-After')];
  });
  return answer;
}; return true;"""


def ready_to_ask(page: Page, host: Host, backend: Backend, **view: str | int) -> None:
    pages.open_card(page, host(script(init=ASK % backend.origin)), 7001, user=501, **view)


def asked(page: Page, name: str = "got") -> Any:
    page.evaluate("name => { window.ask(name); }", name)
    page.wait_for_function("name => window[name] !== null", arg=name)
    return page.evaluate("name => window[name]", name)


@pytest.mark.browser
def test_the_answer_is_an_old_jquery_promise(page: Page, host: Host, backend: Backend) -> None:
    ready_to_ask(page, host, backend)
    told = """() => { var answer = window.ask('got');
      return ['done', 'fail', 'always', 'then', 'catch', 'abort'].map(name => typeof answer[name]); }"""
    assert page.evaluate(told) == ["function"] * 4 + ["undefined"] * 2
    page.wait_for_function("window.got === 200")


@pytest.mark.browser
def test_first_calls_share_one_token_that_lives_25_minutes(
    page: Page, host: Host, backend: Backend, crm: Crm
) -> None:
    page.clock.install()
    ready_to_ask(page, host, backend)
    page.evaluate("() => { window.ask('one'); window.ask('two'); }")
    page.wait_for_function("window.one === 200 && window.two === 200")
    assert crm.tokens == 1
    page.clock.fast_forward(24 * 60_000)
    assert asked(page) == 200
    assert crm.tokens == 1
    page.clock.fast_forward(2 * 60_000)
    assert asked(page) == 200
    assert crm.tokens == 2
    sent = [one.headers["x-auth-token"] for one in backend.gets()]
    assert sent == ["token-501-1"] * 3 + ["token-501-2"]


@pytest.mark.browser
def test_every_call_is_preflighted(page: Page, host: Host, backend: Backend) -> None:
    ready_to_ask(page, host, backend)
    assert asked(page) == 200
    assert [one.method for one in backend.asked] == ["OPTIONS", "GET"]
    assert backend.asked[0].headers["access-control-request-headers"] == "x-auth-token"


@pytest.mark.browser
@pytest.mark.parametrize("status", [401, 409, 429, 500])
def test_a_refusal_with_cors_headers_is_readable(
    page: Page, host: Host, backend: Backend, status: int
) -> None:
    backend.failure, backend.headers = (status, {"code": "x"}), {"Retry-After": "7"}
    ready_to_ask(page, host, backend)
    assert asked(page) == [status, json.dumps({"error": {"code": "x"}}), "7"]


@pytest.mark.browser
@pytest.mark.parametrize("allowed", [True, False])
def test_with_credentials_the_backend_must_allow_them(
    page: Page, host: Host, backend: Backend, allowed: bool
) -> None:
    backend.credentials = allowed
    ready_to_ask(page, host, backend, credentials=1)
    got = asked(page)
    assert (got == 200) is allowed
    if not allowed:
        assert got[0] == 0


@pytest.mark.browser
def test_a_token_that_fails_is_asked_for_again(page: Page, host: Host, backend: Backend, crm: Crm) -> None:
    ready_to_ask(page, host, backend, token="error")
    assert asked(page)[0] == 500
    assert backend.asked == []
    page.evaluate("history.replaceState(null, '', location.href.replace('token=error', 'token=good'))")
    assert asked(page) == 200
    assert crm.tokens == 1


@pytest.mark.browser
def test_a_slow_token_is_waited_for(page: Page, host: Host, backend: Backend, crm: Crm) -> None:
    ready_to_ask(page, host, backend, token_delay=300)
    page.evaluate("() => { window.ask('one'); window.ask('two'); }")
    page.wait_for_function("window.one === 200 && window.two === 200")
    assert crm.tokens == 1


@pytest.mark.browser
def test_a_widget_of_no_integration_has_no_token(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    told = """() => {
      try { return APP.widgets.list.sandbox_neighbour.$authorizedAjax({}); }
      catch (error) { return error.message; }
    }"""
    assert page.evaluate(told) == "$authorizedAjax: not an OAuth integration"
    expect(page.locator(".neighbour")).to_have_count(1)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The page over the real simulator: its origin, and the integration with its secret."""
    home = tmp_path_factory.mktemp("real")
    source = Source(snapshots=(write_account(home / "snapshot", account_json(), small_account()),))
    (home / "state").mkdir()
    simulator = Simulator(home / "state", source)
    simulator.start()
    try:
        told = {"redirect_uri": "https://reports.example.com/oauth/callback"}
        made = requests.post(f"{simulator.url}/_sandbox/integrations", json=told, timeout=10).json()
        support.write_archive(home / "widget.zip", script())
        with pages.served_page(home / "widget.zip", simulator.url) as origin:
            yield origin, made
    finally:
        simulator.close()


def fetched(origin: str, client_id: str, kind: str, delay: int = 0) -> requests.Response:
    address = f"{origin}/leads/detail/1?user=501&token={kind}&token_delay={delay}"
    headers = {"X-Requested-With": "XMLHttpRequest", "Referer": address}
    url = f"{origin}/ajax/v2/integrations/{client_id}/disposable_token"
    return requests.get(url, headers=headers, timeout=10)


def claims(origin: str, integration: dict[str, str], kind: str) -> dict[str, Any]:
    """The claims of a token of this kind, its signature and only that checked."""
    token = fetched(origin, integration["client_id"], kind).json()["token"]
    free = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False)
    read: dict[str, Any] = jwt.decode(token, integration["client_secret"], algorithms=["HS256"], options=free)
    return read


def test_the_page_finds_the_accounts_integration_by_itself(real: tuple[str, dict[str, str]]) -> None:
    origin, integration = real
    listed = requests.post(f"{origin}/ajax/widgets/list", data={"area": "leads_card"}, timeout=10).json()
    clients = {record["oauth_client_uuid"] for record in listed["widgets"].values()}
    assert clients == {None, integration["client_id"]}


def test_a_good_token_says_who_where_and_for_whom(real: tuple[str, dict[str, str]]) -> None:
    origin, integration = real
    good = claims(origin, integration, "good")
    assert good["exp"] - good["iat"] == 1800
    assert uuid.UUID(good["jti"])
    told = {name: good[name] for name in ("iss", "aud", "account_id", "user_id", "subdomain", "client_uuid")}
    assert told == {
        "iss": "https://demo.amocrm.ru",
        "aud": "https://reports.example.com",
        "account_id": 31000001,
        "user_id": 501,
        "subdomain": "demo",
        "client_uuid": integration["client_id"],
    }
    assert isinstance(good["is_admin"], bool)


def differing(origin: str, integration: dict[str, str], kind: str) -> dict[str, Any]:
    """Claims that differ from a good token's; moments as the seconds between them."""
    good, bad = claims(origin, integration, "good"), claims(origin, integration, kind)
    found: dict[str, Any] = {}
    for name in ("iat", "nbf", "exp"):
        shift = round((bad.pop(name) - good.pop(name)) / 30) * 30  # the two were made a moment apart
        if shift:
            found[name] = shift
    for name in set(good) | set(bad):
        if name != "jti" and good.get(name) != bad.get(name):
            found[name] = bad.get(name, "absent")
    return found


BAD: dict[str, dict[str, Any]] = {
    "expired": {"iat": -7200, "nbf": -7200, "exp": -7200},
    "ahead": {"iat": 60, "nbf": 60, "exp": 60},
    "behind": {"iat": -60, "nbf": -60, "exp": -60},
    "wrong_aud": {"aud": "https://someone-else.example.com"},
    "other_account": {
        "account_id": 31000002,
        "subdomain": "demo-other",
        "iss": "https://demo-other.amocrm.ru",
    },
    "no_is_admin": {"is_admin": "absent"},
}


@pytest.mark.parametrize(("kind", "expected"), BAD.items(), ids=list(BAD))
def test_a_bad_token_is_bad_in_one_thing(
    real: tuple[str, dict[str, str]], kind: str, expected: dict[str, Any]
) -> None:
    assert differing(*real, kind) == expected


def test_other_bad_tokens(real: tuple[str, dict[str, str]]) -> None:
    origin, integration = real
    unknown = differing(origin, integration, "unknown_client")
    assert list(unknown) == ["client_uuid"]
    assert uuid.UUID(unknown["client_uuid"])
    with pytest.raises(jwt.InvalidSignatureError):
        claims(origin, integration, "wrong_secret")
    assert fetched(origin, integration["client_id"], "error").status_code == 500
    assert set(KINDS) == {"good", "unknown_client", "wrong_secret", "error", *BAD}


def test_a_slow_answer_lets_a_later_one_pass(real: tuple[str, dict[str, str]]) -> None:
    origin, integration = real
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(fetched, origin, integration["client_id"], "good", 3000)
        assert fetched(origin, integration["client_id"], "good").ok
        assert not slow.done()
        assert slow.result().ok


def test_a_foreign_integration_gets_no_token(real: tuple[str, dict[str, str]]) -> None:
    assert fetched(real[0], CLIENT_ID, "good").status_code == 404
