"""What administrators do: users and their rights, stages, the account's name, integrations thrown out."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlencode

from sandbox.amocrm.auth import tokens
from sandbox.amocrm.life import cards
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.storage import accounts, views
from sandbox.amocrm.vocabulary import CLOSED, UNSORTED_TYPE, Row


def dismiss_user(change: Change, user_id: Any, transfer_to: Any = None) -> None:
    """The user can no longer log in; his open leads go to another one if that is named."""
    user = change.get("users", user_id)
    user["rights"] = {**(user.get("rights") or {}), "is_active": False}
    change.put("users", user)
    if transfer_to is None:
        return
    where = "responsible_user_id = ? AND hidden = 0 AND status_id NOT IN (142, 143)"
    for lead in change.rows("leads", where, user_id):
        cards.edit(change, "leads", lead, {"responsible_user_id": transfer_to})


def change_rights(change: Change, user_id: Any, rights: Row) -> None:
    """Overwrite the named rights of a user; inner objects such as `leads` are merged."""
    user = change.get("users", user_id)
    merged = dict(user.get("rights") or {})
    for name, value in rights.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    user["rights"] = merged
    if "group_id" in rights and isinstance(user.get("_embedded"), dict):
        groups = change.account.body.get("_embedded", {}).get("users_groups") or []
        user["_embedded"]["groups"] = [group for group in groups if group.get("id") == rights["group_id"]]
    change.put("users", user)


def create_user(change: Change, name: str, email: str, rights: Row) -> Row:
    """A new colleague."""
    row = {
        "id": change.next_id("users"), "name": name, "email": email, "lang": "ru",
        "rights": {"leads": {}, "is_admin": False, "is_free": False, "is_active": True, "group_id": 0,
                   "role_id": None, **rights},
        "_embedded": {"roles": [], "groups": []},
    }  # fmt: skip
    change.put("users", row)
    return row


def _status(change: Change, pipeline_id: Any, status_id: Any) -> tuple[Row, Row]:
    pipeline = change.get("pipelines", pipeline_id)
    for status in views.statuses_of(pipeline):
        if status.get("id") == status_id:
            return pipeline, status
    raise Missing(f"pipeline {pipeline_id} has no status {status_id}")


def rename_stage(change: Change, pipeline_id: Any, status_id: Any, name: str) -> None:
    """A column of the board gets another name."""
    pipeline, status = _status(change, pipeline_id, status_id)
    status["name"] = name
    change.put("pipelines", pipeline)


def delete_stage(change: Change, pipeline_id: Any, status_id: Any, move_to: Any = None) -> None:
    """A column disappears; its leads go to `move_to`, else to the first ordinary status left."""
    pipeline, status = _status(change, pipeline_id, status_id)
    if status_id in CLOSED or status.get("type") == UNSORTED_TYPE:
        raise Impossible(f"status {status_id} belongs to the system", "status_id")
    left = [item for item in pipeline["_embedded"]["statuses"] if item is not status]
    target = move_to or next((item["id"] for item in left if item.get("type") != UNSORTED_TYPE), None)
    where = "pipeline_id = ? AND status_id = ? AND hidden = 0"
    for lead in change.rows("leads", where, pipeline_id, status_id):
        cards.edit(change, "leads", lead, {"status_id": target})
    pipeline["_embedded"]["statuses"] = left
    change.put("pipelines", pipeline)


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
