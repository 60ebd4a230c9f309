"""Verbs, bodies, limits, faults and doors: what happens around the lists."""

import http.client
import time
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.limiter import Limiter
from sandbox.amocrm.main import Simulator
from tests.sandbox.amocrm.support import Client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "leads", 405),
        ("PUT", "leads", 405),
        ("POST", "account", 405),
        ("DELETE", "leads/7001", 405),
        ("GET", "nonsense", 404),
        ("GET", "leads/abc", 404),
        ("GET", "dogs/7001/notes", 404),
    ],
)
def test_wrong_verb_is_405_and_unknown_route_404(client: Client, method: str, path: str, status: int) -> None:
    response = client.call(method, path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_malformed_bodies_are_400(client: Client, body: bytes) -> None:
    response = client.call("POST", "leads", data=body)
    assert (response.status_code, response.json()["title"]) == (400, "Bad Request")


def test_a_batch_of_251_is_400_and_2_megabytes_are_read(client: Client) -> None:
    assert client.call("POST", "leads", json=[{"name": "x"}] * 251).status_code == 400
    huge = client.call("POST", "leads", json=[{"name": "x" * 2_000_000}])
    assert huge.status_code == 200
    assert len(client.truth("leads")) == 6


def test_bodies_without_content_type_chunked_and_double_slashes(client: Client) -> None:
    text = b'[{"name":"chunk"}]'
    made = client.call("POST", "leads", data=iter([text[:5], text[5:]]))
    assert made.status_code == 200
    assert client.get("/leads//7001").json()["id"] == 7001
    assert client.get("leads/").status_code == 200


def test_every_answer_has_a_request_id_and_the_connection_is_kept(client: Client) -> None:
    connection = http.client.HTTPConnection(urlsplit(client.url).netloc)
    seen = set()
    for path in ("/api/v4/leads", "/nonsense", "/api/v4/account"):
        connection.request("GET", path, headers={"Host": "demo.amocrm.ru"})
        response = connection.getresponse()
        response.read()
        seen.add(response.headers["X-Request-Id"])
        assert response.headers["Connection"] is None
    connection.close()
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("demo.amocrm.ru", 200),
        ("demo.amocrm.com", 200),
        ("demo.kommo.com", 200),
        ("DEMO.AMOCRM.RU", 200),
        ("127.0.0.1", 200),
        ("other.amocrm.ru", 404),
    ],
)
def test_the_host_chooses_the_account(client: Client, host: str, status: int) -> None:
    assert client.call("GET", "account", headers={"Host": host}).status_code == status


def test_never_more_than_the_limit_in_any_second() -> None:
    now = [100.0]
    limiter = Limiter({"count_rejected": False, "ban_after": 0, "ban_window_s": 60}, lambda: now[0])  # type: ignore[arg-type]
    admitted = []
    for step in range(400):
        now[0] = 100 + step * 0.03
        if limiter.admit([("a", 7), ("b", 50)]):
            admitted.append(now[0])
    assert len(admitted) > 50
    for start in admitted:
        assert sum(start <= at < start + 1.0 for at in admitted) <= 7


def test_too_fast_is_429_without_json_and_then_a_ban_on_everything(client: Client) -> None:
    client.door("limits", rate_limit=1, account_rate_limit=1, ban_after=3, retry_after=True)
    answers = [client.get("account") for _ in range(12)]
    fast = [answer for answer in answers if answer.status_code == 429]
    assert fast
    assert fast[0].headers["Retry-After"] == "1"
    assert not fast[0].headers["Content-Type"].endswith("json")
    client.door("limits", banned=True)
    banned = client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"])
    assert (banned.status_code, "<html>" in banned.text) == (403, True)
    client.door("limits", banned=False, rate_limit=0)
    assert client.get("account").status_code == 200


def test_repeated_violations_ban(client: Client) -> None:
    client.door("limits", rate_limit=1, account_rate_limit=1, ban_after=2)
    statuses = set()
    deadline = time.monotonic() + 30
    while 403 not in statuses and time.monotonic() < deadline:
        statuses.add(client.get("account").status_code)
    assert statuses >= {429, 403}
    assert client.http.get(f"{client.url}/_sandbox/limits").json()["banned"] is True


