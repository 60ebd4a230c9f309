"""OAuth: consent, codes, rotating refresh tokens, access tokens, uninstall."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
import requests

from tests.sandbox.amocrm.receiver import Receiver
from tests.sandbox.amocrm.running import client_of, running
from tests.sandbox.amocrm.support import ACCOUNT_ID, Client

REVOKED = "Token has been revoked"


def consent(client: Client, query: str) -> dict[str, str]:
    response = client.http.get(
        f"{client.url}/oauth?client_id={client.integration['client_id']}&{query}",
        headers={"Host": "www.amocrm.ru"},
        allow_redirects=False,
    )
    assert response.status_code == 302
    location = urlsplit(response.headers["Location"])
    assert location.netloc == "app.example"
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def test_consent_sends_code_state_and_referer(client: Client) -> None:
    sent = consent(client, "state=abc&mode=popup")
    assert {k: v for k, v in sent.items() if k != "code"} == {
        "client_id": client.integration["client_id"],
        "state": "abc",
        "referer": "demo.amocrm.ru",
        "platform": "1",
    }
    assert client.token(grant_type="authorization_code", code=sent["code"]).status_code == 200


@pytest.mark.parametrize("host", ["www.kommo.com", "demo.kommo.com"])
def test_under_kommo_everything_says_so(client: Client, host: str) -> None:
    own = client.integration
    agreed = client.http.get(
        f"{client.url}/oauth?client_id={own['client_id']}&state=s",
        headers={"Host": host},
        allow_redirects=False,
    )
    sent = dict(parse_qsl(urlsplit(agreed.headers["Location"]).query))
    assert (sent["referer"], sent["platform"]) == ("demo.kommo.com", "2")
    body = {name: own[name] for name in ("client_id", "client_secret", "redirect_uri")}
    pair = client.http.post(
        f"{client.url}/oauth2/access_token",
        json={**body, "grant_type": "authorization_code", "code": sent["code"]},
        headers={"Host": host},
    ).json()
    claims = jwt.decode(pair["access_token"], options={"verify_signature": False})
    assert (claims["base_domain"], claims["api_domain"]) == ("kommo.com", "api-b.kommo.com")
    named = client.http.get(
        f"{client.url}/oauth2/account/current/subdomain",
        headers={"Host": claims["api_domain"], "X-Refresh-Token": pair["refresh_token"]},
    )
    assert named.json() == {
        "id": ACCOUNT_ID,
        "subdomain": "demo",
        "domain": "demo.kommo.com",
        "top_level_domain": "com",
    }


def test_refusal_and_install_from_the_widget(client: Client) -> None:
    refused = consent(client, "state=abc&deny=1")
    assert refused == {"client_id": client.integration["client_id"], "state": "abc", "error": "access_denied"}
    installed = consent(client, "state=abc&from_widget=1")
    assert installed["from_widget"] == "1"
    assert "state" not in installed


def test_access_token_is_a_jwt_with_the_known_claims(client: Client) -> None:
    assert client.tokens["expires_in"] == 86400
    token = client.tokens["access_token"]
    assert token.startswith("eyJ0eXAiOiJKV1Qi")
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["account_id"], claims["sub"], claims["aud"]) == (
        ACCOUNT_ID,
        "501",
        client.integration["client_id"],
    )
    assert (claims["base_domain"], claims["api_domain"]) == ("amocrm.ru", "api-b.amocrm.ru")


def test_a_code_works_once_and_for_twenty_minutes(client: Client) -> None:
    code = client.door("codes", client_id=client.integration["client_id"])["code"]
    assert client.token(grant_type="authorization_code", code=code).status_code == 200
    assert client.token(grant_type="authorization_code", code=code).status_code == 400
    stale = client.door("codes", client_id=client.integration["client_id"])["code"]
    client.door("clock", advance_s=1201)
    assert client.token(grant_type="authorization_code", code=stale).status_code == 400


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"client_secret": "x"}, 401),
        ({"client_id": "x"}, 401),
        ({"redirect_uri": "https://app.example/cb/"}, 400),
        ({"grant_type": "password"}, 400),
        ({"refresh_token": "nonsense"}, 400),
        ({"refresh_token": None}, 400),
    ],
)
def test_token_endpoint_refuses_with_a_hint(still: Client, wrong: dict[str, Any], status: int) -> None:
    params = {"grant_type": "refresh_token", "refresh_token": still.tokens["refresh_token"], **wrong}
    response = still.token(**params)
    assert response.status_code == status
    assert response.json()["hint"]
    assert response.headers["Content-Type"] == "application/problem+json"


def test_form_and_basic_auth_are_taken_too(client: Client) -> None:
    own = client.integration
    params = {
        "grant_type": "refresh_token",
        "refresh_token": client.tokens["refresh_token"],
        "redirect_uri": own["redirect_uri"],
    }
    basic = base64.b64encode(f"{own['client_id']}:{own['client_secret']}".encode()).decode()
    url = f"{client.url}/oauth2/access_token"
    first = client.http.post(url, data=params, headers={"Authorization": f"Basic {basic}"})
    assert first.status_code == 200
    params |= {
        "refresh_token": first.json()["refresh_token"],
        "client_id": own["client_id"],
        "client_secret": own["client_secret"],
    }
    assert client.http.post(url, data=params).status_code == 200


def test_a_form_in_parts_is_taken_too(client: Client) -> None:
    """PHP's cURL sends an array so, a browser FormData."""
    own = {name: client.integration[name] for name in ("client_id", "client_secret", "redirect_uri")}
    fields = {**own, "grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
    parts = {name: (None, value) for name, value in fields.items()}
    url = f"{client.url}/oauth2/access_token"
    assert client.http.post(url, files=parts).status_code == 200
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    refused = client.http.post(url, data=b"--x\r\nno header", headers=broken)
    assert (refused.status_code, refused.json()["hint"]) == (400, "Check the `client_id` parameter")


def test_a_refresh_token_works_once_and_the_old_access_token_lives_on(client: Client) -> None:
    old = client.tokens["refresh_token"]
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 200
    again = client.token(grant_type="refresh_token", refresh_token=old)
    assert (again.status_code, again.json()["hint"]) == (401, REVOKED)
    assert client.get("account").status_code == 200


def test_of_two_parallel_refreshes_exactly_one_succeeds(client: Client) -> None:
    own = {k: client.integration[k] for k in ("client_id", "client_secret", "redirect_uri")}
    params = {**own, "grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}

    def refresh(_: int) -> int:
        return requests.post(f"{client.url}/oauth2/access_token", json=params, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(refresh, range(8))) == [200] + [401] * 7


def test_reuse_until_the_new_pair_is_used(client: Client) -> None:
    client.door("limits", refresh_reuse="until_new_is_used")
    old = client.tokens["refresh_token"]
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 200
    second = client.token(grant_type="refresh_token", refresh_token=old)
    assert second.status_code == 200
    client.tokens = second.json()
    assert client.get("account").status_code == 200
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 401


def test_tokens_die_of_age(client: Client) -> None:
    client.door("limits", access_ttl_s=60)
    short = client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"]).json()
    assert short["expires_in"] == 60
    client.tokens = short
    client.door("clock", advance_s=61)
    response = client.get("account")
    assert (response.status_code, response.headers["Content-Type"]) == (401, "application/problem+json")
    client.door("clock", advance_s=91 * 86400)
    late = client.token(grant_type="refresh_token", refresh_token=short["refresh_token"])
    assert (late.status_code, late.json()["hint"]) == (401, REVOKED)


def test_uninstall_kills_every_token(client: Client) -> None:
    client.do("uninstall", client_id=client.integration["client_id"])
    assert client.get("account").status_code == 401
    refused = client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
    assert (refused.status_code, refused.json()["hint"]) == (401, REVOKED)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic abc"])
def test_no_or_foreign_bearer_is_401(still: Client, header: str) -> None:
    response = still.call("GET", "leads", headers={"Authorization": header})
    assert (response.status_code, response.json()["title"]) == (401, "Unauthorized")


def test_a_dismissed_users_token_is_refused(client: Client) -> None:
    own = Client(client.url, user_id=502)
    client.do("dismiss_user", user_id=502)
    assert own.get("leads").status_code == 401
    own.http.close()


def test_renamed_account_answers_at_its_new_host_and_tells_its_name(client: Client) -> None:
    client.do("rename_account", new_subdomain="fresh")
    assert client.get("account").status_code == 404
    found = client.http.get(
        f"{client.url}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": client.tokens["refresh_token"], "Host": "api-b.amocrm.ru"},
    ).json()
    assert (found["subdomain"], found["domain"], found["id"]) == ("fresh", "fresh.amocrm.ru", ACCOUNT_ID)
    client.subdomain = "fresh"
    assert client.get("account").json()["subdomain"] == "fresh"


def test_widget_token_is_signed_with_the_secret(client: Client) -> None:
    client.door(
        "integrations", client_id=client.integration["client_id"], redirect_uri="http://127.0.0.1:5000/cb"
    )
    made = client.door("widget_token", client_id=client.integration["client_id"], user_id=502)["token"]
    claims = jwt.decode(made, client.integration["client_secret"], ["HS256"], audience="http://127.0.0.1")
    assert (claims["iss"], claims["user_id"], claims["is_admin"]) == ("https://demo.amocrm.ru", 502, False)
    assert (claims["subdomain"], claims["account_id"]) == ("demo", ACCOUNT_ID)
    assert claims["client_uuid"] == client.integration["client_id"]
    assert claims["exp"] - claims["iat"] == 1800
    client.door("limits", widget_aud_port=True)
    made = client.door("widget_token", client_id=client.integration["client_id"], user_id=502)["token"]
    jwt.decode(made, client.integration["client_secret"], ["HS256"], audience="http://127.0.0.1:5000")


def test_a_known_integration_keeps_its_secret_when_its_address_changes(client: Client) -> None:
    moved = client.door(
        "integrations", client_id=client.integration["client_id"], redirect_uri="https://b.example/"
    )
    assert moved["client_secret"] == client.integration["client_secret"]
    assert (
        client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"]).status_code
        == 400
    )
    client.integration = moved
    assert (
        client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"]).status_code
        == 200
    )


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a simulator shared by the tests whose requests are all refused."""
    with running(tmp_path_factory.mktemp("still")) as simulator, client_of(simulator) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_a_long_lived_token_works_until_its_day_and_has_no_refresh(client: Client) -> None:
    own = client.integration["client_id"]
    token = client.door("long_lived_tokens", client_id=own, days=2)["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 2 * 86400
    client.tokens = {"access_token": token}
    assert client.get("users").status_code == 200
    client.door("clock", advance_s=2 * 86400 - 60)
    assert client.get("users").status_code == 200
    client.door("clock", advance_s=61)
    assert client.get("users").status_code == 401


@pytest.mark.parametrize("days", [0, 1826, -1, "x", 1.5, True])
def test_a_long_lived_token_lives_one_day_to_five_years(still: Client, days: object) -> None:
    body = {"client_id": still.integration["client_id"], "days": days}
    assert still.http.post(f"{still.url}/_sandbox/long_lived_tokens", json=body).status_code == 400


def test_revoked_access_kills_long_lived_tokens_and_pairs(client: Client) -> None:
    own = client.integration["client_id"]
    token = client.door("long_lived_tokens", client_id=own)["token"]
    client.door("revoke", client_id=own)
    refused = client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
    assert (refused.status_code, refused.json()["hint"]) == (401, REVOKED)
    for held in (client.tokens["access_token"], token):
        client.tokens = {"access_token": held}
        assert client.get("account").status_code == 401
    code = client.door("codes", client_id=own)["code"]
    assert client.token(grant_type="authorization_code", code=code).status_code == 200


def press_button(client: Client, receiver: Receiver, **more: str) -> requests.Response:
    """The external integration's button: it names addresses instead of an integration."""
    query = {
        "redirect_uri": "https://app.example/cb",
        "secrets_uri": receiver.url,
        "name": "Отчёты",
        "state": "s-1",
        "scopes[]": "crm",
        "mode": "post_message",
        **more,
    }
    return client.http.get(f"{client.url}/oauth/", params=query, allow_redirects=False)


def test_the_button_makes_an_integration_and_posts_its_secrets(client: Client, receiver: Receiver) -> None:
    answer = press_button(client, receiver)
    assert answer.status_code == 302
    receiver.wait(1)
    sent = json.loads(receiver.raw[0])
    assert {name: sent[name] for name in ("state", "name", "scopes")} == {
        "state": "s-1",
        "name": "Отчёты",
        "scopes": ["crm"],
    }
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert (back["client_id"], back["state"], back["referer"]) == (sent["client_id"], "s-1", "demo.amocrm.ru")
    own = {"client_id": sent["client_id"], "client_secret": sent["client_secret"]}
    pair = client.token(**own, grant_type="authorization_code", code=back["code"])
    assert pair.status_code == 200


@pytest.mark.parametrize("status", [204, 201, 302, 404, 500])
def test_any_answer_to_the_secrets_but_200_ends_the_installation(
    client: Client, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status]
    answer = press_button(client, receiver)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert f"Код {status}" in answer.text
    sent = json.loads(receiver.raw[0])
    own = {"client_id": sent["client_id"], "client_secret": sent["client_secret"]}
    assert client.token(**own, grant_type="authorization_code", code="x").status_code == 401
    assert receiver.paths == ["/hook"]


def test_the_button_may_be_refused_and_needs_addresses(client: Client, receiver: Receiver) -> None:
    refused = press_button(client, receiver, deny="1").headers["Location"]
    assert dict(parse_qsl(urlsplit(refused).query)) == {"error": "access_denied", "state": "s-1"}
    assert press_button(client, receiver, secrets_uri="http://[").status_code == 400
    assert press_button(client, receiver, redirect_uri="nowhere").status_code == 400
    assert press_button(client, receiver, secrets_uri="http://127.0.0.1:1/x").status_code == 400
    assert receiver.paths == []


def test_an_old_api_key_is_exchanged_for_a_code_at_the_redirect_address(
    client: Client, receiver: Receiver
) -> None:
    own = client.integration
    client.door("integrations", client_id=own["client_id"], redirect_uri=receiver.url)
    key = client.door("api_keys", user_id=501)
    body = {**key, "client_uuid": own["client_id"], "client_secret": own["client_secret"]}
    url = f"{client.url}/oauth2/exchange_api_key"
    assert client.http.post(url, json=body).status_code == 202
    receiver.wait(1)
    back = dict(parse_qsl(urlsplit(receiver.paths[0]).query))
    assert (back["from_exchange"], back["referer"], back["client_id"]) == (
        "1",
        "demo.amocrm.ru",
        own["client_id"],
    )
    pair = client.token(grant_type="authorization_code", code=back["code"], redirect_uri=receiver.url)
    assert pair.status_code == 200
    assert client.http.post(url, json={**body, "api_key": "x"}).status_code == 401
    assert client.http.post(url, json={**body, "client_secret": "x"}).status_code == 401
    assert client.http.post(url, json={**body, "login": None}).status_code == 400
    assert client.http.post(url, data=b"\xff").status_code == 400


@pytest.mark.parametrize(
    "missing", ["client_id", "client_secret", "grant_type", "redirect_uri", "refresh_token"]
)
@pytest.mark.parametrize("value", [None, "", 5, [], {"a": "b"}])
def test_a_missing_or_odd_field_is_400(still: Client, missing: str, value: object) -> None:
    params = {"grant_type": "refresh_token", "refresh_token": still.tokens["refresh_token"], missing: value}
    assert still.token(**params).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"a[b=1", b"[" * 100_000, b'"x"'])
