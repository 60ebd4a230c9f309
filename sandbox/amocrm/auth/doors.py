"""Doors about integrations: making them, and getting codes and tokens without a browser."""

import secrets
import uuid
from typing import Any

from sandbox.amocrm.auth import legacy, tokens
from sandbox.amocrm.doorstep import LARGEST, Door, Wrong, account_of, number_of, object_of, reply
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.storage.accounts import Account, first_admin
from sandbox.amocrm.world import World

ALGORITHMS = ("HS256", "HS512")


def _integration(world: World, client_id: Any) -> tokens.Integration:
    with world.store.read() as connection:
        found = tokens.find_integration(connection, client_id)
    if found is None:
        raise Wrong(f"there is no integration {client_id}", 404)
    return found


def integrations(world: World, request: Request, rest: str) -> Response:
    """A new private integration, or another redirect address for a known one."""
    body = object_of(request)
    redirect_uri = body.get("redirect_uri")
    if not isinstance(redirect_uri, str) or not redirect_uri:
        raise Wrong("redirect_uri is missing")
    for name in ("disconnect_uri", "name"):
        if not isinstance(body.get(name), str | None):
            raise Wrong(f"{name} must be a text")
    if body.get("client_id"):
        return _move(world, _integration(world, body["client_id"]), body)
    account = account_of(world, request, body.get("subdomain"))
    made = tokens.Integration(
        client_id=str(uuid.uuid4()),
        client_secret=secrets.token_hex(32),
        redirect_uri=redirect_uri,
        account_id=account.id,
        disconnect_uri=body.get("disconnect_uri"),
    )
    with world.store.write() as connection:
        tokens.save_integration(connection, made, body.get("name"), int(world.clock.now()))
    return _shown(world, made)


def _move(world: World, known: tokens.Integration, body: dict[str, Any]) -> Response:
    disconnect_uri = body.get("disconnect_uri", known.disconnect_uri)
    with world.store.write() as connection:
        connection.execute(
            "UPDATE integrations SET redirect_uri = ?, disconnect_uri = ? WHERE client_id = ?",
            (body["redirect_uri"], disconnect_uri, known.client_id),
        )
    return _shown(world, _integration(world, known.client_id))


def _shown(world: World, integration: tokens.Integration) -> Response:
    account = world.accounts.get(integration.account_id) if integration.account_id is not None else None
    return reply(
        {
            "client_id": integration.client_id,
            "client_secret": integration.client_secret,
            "redirect_uri": integration.redirect_uri,
            "subdomain": account.subdomain if account else None,
            "disconnect_uri": integration.disconnect_uri,
        }
    )


def _owner(world: World, request: Request, integration: tokens.Integration, named: Any) -> Account:
    if not named and integration.account_id is not None:
        found = world.accounts.get(integration.account_id)
        if found is not None:
            return found
    return account_of(world, request, named)


def _user_id(world: World, account: Account, body: dict[str, Any]) -> int:
    if body.get("user_id"):
        return number_of(body, "user_id", None, 0, LARGEST)
    with world.store.read() as connection:
        return first_admin(connection, account.id)


def codes(world: World, request: Request, rest: str) -> Response:
    """A fresh authorization code."""
    body = object_of(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    user_id = _user_id(world, account, body)
    return reply({"code": tokens.new_code(world, integration.client_id, account.id, user_id)})


def widget_token(world: World, request: Request, rest: str) -> Response:
    """What `$authorizedAjax` would carry; `claims` overrides single ones, `algorithm` HS512 is Salesbot's."""
    body = object_of(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    claims, algorithm = body.get("claims") or {}, body.get("algorithm", "HS256")
    if not isinstance(claims, dict) or algorithm not in ALGORITHMS:
        raise Wrong(f"claims is an object, algorithm one of {', '.join(ALGORITHMS)}")
    if body.get("user_id") is None:
        raise Wrong("user_id is missing")
    user_id = number_of(body, "user_id", None, 0, LARGEST)
    try:
        token = tokens.widget_token(world, integration, account, user_id, claims, algorithm)
    except TypeError as err:  # a claim that no JWT can carry
        raise Wrong(str(err)) from None
    return reply({"token": token})


def long_lived_tokens(world: World, request: Request, rest: str) -> Response:
    """A token of 1 to 1825 `days` for a private integration, with an administrator's rights."""
    body = object_of(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    if integration.account_id != account.id:
        raise Wrong("only an account's own integration has long-lived tokens")
    days = number_of(body, "days", 365, 1, 1825)
    user_id = _user_id(world, account, body)
    return reply({"token": tokens.long_lived(world, integration.client_id, account, user_id, days)})


def revoke(world: World, request: Request, rest: str) -> Response:
    """Revoke access: every token of the integration in the account is dead; it stays installable."""
    body = object_of(request)
    integration = _integration(world, body.get("client_id"))
    account = _owner(world, request, integration, body.get("subdomain"))
    with world.store.write() as connection:
        tokens.revoke(connection, integration.client_id, account.id)
    return reply({"revoked": integration.client_id})


def api_keys(world: World, request: Request, rest: str) -> Response:
    """A user's login and key of the old API, for `POST /oauth2/exchange_api_key`."""
    body = object_of(request)
    account = account_of(world, request, body.get("subdomain"))
    user_id = _user_id(world, account, body)
    login = legacy.login(world, account, user_id)
    if login is None:
        raise Wrong(f"there is no user {user_id} with an e-mail who may log in", 404)
    return reply({"login": login, "api_key": legacy.api_key(world, account, user_id)})


DOORS: dict[tuple[str, str], Door] = {
    ("POST", "integrations"): integrations,
    ("POST", "codes"): codes,
    ("POST", "widget_token"): widget_token,
    ("POST", "long_lived_tokens"): long_lived_tokens,
    ("POST", "revoke"): revoke,
    ("POST", "api_keys"): api_keys,
}
