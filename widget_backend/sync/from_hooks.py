"""From stored hooks to up-to-date rows: collect whom they speak of, ask amoCRM about those, mark them done.

A hook is a signal, never data: order, repeats, late and forged ones change nothing but when we look.
"""

from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.form import decode
from widget_backend.amocrm.hooks import read_hook
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.crm.writes import ENTITY_TABLES
from widget_backend.db.base import Json
from widget_backend.db.engine import session_scope
from widget_backend.sync.incremental import refresh_facts, sync_stream
from widget_backend.sync.refusals import refusals_logged
from widget_backend.sync.reread import NOTES, reread, reread_notes
from widget_backend.sync.streams import BY_NAME
from widget_backend.webhooks.models import WebhookDelivery

log = structlog.get_logger(__name__)
BATCH = 500
BATCH_BYTES = 32 * 1024 * 1024
# Events are written in the same moment as the hook is sent; the regular run has the long overlap.
EVENT_OVERLAP_S = 60


@dataclass(kw_only=True)
class Signals:
    """Which records a batch of hooks speaks of, and what became of each delivery."""

    records: dict[str, set[int]] = field(default_factory=dict)
    notes: dict[str, set[int]] = field(default_factory=dict)
    outcomes: dict[int, Json] = field(default_factory=dict)


def process_hooks(engine: Engine, client: AmoClient, account_id: int) -> bool:
    """Work off waiting deliveries; True if more are waiting than one batch.

    The mark "processed" comes last: killed anywhere before, the batch is read again, to the same end.
    """
    with session_scope(engine, account_id) as session:
        deliveries = _waiting(session, account_id)
        signals = collect(account_id, deliveries)
    if not deliveries:
        return False
    for entity, ids in signals.records.items():
        reread(engine, client, account_id, entity, ids, Priority.HOOKS)
    for entity, ids in signals.notes.items():
        with refusals_logged(account_id, f"notes of {entity}"):
            reread_notes(engine, client, account_id, entity, ids, Priority.HOOKS)
    if signals.records or signals.notes:
        # Where the log may not be read, the records themselves have to do.
        with refusals_logged(account_id, "events"):
            sync_stream(
                engine,
                client,
                account_id,
                BY_NAME["events"],
                EVENT_OVERLAP_S,
                Priority.HOOKS,
                move_cursor=False,
            )
        refresh_facts(engine, account_id)
    with session_scope(engine, account_id) as session:
        for delivery_id, outcome in signals.outcomes.items():
            session.execute(
                update(WebhookDelivery)
                .where(WebhookDelivery.account_id == account_id, WebhookDelivery.id == delivery_id)
                .values(processed_at=now(), outcome=outcome)
            )
        return bool(_sizes(session, account_id, limit=1))


def _waiting(session: Session, account_id: int) -> dict[int, bytes]:
    """The oldest waiting bodies by id: at most ``BATCH`` and, but for the first, ``BATCH_BYTES``."""
    ids: list[int] = []
    total = 0
    for delivery_id, size in _sizes(session, account_id, BATCH):
        total += size
        if ids and total > BATCH_BYTES:
            break
        ids.append(delivery_id)
    bodies = session.execute(
        select(WebhookDelivery.id, WebhookDelivery.body)
        .where(WebhookDelivery.account_id == account_id, WebhookDelivery.id.in_(ids))
        .order_by(WebhookDelivery.id)
    )
    return {row.id: row.body for row in bodies}


def _sizes(session: Session, account_id: int, limit: int) -> list[tuple[int, int]]:
    rows = session.execute(
        select(WebhookDelivery.id, func.octet_length(WebhookDelivery.body))
        .where(WebhookDelivery.account_id == account_id, WebhookDelivery.processed_at.is_(None))
        .order_by(WebhookDelivery.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def collect(account_id: int, bodies: dict[int, bytes]) -> Signals:
    """Decode bodies (by delivery id) into the set of records to look at. Never raises on any body."""
    signals = Signals()
    for delivery_id, body in bodies.items():
        content = read_hook(decode(body))
        if content.account_id != account_id:
            # Somebody who knows the address, or amoCRM about another account: kept, not obeyed.
            signals.outcomes[delivery_id] = {"ignored": "account", "stated": content.account_id}
            continue
        not_mirrored = 0
        for item in content.items:
            if item.entity == "notes" and item.parent_entity in NOTES:
                signals.notes.setdefault(item.parent_entity, set()).add(item.id)
            elif item.entity in ENTITY_TABLES:
                signals.records.setdefault(item.entity, set()).add(item.id)
            else:
                not_mirrored += 1
        if content.unknown:
            log.warning("webhooks.unknown_event", account_id=account_id, names=content.unknown[:10])
        signals.outcomes[delivery_id] = {
            "items": len(content.items),
            "not_mirrored": not_mirrored,
            "ignored": content.ignored[:10],
            "unknown": content.unknown[:10],
        }
    return signals
