"""External integrations: a button makes a new one, whose secrets are posted to the button's owner."""

import secrets
import uuid
from typing import Any
from urllib.parse import urlsplit

import urllib3

from sandbox.amocrm.auth import tokens
from sandbox.amocrm.http import Response
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.world import World

PATIENCE_S = 10.0
_http = urllib3.PoolManager(retries=False)


def is_button(query: dict[str, Any]) -> bool:
    """Whether the consent page was opened by such a button: it names addresses instead of an integration."""
    return "client_id" not in query and isinstance(query.get("secrets_uri"), str)


def is_address(text: Any) -> bool:
    """Whether the text is an address that can be called."""
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def make(world: World, account: Account, query: dict[str, Any]) -> tokens.Integration | Response:
    """A new integration in the account, known to its owner; a page instead when he did not answer 200.

    Sent are `client_id`, `client_secret`, `state`, `name` and `scopes`; redirects are not followed.
    """
    made = tokens.Integration(
        client_id=str(uuid.uuid4()),
        client_secret=secrets.token_hex(32),
        redirect_uri=str(query["redirect_uri"]),
        account_id=account.id,
        disconnect_uri=None,
    )
    scopes = query.get("scopes")
    body = {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "state": query.get("state"),
        "name": query.get("name"),
        "scopes": list(scopes.values()) if isinstance(scopes, dict) else str(scopes or "crm").split(","),
    }
    code = _posted(str(query["secrets_uri"]), dumps(body).encode("utf-8", "replace"))
    if code != 200:
        return _failed(code)
    name = body["name"] if isinstance(body["name"], str) else None
    with world.store.write() as connection:
        tokens.save_integration(connection, made, name, int(world.clock.now()))
    return made


def _posted(address: str, body: bytes) -> int:
    """The status of the answer; 0 for none."""
    try:
        answer = _http.request(
            "POST",
            address,
            body=body,
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_S,
            redirect=False,
        )
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return 0
    return int(answer.status)


def _failed(code: int) -> Response:
    text = f"<html><body><h1>Ошибка создания интеграции (Код {code})</h1></body></html>"
    return Response(status=400, body=text.encode(), content_type="text/html; charset=utf-8")
