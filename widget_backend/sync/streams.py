"""The table of streams: what is mirrored, by which requests, and where each page goes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from widget_backend.crm import writes
from widget_backend.crm.writes import Subject

Store = Callable[[Session, int, Sequence[Mapping[str, Any]], datetime], set[Subject]]


class Paging(StrEnum):
    """How a list can be read to its end while people keep changing it.

    BY_UPDATE: filter and order by ``updated_at``; each page starts at the last moment seen, so a row that
        changes meanwhile moves towards the end and none is skipped.
    BY_ID: filter from a moment on, order by id, last page first, so that a deletion pushes no row out of
        sight (lists without that order).
    BY_WINDOW: closed windows of an append-only log; a past window never changes, whatever its order.
    """

    BY_UPDATE = "by_update"
    BY_ID = "by_id"
    BY_WINDOW = "by_window"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One list of the API. ``alpha_filter``: amoCRM may silently ignore its filters in some accounts."""

    name: str
    path: str
    key: str
    paging: Paging
    cursor: str
    store: Store
    params: Mapping[str, str]
    limit: int = 250
    alpha_filter: bool = False


def _notes(entity: str) -> Stream:
    def store(
        session: Session, account_id: int, items: Sequence[Mapping[str, Any]], synced_at: datetime
    ) -> set[Subject]:
        return writes.store_notes(session, account_id, entity, items, synced_at)

    return Stream(
        name=f"notes_{entity}",
        path=f"/api/v4/{entity}/notes",
        key="notes",
        paging=Paging.BY_UPDATE,
        cursor="updated_at",
        store=store,
        params={},
    )


_entity = partial(Stream, paging=Paging.BY_UPDATE, cursor="updated_at", alpha_filter=True)

# Leads first: this month's money is what people look at while the rest is still loading.
STREAMS: tuple[Stream, ...] = (
    _entity(
        name="leads",
        path="/api/v4/leads",
        key="leads",
        store=writes.store_leads,
        params={"with": "contacts,loss_reason,source_id,catalog_elements"},
    ),
    _entity(name="contacts", path="/api/v4/contacts", key="contacts", store=writes.store_contacts, params={}),
    _entity(
        name="companies", path="/api/v4/companies", key="companies", store=writes.store_companies, params={}
    ),
    Stream(
        name="tasks",
        path="/api/v4/tasks",
        key="tasks",
        paging=Paging.BY_ID,
        cursor="updated_at",
        store=writes.store_tasks,
        params={},
    ),
    _notes("leads"),
    _notes("contacts"),
    _notes("companies"),
    Stream(
        name="events",
        path="/api/v4/events",
        key="events",
        paging=Paging.BY_WINDOW,
        cursor="created_at",
        store=writes.store_events,
        params={},
        limit=100,
    ),
)
BY_NAME = {stream.name: stream for stream in STREAMS}