def test_a_body_that_is_nothing_is_400(still: Client, body: bytes) -> None:
    response = still.http.post(f"{still.url}/oauth2/access_token", data=body)
    assert (response.status_code, "hint" in response.json()) == (400, True)


def test_another_integrations_refresh_token_is_401(client: Client) -> None:
    other = Client(client.url)
    answer = client.token(grant_type="refresh_token", refresh_token=other.tokens["refresh_token"])
    assert (answer.status_code, answer.json()["hint"]) == (401, "Token is not linked to client")
    assert other.token(grant_type="refresh_token", refresh_token=other.tokens["refresh_token"]).ok
    other.http.close()


@pytest.mark.parametrize("reuse", ["dead", "until_new_is_used"])
def test_a_refresh_whose_answer_is_lost(client: Client, reuse: str) -> None:
    client.door("limits", refresh_reuse=reuse)
    client.door("faults", add=[{"route": "/oauth2/access_token", "drop": "answer"}])
    old = client.tokens["refresh_token"]
    with pytest.raises(requests.ConnectionError):
        client.token(grant_type="refresh_token", refresh_token=old)
    again = client.token(grant_type="refresh_token", refresh_token=old)
    assert again.status_code == (401 if reuse == "dead" else 200)
    assert client.get("account").status_code == 200


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 502}, {"drop": "request"}])
def test_a_refresh_that_never_arrived_may_be_tried_again(client: Client, fault: dict[str, Any]) -> None:
    client.door("faults", add=[{"route": "/oauth2/access_token", **fault}])
    old = client.tokens["refresh_token"]
    try:
        assert client.token(grant_type="refresh_token", refresh_token=old).status_code >= 500
    except requests.ConnectionError:
        assert "drop" in fault
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 200


