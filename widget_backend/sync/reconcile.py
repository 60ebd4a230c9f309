"""Is the mirror what amoCRM shows? Reads whole lists by id, repairs what differs, keeps what was found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.pages import RowsMoved, pages
from widget_backend.amocrm.values import as_id, as_moment
from widget_backend.clock import now
from widget_backend.crm.models import Note
from widget_backend.crm.writes import ENTITY_TABLES
from widget_backend.db.engine import session_scope
from widget_backend.errors import Permanent
from widget_backend.kpi.build import mark_stale
from widget_backend.oauth.models import Account, AccountState
from widget_backend.sync.incremental import refresh_facts
from widget_backend.sync.models import Reconciliation
from widget_backend.sync.refusals import stop_if_unpaid
from widget_backend.sync.reread import reread
from widget_backend.sync.streams import STREAMS, Paging, Stream

log = structlog.get_logger(__name__)

# More than this many records gone at once, and more than this share of them, is nobody's cleaning up: it is a
# user who lost rights, or an amoCRM in trouble. They stay, and people are told.
GUARD_ROWS = 50
GUARD_SHARE = 0.05
NIGHT_MINUTES = 240
# Lists lag: a record so young may be missing from one without being gone.
YOUNG = timedelta(minutes=10)
START = {"page": 1, "after": 0, "listed": 0, "kept": 0, "absent": 0, "behind": 0, "suspects": []}
# The log of events only grows and is read by windows; all other lists can be compared.
CHECKED = tuple(stream for stream in STREAMS if stream.paging is not Paging.BY_WINDOW)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Where a stream's rows stand: ids, moments, and which rows are alive."""

    model: Any
    alive: ColumnElement[bool]


def _table(stream: Stream) -> _Table:
    owner = stream.resource.owner
    if owner is not None:
        return _Table(model=Note, alive=(Note.entity_type == owner) & Note.is_deleted.is_(False))
    model = ENTITY_TABLES[stream.name]
    return _Table(model=model, alive=model.is_deleted.is_(False))


def reconcile(engine: Engine, client: AmoClient, account_id: int, *, keep_going: Callable[[], bool]) -> bool:
    """Compare every list with the mirror and repair it; False if ``keep_going`` said stop before the end.

    Killed after any page, the next call goes on behind the last page compared. A list that amoCRM refuses for
    good keeps its last result, with the reason; the others go on. Records that amoCRM shows no more are asked
    for one by one before they are believed gone, and not believed at all if they are suspiciously many.
    """
    with session_scope(engine, account_id) as session:
        if session.get_one(Account, account_id).state != AccountState.ACTIVE:
            return True
        _open(session, account_id)
    for stream in CHECKED:
        try:
            if not _check(engine, client, account_id, stream, keep_going):
                return False
        except Permanent as error:
            stop_if_unpaid(error)
            log.warning("reconcile.refused", account_id=account_id, stream=stream.name, reason=error.message)
            with session_scope(engine, account_id) as session:
                row = session.get_one(Reconciliation, (account_id, stream.name))
                row.position, row.held_back = None, error.message
    refresh_facts(engine, account_id)
    return True


def next_night(account_id: int, zone: ZoneInfo, moment: datetime) -> datetime:
    """The account's next moment between 01:00 and 05:00 of its own zone: always the same minute, and another
    one for the account next to it, so that a thousand accounts do not begin at once.
    """
    minute = account_id * 97 % NIGHT_MINUTES
    local = moment.astimezone(zone)
    tonight = local.replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(minutes=minute)
    # A run of this very night is not followed by another one: a few hours must have passed.
    while tonight - local < timedelta(hours=4):
        tonight += timedelta(days=1)
    return tonight.astimezone(UTC)


def last_checked(session: Session, account_id: int) -> datetime | None:
    """When the list that was compared longest ago was compared; None before all of them were."""
    moments = list(
        session.scalars(select(Reconciliation.checked_at).where(Reconciliation.account_id == account_id))
    )
    known = [moment for moment in moments if moment is not None]
    return min(known) if len(known) == len(CHECKED) else None


def unsettled(session: Session, account_id: int) -> list[str]:
    """What the last comparison could not settle, a sentence for each list; empty when all is well."""
    rows = session.scalars(
        select(Reconciliation).where(Reconciliation.account_id == account_id).order_by(Reconciliation.stream)
    ).all()
    held_back = [f"{row.stream}: {row.held_back}" for row in rows if row.held_back]
    short = [
        f"{row.stream}: {row.kept} of {row.listed} records could be stored; the log names the others."
        for row in rows
        if row.listed is not None and row.kept is not None and row.kept < row.listed
    ]
    return held_back + short


def _open(session: Session, account_id: int) -> None:
    """Begin a comparison of every list, unless one is under way."""
    rows = {s.name: session.get(Reconciliation, (account_id, s.name)) for s in CHECKED}
    if any(row is not None and row.position is not None for row in rows.values()):
        return
    for stream in CHECKED:
        row = rows[stream.name]
        if row is None:
            row = Reconciliation(account_id=account_id, stream=stream.name)
            session.add(row)
        row.started_at = now()
        row.position = {**START, "limit": _believable(session, account_id, stream)}


