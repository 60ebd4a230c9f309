"""Verbs, bodies, limits, faults and doors: what happens around the lists."""

import gzip
import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.limiter import Limiter
from sandbox.amocrm.main import Simulator
from tests.sandbox.amocrm.running import client_of, running
from tests.sandbox.amocrm.support import Client
from tests.support.parse_str import COLLISIONS, PARSE_STR

JOURNAL_LINE = {"id": 1, "at": 1760000000, "by": 501, "source": "action", "name": "win_lead", "params": {}}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a simulator that all tests here share: they leave no trace that another would see."""
    with running(tmp_path_factory.mktemp("still")) as simulator, client_of(simulator) as client:
        yield client


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
def test_wrong_verb_is_405_and_unknown_route_404(still: Client, method: str, path: str, status: int) -> None:
    response = still.call(method, path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_malformed_bodies_are_400(still: Client, body: bytes) -> None:
    response = still.call("POST", "leads", data=body)
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
def test_the_host_chooses_the_account(still: Client, host: str, status: int) -> None:
    assert still.call("GET", "account", headers={"Host": host}).status_code == status


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
        ("clock", {"now": "nan"}),
        ("clock", {"now": 1e300}),
        ("clock", {"advance_s": "inf"}),
        ("clock", {"now": [1]}),
        ("replay?subdomain=demo&x=1", {}),
        ("replay", {**JOURNAL_LINE, "params": {"lead_id": {}}}),
        ("replay", {**JOURNAL_LINE, "by": "x"}),
        ("replay", {**JOURNAL_LINE, "name": "fly"}),
        ("replay", [JOURNAL_LINE]),
        ("actions", [1]),
        ("actions", [{"do": "win_lead", "lead_id": 7002, "by": "abc"}]),
        ("actions", [{"do": "win_lead", "lead_id": 7002, "by": [501]}]),
        ("actions", [{"do": "win_lead", "lead_id": {"id": 7002}}]),
        ("actions", [{"do": "win_lead", "lead_id": 10**40}]),
        ("actions", [{"do": "create_task", "text": "x", "complete_till": 2**62}]),
    ],
)
def test_doors_say_what_is_wrong(still: Client, door: str, body: object) -> None:
    response = still.http.post(f"{still.url}/_sandbox/{door}", json=body)
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    "door",
    ["requests?after[]=1", f"requests?after={10**40}", "requests?limit=-1", "requests?since=soon",
     "journal?after=x", f"journal?after={10**40}"],
)  # fmt: skip
def test_logs_are_asked_for_with_numbers(still: Client, door: str) -> None:
    response = still.http.get(f"{still.url}/_sandbox/{door}")
    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("status", "content_type"),
    [
        (429, "text/html"),
        (502, "text/html"),
        (504, "text/html"),
        (403, "application/problem+json"),
        (500, "application/problem+json"),
    ],
)
def test_a_fault_without_a_body_speaks_as_the_vendor_does(
    client: Client, status: int, content_type: str
) -> None:
    client.door("faults", add=[{"route": "/api/v4/leads", "method": "get", "status": status}])
    struck = client.get("leads")
    assert (struck.status_code, struck.headers["Content-Type"]) == (status, content_type)
    assert (str(status) if status != 429 else "Too Many Requests") in struck.text


def test_a_fault_may_both_bend_the_body_and_hang_up(client: Client) -> None:
    client.door("faults", add=[{"route": "/api/v4/leads", "body": "x"}])
    assert client.get("leads").text == "x"
    client.door("faults", add=[{"route": "/api/v4/leads", "body": "x", "drop": "answer"}])
    with pytest.raises(requests.ConnectionError):
        client.get("leads")


def test_a_refusal_is_bent_as_any_answer(client: Client) -> None:
    client.door("faults", add=[{"route": "/api/v4/events", "garbage": True}])
    refused = client.get("events?filter[entity_id]=7001")
    assert refused.status_code == 400
    with pytest.raises(requests.JSONDecodeError):
        refused.json()


def test_unknown_door_and_unknown_integration_are_404(still: Client) -> None:
    assert still.http.get(f"{still.url}/_sandbox/cellar").status_code == 404
    assert still.http.put(f"{still.url}/_sandbox/codes").status_code == 405
    assert still.http.post(f"{still.url}/_sandbox/codes", json={"client_id": "x"}).status_code == 404
    assert still.http.get(f"{still.url}/_sandbox/truth/dogs").status_code == 404


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


@pytest.mark.parametrize(("raw", "tree"), PARSE_STR + COLLISIONS)
def test_queries_are_read_as_php_reads_them(raw: bytes, tree: dict[str, Any]) -> None:
    parsed = phpquery.parse(raw.decode("utf-8", "surrogateescape"))
    assert json.dumps(parsed) == json.dumps(tree)


def test_65_brackets_take_everything_under_the_name_with_them() -> None:
    assert phpquery.parse("a=1&b=2&a" + "[x]" * 65 + "=1") == {"b": "2"}
    assert len(phpquery.parse("a[]=1&" * 20_000)["a"]) == 20_000


def raw(client: Client, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer to bytes as they stand; the sending side is closed behind them."""
    address = urlsplit(client.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def status_of(head: bytes) -> int:
    return int(head.split(b" ")[1])


def head_of(client: Client, line: str, *headers: str) -> bytes:
    """A request's head with the bearer token and the account's host."""
    token = client.tokens["access_token"]
    lines = [line, "Host: demo.amocrm.ru", f"Authorization: Bearer {token}", *headers, "", ""]
    return "\r\n".join(lines).encode()


TARGETS = [
    ("GET /api/v4/leads?filter[id][]=7001 HTTP/1.1", 200),
    ("GET /api/v4/leads?filter%5Bid%5D%5B%5D=7001 HTTP/1.1", 200),
    ("GET //api///v4//leads HTTP/1.1", 200),
    ("GET http://demo.amocrm.ru/api/v4/leads HTTP/1.1", 200),
    ("GET https://demo.kommo.com/api/v4/leads HTTP/1.1", 200),
    ("GET http://other.amocrm.ru/api/v4/leads HTTP/1.1", 404),
    ("GET http://[demo/api/v4/leads HTTP/1.1", 200),
    ("GET /api/v4/leads?query=Заказ HTTP/1.1", 200),
    ("GET /api/v4/leads#part HTTP/1.1", 200),
    ("GET /api/v4/leads HTTP/1.0", 200),
    ("GET /api/v4/%2e%2e/leads HTTP/1.1", 404),
    ("GET /api/v4/leads/%ff%00 HTTP/1.1", 404),
    ("GET /api/v4evil HTTP/1.1", 404),
    ("GET * HTTP/1.1", 404),
    ("HEAD /api/v4/leads HTTP/1.1", 200),
    ("OPTIONS /api/v4/leads HTTP/1.1", 405),
    ("PROPFIND /api/v4/leads HTTP/1.1", 405),
    ("TRACE / HTTP/1.1", 404),
    ("GET /api/v4/leads", 200),
    ("GET /api/v4/leads HTTP/9", 400),
    ("GET /" + "x" * 70_000 + " HTTP/1.1", 414),
    ("nonsense", 400),
]


@pytest.mark.parametrize(("line", "status"), TARGETS)
def test_request_lines(still: Client, line: str, status: int) -> None:
    head, body = raw(still, head_of(still, line))
    assert status_of(head) == status
    assert b"Traceback" not in body
    assert b"python" not in (head + body).lower()
    if line.startswith("HEAD"):
        assert body == b""
        assert b"Content-Length: 0" not in head


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: -5"],
        ["Content-Length: abc"],
        ["Content-Length: " + "9" * 5000],
        ["Content-Length: 999999999999999"],
        ["Content-Length: 100"],
        ["Transfer-Encoding: chunked"],
        [f"X-{n}: 1" for n in range(200)],
        ["X: " + "y" * 70_000],
    ],
)
def test_heads_that_make_no_sense_are_refused_by_the_web_server(still: Client, headers: list[str]) -> None:
    head, body = raw(still, head_of(still, "POST /api/v4/leads HTTP/1.1", *headers) + b"short")
    assert status_of(head) in (400, 413)
    assert b"nginx" in body
    assert still.get("leads/7001").status_code == 200


