"""Ask amoCRM for the present state of single records: the answer, or its absence, is the truth."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Engine

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.pages import items_of, pages
from widget_backend.amocrm.resources import RESOURCES
from widget_backend.amocrm.values import as_id
from widget_backend.clock import now
from widget_backend.crm import writes
from widget_backend.db.engine import session_scope
from widget_backend.errors import Permanent
from widget_backend.kpi.build import mark_stale
from widget_backend.oauth.models import Account
from widget_backend.sync.refusals import stop_if_unpaid
from widget_backend.sync.sight import limited_view, remember
from widget_backend.sync.streams import BY_NAME, Stream

log = structlog.get_logger(__name__)
BATCH = 100
# How many records' notes and tasks are asked for at once.
OWNERS = 10
NOTES = {"leads": "notes_leads", "contacts": "notes_contacts", "companies": "notes_companies"}


@dataclass(frozen=True, kw_only=True)
class Reread:
    """What came back: ``shown`` records were stored, ``gone`` ones were marked deleted."""

    shown: int
    gone: int


def reread(
    engine: Engine,
    client: AmoClient,
    account_id: int,
    entity: str,
    ids: Collection[int],
    priority: Priority,
    *,
    proven: Collection[int] = (),
) -> Reread:
    """Bring these records of a stream up to date (``notes_leads`` too); those amoCRM does not show are gone.

    A missing record is asked for once more by itself before it is believed gone, because lists may lag. One
    that amoCRM refuses to show (a right is missing) stays as it is: it must not hold up the others.

    ``proven`` are records of which the event log says that they were deleted or merged. The others are not
    believed gone while the connected user may simply not see them.
    """
    with session_scope(engine) as session:
        filters = (
            session.get_one(Account, account_id).filters_enabled or not RESOURCES[entity].filters_optional
        )
    shown = gone = 0
    for batch in _batches(sorted(ids)):
        items = _list(client, entity, batch, priority) if filters and len(batch) > 1 else []
        found = {as_id(item.get("id")) for item in items}
        absent = []
        for missing in (row_id for row_id in batch if row_id not in found):
            try:
                item = _one(client, entity, missing, priority)
            except Permanent as error:
                stop_if_unpaid(error)
                log.warning("sync.record_refused", account_id=account_id, entity=entity, id=missing)
                continue
            if item is None:
                absent.append(missing)
            else:
                items.append(item)
        absent = _believable(engine, client, account_id, absent, proven, priority)
        synced_at = now()
        with session_scope(engine, account_id) as session:
            stale = BY_NAME[entity].store(session, account_id, items, synced_at)
            stale |= writes.mark_gone(session, account_id, entity, absent, synced_at)
            mark_stale(session, account_id, stale, at=synced_at)
        shown, gone = shown + len(items), gone + len(absent)
    return Reread(shown=shown, gone=gone)


def _believable(
    engine: Engine,
    client: AmoClient,
    account_id: int,
    absent: Sequence[int],
    proven: Collection[int],
    priority: Priority,
) -> list[int]:
    """Those of the absent records that are gone indeed. The user's sight is tested now: rights may have
    changed a minute ago, and hidden records look exactly like deleted ones.
    """
    if set(absent) <= set(proven):
        return list(absent)
    reason = limited_view(client, priority)
    with session_scope(engine, account_id) as session:
        remember(session, account_id, reason)
    return list(absent) if reason is None else [row_id for row_id in absent if row_id in proven]


def reread_notes(
    engine: Engine, client: AmoClient, account_id: int, entity: str, ids: Collection[int], priority: Priority
) -> int:
    """Store these notes of one entity type as they are now; returns how many there were."""
    stream = BY_NAME[NOTES[entity]]
    return sum(
        _store_all(engine, client, account_id, stream, _filter("id", batch), priority)
        for batch in _batches(sorted(ids))
    )


def reread_belongings(
    engine: Engine, client: AmoClient, account_id: int, entity: str, ids: Collection[int], priority: Priority
) -> int:
    """Store all notes and tasks of these records as they are now; returns how many there were."""
    count = 0
    for batch in _batches(sorted(ids), OWNERS):
        owners = _filter("entity_id", batch)
        count += _store_all(engine, client, account_id, BY_NAME[NOTES[entity]], owners, priority)
        of_entity = {"filter[entity_type]": entity, **owners}
        count += _store_all(engine, client, account_id, BY_NAME["tasks"], of_entity, priority)
    return count


def _store_all(
    engine: Engine,
    client: AmoClient,
    account_id: int,
    stream: Stream,
    filters: Mapping[str, int | str],
    priority: Priority,
) -> int:
    """Every page of a filtered list into the mirror; returns the number of rows."""
    count, resource = 0, stream.resource
    params = {**resource.params(), **filters, "order[id]": "asc"}
    for items in pages(client, resource.path, resource.key, params, priority=priority):
        synced_at = now()
        with session_scope(engine, account_id) as session:
            stale = stream.store(session, account_id, items, synced_at)
            mark_stale(session, account_id, stale, at=synced_at)
        count += len(items)
    return count


def _batches(ids: Sequence[int], size: int = BATCH) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _filter(name: str, ids: Sequence[int]) -> dict[str, int | str]:
    return {f"filter[{name}][{n}]": row_id for n, row_id in enumerate(ids)}


def _list(client: AmoClient, entity: str, ids: Sequence[int], priority: Priority) -> list[Mapping[str, Any]]:
    """Those of the records that a list shows; none if it refuses the question."""
    resource = RESOURCES[entity]
    params = {**resource.params(), **_filter("id", ids)}
    try:
        answer = client.get(resource.path, params=params, priority=priority)
    except Permanent as error:
        stop_if_unpaid(error)
        return []
    wanted = set(ids)
    return [item for item in items_of(answer, resource.key) if as_id(item.get("id")) in wanted]


def _one(client: AmoClient, entity: str, row_id: int, priority: Priority) -> Mapping[str, Any] | None:
    resource = RESOURCES[entity]
    query = {"with": resource.with_} if resource.with_ else {}
    found: Mapping[str, Any] | None = client.find(
        f"{resource.path}/{row_id}", params=query, priority=priority
    )
    return found