def _believable(session: Session, account_id: int, stream: Stream) -> int:
    """How many records of a list may be gone at once without anybody asking whether that can be."""
    table = _table(stream)
    alive = session.scalar(
        select(func.count()).select_from(table.model).where(table.model.account_id == account_id, table.alive)
    )
    return max(GUARD_ROWS, int((alive or 0) * GUARD_SHARE))


def _check(
    engine: Engine, client: AmoClient, account_id: int, stream: Stream, keep_going: Callable[[], bool]
) -> bool:
    with session_scope(engine, account_id) as session:
        at = session.get_one(Reconciliation, (account_id, stream.name)).position
    if at is None:
        return True
    resource = stream.resource
    params = {**resource.params(), "order[id]": "asc", "page": at["page"]}
    try:
        for items in pages(client, resource.path, resource.key, params, priority=Priority.RECONCILE):
            with session_scope(engine, account_id) as session:
                _compare(session, account_id, stream, items)
            if not keep_going():
                return False
    except RowsMoved:
        # Deletions have pulled the last rows to the page before; whom that hides is asked for by id below.
        log.info("reconcile.rows_moved", account_id=account_id, stream=stream.name)
    with session_scope(engine, account_id) as session:
        suspects, reason = _suspects_at_end(session, account_id, stream)
    gone = shown = 0
    if reason is None and suspects:
        outcome = reread(engine, client, account_id, stream.name, suspects, Priority.RECONCILE)
        gone, shown = outcome.gone, outcome.shown
    with session_scope(engine, account_id) as session:
        _close(session, account_id, stream, gone=gone, shown=shown, held_back=reason)
    return True


def _compare(session: Session, account_id: int, stream: Stream, items: Sequence[Mapping[str, Any]]) -> None:
    """One page against the mirror's rows of the same range of ids; stored, counted and written down."""
    row = session.get_one(Reconciliation, (account_id, stream.name))
    at = dict(row.position or {})
    table = _table(stream)
    listed = {i: as_moment(item.get("updated_at")) for item in items if (i := as_id(item.get("id")))}
    last = max(listed, default=at["after"])
    mirrored = _moments(session, account_id, table, at["after"], last)
    synced_at = now()
    mark_stale(session, account_id, stream.store(session, account_id, items, synced_at), at=synced_at)
    held = _moments(session, account_id, table, at["after"], last)
    row.position = {
        **at,
        "page": at["page"] + 1,
        "after": max(last, at["after"]),
        "listed": at["listed"] + len(listed),
        "kept": at["kept"] + len(listed.keys() & held.keys()),
        "absent": at["absent"] + len(listed.keys() - mirrored.keys()),
        "behind": at["behind"] + sum(_behind(mirrored[i], listed[i]) for i in listed if i in mirrored),
        # One more than would be believed: enough to know that it is not.
        "suspects": [*at["suspects"], *sorted(mirrored.keys() - listed.keys())][: at["limit"] + 1],
    }


def _behind(mirrored: datetime, listed: datetime | None) -> bool:
    return listed is not None and mirrored < listed


def _moments(
    session: Session, account_id: int, table: _Table, after: int, last: int | None
) -> dict[int, datetime]:
    model = table.model
    query = select(model.id, model.updated_at).where(
        model.account_id == account_id, table.alive, model.id > after
    )
    if last is not None:
        query = query.where(model.id <= last)
    return {row.id: row.updated_at for row in session.execute(query)}


def _suspects_at_end(session: Session, account_id: int, stream: Stream) -> tuple[list[int], str | None]:
    """Rows that no page showed, and why so many are not believed gone (None when they are).

    Behind the last page only those count that are old enough for every list to show them.
    """
    row = session.get_one(Reconciliation, (account_id, stream.name))
    at, table = row.position or {}, _table(stream)
    model, limit = table.model, int(at["limit"])
    behind_the_last = session.scalars(
        select(model.id)
        .where(
            model.account_id == account_id,
            table.alive,
            model.id > at["after"],
            model.created_at < row.started_at - YOUNG,
            model.synced_at < row.started_at,
        )
        .limit(limit + 1)
    )
    suspects = sorted({*at["suspects"], *behind_the_last})
    if len(suspects) <= limit:
        return suspects, None
    log.warning("reconcile.held_back", account_id=account_id, stream=stream.name, believable=limit)
    return suspects, f"amoCRM suddenly shows over {limit} {stream.name} fewer than before; they are kept."


def _close(
    session: Session, account_id: int, stream: Stream, *, gone: int, shown: int, held_back: str | None
) -> None:
    row = session.get_one(Reconciliation, (account_id, stream.name))
    at = row.position or {}
    # A record asked for by itself was hidden by a page that moved: amoCRM has it, and so have we.
    row.listed, row.kept = at["listed"] + shown, at["kept"] + shown
    row.repaired = {"absent": at["absent"], "behind": at["behind"], "gone": gone}
    row.held_back, row.position, row.checked_at = held_back, None, now()
    log.info("reconcile.checked", account_id=account_id, stream=stream.name, **row.repaired)
