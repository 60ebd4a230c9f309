"""Ask amoCRM for the present state of single records: the answer, or its absence, is the truth."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.clock import now
from widget_backend.crm import writes
from widget_backend.db.engine import session_scope
from widget_backend.kpi.build import mark_stale
from widget_backend.oauth.models import Account
from widget_backend.sync.streams import BY_NAME

BATCH = 100
NOTES = {"leads": "notes_leads", "contacts": "notes_contacts", "companies": "notes_companies"}


@dataclass(frozen=True, kw_only=True)
class Reread:
    """What came back: ``shown`` records were stored, ``gone`` ones were marked deleted."""

    shown: int
    gone: int


def reread(
    engine: Engine, client: AmoClient, account_id: int, entity: str, ids: Collection[int], priority: Priority
) -> Reread:
    """Bring these leads, contacts, companies or tasks up to date; those that amoCRM does not show are gone.

    A missing record is asked for once more by itself before it is believed gone, because lists may lag.
    """
    with session_scope(engine) as session:
        filters = session.get_one(Account, account_id).filters_enabled or entity == "tasks"
    shown = gone = 0
    for batch in _batches(sorted(ids)):
        items = _list(client, entity, batch, priority) if filters and len(batch) > 1 else []
        found = {int(item["id"]) for item in items}
        items += [
            item
            for missing in batch
            if missing not in found and (item := _one(client, entity, missing, priority)) is not None
        ]
        found = {int(item["id"]) for item in items}
        synced_at = now()
        with session_scope(engine, account_id) as session:
            stale = BY_NAME[entity].store(session, account_id, items, synced_at)
            absent = [i for i in batch if i not in found]
            stale |= writes.mark_gone(session, account_id, entity, absent, synced_at)
            mark_stale(session, account_id, stale, at=synced_at)
        shown, gone = shown + len(items), gone + len(absent)
    return Reread(shown=shown, gone=gone)


def reread_notes(
    engine: Engine, client: AmoClient, account_id: int, entity: str, ids: Collection[int], priority: Priority
) -> int:
    """Store these notes of one entity type as they are now; returns how many there were."""
    stream = BY_NAME[NOTES[entity]]
    count = 0
    for batch in _batches(sorted(ids)):
        answer = client.get(stream.path, params={"limit": 250, **_id_filter(batch)}, priority=priority)
        items = ((answer or {}).get("_embedded") or {}).get("notes") or []
        synced_at = now()
        with session_scope(engine, account_id) as session:
            stale = stream.store(session, account_id, items, synced_at)
            mark_stale(session, account_id, stale, at=synced_at)
        count += len(items)
    return count


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _id_filter(ids: Sequence[int]) -> dict[str, int]:
    return {f"filter[id][{n}]": row_id for n, row_id in enumerate(ids)}


def _list(client: AmoClient, entity: str, ids: Sequence[int], priority: Priority) -> list[Mapping[str, Any]]:
    stream = BY_NAME[entity]
    params = {**stream.params, "limit": 250, **_id_filter(ids)}
    answer = client.get(stream.path, params=params, priority=priority)
    items: list[Mapping[str, Any]] = ((answer or {}).get("_embedded") or {}).get(stream.key) or []
    wanted = set(ids)
    return [item for item in items if int(item["id"]) in wanted]


def _one(client: AmoClient, entity: str, row_id: int, priority: Priority) -> Mapping[str, Any] | None:
    stream = BY_NAME[entity]
    found: Mapping[str, Any] | None = client.find(
        f"{stream.path}/{row_id}", params=dict(stream.params), priority=priority
    )
    return found
