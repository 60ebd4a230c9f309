"""Who may call, how errors look, and what browsers need."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.callers import JANUARY, SECRET, Caller, widget_token
from tests.support.builders import ACCOUNT
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.oauth.models import Account

ORIGIN = "https://demo.amocrm.ru"


@pytest.mark.parametrize(
    ("claims", "secret"),
    [
        ({}, "another-secret-another-secret-another-secret-another-secret"),
        ({"exp": 1_700_000_000}, SECRET),
        ({"aud": "https://evil.example"}, SECRET),
        ({"iss": "https://evil.example"}, SECRET),
        ({"client_uuid": "nobody"}, SECRET),
    ],
)
def test_bad_tokens_are_refused_in_words(client: FlaskClient, claims: dict[str, Any], secret: str) -> None:
    token = widget_token(501, secret=secret, **claims)
    answer = client.get("/api/v1/panel", headers={"X-Auth-Token": token, "Origin": ORIGIN})
    assert answer.status_code == 401
    error = answer.json["error"]  # type: ignore[index]
    assert error["message"]
    assert error["remedy"]
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN, "or the widget only sees status 0"


def test_no_token_is_401(client: FlaskClient) -> None:
    assert client.get("/api/v1/panel").status_code == 401


def test_one_token_serves_many_requests(client: FlaskClient) -> None:
    headers = {"X-Auth-Token": widget_token(501)}
    assert [client.get("/api/v1/panel", headers=headers).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("state", ["reauth_required", "disconnected"])
def test_an_account_without_tokens_says_so(call: Caller, filled: Services, state: str) -> None:
    with session_scope(filled.engine) as session:
        session.get_one(Account, ACCOUNT).state = state
    answer = call.get("panel", 501, lang="en")
    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "not_connected"  # type: ignore[index]
    assert "install" in answer.json["error"]["remedy"]  # type: ignore[index]


def test_an_account_that_is_not_ours_is_not_connected(call: Caller) -> None:
    token = widget_token(501, client_uuid=f"client-{ACCOUNT}", account_id=4711)
    answer = call.client.get("/api/v1/panel", headers={"X-Auth-Token": token})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": "2026-01-01"}, "end"),
        ({"start": "yesterday", "end": "2026-01-31"}, "start"),
        ({"start": "2026-02-01", "end": "2026-01-31"}, "start"),
        ({**JANUARY, "metric": "profit"}, "metric"),
        ({**JANUARY, "by": "colour"}, "by"),
        ({**JANUARY, "bucket": "hour"}, "bucket"),
        ({**JANUARY, "compare": "never"}, "compare"),
        ({**JANUARY, "where": "user"}, "where"),
        ({"start": "1970-01-01", "end": "2100-01-01", "bucket": "day"}, "bucket"),
        ({**JANUARY, "where": "user=x"}, "where"),
    ],
)
def test_bad_questions_name_the_field(call: Caller, query: dict[str, str], field: str) -> None:
    answer = call.get("kpis", 501, **query)
    assert answer.status_code == 400, answer.text
    assert answer.json["error"]["field"] == field  # type: ignore[index]


def test_preflights_need_no_token(client: FlaskClient) -> None:
    answer = client.options(
        "/api/v1/panel",
        headers={"Origin": ORIGIN, "Access-Control-Request-Headers": "x-auth-token,if-none-match"},
    )
    assert answer.status_code == 204
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert "x-auth-token" in allowed
    assert "if-none-match" in allowed


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://demo.amocrm.ru", "https://amocrm.ru.evil.com"]
)
def test_strange_origins_are_not_echoed(client: FlaskClient, origin: str) -> None:
    answer = client.options("/api/v1/panel", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_unchanged_answer_is_304(call: Caller) -> None:
    first = call.get("kpis", 501, metric="won_count", **JANUARY)
    again = call.client.get(
        "/api/v1/kpis",
        query_string={"metric": "won_count", **JANUARY},
        headers={"X-Auth-Token": widget_token(501), "If-None-Match": first.headers["ETag"]},
    )
    assert again.status_code == 304


def test_drill_down_goes_page_by_page(call: Caller) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"cursor": cursor} if cursor else {}
        page = call.get("kpis/won_count/rows", 501, limit=4, **JANUARY, **query).json
        assert page is not None
        assert page["total"] == 6
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == [7001, 7002, 7003, 7004, 7005, 7006]


def test_unknown_addresses_and_verbs_answer_in_our_shape(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").json["error"]["code"] == "not_found"  # type: ignore[index]
    wrong = client.post("/api/v1/panel")
    assert wrong.status_code == 405
    assert wrong.json["error"]["code"] == "method_not_allowed"  # type: ignore[index]


def test_the_document_describes_every_route(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    assert set(document["paths"]) >= {"/api/v1/panel", "/api/v1/kpis", "/api/v1/kpis/{metric_id}/rows"}


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json["status"]) == (200, "ok")  # type: ignore[index]


def test_the_panel_speaks_both_languages(call: Caller) -> None:
    ru = call.get("panel", 501, lang="ru", lead_id=7001).json
    en = call.get("panel", 501, lang="en", lead_id=7001).json
    assert ru is not None
    assert en is not None
    assert ru["lead"]["next"]["title"] == "Сделка выиграна"
    assert en["lead"]["next"]["title"] == "Deal won"
    assert ru["lead"]["price_text"] == "7\u00a0001\u00a0₽"
    assert [s["id"] for s in en["sections"]] == ["mine", "team"]