def test_a_renamed_account_is_found_again_and_refreshed_there(client: Client) -> None:
    client.do("rename_account", new_subdomain="fresh")
    old = client.tokens["refresh_token"]
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 404
    url, host = f"{client.url}/oauth2/account/current/subdomain", {"Host": "api-b.amocrm.ru"}
    found = client.http.get(url, headers={**host, "X-Refresh-Token": old}).json()
    client.subdomain = found["subdomain"]
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 200
    used = client.http.get(url, headers={**host, "X-Refresh-Token": "x"})
    assert (used.status_code, used.json()["hint"]) == (401, REVOKED)


def test_an_expired_refresh_token_does_not_tell_the_subdomain(client: Client) -> None:
    client.door("clock", advance_s=91 * 86400)
    headers = {"X-Refresh-Token": client.tokens["refresh_token"]}
    assert (
        client.http.get(f"{client.url}/oauth2/account/current/subdomain", headers=headers).status_code == 401
    )


def test_salesbot_tokens_are_hs512_and_claims_can_be_bent(client: Client) -> None:
    own = client.integration
    claims = {"entity_id": 7001, "entity_type": 2, "bot_type": 1, "user_id": 0, "exp": 5, "world": "x"}
    made = client.door(
        "widget_token", client_id=own["client_id"], user_id=501, algorithm="HS512", claims=claims
    )["token"]
    assert jwt.get_unverified_header(made)["alg"] == "HS512"
    read = jwt.decode(
        made, own["client_secret"], ["HS512"], options={"verify_exp": False, "verify_aud": False}
    )
    assert {name: read[name] for name in claims} == claims
    wrong = {"client_id": own["client_id"], "user_id": 501, "algorithm": "none"}
    assert client.http.post(f"{client.url}/_sandbox/widget_token", json=wrong).status_code == 400


@pytest.mark.parametrize("query", ["user_id=x", "user_id[]=1", "state[]=1", "user_id=" + "9" * 30])
def test_an_odd_consent_query_does_no_harm(still: Client, query: str) -> None:
    assert consent(still, query)["referer"] == "demo.amocrm.ru"
