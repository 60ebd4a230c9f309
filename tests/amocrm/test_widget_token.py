"""The widget's token: what is accepted, and one code for each cause of refusal."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widget_backend.amocrm.widget_token import IntegrationKeys, Refusal, WidgetIdentity, verify
from widget_backend.errors import Unauthorized

SECRET = "s" * 64
OLD_SECRET = "o" * 64
CLIENT = "0f8b2f66-1111-4222-8333-444455556666"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "https://example.amocrm.ru",
    "aud": "https://app.example",
    "jti": "6f2c",
    "iat": AT - 10,
    "nbf": AT - 10,
    "exp": AT + 1790,
    "account_id": 31000001,
    "subdomain": "example",
    "client_uuid": CLIENT,
    "user_id": 501,
}


def lookup(client_uuid: str) -> IntegrationKeys | None:
    if client_uuid != CLIENT:
        return None
    return IntegrationKeys(
        secrets=(SECRET, OLD_SECRET), redirect_uri="https://app.example:8443/oauth/callback"
    )


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not ...}
    return jwt.encode(claims, secret, algorithm=algorithm)


def check(token: str | None) -> WidgetIdentity:
    return verify(token, lookup, now=lambda: NOW)


def test_a_good_token_says_who_is_there() -> None:
    assert check(signed(is_admin=True)) == WidgetIdentity(
        account_id=31000001,
        user_id=501,
        client_uuid=CLIENT,
        subdomain="example",
        domain="example.amocrm.ru",
        is_admin_hint=True,
    )


def test_one_token_serves_many_requests() -> None:
    token = signed()
    assert check(token) == check(token)


ACCEPTED: list[dict[str, Any]] = [
    {"secret": OLD_SECRET},
    {"aud": "https://app.example:8443"},
    {"aud": "https://app.example/"},
    {"aud": ["https://other.example", "https://app.example"]},
    {"iss": "https://example.kommo.com"},
    {"iss": "https://example.amocrm.com/"},
    {"subdomain": "Example"},
    {"exp": AT - 59},
    {"nbf": AT + 59, "iat": AT + 59},
    {"nbf": ...},
    {"jti": ...},
    {"jti": 5},
    {"sub": 5},
    {"account_id": "31000001"},
    {"is_admin": "yes"},
]


@pytest.mark.parametrize("changes", ACCEPTED)
def test_variants_that_really_occur_are_accepted(changes: dict[str, Any]) -> None:
    identity = check(signed(**changes))
    assert (identity.account_id, identity.user_id, identity.is_admin_hint) == (31000001, 501, False)


REFUSED: list[tuple[dict[str, Any], Refusal]] = [
    ({"secret": "x" * 64}, Refusal.SIGNATURE),
    ({"algorithm": "HS512"}, Refusal.ALGORITHM),
    ({"exp": AT - 61}, Refusal.EXPIRED),
    ({"nbf": AT + 61}, Refusal.NOT_YET_VALID),
    ({"iat": AT + 61}, Refusal.NOT_YET_VALID),
    ({"aud": "https://app.example.evil.com"}, Refusal.AUDIENCE),
    ({"aud": "http://app.example"}, Refusal.AUDIENCE),
    ({"aud": "https://app.example:9999"}, Refusal.AUDIENCE),
    ({"aud": ""}, Refusal.AUDIENCE),
    ({"aud": [5]}, Refusal.AUDIENCE),
    ({"aud": []}, Refusal.AUDIENCE),
    ({"iss": "http://example.amocrm.ru"}, Refusal.ISSUER),
    ({"iss": "https://example.evil.ru"}, Refusal.ISSUER),
    ({"iss": "https://example.amocrm.ru.evil.com"}, Refusal.ISSUER),
    ({"iss": "https://example.amocrm.ru:8443"}, Refusal.ISSUER),
    ({"iss": "https://user@example.amocrm.ru"}, Refusal.ISSUER),
    ({"iss": "https://other.amocrm.ru"}, Refusal.ISSUER),
    ({"iss": "https://[bad"}, Refusal.ISSUER),
    ({"iss": "https://example.amocrm.ru:bad"}, Refusal.ISSUER),
    ({"client_uuid": "unknown"}, Refusal.UNKNOWN_INTEGRATION),
    *[({name: ...}, Refusal.CLAIMS) for name in
      ("exp", "iat", "aud", "iss", "account_id", "user_id", "client_uuid", "subdomain")],
    ({"account_id": 0}, Refusal.CLAIMS),
    ({"account_id": -5}, Refusal.CLAIMS),
    ({"account_id": True}, Refusal.CLAIMS),
    ({"account_id": 2**63}, Refusal.CLAIMS),
    ({"account_id": "31000001 OR 1=1"}, Refusal.CLAIMS),
    ({"user_id": 1.5}, Refusal.CLAIMS),
    ({"exp": "tomorrow"}, Refusal.CLAIMS),
    ({"exp": float("nan")}, Refusal.CLAIMS),
    ({"exp": 1e300}, Refusal.CLAIMS),
    ({"nbf": []}, Refusal.CLAIMS),
    ({"client_uuid": {}}, Refusal.CLAIMS),
    ({"iss": "x" * 5000}, Refusal.TOO_LONG),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_each_cause_of_refusal_has_its_code(changes: dict[str, Any], reason: Refusal) -> None:
    with pytest.raises(Unauthorized) as caught:
        check(signed(**changes))
    assert (caught.value.code, caught.value.context["reason"]) == (reason, reason)


def raw(header: Any, claims: Any, signature: str = "AAAA") -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    return ".".join([*parts, signature])


NOT_TOKENS = [
    (None, Refusal.MISSING),
    ("", Refusal.MISSING),
    ("   ", Refusal.MISSING),
    ("x", Refusal.MALFORMED),
    ("a.b.c", Refusal.MALFORMED),
    ("ё.ё.ё", Refusal.MALFORMED),
    (raw({"alg": "none"}, CLAIMS, ""), Refusal.ALGORITHM),
    (raw({"alg": "RS256"}, CLAIMS), Refusal.ALGORITHM),
    (raw({}, CLAIMS), Refusal.ALGORITHM),
    (raw({"alg": "HS256"}, [1]), Refusal.MALFORMED),
    (raw({"alg": "HS256"}, CLAIMS), Refusal.SIGNATURE),
    ("eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(b"[" * 2500).decode() + ".AAAA", Refusal.MALFORMED),
]


@pytest.mark.parametrize(("token", "reason"), NOT_TOKENS)
def test_what_is_no_token_is_refused_too(token: str | None, reason: Refusal) -> None:
    with pytest.raises(Unauthorized) as caught:
        check(token)
    assert caught.value.code == reason


@given(
    st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,60}\.[A-Za-z0-9_-]{0,20}")
)
def test_nothing_else_than_unauthorized_comes_out(token: str) -> None:
    with pytest.raises(Unauthorized):
        check(token)