def test_faults_strike_a_route_so_often(client: Client) -> None:
    client.door(
        "faults",
        add=[
            {"route": "/api/v4/leads", "status": 504, "count": 2},
            {"route": "/api/v4/account", "garbage": True},
            {"route": "/oauth2/access_token", "drop": "answer"},
        ],
    )
    assert [client.get("leads").status_code for _ in range(3)] == [504, 504, 200]
    broken = client.get("account")
    with pytest.raises(requests.JSONDecodeError):
        broken.json()
    old = client.tokens["refresh_token"]
    with pytest.raises(requests.ConnectionError):
        client.token(grant_type="refresh_token", refresh_token=old)
    assert client.token(grant_type="refresh_token", refresh_token=old).status_code == 401
    assert client.http.get(f"{client.url}/_sandbox/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("door", "body"),
    [
        ("limits", {"dogs": 1}),
        ("limits", {"rate_limit": "x"}),
        ("limits", {"refresh_reuse": "x"}),
        ("faults", [{"route": "("}]),
        ("faults", [{}]),
        ("faults", {}),
        ("clock", {}),
        ("clock", {"now": "soon"}),
        ("integrations", {}),
        ("actions", [1]),
    ],
)
def test_doors_say_what_is_wrong(client: Client, door: str, body: object) -> None:
    response = client.http.post(f"{client.url}/_sandbox/{door}", json=body)
    assert response.status_code == 400
    assert response.json()["error"]


def test_unknown_door_and_unknown_integration_are_404(client: Client) -> None:
    assert client.http.get(f"{client.url}/_sandbox/cellar").status_code == 404
    assert client.http.put(f"{client.url}/_sandbox/codes").status_code == 405
    assert client.http.post(f"{client.url}/_sandbox/codes", json={"client_id": "x"}).status_code == 404
    assert client.http.get(f"{client.url}/_sandbox/truth/dogs").status_code == 404


def test_request_log_has_api_calls_and_no_doors(client: Client) -> None:
    client.get("leads?limit=5")
    client.call("DELETE", "leads")
    log = client.http.get(f"{client.url}/_sandbox/requests?since=0").json()["requests"]
    shown = [(row["method"], row["path"], row["query"], row["status"], row["account"]) for row in log]
    assert shown == [
        ("POST", "/oauth2/access_token", "", 200, "demo"),
        ("GET", "/api/v4/leads", "limit=5", 200, "demo"),
        ("DELETE", "/api/v4/leads", "", 405, "demo"),
    ]
    assert log[1]["integration"] == client.integration["client_id"]
    later = client.http.get(f"{client.url}/_sandbox/requests?since=0&after={log[0]['id']}").json()["requests"]
    assert later == log[1:]


def test_clock_is_set_and_runs_on(client: Client, simulator: Simulator) -> None:
    client.door("clock", now="2026-03-01T10:00:00+03:00")
    first = client.http.get(f"{client.url}/_sandbox/clock").json()["now"]
    client.do("edit", id=7001, set={"price": 5})
    assert 0 <= client.row("leads", 7001)["updated_at"] - 1772348400 < 60
    assert client.http.get(f"{client.url}/_sandbox/clock").json()["now"] >= first
    assert simulator.world.store.get_meta("clock_offset_s") == simulator.world.clock.offset_s


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1&b[c][]=2&b[c][]=3", {"a": "1", "b": {"c": {"0": "2", "1": "3"}}}),
        ("a[5]=x&a[]=y", {"a": {"5": "x", "6": "y"}}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a%5Bb%5D=%D0%96+1", {"a": {"b": "Ж 1"}}),
        ("a[b=1", {"a[b": "1"}),
        ("a=%ff", {"a": "\ufffd"}),
        ("", {}),
    ],
)
def test_php_queries(text: str, tree: dict[str, object]) -> None:
    assert phpquery.parse(text) == tree
