"""OAuth: consent, codes, rotating refresh tokens, access tokens, uninstall."""

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

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


def test_refusal_and_install_from_the_widget(client: Client) -> None:
    refused = consent(client, "state=abc&deny=1")
    assert refused == {"client_id": client.integration["client_id"], "state": "abc", "error": "access_denied"}
    installed = consent(client, "state=abc&from_widget=1")
    assert installed["from_widget"] == "1"
    assert "state" not in installed


def test_access_token_is_a_jwt_with_the_known_claims(client: Client) -> None:
    assert client.tokens["expires_in"] == 86400
    token = client.tokens["access_token"]
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
def test_token_endpoint_refuses_with_a_hint(client: Client, wrong: dict[str, Any], status: int) -> None:
    params = {"grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"], **wrong}
    response = client.token(**params)
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
def test_no_or_foreign_bearer_is_401(client: Client, header: str) -> None:
    response = client.call("GET", "leads", headers={"Authorization": header})
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
