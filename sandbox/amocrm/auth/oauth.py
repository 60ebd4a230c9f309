"""The OAuth routes: consent, token endpoint, the account's present name."""

import base64
import binascii
import io
from typing import Any
from urllib.parse import unquote, urlencode

from werkzeug.formparser import parse_form_data

from sandbox.amocrm.api import jsonbody, phpquery
from sandbox.amocrm.api.answers import hal, oauth_problem, problem
from sandbox.amocrm.auth import external, owner, tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.storage.accounts import Account, first_admin, is_shared, seen_from
from sandbox.amocrm.world import World


def consent(world: World, request: Request, account: Account | None) -> Response:
    """`GET /oauth`: the user always agrees (`&deny=1`: never) and is sent back to the redirect address.

    Further switches in the query: `subdomain`, `user_id`, `from_widget=1` (then without `state`). With
    `redirect_uri` and `secrets_uri` instead of `client_id` it is the button that makes an integration.
    """
    query = phpquery.parse(request.query)
    integration = _asked_for(world, query)
    if integration is None and not external.is_button(query):
        return problem(404, "Integration not found")
    chosen = _agreeing(world, query, account, integration)
    if chosen is None:
        return problem(400, "Say which account agrees: &subdomain=")
    chosen = seen_from(request.host(), chosen)
    if integration is None:
        if not (external.is_address(query["secrets_uri"]) and external.is_address(query.get("redirect_uri"))):
            return problem(400, "redirect_uri and secrets_uri must be addresses")
        if query.get("deny"):
            return _sent_back(str(query["redirect_uri"]), {"error": "access_denied"}, query)
        made = external.make(world, chosen, query)
        if isinstance(made, Response):
            return made
        integration = made
    params = {"client_id": integration.client_id}
    if query.get("deny"):
        params["error"] = "access_denied"
    else:
        params |= _agreed(world, chosen, integration.client_id, query)
    return _sent_back(integration.redirect_uri, params, query)


def _asked_for(world: World, query: phpquery.Tree) -> tokens.Integration | None:
    with world.store.read() as connection:
        return tokens.find_integration(connection, query.get("client_id", ""))


def _agreeing(
    world: World, query: phpquery.Tree, account: Account | None, integration: tokens.Integration | None
) -> Account | None:
    """The account that is named, else the one of the host, else the integration's own."""
    named = world.accounts.named(str(query.get("subdomain") or "")) or account
    if named is None and integration is not None and integration.account_id is not None:
        return world.accounts.get(integration.account_id)
    return named


def _sent_back(address: str, params: dict[str, str], query: phpquery.Tree) -> Response:
    if not query.get("from_widget") and isinstance(query.get("state"), str):
        params["state"] = query["state"]
    return Response(status=302, headers={"Location": with_query(address, urlencode(params))})


def with_query(address: str, query: str) -> str:
    """The address with more parameters behind those it has."""
    return f"{address}{'&' if '?' in address else '?'}{query}"


def _agreed(world: World, account: Account, client_id: str, query: phpquery.Tree) -> dict[str, str]:
    named = str(query.get("user_id") or "")
    with world.store.read() as connection:
        user_id = int(named) if named.isdecimal() and len(named) < 19 else first_admin(connection, account.id)
    code = tokens.new_code(world, client_id, account.id, user_id)
    params = {"code": code, "referer": account.domain, "platform": platform(account)}
    return {**params, "from_widget": "1"} if query.get("from_widget") else params


def platform(account: Account) -> str:
    """1 for amoCRM, 2 for Kommo."""
    return "2" if account.parent == ".kommo.com" else "1"


def access_token(world: World, request: Request, account: Account | None) -> Response:
    """`POST /oauth2/access_token`, both grants, JSON or form, secrets in the body or as Basic auth."""
    params = body_params(request)
    account = account or _granting(world, request, params)
    if account is None:
        return oauth_problem(int(world.switches["unknown_host_status"]), "Account not found")
    for name in ("client_id", "client_secret", "grant_type", "redirect_uri"):
        if not isinstance(params.get(name), str) or not params[name]:
            return oauth_problem(400, f"Check the `{name}` parameter")
    with world.store.read() as connection:
        integration = tokens.find_integration(connection, params["client_id"])
    if integration is None or params["client_secret"] != integration.client_secret:
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


def _granting(world: World, request: Request, params: dict[str, Any]) -> Account | None:
    """Whose code or refresh token this is, on the hosts that are no account's own (www.amocrm.ru)."""
    if not is_shared(request.host()):
        return None
    code, token = str(params.get("code") or ""), str(params.get("refresh_token") or "")
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT account_id FROM codes WHERE code = ?"
            " UNION SELECT account_id FROM refresh_tokens WHERE token = ?",
            (code, token),
        ).fetchone()
    found = world.accounts.get(row[0]) if row else None
    return found and seen_from(request.host(), found)


def body_params(request: Request) -> dict[str, Any]:
    """The fields of a JSON body or a form of either kind; the secrets of Basic auth where it has none."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        parsed = _parts(request)
    else:
        try:
            parsed = jsonbody.parse(request.body)
        except ValueError:
            parsed = phpquery.parse(request.body.decode("utf-8", "surrogateescape"))
    params = dict(parsed) if isinstance(parsed, dict) else {}
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(coded, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return params
        params.setdefault("client_id", unquote(name))
        params.setdefault("client_secret", unquote(secret))
    return params


def _parts(request: Request) -> dict[str, str]:
    """The fields of a form that a PHP client makes of an array, or a browser of FormData."""
    environ = {
        "wsgi.input": io.BytesIO(request.body),
        "CONTENT_TYPE": request.headers["content-type"],
        "CONTENT_LENGTH": str(len(request.body)),
    }
    return parse_form_data(environ)[1].to_dict()


def current_subdomain(world: World, request: Request, account: Account | None) -> Response:
    """`GET /oauth2/account/current/subdomain` with X-Refresh-Token: what the account is called now."""
    token = request.headers.get("x-refresh-token", "")
    with world.store.read() as connection:
        row = connection.execute(
            "SELECT account_id FROM refresh_tokens WHERE token = ? AND state <> 'dead' AND expires_at > ?",
            (token, world.clock.now()),
        ).fetchone()
    found = world.accounts.get(row[0]) if row else None
    if found is None:
        return oauth_problem(401, tokens.REVOKED)
    return hal(owner.named(seen_from(request.host(), found)))
