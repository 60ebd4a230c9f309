"""What administrators do to the account itself: its name, its settings, integrations thrown out."""

import hashlib
import hmac
from urllib.parse import urlencode

from sandbox.amocrm.auth import tokens
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.storage import accounts
from sandbox.amocrm.vocabulary import Row


def rename_account(change: Change, new_subdomain: str) -> None:
    """The account moves to another address; the old one is nobody's from then on."""
    if change.world.accounts.named(new_subdomain) is not None:
        raise Impossible(f"the subdomain {new_subdomain} is taken", "new_subdomain")
    body = {**change.account.body, "subdomain": new_subdomain}
    accounts.save(change.connection, change.account.id, new_subdomain, body)
    change.reload_accounts = True


def edit_account(change: Change, patch: Row) -> None:
    """Overwrite top-level fields of account.json, for instance `is_api_filter_enabled`, `customers_mode`."""
    kept = {name: value for name, value in patch.items() if name not in ("id", "subdomain")}
    body = {**change.account.body, **kept}
    accounts.save(change.connection, change.account.id, change.account.subdomain, body)
    change.reload_accounts = True


def uninstall(change: Change, client_id: str) -> None:
    """The integration is thrown out: its tokens die, its hooks go (switch), its disconnect hook is called."""
    integration = tokens.find_integration(change.connection, client_id)
    if integration is None:
        raise Missing(f"there is no integration {client_id}")
    account_id = change.account.id
    tokens.revoke(change.connection, client_id, account_id)
    if change.world.switches["uninstall_removes_hooks"]:
        change.connection.execute(
            "DELETE FROM webhooks WHERE account_id = ? AND client_id = ?", (account_id, client_id)
        )
    if integration.disconnect_uri:
        _call_disconnect_hook(change, integration)


def _call_disconnect_hook(change: Change, integration: tokens.Integration) -> None:
    message = f"{integration.client_id}|{change.account.id}".encode()
    signature = hmac.new(integration.client_secret.encode(), message, hashlib.sha256).hexdigest()
    query = {"account_id": change.account.id, "client_uuid": integration.client_id, "signature": signature}
    uri = str(integration.disconnect_uri)
    destination = f"{uri}{'&' if '?' in uri else '?'}{urlencode(query)}"
    now = change.world.clock.now()
    change.connection.execute(
        "INSERT INTO deliveries (webhook_id, account_id, destination, method, body, queued_at, due_at,"
        " attempts, state) VALUES (NULL, ?, ?, 'GET', x'', ?, ?, 0, 'pending')",
        (change.account.id, destination, now, now),
    )
    change.wake_delivery = True
