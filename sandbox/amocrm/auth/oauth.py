"""The OAuth routes: consent, token endpoint, the account's present name."""

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlencode

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.api.answers import hal, oauth_problem, problem
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.storage.accounts import Account, first_admin
from sandbox.amocrm.world import World


def consent(world: World, request: Request, account: Account | None) -> Response:
    """`GET /oauth`: the user always agrees (`&deny=1`: never) and is sent back to the redirect address.

    Further switches in the query: `subdomain`, `user_id`, `from_widget=1` (then without `state`).
    """
    query = phpquery.parse(request.query)
    with world.store.read() as connection:
        integration = tokens.find_integration(connection, query.get("client_id", ""))
    if integration is None:
        return problem(404, "Integration not found")
    account = world.accounts.named(str(query.get("subdomain") or "")) or account
    if account is None and integration.account_id is not None:
        account = world.accounts.get(integration.account_id)
    if account is None:
        return problem(400, "Say which account agrees: &subdomain=")
    params = {"client_id": integration.client_id}
    if not query.get("from_widget") and "state" in query:
        params["state"] = str(query["state"])
    if query.get("deny"):
        params["error"] = "access_denied"
    else:
        params |= _agreed(world, account, integration.client_id, query)
    mark = "&" if "?" in integration.redirect_uri else "?"
    location = f"{integration.redirect_uri}{mark}{urlencode(params)}"
    return Response(status=302, headers={"Location": location})


def _agreed(world: World, account: Account, client_id: str, query: phpquery.Tree) -> dict[str, str]:
    with world.store.read() as connection:
        user_id = int(query.get("user_id") or first_admin(connection, account.id))
    code = tokens.new_code(world, client_id, account.id, user_id)
    params = {"code": code, "referer": account.domain, "platform": "1"}
    return {**params, "from_widget": "1"} if query.get("from_widget") else params


def access_token(world: World, request: Request, account: Account | None) -> Response:
    """`POST /oauth2/access_token`, both grants, JSON or form, secrets in the body or as Basic auth."""
    if account is None:
        return oauth_problem(404, "Account not found")
    params = _token_params(request)
    with world.store.read() as connection:
        integration = tokens.find_integration(connection, params.get("client_id", ""))
    if integration is None or params.get("client_secret") != integration.client_secret:
        return oauth_problem(401, "Client authentication failed")
    if params.get("redirect_uri") != integration.redirect_uri:
        return oauth_problem(400, "Check the `redirect_uri` parameter")
    grants = {
        "authorization_code": (tokens.exchange_code, "code"),
        "refresh_token": (tokens.refresh, "refresh_token"),
    }
    if params.get("grant_type") not in grants:
        return oauth_problem(400, "Check the `grant_type` parameter")
    give, name = grants[params["grant_type"]]
    value = params.get(name)
    if not isinstance(value, str) or not value:
        return oauth_problem(400, f"Check the `{name}` parameter")
    try:
        with world.store.write() as connection:
            return hal(give(world, connection, value, integration.client_id, account))
    except tokens.TokenRefused as err:
        return oauth_problem(err.status, err.hint)


def _token_params(request: Request) -> dict[str, Any]:
    text = request.body.decode("utf-8", "replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = phpquery.parse(text)
    params = dict(parsed) if isinstance(parsed, dict) else {}
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(coded, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return params
        params.setdefault("client_id", name)
        params.setdefault("client_secret", secret)
    return params


def current_subdomain(world: World, request: Request, account: Account | None) -> Response:
    """`GET /oauth2/account/current/subdomain` with X-Refresh-Token: what the account is called now."""
    token = request.headers.get("x-refresh-token", "")
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT account_id FROM refresh_tokens WHERE token = ? AND state <> 'dead'", (token,)
        ).fetchone()
    found = world.accounts.get(row[0]) if row else None
    if found is None:
        return oauth_problem(401, tokens.REVOKED)
    return hal(
        {"id": found.id, "subdomain": found.subdomain, "domain": found.domain, "top_level_domain": "ru"}
    )
