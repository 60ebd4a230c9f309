"""Habits of clients that others wrote, met when they were run against the simulator."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from sandbox.generate.department import TAGS
from tests.sandbox.amocrm.support import Client, account_json, small_account, write_account


@pytest.fixture
def two_accounts(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator with the accounts demo and other."""
    first = write_account(tmp_path / "demo", account_json(), small_account())
    other = {"id": 31000002, "subdomain": "other", "name": "Other"}
    second = write_account(tmp_path / "other", account_json(**other), small_account())
    state = tmp_path / "state"
    state.mkdir()
    running = Simulator(state, Source(snapshots=(first, second)))
    running.start()
    yield running
    running.close()


def test_a_token_is_refreshed_on_the_host_of_no_account(two_accounts: Simulator) -> None:
    """amocrm-sdk refreshes at www.amocrm.ru, whatever the account."""
    client = Client(two_accounts.url, "other")
    own = {name: client.integration[name] for name in ("client_id", "client_secret", "redirect_uri")}
    body = {**own, "grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
    url = f"{two_accounts.url}/oauth2/access_token"
    answer = client.http.post(url, json=body, headers={"Host": "www.amocrm.ru"})
    assert answer.status_code == 200, answer.text
    client.tokens = answer.json()
    assert client.get("account").json()["subdomain"] == "other"
    again = client.http.post(url, json=body, headers={"Host": "www.amocrm.ru"})
    assert (again.status_code, again.json()["hint"]) == (401, "Token has been revoked")
    stranger = client.http.post(url, json=body, headers={"Host": "nobody.amocrm.ru"})
    assert stranger.status_code == 404


@pytest.mark.parametrize("domain", ["kommo.com", "amocrm.com", "amocrm.ru"])
def test_links_stay_on_the_host_that_was_asked(client: Client, domain: str) -> None:
    """aioamocrm follows `next` only on the host it was given, and never carries its token elsewhere."""
    body = client.call("GET", "leads?limit=1", headers={"Host": f"demo.{domain}"}).json()
    links = [body["_links"]["next"]["href"], body["_embedded"]["leads"][0]["_links"]["self"]["href"]]
    assert all(link.startswith(f"https://demo.{domain}/api/v4/leads") for link in links)


@pytest.mark.parametrize("moment", [1924992000.0, 1924992000.75])
def test_a_moment_with_a_fraction_counts_as_its_second(client: Client, moment: float) -> None:
    """amocrm-api sends `datetime.timestamp()`."""
    task = {"text": "Позвонить", "entity_id": 7001, "entity_type": "leads", "complete_till": moment}
    made = client.call("POST", "tasks", json=[task])
    assert made.status_code == 200, made.text
    assert client.row("tasks", made.json()["_embedded"]["tasks"][0]["id"])["complete_till"] == 1924992000


@pytest.mark.parametrize("moment", ["NaN", "Infinity", "true", '"завтра"'])
def test_a_moment_that_is_no_number_is_refused(client: Client, moment: str) -> None:
    task = {"text": "Позвонить", "entity_id": 7001, "entity_type": "leads", "complete_till": 0}
    text = json.dumps([task]).replace('"complete_till": 0', f'"complete_till": {moment}')
    answer = client.call("POST", "tasks", data=text.encode())
    assert answer.status_code == 400, answer.text


def test_a_card_without_links_has_an_empty_list_of_them(client: Client) -> None:
    """py-amo-client reads the answer as JSON; the vendor's page of links knows no 204 either."""
    answer = client.get("contacts/8002/links")
    assert answer.status_code == 200
    assert (answer.json()["_total_items"], answer.json()["_embedded"]) == (0, {"links": []})


@pytest.mark.parametrize("path", ["/v3/user", "/oauth2/account/subdomain"])
def test_the_old_addresses_need_a_token_as_the_api_does(client: Client, path: str) -> None:
    answer = client.http.get(f"{client.url}{path}", headers={"Host": "demo.amocrm.ru"})
    assert answer.status_code == 401


def test_the_vendors_client_learns_whose_token_it_has(client: Client) -> None:
    """league/oauth2-client calls it the resource owner; the address is one of API v3."""
    headers = {"Host": "demo.amocrm.ru", "Authorization": f"Bearer {client.tokens['access_token']}"}
    owner = client.http.get(f"{client.url}/v3/user", headers=headers).json()
    assert (owner["id"], owner["email"]) == (501, "u501@example.test")


def test_the_vendors_client_learns_the_accounts_name_from_its_access_token(client: Client) -> None:
    headers = {"Host": "demo.amocrm.ru", "Authorization": f"Bearer {client.tokens['access_token']}"}
    told = client.http.get(f"{client.url}/oauth2/account/subdomain", headers=headers).json()
    assert told == {
        "id": 31000001,
        "subdomain": "demo",
        "domain": "demo.amocrm.ru",
        "top_level_domain": "ru",
    }


def test_generated_tags_have_colors_of_the_vendors_palette() -> None:
    """amocrm-api-php refuses a whole page of leads for one tag in a color it does not know."""
    palette = (
        "EBEBEB D0D0D0 F2DDF7 D1A4DC FF8F92 FFC8C8 C7DB8C DDEBB5 8699DA AABDFF FFCE5A FFE193 90CDB0 C6F4DE"
        " A9A5D7 D8D5FF 86C0FC 832161 6A0F49 0C7C59 10599D 9D2B32 247BA0"
    )
    assert {tag["color"] for tag in TAGS} - {None, *palette.split()} == set()


def test_json_is_read_whatever_the_content_type_says(client: Client) -> None:
    """kommo-python keeps the form's content type of its token request; py-amo-client sends none."""
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": ""}):
        answer = client.call("POST", "leads", data=json.dumps([{"name": "Лид"}]), headers=headers)
        assert answer.status_code == 200, answer.text


def test_a_form_with_secrets_both_inside_and_as_basic_auth_is_a_token_request(client: Client) -> None:
    """kommo-python sends them twice."""
    own = {name: client.integration[name] for name in ("client_id", "client_secret", "redirect_uri")}
    body = {**own, "grant_type": "refresh_token", "refresh_token": client.tokens["refresh_token"]}
    answer = client.http.post(
        f"{client.url}//oauth2/access_token",
        data=body,
        auth=(own["client_id"], own["client_secret"]),
        headers={"Host": "demo.kommo.com", "Accept": "application/json"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "query",
    [
        "order=created_at",
        "filter=1",
        "filter[distansion]=x",
        "with=statuses,tasks,companies",
        "filter[status_id][]=142&order[created_at]=desc",
        "filter[name]=",
        "query=",
        "page=0",
        "limit=%D0%BC%D0%BD%D0%BE%D0%B3%D0%BE",
        "offset=10",
    ],
)
def test_what_clients_ask_in_vain_does_no_harm(client: Client, query: str) -> None:
    """amocrm-js sends a bare `order`, amocrm-mcp and the wrappers names that amoCRM does not know."""
    answer = client.get(f"leads?{query}")
    assert answer.status_code in (200, 204), answer.text


def test_a_body_without_a_length_is_not_read_and_ends_the_connection(client: Client) -> None:
    """Node writes the body of a DELETE without announcing it: what follows the answer is no request."""
    parts = urlsplit(client.url)
    token = client.tokens["access_token"]
    body = b'{"destination":"https://app.example/hook"}'
    lines = ("DELETE /api/v4/webhooks HTTP/1.1", "Host: demo.amocrm.ru", f"Authorization: Bearer {token}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    first, _, rest = told.partition(b"\r\n")
    assert first == b"HTTP/1.1 400 Bad Request"
    assert b"Traceback" not in rest
