"""Errors in one shape and two languages, and what the answers tell caches and browsers."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.api.callers import JANUARY, Caller, widget_token
from tests.api.conftest import OTHER
from tests.support.builders import ACCOUNT
from widget_backend.api.texts import ERRORS, TECHNICAL
from widget_backend.bootstrap import Services
from widget_backend.db.engine import make_engine, session_scope
from widget_backend.oauth.models import Account

CYRILLIC = re.compile("[А-Яа-яЁё]")
ORIGIN = "https://demo.amocrm.ru"


def error_of(answer: Any, lang: str) -> dict[str, Any]:
    """The error, after what must hold for every one."""
    assert set(answer.json) == {"error"}
    error: dict[str, Any] = answer.json["error"]
    assert {"code", "message", "field", "remedy", "request_id"} <= set(error)
    assert error["request_id"] == answer.headers["X-Request-ID"]
    assert error["message"]
    assert error["remedy"]
    for part in (error["message"], error["remedy"]):
        assert bool(CYRILLIC.search(part)) is (lang == "ru"), part
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    return error


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize(
    ("path", "user_id", "query", "status", "code", "field"),
    [
        ("kpis", 501, {"start": "x", "end": "2026-01-31"}, 400, "bad_input", "start"),
        ("kpis", 501, {**JANUARY, "metric": "profit"}, 400, "bad_input", "metric"),
        ("kpis", 505, JANUARY, 403, "forbidden", None),
        ("kpis/won_count/rows", 501, {**JANUARY, "cursor": "x"}, 400, "bad_input", "cursor"),
        ("kpis/won_count/rows", 501, {**JANUARY, "limit": 501}, 400, "bad_input", "limit"),
        ("nothing", 501, {}, 404, "not_found", None),
    ],
)
def test_errors_speak_the_callers_language(
    client: FlaskClient,
    path: str,
    user_id: int,
    query: dict[str, Any],
    status: int,
    code: str,
    field: str | None,
    lang: str,
) -> None:
    for headers, more in (({}, {"lang": lang}), ({"Accept-Language": f"{lang};q=0.9"}, {})):
        answer = client.get(
            f"/api/v1/{path}",
            query_string={**query, **more},
            headers={"X-Auth-Token": widget_token(user_id), "Origin": ORIGIN, **headers},
        )
        assert answer.status_code == status, answer.text
        error = error_of(answer, lang)
        assert (error["code"], error["field"]) == (code, field)


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_a_wrong_verb_a_missing_token_and_a_silent_database(
    client: FlaskClient, filled: Services, lang: str
) -> None:
    headers = {"Origin": ORIGIN, "Accept-Language": lang}
    wrong = client.post("/api/v1/panel", headers=headers)
    assert (wrong.status_code, error_of(wrong, lang)["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]
    missing = client.get("/api/v1/panel", headers=headers)
    assert missing.status_code == 401
    error_of(missing, lang)
    filled.engine.dispose()
    filled.__dict__["engine"] = make_engine("postgresql://app@127.0.0.1:9/app")
    away = client.get("/api/v1/panel", headers={**headers, "X-Auth-Token": widget_token(501)})
    assert (away.status_code, error_of(away, lang)["code"]) == (503, "try_later")
    assert int(away.headers["Retry-After"]) > 0


def test_a_defect_is_a_500_without_its_secrets(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from widget_backend.api import panel

    def broken(*_: Any) -> None:
        raise KeyError("the secret of the house")

    monkeypatch.setattr(panel, "month_blocks", broken)
    answer = client.get(
        "/api/v1/panel",
        headers={"X-Auth-Token": widget_token(501), "Origin": ORIGIN, "Accept-Language": "en"},
    )
    assert (answer.status_code, error_of(answer, "en")["code"]) == (500, "internal")
    assert "secret" not in answer.text


def test_a_question_that_takes_too_long_is_given_up(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from widget_backend.api import auth, panel

    def slow(session: Any, *_: Any) -> None:
        session.execute(text("SELECT pg_sleep(60)"))

    monkeypatch.setattr(auth, "LONGEST_STATEMENT_S", 1)
    monkeypatch.setattr(panel, "month_blocks", slow)
    assert call.get("panel", 501).status_code == 503


def test_every_text_is_there_in_both_languages() -> None:
    for code, texts in ERRORS.items():
        assert set(texts) == {"ru", "en"}, code
        assert all(message and remedy for message, remedy in texts.values())
    assert all(CYRILLIC.search(part) for parts in TECHNICAL.values() for part in parts)


def test_head_is_get_without_a_body(call: Caller) -> None:
    query = {"metric": "won_count", **JANUARY}
    headers = {"X-Auth-Token": widget_token(501)}
    got = call.client.get("/api/v1/kpis", query_string=query, headers=headers)
    head = call.client.head("/api/v1/kpis", query_string=query, headers=headers)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]


def test_a_copy_of_somebody_else_is_never_good_enough(call: Caller) -> None:
    first = call.get("panel", 501, lang="ru")
    assert {"X-Auth-Token", "Accept-Language", "Origin"} <= set(first.vary)
    assert first.headers["Cache-Control"] == "private, no-cache"
    for user_id, lang in ((503, "ru"), (501, "en")):
        answer = call.client.get(
            "/api/v1/panel",
            query_string={"lang": lang},
            headers={"X-Auth-Token": widget_token(user_id), "If-None-Match": first.headers["ETag"]},
        )
        assert answer.status_code == 200


def test_304_stays_readable_for_the_page(call: Caller) -> None:
    headers = {"X-Auth-Token": widget_token(501), "Origin": ORIGIN}
    query = {"metric": "won_count", **JANUARY}
    first = call.client.get("/api/v1/kpis", query_string=query, headers=headers)
    headers["If-None-Match"] = first.headers["ETag"]
    again = call.client.get("/api/v1/kpis", query_string=query, headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert again.headers["ETag"] == first.headers["ETag"]


def test_an_account_of_which_nothing_is_known_yet_is_loading_not_forbidden(
    call: Caller, filled: Services
) -> None:
    with session_scope(filled.engine, OTHER) as session:
        session.execute(text("DELETE FROM group_memberships"))
        session.execute(text("DELETE FROM users"))
        session.execute(text("DELETE FROM sync_cursors"))
        session.get_one(Account, OTHER).state = "backfilling"
    answer = call.get("panel", 501, OTHER)
    assert answer.status_code == 409
    assert answer.json["error"]["code"] == "still_loading"  # type: ignore[index]


def test_numbers_of_a_running_backfill_say_so_and_wait_for_the_leads(call: Caller, filled: Services) -> None:
    def put(**columns: Any) -> None:
        names = ", ".join(f"{name} = :{name}" for name in columns)
        with session_scope(filled.engine, ACCOUNT) as session:
            session.execute(text(f"UPDATE sync_cursors SET {names} WHERE stream <> 'leads'"), columns)  # noqa: S608
            session.get_one(Account, ACCOUNT).state = "backfilling"

    put(backfilled_at=None, synced_to=None)
    assert call.get("kpis", 501, **JANUARY).json["error"]["code"] == "still_loading"  # type: ignore[index]
    panel = call.get("panel", 501, lang="ru").json
    assert panel is not None
    assert (panel["sections"], panel["complete"]) == ([], False)
    assert panel["progress_text"]
    with session_scope(filled.engine, ACCOUNT) as session:
        session.execute(text("UPDATE sync_cursors SET synced_to = now() WHERE stream = 'facts'"))
    panel = call.get("panel", 501, lang="ru").json
    assert panel is not None
    assert [section["id"] for section in panel["sections"]] == ["mine", "team"]
    answer = call.get("kpis", 501, metric="won_count", **JANUARY).json
    assert answer is not None
    assert answer["complete"] is False
    assert answer["metrics"][0]["rows"][0]["state"] == "partial"


def test_the_disconnect_hook_needs_a_signature(client: FlaskClient) -> None:
    answer = client.get(
        "/hooks/amocrm/disconnect",
        query_string={"account_id": ACCOUNT, "client_uuid": f"client-{ACCOUNT}", "signature": "0" * 64},
    )
    assert answer.status_code == 401


def test_a_signed_disconnect_stops_the_account(client: FlaskClient, filled: Services) -> None:
    import hashlib
    import hmac

    from sqlalchemy import func, select

    from tests.api.callers import SECRET
    from widget_backend.sync.install import prepare_account
    from widget_backend.sync.models import Schedule

    with session_scope(filled.engine) as session:
        prepare_account(session, filled.settings, ACCOUNT)
    client_id = f"client-{ACCOUNT}"
    signature = hmac.new(SECRET.encode(), f"{client_id}|{ACCOUNT}".encode(), hashlib.sha256).hexdigest()
    query = {"account_id": ACCOUNT, "client_uuid": client_id, "signature": signature}
    for _ in range(2):
        assert client.get("/hooks/amocrm/disconnect", query_string=query).status_code == 200
    assert filled.account(ACCOUNT).state == "disconnected"
    with session_scope(filled.engine) as session:
        assert session.scalar(select(func.count()).select_from(Schedule)) == 0
    assert client.get("/api/v1/panel", headers={"X-Auth-Token": widget_token(501)}).status_code == 409


def test_the_page_after_an_installation_is_nobodys_to_keep(client: FlaskClient) -> None:
    answer = client.get("/oauth/callback?error=access_denied&client_id=x")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