CHUNKS = [
    (b'5\r\n[{"na\r\nb\r\nme":"x"}]  \r\n0\r\n\r\n', 200),
    (b'10;ext=1\r\n[{"name":"x"}]  \r\n0\r\nTrailer: 1\r\n\r\n', 200),
    (b"-5\r\nabc\r\n0\r\n\r\n", 400),
    (b"0x5\r\nabcde\r\n0\r\n\r\n", 400),
    (b"5\r\nabc", 400),
    (b"ffffffff\r\nabc", 413),
    (b"3\r\nabcdef\r\n0\r\n\r\n", 400),
]


@pytest.mark.parametrize(("body", "status"), CHUNKS)
def test_chunked_bodies(still: Client, body: bytes, status: int) -> None:
    head, _ = raw(still, head_of(still, "POST /api/v4/leads HTTP/1.1", "Transfer-Encoding: chunked") + body)
    assert status_of(head) == status


def test_a_client_may_wait_for_100_continue_before_it_sends_the_body(client: Client) -> None:
    text = b'[{"name":"patient"}]'
    head = head_of(
        client, "POST /api/v4/leads HTTP/1.1", "Expect: 100-continue", f"Content-Length: {len(text)}"
    )
    address = urlsplit(client.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(text)
        assert b" 200 " in connection.recv(65536).split(b"\r\n")[0]


def test_several_requests_at_once_on_one_connection_are_answered_in_turn(still: Client) -> None:
    line = head_of(still, "GET /api/v4/leads/7001 HTTP/1.1")
    head, rest = raw(still, line + line + head_of(still, "GET /api/v4/leads/1 HTTP/1.1"))
    assert status_of(head) == 200
    assert rest.count(b"HTTP/1.1 200") == 1
    assert rest.count(b"HTTP/1.1 204") == 1


def test_lower_case_bearer_delete_with_a_body_and_a_host_with_port(still: Client) -> None:
    token = still.tokens["access_token"]
    assert still.call("GET", "leads", headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert still.call("GET", "leads", headers={"Host": "demo.amocrm.ru:443"}).status_code == 200
    assert still.call("DELETE", "webhooks", json={"destination": "https://a.example/"}).status_code == 404
    assert still.get("leads/7001").status_code == 200


def test_a_compressed_body_is_no_json(still: Client) -> None:
    packed = gzip.compress(b'[{"name":"x"}]')
    response = still.call("POST", "leads", data=packed, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 400


def test_405_names_the_verbs_that_would_do(still: Client) -> None:
    assert still.call("DELETE", "leads").headers["Allow"] == "GET, HEAD, PATCH, POST"
    token_endpoint = still.http.get(f"{still.url}/oauth2/access_token")
    assert (token_endpoint.status_code, token_endpoint.headers["Allow"]) == (405, "POST")


def test_the_host_of_a_renamed_account_may_answer_401(client: Client) -> None:
    client.door("limits", unknown_host_status=401)
    assert client.call("GET", "account", headers={"Host": "old.amocrm.ru"}).status_code == 401
    client.subdomain = "old"
    assert client.token(grant_type="refresh_token", refresh_token="x").status_code == 401


def test_acting_as_a_user_who_does_not_work_here_is_403(still: Client) -> None:
    for named in ("999", "x", "-1", "9" * 30, "\u0665"):
        headers = {"X-Context-User-ID": named.encode()}
        assert still.call("GET", "leads", headers=headers).status_code == 403
    assert still.call("GET", "leads", headers={"X-Context-User-ID": "501"}).status_code == 200


def test_an_unpaid_account_is_402_on_every_list(client: Client) -> None:
    client.door("limits", payment_required=True)
    assert {client.get(path).status_code for path in ("account", "leads", "nonsense")} == {402}
    assert client.call("GET", "leads", headers={"Authorization": ""}).status_code == 401
    client.door("limits", payment_required=None)
    assert client.get("account").status_code == 200


SWITCHES = {
    "rate_limit": 3,
    "account_rate_limit": 5,
    "count_rejected": False,
    "ban_after": 4,
    "ban_window_s": 10,
}


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 400), st.sampled_from("abc")), max_size=150),
    count_rejected=st.booleans(),
)
def test_the_limiter_admits_what_fits_and_bans_who_does_not_listen(
    arrivals: list[tuple[int, str]], count_rejected: bool
) -> None:
    now = [0.0]
    switches: Any = {**SWITCHES, "count_rejected": count_rejected}
    limiter = Limiter(switches, lambda: now[0])
    seen: list[tuple[int, str, bool]] = []
    clock = 0
    for step, who in arrivals:
        clock += step
        now[0] = clock / 1000
        inside = [entry for entry in seen if entry[0] > clock - 1000 and (entry[2] or count_rejected)]
        fits = len(inside) < 5 and sum(entry[1] == who for entry in inside) < 3
        assert limiter.admit([(("account",), 5), (who, 3)]) is fits
        seen.append((clock, who, fits))
        refused = [at for at, _, admitted in seen if not admitted and at > clock - 10_000]
        assert limiter.should_ban() is (len(refused) >= 4)
    limiter.forgive()
    assert not limiter.should_ban()


def test_the_limit_may_hold_for_all_integrations_together(client: Client) -> None:
    other = Client(client.url)
    client.door("limits", rate_limit=2, rate_limit_scope="account", ban_after=0)
    statuses = [who.get("account").status_code for who in (client, other) * 20]
    assert 429 in statuses[:6]
    other.http.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 99},
        {"status": "500"},
        {"count": -1},
        {"count": True},
        {"delay_s": "1"},
        {"body": 5},
        {"method": 5},
        {"skip": None},
        {"garbage": 1},
        {"drop": "all"},
        {"dogs": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(still: Client, fault: dict[str, Any]) -> None:
    response = still.http.post(f"{still.url}/_sandbox/faults", json=[{"route": "/", **fault}])
    assert response.status_code == 400
    assert still.http.get(f"{still.url}/_sandbox/faults").json() == {"faults": []}
