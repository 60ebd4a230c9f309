"""The way from the old API keys to OAuth: a user's key is exchanged for a code at the redirect address."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from sandbox.amocrm.api.answers import hal, oauth_problem, problem
from sandbox.amocrm.auth import oauth, tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.world import World


def api_key(world: World, account: Account, user_id: int) -> str:
    """The key on the user's profile page; the same for ever."""
    message = f"api_key|{account.id}|{user_id}".encode()
    return hmac.new(world.signing_key, message, hashlib.sha256).hexdigest()[:40]


def login(world: World, account: Account, user_id: int) -> str | None:
    """The e-mail the user logs in with; None when there is no such user who may log in."""
    return {found: mail for mail, found in _logins(world, account).items()}.get(user_id)


def _logins(world: World, account: Account) -> dict[str, int]:
    with world.store.read() as connection:
        rows = connection.execute("SELECT id, body FROM users WHERE account_id = ?", (account.id,)).fetchall()
    users = [(user_id, json.loads(body)) for user_id, body in rows]
    return {
        str(user["email"]).lower(): user_id
        for user_id, user in users
        if user.get("email") and (user.get("rights") or {}).get("is_active") is not False
    }


def exchange_api_key(world: World, request: Request, account: Account | None) -> Response:
    """`POST /oauth2/exchange_api_key`: 202, and the code arrives at the redirect address.

    It comes with `from_exchange=1`. 400 for a missing field, 401 for a wrong key or secret.
    """
    if account is None:
        return oauth_problem(int(world.switches["unknown_host_status"]), "Account not found")
    params = oauth.body_params(request)
    for name in ("login", "api_key", "client_uuid", "client_secret"):
        if not isinstance(params.get(name), str) or not params[name]:
            return oauth_problem(400, f"Check the `{name}` parameter")
    user_id = _logins(world, account).get(params["login"].lower())
    if user_id is None or not _same(params["api_key"], api_key(world, account, user_id)):
        return problem(401, "Неверный логин или ключ", code=110)
    with world.store.read() as connection:
        integration = tokens.find_integration(connection, params["client_uuid"])
    if integration is None or not _same(params["client_secret"], integration.client_secret):
        return oauth_problem(401, "Client authentication failed")
    code = tokens.new_code(world, integration.client_id, account.id, user_id)
    _send(world, account, integration, {"code": code, "referer": account.domain, "from_exchange": "1"})
    return hal({}, 202)


def _same(given: Any, own: str) -> bool:
    return hmac.compare_digest(str(given).encode("utf-8", "replace"), own.encode())


def _send(world: World, account: Account, integration: tokens.Integration, params: dict[str, str]) -> None:
    """Queue the GET at the redirect address; it is sent once, like the disconnect hook."""
    params |= {"platform": oauth.platform(account), "client_id": integration.client_id}
    destination = oauth.with_query(integration.redirect_uri, urlencode(params))
    now = world.clock.now()
    with world.store.write() as connection:
        connection.execute(
            "INSERT INTO deliveries (webhook_id, account_id, destination, method, body, queued_at, due_at,"
            " attempts, state) VALUES (NULL, ?, ?, 'GET', x'', ?, ?, 0, 'pending')",
            (account.id, destination, now, now),
        )
    world.wake_delivery()
