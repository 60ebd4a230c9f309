"""Codes, token pairs and widget tokens. A pair is given out, used and revoked only here."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import hashlib
import json
import secrets
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import World

SCOPES = ["crm", "files", "files_delete", "notifications", "push_notifications"]
REVOKED = "Token has been revoked"


class TokenRefused(Exception):
    """The token endpoint says no: `status` and `hint` of its answer."""

    def __init__(self, status: int, hint: str) -> None:
        super().__init__(hint)
        self.status = status
        self.hint = hint


@dataclass(frozen=True, kw_only=True)
class Integration:
    """An installed or installable integration; `account_id` is the account that owns it."""

    client_id: str
    client_secret: str
    redirect_uri: str
    account_id: int | None
    disconnect_uri: str | None


def new_signing_key() -> bytes:
    """A fresh RSA key as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def find_integration(connection: sqlite3.Connection, client_id: Any) -> Integration | None:
    """By client id."""
    row = connection.execute(
        "SELECT client_id, client_secret, redirect_uri, account_id, disconnect_uri FROM integrations"
        " WHERE client_id = ?",
        (str(client_id),),
    ).fetchone()
    if row is None:
        return None
    names = ("client_id", "client_secret", "redirect_uri", "account_id", "disconnect_uri")
    return Integration(**dict(zip(names, row, strict=True)))


