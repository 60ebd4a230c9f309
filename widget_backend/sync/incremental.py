"""Everything that changed since the last look, for all streams: the net under the hooks."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.crm.writes import store_unknown_users
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import wait_for_lock
from widget_backend.errors import Permanent
from widget_backend.kpi.build import mark_stale, rebuild_stale
from widget_backend.oauth.models import Account
from widget_backend.sync.drain import Page, drain, start_position
from widget_backend.sync.filters import check_filters
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.refusals import stop_if_unpaid
from widget_backend.sync.streams import STREAMS, Stream
from widget_backend.sync.telltales import follow, read_telltales, unseen

log = structlog.get_logger(__name__)

# Hooks and the regular run may both rebuild; the facts of one account have one writer at a time.
FACTS_LOCK = "kpi.facts"


def sync_changes(engine: Engine, client: AmoClient, account_id: int, overlap_s: int) -> None:
    """Read every stream from its cursor minus the overlap to now, follow up, and rebuild stale facts.

    A stream that amoCRM refuses for good (a right or a scope is missing) does not hold up the others; its
    error is raised at the end, and its cursor shows in ``as_of``.
    """
    refused: list[Permanent] = []
    for stream in STREAMS:
        try:
            sync_stream(engine, client, account_id, stream, overlap_s, Priority.INCREMENTAL)
        except Permanent as error:
            stop_if_unpaid(error)
            log.warning(
                "sync.stream_refused", account_id=account_id, stream=stream.name, reason=error.message
            )
            refused.append(error)
    with session_scope(engine, account_id) as session:
        store_unknown_users(session, account_id, now())
    refresh_facts(engine, account_id)
    if refused:
        raise refused[0]


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
    for page in drain(client, stream, position, priority):
        check_filters(engine, account_id, stream, position, page)
        if stream.name == "events":
            # Before they are stored: a stored event is never looked at again, whatever happens in between.
            with session_scope(engine, account_id) as session:
                fresh = unseen(session, account_id, page.items)
            follow(engine, client, account_id, read_telltales(fresh), priority)
        with session_scope(engine, account_id) as session:
            stale = stream.store(session, account_id, page.items, now())
            mark_stale(session, account_id, stale, at=now())
            if move_cursor:
                _advance(session, account_id, stream, page, started)
        position = page.position or position


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
