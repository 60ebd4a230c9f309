"""Disposable tokens as the page's session gets them, good ones and every kind of bad one."""

import secrets
import uuid
from collections.abc import Callable
from typing import Any

import jwt

from sandbox.page.simulator import Simulator

Claims = dict[str, Any]
LONG_AGO_S = 7200
SKEW_S = 60
TIMES = ("iat", "nbf", "exp")


def _moved(claims: Claims, seconds: int) -> Claims:
    return {name: int(claims[name]) + seconds for name in TIMES}


def _foreign_account(claims: Claims) -> Claims:
    other = f"{claims['subdomain']}-other"
    origin = str(claims["iss"]).replace(str(claims["subdomain"]), other, 1)
    return {"account_id": int(claims["account_id"]) + 1, "subdomain": other, "iss": origin}


# What each kind overrides, given the claims of a good token; None leaves a claim out.
OVERRIDES: dict[str, Callable[[Claims], Claims]] = {
    "expired": lambda claims: _moved(claims, -LONG_AGO_S),
    "wrong_aud": lambda claims: {"aud": "https://someone-else.example.com"},
    "other_account": _foreign_account,
    "unknown_client": lambda claims: {"client_uuid": str(uuid.uuid4())},
    "no_is_admin": lambda claims: {"is_admin": None},
    "ahead": lambda claims: _moved(claims, SKEW_S),
    "behind": lambda claims: _moved(claims, -SKEW_S),
}
# `wrong_secret` is signed with another key; `error` is a 500 instead of a token.
KINDS = ("good", *OVERRIDES, "wrong_secret", "error")


def disposable(simulator: Simulator, user_id: int, kind: str) -> str:
    """A token of this kind for the user. Raises Unreachable when the simulator refuses."""
    good = simulator.token(user_id)
    if kind == "good":
        return good
    claims: Claims = jwt.decode(good, options={"verify_signature": False})
    if kind == "wrong_secret":
        return jwt.encode(claims, secrets.token_hex(32), algorithm="HS256")
    return simulator.token(user_id, OVERRIDES[kind](claims))
