"""The client against a real socket: what it sends, what it repeats, what each status becomes."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.amocrm.scripted import (
    BAN,
    EMPTY,
    LOST,
    Asked,
    Reply,
    ScriptedServer,
    in_turn,
    ok,
    problem,
    serving,
)
from widget_backend.amocrm.client import AmoClient, Token, make_session
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.pages import RowsMoved, pages
from widget_backend.errors import (
    AccountBlocked,
    AmoForbidden,
    AmoRateLimited,
    AmoRejected,
    AmoUnavailable,
    AppError,
    NeedsReauthorization,
)

SECRET = "access-token-that-must-not-leak"
ACCOUNT = 31000001


def token(version: int = 1, access: str = SECRET, domain: str | None = None) -> Token:
    return Token(access=access, version=version, expires_at=datetime(2030, 1, 1, tzinfo=UTC), domain=domain)


@dataclass
class OpenBudget:
    """Grants everything and remembers what it was told."""

    asked: list[Priority] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    tripped: list[str] = field(default_factory=list)

    def acquire(self, priority: Priority, timeout_s: float) -> None:
        self.asked.append(priority)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def trip(self, reason: str) -> None:
        self.tripped.append(reason)


class Tokens:
    """A store whose pair is renewed by ``refresh``."""

    def __init__(self) -> None:
        self.now = token()
        self.seen: list[int] = []

    def current(self) -> Token:
        return self.now

    def refresh(self, seen_version: int) -> Token:
        self.seen.append(seen_version)
        self.now = token(seen_version + 1, f"access-{seen_version + 1}")
        return self.now


class Rig:
    """A client with everything around it under the test's control."""

    def __init__(self, server: ScriptedServer, **more: Any):
        self.server, self.budget, self.tokens = server, OpenBudget(), Tokens()
        self.slept: list[float] = []
        self.session = make_session()
        self.client = AmoClient(
            ACCOUNT,
            "example.amocrm.ru",
            self.tokens.current,
            self.tokens.refresh,
            self.budget,
            self.session,
            server.origin,
            sleep=self.slept.append,
            **more,
        )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving(EMPTY) as running:
        yield running


@pytest.fixture
def rig(server: ScriptedServer) -> Iterator[Rig]:
    made = Rig(server)
    yield made
    made.session.close()


def bearer(asked: Asked) -> str:
    return asked.headers["authorization"].removeprefix("Bearer ")


def test_a_call_names_the_account_by_its_host_and_carries_token_agent_and_query(rig: Rig) -> None:
    rig.server.script = in_turn(ok({"id": 7001}))
    data = rig.client.get(
        "leads", {"filter": {"id": [1, 2]}, "order": {"id": "asc"}, "with": None}, priority=Priority.USER
    )
    (asked,) = rig.server.asked
    assert data == {"id": 7001}
    assert (asked.method, asked.path) == ("GET", "/api/v4/leads")
    assert asked.query == "filter%5Bid%5D%5B%5D=1&filter%5Bid%5D%5B%5D=2&order%5Bid%5D=asc"
    assert asked.headers["host"] == "example.amocrm.ru"
    assert bearer(asked) == SECRET
    assert asked.headers["user-agent"].startswith("amocrm-sales-reporting/")
    assert rig.budget.asked == [Priority.USER]


