"""Our subscription at amoCRM: there, enabled, complete, and pointing at the present address."""

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Engine, select

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.errors import AmoForbidden, AmoRejected
from widget_backend.oauth.vault import Vault
from widget_backend.webhooks.inbox import destination
from widget_backend.webhooks.models import WebhookEndpoint

log = structlog.get_logger(__name__)
PATH = "/api/v4/webhooks"
EVENTS = (
    *(
        f"{action}_{entity}"
        for entity in ("lead", "contact", "company")
        for action in ("add", "update", "delete", "restore", "responsible", "note")
    ),
    "status_lead",
    "add_task",
    "update_task",
    "delete_task",
    "responsible_task",
)

# Known everywhere; what the others would tell is found by polling.
CORE = tuple(event for event in EVENTS if not event.startswith("restore_") and event != "update_task")


def ensure_subscription(
    engine: Engine, client: AmoClient, vault: Vault, account_id: int, public_url: str
) -> bool:
    """Subscribe, or repair the subscription; False if the tariff or the user's rights forbid hooks.

    Without hooks the account lives on polling alone. A subscription to an older address of ours is removed.
    """
    with session_scope(engine) as session:
        endpoint = session.scalars(
            select(WebhookEndpoint).where(WebhookEndpoint.account_id == account_id)
        ).one()
        wanted, before = destination(endpoint, vault, public_url), endpoint.destination
    try:
        if before is not None and before != wanted:
            _unsubscribe(client, before)
        present = _present(client, wanted)
        if present is not None and present.get("disabled"):
            _unsubscribe(client, wanted)
            present = None
            log.warning("webhooks.was_disabled", account_id=account_id)
        accepted: Sequence[str] | None = _subscribe(client, wanted, present, endpoint.accepted_events)
    except (AmoForbidden, AmoRejected) as error:
        log.warning("webhooks.not_available", account_id=account_id, reason=error.message)
        accepted = None
    with session_scope(engine) as session:
        row = session.get_one(WebhookEndpoint, endpoint.secret_hash)
        # What could not be removed is still there, to be tried again.
        row.destination = wanted if accepted else before
        row.accepted_events, row.checked_at = list(accepted) if accepted else None, now()
    return accepted is not None


def _subscribe(
    client: AmoClient, address: str, present: dict[str, Any] | None, accepted: Sequence[str] | None
) -> Sequence[str]:
    """Make the subscription what it should be; returns the events that it has.

    Not every installation of amoCRM knows every event, and one unknown name fails the whole list.
    """
    has = set((present or {}).get("settings") or ())
    if set(EVENTS) <= has:
        return EVENTS
    if accepted is not None and set(accepted) == set(CORE) and set(CORE) <= has:
        return CORE
    try:
        _post(client, address, EVENTS)
    except AmoRejected as error:
        log.warning("webhooks.some_events_refused", reason=error.message, detail=error.context.get("detail"))
        _post(client, address, CORE)
        return CORE
    return EVENTS


def _post(client: AmoClient, address: str, events: Sequence[str]) -> None:
    body = {"destination": address, "settings": list(events), "sort": 10}
    client.request("POST", PATH, json=body, priority=Priority.HOOKS)


def _unsubscribe(client: AmoClient, address: str) -> None:
    """Remove one subscription; none there is as good."""
    try:
        client.request("DELETE", PATH, json={"destination": address}, priority=Priority.HOOKS)
    except AmoRejected as error:
        if error.context.get("status") != 404:
            raise


def _present(client: AmoClient, wanted: str) -> dict[str, Any] | None:
    answer = client.get(PATH, params={"filter[destination]": wanted}, priority=Priority.HOOKS)
    for webhook in ((answer or {}).get("_embedded") or {}).get("webhooks") or ():
        if webhook.get("destination") == wanted:
            return dict(webhook)
    return None
