"""The first full copy of an account: stream after stream, resumable after any page."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from widget_backend import schedule
from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.crm.freshness import DICTIONARIES, FACTS, NO_STREAMS
from widget_backend.crm.models import Contact, Lead
from widget_backend.crm.writes import store_unknown_users
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import wait_for_lock
from widget_backend.errors import Permanent
from widget_backend.jobs import Job
from widget_backend.kpi.build import rebuild
from widget_backend.oauth.exchange import was_backfilled
from widget_backend.oauth.models import Account, AccountState
from widget_backend.sync.dictionaries import sync_dictionaries
from widget_backend.sync.drain import Page, drain, start_position
from widget_backend.sync.filters import check_filters
from widget_backend.sync.incremental import FACTS_LOCK
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.refusals import stop_if_unpaid
from widget_backend.sync.streams import STREAMS, Paging, Stream
from widget_backend.sync.telltales import follow, stored_since

log = structlog.get_logger(__name__)
LAST_MOMENT = 2**31 - 1  # the greatest that every server reads as a moment


def backfill(engine: Engine, client: AmoClient, account_id: int, *, keep_going: Callable[[], bool]) -> bool:
    """Copy what is still missing; False if ``keep_going`` said stop before the end.

    Killed after any page, the next call goes on from the page after the last one stored. The account becomes
    active only after every stream is complete and all facts are built; then it is compared with amoCRM. A
    stream that amoCRM refuses for good (a right or a scope is missing) does not hold up the others, but its
    error is raised then.
    """
    with session_scope(engine, account_id) as session:
        if session.get_one(Account, account_id).state != AccountState.BACKFILLING:
            return True
        if was_backfilled(session, account_id):
            _activate(session, account_id)
            return True
    _open_cursors(engine, account_id)
    _copy_dictionaries(engine, client, account_id)
    refused: list[Permanent] = []
    for stream in STREAMS:
        try:
            if not _copy_stream(engine, client, account_id, stream, keep_going):
                return False
        except Permanent as error:
            stop_if_unpaid(error)
            refused.append(error)
        if stream.name == "leads":
            _build_facts(engine, account_id, first_only=True)
    if refused:
        raise refused[0]
    _follow_log(engine, client, account_id)
    with session_scope(engine, account_id) as session:
        store_unknown_users(session, account_id, now())
    _build_facts(engine, account_id)
    with session_scope(engine, account_id) as session:
        session.get_one(SyncCursor, (account_id, FACTS)).backfilled_at = now()
        _activate(session, account_id)
    log.info("sync.backfill_done", account_id=account_id)
    return True


def _activate(session: Session, account_id: int) -> None:
    account = session.get_one(Account, account_id, with_for_update=True, populate_existing=True)
    if account.state == AccountState.BACKFILLING:
        account.state, account.updated_at = AccountState.ACTIVE, now()
        schedule.request(session, account_id, Job.RECONCILE)


def _copy_dictionaries(engine: Engine, client: AmoClient, account_id: int) -> None:
    """Once per backfill, however often it is interrupted; a job of its own keeps them current."""
    with session_scope(engine, account_id) as session:
        if session.get_one(SyncCursor, (account_id, DICTIONARIES)).backfilled_at is not None:
            return
    sync_dictionaries(engine, client, account_id, Priority.BACKFILL)
    with session_scope(engine, account_id) as session:
        session.get_one(SyncCursor, (account_id, DICTIONARIES)).backfilled_at = now()


def _follow_log(engine: Engine, client: AmoClient, account_id: int) -> None:
    """A record may have been deleted or relinked after its page was read; the log of that time tells.

    What happened after the backfill began is not in the log yet: the incremental run reads it from there on.
    """
    with session_scope(engine, account_id) as session:
        started = session.scalar(
            select(func.min(SyncCursor.backfill_started_at)).where(SyncCursor.account_id == account_id)
        )
        found = stored_since(session, account_id, (started or now()) - timedelta(hours=1))
    follow(engine, client, account_id, found, Priority.BACKFILL)


def _build_facts(engine: Engine, account_id: int, *, first_only: bool = False) -> None:
    """All facts from what is mirrored so far; ``first_only`` leaves facts that were built once.

    The first ones, from the leads alone, are what people look at while the rest is being copied.
    """
    with session_scope(engine, account_id) as session:
        wait_for_lock(session, FACTS_LOCK, account_id)
        cursor = session.get_one(SyncCursor, (account_id, FACTS))
        leads = session.get_one(SyncCursor, (account_id, "leads"))
        if first_only and (cursor.synced_to is not None or leads.backfilled_at is None):
            return
        rebuild(session, account_id, None, as_of=now())
        cursor.synced_to = cursor.updated_at = now()


def _copy_stream(
    engine: Engine, client: AmoClient, account_id: int, stream: Stream, keep_going: Callable[[], bool]
) -> bool:
    with session_scope(engine, account_id) as session:
        cursor = session.get_one(SyncCursor, (account_id, stream.name))
        if cursor.backfilled_at is not None:
            return True
        if cursor.position is None:
            cursor.position = start_position(
                stream,
                0,
                _until(stream, cursor),
                filters=session.get_one(Account, account_id).filters_enabled,
                first=_first_moment(session, account_id),
            )
        position = cursor.position
    for page in drain(client, stream, position, Priority.BACKFILL):
        check_filters(engine, account_id, stream, position, page)
        with session_scope(engine, account_id) as session:
            _store(session, account_id, stream, page)
        if page.position is not None:
            position = page.position
            if not keep_going():
                return False
    return True


def _until(stream: Stream, cursor: SyncCursor) -> int:
    """The log ends now. Records may carry any date, and one from the future must not be left out."""
    if stream.paging is Paging.BY_UPDATE:
        return LAST_MOMENT
    return int(cursor.backfill_started_at.timestamp())


def _open_cursors(engine: Engine, account_id: int) -> None:
    """A row for every part of the work before the first page: what is open is plain to see."""
    with session_scope(engine, account_id) as session:
        for name in (*(stream.name for stream in STREAMS), *NO_STREAMS):
            if session.get(SyncCursor, (account_id, name)) is None:
                session.add(
                    SyncCursor(
                        account_id=account_id,
                        stream=name,
                        backfill_started_at=now(),
                        rows_seen=0,
                        updated_at=now(),
                    )
                )


def _first_moment(session: Session, account_id: int) -> int | None:
    """When the oldest mirrored record was created: no event can be expected much before it."""
    moments = [
        session.scalar(select(func.min(model.created_at)).where(model.account_id == account_id))
        for model in (Lead, Contact)
    ]
    known = [m for m in moments if m is not None]
    return int(min(known).timestamp()) if known else None


def _store(session: Session, account_id: int, stream: Stream, page: Page) -> None:
    """Rows and progress in one transaction. No fact is marked stale: all are built anew at the end."""
    synced_at = now()
    stream.store(session, account_id, page.items, synced_at)
    cursor = session.get_one(SyncCursor, (account_id, stream.name))
    cursor.rows_seen += len(page.items)
    cursor.position = page.position
    cursor.updated_at = synced_at
    if page.position is None:
        cursor.backfilled_at = synced_at
        cursor.synced_to = cursor.backfill_started_at
