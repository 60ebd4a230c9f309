"""Deep pages of a list without counting every row before them: places that pages ended at are remembered.

A place is only used while nothing was written since, so a page is always what counting would give.
"""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import bisect
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Fewer rows than this are counted sooner than looked up.
STRIDE = 1000
MOST_LISTS = 64
Place = tuple[int, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of a table: condition, order (by `column`, then id) and part of it; `limit` 0 means all."""

    table: str
    where: str
    values: tuple[Any, ...]
    column: str
    descending: bool
    offset: int = 0
    limit: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for pages of one list."""
        return (self.table, self.where, self.values, self.column, self.descending)


class Places:
    """Remembers (rows before, order value, id) per list. `version` is odd while something is written."""

    def __init__(self, version: Callable[[], int]) -> None:
        self._version = version
        self._lock = threading.Lock()
        self._kept_at = 0
        self._lists: OrderedDict[tuple[Any, ...], list[Place]] = OrderedDict()

    def rowids(self, connection: sqlite3.Connection, listing: Listing) -> list[int]:
        """The rowids of the page and of one row after it, in order."""
        version = self._version()
        place = self._nearest(listing, version)
        found = _rows(connection, listing, place)
        if place is not None and self._version() != version:
            place, found = None, _rows(connection, listing, None)
        if len(found) > listing.limit > 0:
            _, value, row_id = found[listing.limit - 1]
            self._keep(connection, listing, version, (listing.offset + listing.limit, value, row_id))
        return [row[0] for row in found]

    def _nearest(self, listing: Listing, version: int) -> Place | None:
        if listing.offset < STRIDE:
            return None
        with self._lock:
            if self._kept_at != version:
                return None
            kept = self._lists.get(listing.key, [])
            index = bisect.bisect_right(kept, listing.offset, key=_rows_before)
            return kept[index - 1] if index else None

    def _keep(self, connection: sqlite3.Connection, listing: Listing, version: int, place: Place) -> None:
        """Remember a place a stride away from its neighbours."""
        if version % 2 or version != self._version() or place[1] is None:
            return
        with self._lock:
            if self._kept_at != version:
                self._lists.clear()
                self._kept_at = version
            kept = self._lists.setdefault(listing.key, [])
            self._lists.move_to_end(listing.key)
            if len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)
            index = bisect.bisect_right(kept, place[0], key=_rows_before)
            before = kept[index - 1][0] if index else 0
            after = kept[index][0] if index < len(kept) else place[0] + STRIDE
            if place[0] - before < STRIDE or after - place[0] < STRIDE:
                return
        # Behind the last value come the rows without one, which no comparison finds.
        if not (listing.descending and _has_nulls(connection, listing)) and self._version() == version:
            with self._lock:
                if self._kept_at == version:
                    bisect.insort(kept, place, key=_rows_before)


def _rows_before(place: Place) -> int:
    return place[0]


def _rows(connection: sqlite3.Connection, listing: Listing, place: Place | None) -> list[Any]:
    """(rowid, order value, id) of the page and one more, counted from a place or from the beginning."""
    way, sign = ("DESC", "<") if listing.descending else ("ASC", ">")
    column = f'"{listing.column}"'
    order = f"id {way}" if listing.column == "id" else f"{column} {way}, id {way}"
    where, values = listing.where, listing.values
    skipped = listing.offset
    if place is not None:
        where += f" AND ({column}, id) {sign} (?, ?)"
        values += (place[1], place[2])
        skipped -= place[0]
    limit = f" LIMIT {listing.limit + 1} OFFSET {skipped}" if listing.limit else ""
    return connection.execute(
        f'SELECT rowid, {column}, id FROM "{listing.table}" WHERE {where} ORDER BY {order}{limit}', values
    ).fetchall()


def _has_nulls(connection: sqlite3.Connection, listing: Listing) -> bool:
    found = connection.execute(
        f'SELECT 1 FROM "{listing.table}" WHERE {listing.where} AND "{listing.column}" IS NULL LIMIT 1',
        listing.values,
    )
    return found.fetchone() is not None
