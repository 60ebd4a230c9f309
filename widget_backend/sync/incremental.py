"""Everything that changed since the last look, for all streams: the net under the hooks."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.crm.models import Event
from widget_backend.crm.writes import ENTITY_TABLES, PLURAL, store_unknown_users
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import wait_for_lock
from widget_backend.kpi.build import mark_stale, rebuild_stale
from widget_backend.oauth.models import Account
from widget_backend.sync.drain import Page, drain, start_position
from widget_backend.sync.filters import check_filters
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.reread import reread
from widget_backend.sync.streams import STREAMS, Stream

log = structlog.get_logger(__name__)

# Events after which the record itself says what `updated_at` does not: it is gone, back, or linked elsewhere.
TELLTALE_SUFFIXES = ("_deleted", "_restored", "_linked", "_unlinked")
TELLTALE = ("entity_merged",)
# Hooks and the regular run may both rebuild; the facts of one account have one writer at a time.
FACTS_LOCK = "kpi.facts"


def sync_changes(engine: Engine, client: AmoClient, account_id: int, overlap_s: int) -> None:
    """Read every stream from its cursor minus the overlap to now, follow up, and rebuild stale facts."""
    for stream in STREAMS:
        sync_stream(engine, client, account_id, stream, overlap_s, Priority.INCREMENTAL)
    with session_scope(engine, account_id) as session:
        store_unknown_users(session, account_id, now())
    refresh_facts(engine, account_id)


def sync_stream(
    engine: Engine,
    client: AmoClient,
    account_id: int,
    stream: Stream,
    overlap_s: int,
    priority: Priority,
    *,
    move_cursor: bool = True,
) -> None:
    """One stream to the present. A stream whose backfill is not complete is left to the backfill.

    ``move_cursor=False`` reads ahead with a short overlap (after a hook): what a lagging list does not show
    yet is still read by the next regular run.
    """
    started = now()
    with session_scope(engine, account_id) as session:
        cursor = session.get(SyncCursor, (account_id, stream.name))
        filters = session.get_one(Account, account_id).filters_enabled
    if cursor is None or cursor.backfilled_at is None or cursor.synced_to is None:
        return
    since = int((cursor.synced_to - timedelta(seconds=overlap_s)).timestamp())
    position = start_position(stream, since, int(started.timestamp()), filters=filters, first=since)
    suspects: dict[str, set[int]] = {}
    for page in drain(client, stream, position, priority):
        check_filters(engine, account_id, stream, position, page)
        with session_scope(engine, account_id) as session:
            if stream.name == "events":
                _collect(suspects, _unseen(session, account_id, page.items))
            stale = stream.store(session, account_id, page.items, now())
            mark_stale(session, account_id, stale, at=now())
            if move_cursor:
                _advance(session, account_id, stream, page, started)
        position = page.position or position
    for entity, ids in suspects.items():
        reread(engine, client, account_id, entity, ids, priority)


def _advance(session: Session, account_id: int, stream: Stream, page: Page, started: datetime) -> None:
    """Move the cursor in the transaction that stored the rows, never back and never past what was seen."""
    cursor = session.get_one(SyncCursor, (account_id, stream.name))
    if page.position is None:
        reached = started
    elif page.reached is not None:
        reached = min(started, datetime.fromtimestamp(page.reached, UTC))
    else:
        return
    cursor.rows_seen += len(page.items)
    cursor.synced_to = max(cursor.synced_to or reached, reached)
    cursor.updated_at = now()


def _unseen(session: Session, account_id: int, items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    listed = list(items)
    known = set(
        session.scalars(
            select(Event.id).where(
                Event.account_id == account_id, Event.id.in_([str(i.get("id")) for i in listed])
            )
        )
    )
    return [item for item in listed if str(item.get("id")) not in known]


def _collect(suspects: dict[str, set[int]], items: Iterable[Mapping[str, Any]]) -> None:
    """Add to ``suspects`` the records that these events tell us to look at again."""
    for item in items:
        kind = str(item.get("type") or "")
        if not kind.endswith(TELLTALE_SUFFIXES) and kind not in TELLTALE:
            continue
        entity = PLURAL.get(str(item.get("entity_type")), str(item.get("entity_type")) + "s")
        if entity in ENTITY_TABLES:
            ids = {item.get("entity_id")}
            if kind in TELLTALE:
                ids |= _ids_inside(item.get("value_before"), item.get("value_after"))
            suspects.setdefault(entity, set()).update(
                i for i in ids if isinstance(i, int) and not isinstance(i, bool)
            )


def _ids_inside(*values: Any) -> set[int]:
    """Ids that a merge names somewhere in its values (their shape is not known)."""
    found: set[int] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("id"), int) and "entity" not in value:
                found.add(value["id"])
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def follow_up(
    engine: Engine, client: AmoClient, account_id: int, since: datetime, priority: Priority
) -> None:
    """Look again at every record that an event since then says is gone, back, merged or linked elsewhere."""
    with session_scope(engine, account_id) as session:
        events = session.scalars(
            select(Event).where(Event.account_id == account_id, Event.created_at >= since)
        ).all()
    suspects: dict[str, set[int]] = {}
    _collect(
        suspects,
        [
            {
                "type": e.type,
                "entity_type": e.entity_type,
                "entity_id": e.entity_id,
                "value_before": e.value_before,
                "value_after": e.value_after,
            }
            for e in events
        ],
    )
    for entity, ids in suspects.items():
        reread(engine, client, account_id, entity, ids, priority)


def refresh_facts(engine: Engine, account_id: int) -> int:
    """Rebuild all stale facts in small transactions; returns how many subjects were rebuilt."""
    total = 0
    while True:
        with session_scope(engine, account_id) as session:
            wait_for_lock(session, FACTS_LOCK, account_id)
            done = rebuild_stale(session, account_id, as_of=now())
        if done == 0:
            return total
        total += done