def test_a_netrc_of_the_machine_never_replaces_the_token(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    rig.client.get("account")
    assert bearer(rig.server.asked[0]) == SECRET


def test_cookies_of_one_account_are_not_sent_with_the_next_call(rig: Rig) -> None:
    rig.server.script = in_turn(ok({}, **{"Set-Cookie": "session=1; Path=/"}))
    rig.client.get("account")
    rig.client.get("account")
    assert all("cookie" not in asked.headers for asked in rig.server.asked)


def test_fractions_arrive_exactly(rig: Rig) -> None:
    rig.server.script = in_turn(Reply(body=b'{"price": 0.1, "n": NaN}'))
    assert rig.client.get("leads/1") == {"price": Decimal("0.1"), "n": None}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_is_any_of_the_vendors_four(rig: Rig, status: int) -> None:
    rig.server.script = in_turn(ok({"id": 1}, status))
    answer = rig.client.request("POST", "webhooks", json={"destination": "x"})
    assert (answer.status, answer.data, answer.request_id) == (status, {"id": 1}, "r-1")
    assert rig.server.asked[0].json == {"destination": "x"}


def test_204_is_nothing_and_not_an_error(rig: Rig) -> None:
    assert rig.client.get("leads") is None


REFUSALS = [
    (problem(400), AmoRejected),
    (problem(402), AmoForbidden),
    (Reply(status=402, body=b"<html>"), AmoForbidden),
    (problem(403), AmoForbidden),
    (BAN, AccountBlocked),
    (Reply(status=403), AccountBlocked),
    (problem(404), AmoRejected),
    (problem(405), AmoRejected),
    (problem(422), AmoRejected),
    (Reply(status=400, body=b"\xff not json"), AmoRejected),
    (Reply(status=302, headers={"Location": "https://elsewhere.example/"}), AmoRejected),
]


@pytest.mark.parametrize(("reply", "expected"), REFUSALS)
def test_refusals_are_told_apart_and_not_repeated(rig: Rig, reply: Reply, expected: type[AppError]) -> None:
    rig.server.script = in_turn(reply)
    with pytest.raises(AppError) as caught:
        rig.client.get("leads/7001")
    assert type(caught.value) is expected
    assert caught.value.context["status"] == reply.status
    assert caught.value.context["account_id"] == ACCOUNT
    assert len(rig.server.asked) == 1
    assert rig.slept == []


def test_validation_errors_are_listed(rig: Rig) -> None:
    rig.server.script = in_turn(
        problem(
            400,
            **{
                "validation-errors": [
                    {
                        "request_id": "0",
                        "errors": [{"code": "NotSupportedChoice", "path": "a.0", "detail": "No"}],
                    }
                ]
            },
        )
    )
    with pytest.raises(AmoRejected) as caught:
        rig.client.request("PATCH", "leads", json=[{"id": 1}])
    assert caught.value.context["validation_errors"] == [
        {"request_id": "0", "code": "NotSupportedChoice", "path": "a.0", "detail": "No"}
    ]


@pytest.mark.parametrize(
    "data", [[], {"validation-errors": 5}, {"validation-errors": [None, {"errors": [1]}]}]
)
def test_odd_error_bodies_do_not_hide_the_refusal(rig: Rig, data: Any) -> None:
    rig.server.script = in_turn(ok(data, 400))
    with pytest.raises(AmoRejected) as caught:
        rig.client.get("leads")
    assert caught.value.context["validation_errors"] == []


@pytest.mark.parametrize(
    "trouble",
    [
        problem(500),
        Reply(status=502, body=b"<html>bad gateway</html>"),
        problem(503),
        problem(504),
        LOST,
        Reply(body=b"{ not json"),
        Reply(body=b"[" * 100_000),
        Reply(body=b"\xff\xfe\x00"),
    ],
)
def test_passing_trouble_is_repeated_until_it_is_over(rig: Rig, trouble: Reply) -> None:
    rig.server.script = in_turn(trouble, trouble, ok({"id": 1}))
    assert rig.client.get("leads/1") == {"id": 1}
    assert len(rig.server.asked) == 3
    assert rig.budget.asked == [Priority.INCREMENTAL] * 3
    assert all(0.5 <= first <= 1 for first in rig.slept[:1])
    assert 1 <= rig.slept[1] <= 2


def test_there_is_always_a_last_attempt(rig: Rig) -> None:
    rig.server.script = in_turn(problem(503))
    with pytest.raises(AmoUnavailable) as caught:
        rig.client.get("leads")
    assert caught.value.context["status"] == 503
    assert len(rig.server.asked) == 5


def test_a_post_that_may_have_worked_is_not_sent_again(rig: Rig) -> None:
    for trouble in (LOST, problem(504), Reply(body=b"garbage")):
        rig.server.asked.clear()
        rig.server.script = in_turn(trouble)
        with pytest.raises(AmoUnavailable):
            rig.client.request("POST", "tasks", json=[{}])
        assert len(rig.server.asked) == 1


def test_a_post_refused_for_speed_is_sent_again(rig: Rig) -> None:
    rig.server.script = in_turn(Reply(status=429, body=b"Too many"), ok({"id": 1}))
    assert rig.client.request("POST", "tasks", json=[{}]).data == {"id": 1}


def test_retry_after_is_obeyed_and_told_to_everybody(rig: Rig) -> None:
    rig.server.script = in_turn(Reply(status=429, body=b"slow", headers={"Retry-After": "3"}), ok({}))
    rig.client.get("leads")
    assert rig.budget.pauses == [3.0]
    assert 3.0 <= rig.slept[0] < 3.3


def test_a_wait_beyond_patience_is_left_to_the_caller(rig: Rig) -> None:
    rig.server.script = in_turn(Reply(status=429, headers={"Retry-After": "900"}))
    with pytest.raises(AmoRateLimited) as caught:
        rig.client.get("leads")
    assert caught.value.retry_after_s == 900.0
    assert rig.slept == []


def test_a_silent_server_ends_in_a_timeout(server: ScriptedServer) -> None:
    with requests.Session() as session:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as silent:
            rig = Rig(server, timeouts_s=(0.2, 0.05), attempts=2)
            rig.client._origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(AmoUnavailable) as caught:
                rig.client.get("leads")
            rig.session.close()
        assert caught.value.context["reason"] == "ReadTimeout"
        assert rig.client.requests["leads"] == 2
        del session


def test_the_first_ban_page_opens_the_breaker(rig: Rig) -> None:
    rig.server.script = in_turn(BAN)
    with pytest.raises(AccountBlocked):
        rig.client.get("leads")
    assert rig.budget.tripped == ["403 with a page"]


def test_a_stale_token_is_refreshed_once_by_its_version(rig: Rig) -> None:
    rig.server.script = lambda asked: problem(401) if bearer(asked) == SECRET else ok({"id": 1})
    assert rig.client.get("leads/1") == {"id": 1}
    assert rig.tokens.seen == [1]
    assert len(rig.server.asked) == 2


def test_a_fresh_token_that_is_refused_ends_it(rig: Rig) -> None:
    rig.server.script = in_turn(problem(401))
    with pytest.raises(NeedsReauthorization):
        rig.client.get("leads")
    assert rig.tokens.seen == [1]
    assert len(rig.server.asked) == 2


def test_a_pair_renewed_by_somebody_else_meanwhile_gets_its_chance(rig: Rig) -> None:
    def script(asked: Asked) -> Reply:
        if bearer(asked) == "access-2":
            rig.tokens.now = token(3, "access-3")
        return ok({}) if bearer(asked) == "access-3" else problem(401)

    rig.server.script = script
    assert rig.client.get("leads") == {}
    assert [bearer(asked) for asked in rig.server.asked] == [SECRET, "access-2", "access-3"]


def test_a_renamed_account_is_called_by_its_new_host(rig: Rig) -> None:
    rig.tokens.now = token(domain="renamed.amocrm.ru")
    rig.client.get("leads")
    assert rig.server.asked[0].headers["host"] == "renamed.amocrm.ru"


def test_find_takes_204_and_404_alike(rig: Rig) -> None:
    rig.server.script = in_turn(EMPTY, problem(404), problem(400))
    assert rig.client.find("leads/1") is None
    assert rig.client.find("tasks/1") is None
    with pytest.raises(AmoRejected):
        rig.client.find("leads/x")


def test_requests_are_counted_by_entity_as_they_are_sent(rig: Rig) -> None:
    rig.server.script = in_turn(problem(500), ok({}))
    for path in ("leads", "leads/7001", "leads/7001/notes", "leads/notes/5", "leads/pipelines", "account"):
        rig.client.get(path)
    assert rig.client.requests == {
        "leads": 3,
        "notes_leads": 2,
        "pipelines": 1,
        "account": 1,
    }


@pytest.mark.parametrize("reply", [problem(401), problem(400), problem(503), LOST, BAN, Reply(body=b"x")])
def test_errors_carry_no_secret_and_survive_pickling(rig: Rig, reply: Reply) -> None:
    rig.tokens.now = token()
    rig.server.script = in_turn(reply)
    with pytest.raises(AppError) as caught:
        rig.client.get("leads", {"query": "+79990000000"})
    error = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert type(error) is type(caught.value)
    assert error.context == caught.value.context
    for text in (str(error), repr(error.context), repr(rig.tokens.now), repr(error.__cause__)):
        assert SECRET not in text
        assert "79990000000" not in text


# --- pages -------------------------------------------------------------------------------------------


def page(number: int, ids: list[int], following: str | None) -> Reply:
    links = {"next": {"href": following}} if following else {}
    return ok({"_page": number, "_links": links, "_embedded": {"leads": [{"id": i} for i in ids]}})


def link(number: int) -> str:
    return f"https://attacker.example/api/v4/other?limit=2&page={number}"


def test_pages_follow_the_query_of_next_and_keep_our_host(rig: Rig) -> None:
    rig.server.script = in_turn(page(1, [1, 2], link(2)), page(2, [3], None))
    assert list(pages(rig.client, "leads", "leads", {"limit": 2})) == [[{"id": 1}, {"id": 2}], [{"id": 3}]]
    first, second = rig.server.asked
    assert (second.path, second.query) == ("/api/v4/leads", "limit=2&page=2")
    assert second.headers["host"] == "example.amocrm.ru"
    assert first.query == "limit=2"


def test_an_empty_list_has_no_pages(rig: Rig) -> None:
    assert list(pages(rig.client, "leads", "leads")) == []


def test_resuming_past_the_end_is_the_end(rig: Rig) -> None:
    assert list(pages(rig.client, "leads", "leads", {"page": 9})) == []


def test_a_promised_page_that_is_gone_asks_for_a_restart(rig: Rig) -> None:
    rig.server.script = in_turn(page(1, [1, 2], link(2)), EMPTY)
    got = pages(rig.client, "leads", "leads")
    assert next(got) == [{"id": 1}, {"id": 2}]
    with pytest.raises(RowsMoved):
        next(got)


def test_a_link_that_comes_twice_is_an_error(rig: Rig) -> None:
    rig.server.script = in_turn(page(1, [1], link(2)), page(2, [2], link(2)))
    with pytest.raises(AmoRejected, match="repeats"):
        list(pages(rig.client, "leads", "leads"))


@pytest.mark.parametrize(
    "data", [[], {}, {"_embedded": []}, {"_embedded": {"leads": {}}}, {"_links": [1]}, 5]
)
def test_a_page_without_the_list_is_empty(rig: Rig, data: Any) -> None:
    rig.server.script = in_turn(ok(data))
    assert list(pages(rig.client, "leads", "leads")) == []