def integrations(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Who may be talked about without a secret: client_id, account_id, name; the oldest first."""
    rows = connection.execute("SELECT client_id, account_id, name FROM integrations ORDER BY rowid")
    return [dict(zip(("client_id", "account_id", "name"), row, strict=True)) for row in rows]


def save_integration(
    connection: sqlite3.Connection, made: Integration, name: str | None, created_at: int
) -> None:
    """Store a new integration."""
    connection.execute(
        "INSERT INTO integrations VALUES (?, ?, ?, ?, ?, ?, ?)",
        (made.client_id, made.client_secret, made.redirect_uri, made.account_id, name, made.disconnect_uri,
         created_at),
    )  # fmt: skip


def _opaque(prefix: str = "def50200") -> str:
    return prefix + secrets.token_hex(440)


def new_code(world: World, client_id: str, account_id: int, user_id: int) -> str:
    """An authorization code, as the consent page sends it."""
    code = _opaque()
    expires_at = world.clock.now() + world.switches["code_ttl_s"]
    with world.store.write() as connection:
        connection.execute(
            "INSERT INTO codes VALUES (?, ?, ?, ?, ?, NULL)",
            (code, client_id, account_id, user_id, expires_at),
        )
    return code


def exchange_code(
    world: World, connection: sqlite3.Connection, code: str, client_id: str, account: Account
) -> dict[str, Any]:
    """The first token pair for a code. TokenRefused 400 when it is unknown, foreign, used or stale."""
    now = world.clock.now()
    used = connection.execute(
        "UPDATE codes SET used_at = ? WHERE code = ? AND client_id = ? AND account_id = ?"
        " AND used_at IS NULL AND expires_at > ? RETURNING user_id",
        (now, code, client_id, account.id, now),
    ).fetchone()
    if used is None:
        raise TokenRefused(400, "Authorization code has expired" if _known_code(connection, code) else
                           "Cannot decrypt the authorization code")  # fmt: skip
    return _issue(world, connection, client_id, account, used[0])


def _known_code(connection: sqlite3.Connection, code: str) -> bool:
    return connection.execute("SELECT 1 FROM codes WHERE code = ?", (code,)).fetchone() is not None


def refresh(
    world: World, connection: sqlite3.Connection, token: str, client_id: str, account: Account
) -> dict[str, Any]:
    """A new pair for a refresh token, which is dead from then on (or until the new pair is used, by switch).

    TokenRefused 401 when it was used or revoked or is another integration's, 400 when it was never given out.
    """
    row = connection.execute(
        "SELECT user_id, expires_at, state, replaced_by FROM refresh_tokens"
        " WHERE token = ? AND client_id = ? AND account_id = ?",
        (token, client_id, account.id),
    ).fetchone()
    if row is None:
        known = connection.execute("SELECT 1 FROM refresh_tokens WHERE token = ?", (token,)).fetchone()
        if known:
            raise TokenRefused(401, "Token is not linked to client")
        raise TokenRefused(400, "Cannot decrypt the refresh token")
    user_id, expires_at, state, replaced_by = row
    reusable = state == "used" and world.switches["refresh_reuse"] == "until_new_is_used"
    if expires_at <= world.clock.now() or not (state == "active" or reusable):
        raise TokenRefused(401, REVOKED)
    if replaced_by:
        connection.execute("UPDATE refresh_tokens SET state = 'dead' WHERE token = ?", (replaced_by,))
    settle(connection, token)
    answer = _issue(world, connection, client_id, account, user_id)
    connection.execute(
        "UPDATE refresh_tokens SET state = 'used', replaced_by = ? WHERE token = ?",
        (answer["refresh_token"], token),
    )
    return answer


def settle(connection: sqlite3.Connection, refresh_token: str) -> None:
    """A pair was used: the refresh token before it can never be used again."""
    connection.execute(
        "UPDATE refresh_tokens SET state = 'dead' WHERE state = 'used' AND replaced_by = ?", (refresh_token,)
    )


def _issue(
    world: World, connection: sqlite3.Connection, client_id: str, account: Account, user_id: int
) -> dict[str, Any]:
    now = world.clock.now()
    ttl = int(world.switches["access_ttl_s"])
    access = _access_jwt(world, client_id, account, user_id, int(now), ttl)
    refresh_token = _opaque()
    connection.execute(
        "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?, 'active', NULL)",
        (refresh_token, client_id, account.id, user_id, now + world.switches["refresh_ttl_s"]),
    )
    connection.execute(
        "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, 0, ?)",
        (digest(access), client_id, account.id, user_id, now + ttl, refresh_token),
    )
    return {
        "token_type": "Bearer",
        "expires_in": ttl,
        "server_time": int(now),
        "access_token": access,
        "refresh_token": refresh_token,
    }


def _access_jwt(world: World, client_id: str, account: Account, user_id: int, now: int, ttl: int) -> str:
    claims = {
        "aud": client_id,
        "jti": secrets.token_hex(40),
        "iat": now,
        "nbf": now,
        "exp": now + ttl,
        "sub": str(user_id),
        "grant_type": "",
        "account_id": account.id,
        "base_domain": account.parent.removeprefix("."),
        "version": 2,
        "scopes": SCOPES,
        "hash_uuid": str(uuid.uuid4()),
        "api_domain": f"api-b{account.parent}",
    }
    # The vendor names the type first: its tokens begin with eyJ0eXAi.
    return jwt.encode(claims, world.signing_key, algorithm="RS256", sort_headers=False)


def digest(token: str) -> str:
    """What an access token is stored under."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def revoke(connection: sqlite3.Connection, client_id: str, account_id: int) -> None:
    """Uninstalled: every token of the integration in the account is dead."""
    where = "WHERE client_id = ? AND account_id = ?"
    connection.execute(f"UPDATE access_tokens SET revoked = 1 {where}", (client_id, account_id))
    connection.execute(f"UPDATE refresh_tokens SET state = 'dead' {where}", (client_id, account_id))
    connection.execute(f"DELETE FROM codes {where}", (client_id, account_id))


def long_lived(world: World, client_id: str, account: Account, user_id: int, days: int) -> str:
    """An access token of 1 to 1825 days without a refresh token, as an administrator makes it by hand."""
    now, ttl = world.clock.now(), days * 86400
    access = _access_jwt(world, client_id, account, user_id, int(now), ttl)
    with world.store.write() as connection:
        connection.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?, 0, NULL)",
            (digest(access), client_id, account.id, user_id, now + ttl),
        )
    return access


def widget_token(
    world: World,
    integration: Integration,
    account: Account,
    user_id: int,
    claims: dict[str, Any] | None = None,
    algorithm: str = "HS256",
) -> str:
    """The JWT (key = client secret) `$authorizedAjax` sends as X-Auth-Token; `claims` are put over its own.

    A claim that is None is left out. Salesbot signs with HS512 and adds `entity_id`, `entity_type`
    (2 lead, 12 customer) and `bot_type`.
    """
    parts = urlsplit(integration.redirect_uri)
    host = parts.netloc if world.switches["widget_aud_port"] else parts.hostname
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT body FROM users WHERE account_id = ? AND id = ?", (account.id, user_id)
        ).fetchone()
    rights = (json.loads(row[0]).get("rights") or {}) if row else {}
    now = int(world.clock.now())
    body = {
        "iss": account.origin,
        "aud": f"{parts.scheme}://{host}",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + int(world.switches["widget_token_ttl_s"]),
        "account_id": account.id,
        "subdomain": account.subdomain,
        "client_uuid": integration.client_id,
        "user_id": user_id,
        "is_admin": bool(rights.get("is_admin")),
    }
    kept = {name: value for name, value in {**body, **(claims or {})}.items() if value is not None}
    return jwt.encode(kept, integration.client_secret, algorithm=algorithm)
