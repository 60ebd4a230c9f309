"""The table of streams: what is mirrored, by which requests, and where each page goes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from widget_backend.amocrm.resources import RESOURCES, Resource
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
    """One list of the API that is mirrored: how it is read to its end, and where its rows go."""

    resource: Resource
    paging: Paging
    store: Store

    @property
    def name(self) -> str:
        """The list's name, also the key of its cursor row."""
        return self.resource.name

    @property
    def cursor(self) -> str:
        """The field that windows are cut by."""
        if self.resource.cursor is None:
            raise ValueError(f"{self.name} has no field to cut windows by")
        return self.resource.cursor


def _notes(entity: str) -> Stream:
    def store(
        session: Session, account_id: int, items: Sequence[Mapping[str, Any]], synced_at: datetime
    ) -> set[Subject]:
        return writes.store_notes(session, account_id, entity, items, synced_at)

    return Stream(resource=RESOURCES[f"notes_{entity}"], paging=Paging.BY_UPDATE, store=store)


def _stream(name: str, paging: Paging, store: Store) -> Stream:
    return Stream(resource=RESOURCES[name], paging=paging, store=store)


# Leads first: this month's money is what people look at while the rest is still loading.
STREAMS: tuple[Stream, ...] = (
    _stream("leads", Paging.BY_UPDATE, writes.store_leads),
    _stream("contacts", Paging.BY_UPDATE, writes.store_contacts),
    _stream("companies", Paging.BY_UPDATE, writes.store_companies),
    _stream("tasks", Paging.BY_ID, writes.store_tasks),
    _notes("leads"),
    _notes("contacts"),
    _notes("companies"),
    _stream("events", Paging.BY_WINDOW, writes.store_events),
)
BY_NAME = {stream.name: stream for stream in STREAMS}
