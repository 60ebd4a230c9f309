"""Read one stream from a moment on to its end, page by page, resumable after any page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.errors import AmoUnavailable
from widget_backend.sync.streams import Paging, Stream

WINDOW_S = 30 * 86_400
Position = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows of one answer, and the position from which reading goes on once they are stored.

    ``reached`` is the moment (Unix seconds) up to which everything has now been seen, None if not known yet.
    ``position`` is None after the last page.
    """

    items: Sequence[Mapping[str, Any]]
    position: Position | None
    reached: int | None = None


def start_position(stream: Stream, since: int, until: int, *, filters: bool, first: int | None) -> Position:
    """Where reading [since, until] begins. ``first``: nothing older exists (for windows), None if unknown.

    With the account's filters off, lists of leads, contacts and companies are read whole, by id.
    """
    if stream.alpha_filter and not filters:
        return {"way": "unfiltered", "since": since, "page": 1}
    if stream.paging is Paging.BY_WINDOW:
        begin = max(since, first or 0)
        # The first window reaches back to the beginning of time, in case something is older than we think.
        return {
            "way": stream.paging,
            "from": since,
            "to": min(begin + WINDOW_S, until),
            "until": until,
            "page": 1,
        }
    return {"way": stream.paging, "from": since, "until": until, "page": 1}


def drain(client: AmoClient, stream: Stream, position: Position, priority: Priority) -> Iterator[Page]:
    """Yield pages from ``position`` on. The caller stores rows and position in one transaction."""
    current: Position | None = position
    while current is not None:
        page = _read(client, stream, current, priority)
        yield page
        current = page.position


def _read(client: AmoClient, stream: Stream, at: Position, priority: Priority) -> Page:
    params: dict[str, Any] = {**stream.params, "limit": stream.limit, "page": at["page"]}
    cursor = stream.cursor
    if at["way"] == "unfiltered":
        # Backfill: oldest id first, stable under writes. Later: newest change first, until the known past.
        params |= {"order[id]": "asc"} if not at["since"] else {"order[updated_at]": "desc"}
    elif at["way"] == Paging.BY_UPDATE:
        params |= {
            f"filter[{cursor}][from]": at["from"],
            f"filter[{cursor}][to]": at["until"],
            f"order[{cursor}]": "asc",
        }
    elif at["way"] == Paging.BY_ID:
        params |= {f"filter[{cursor}][from]": at["from"], "order[id]": "asc"}
    else:
        params |= {f"filter[{cursor}][from]": at["from"], f"filter[{cursor}][to]": at["to"]}
    answer = client.get(stream.path, params=params, priority=priority)
    items = _items(answer, stream.key)
    has_next = bool(answer and answer.get("_links", {}).get("next"))
    return NEXT[at["way"]](stream, at, items, has_next)


def _items(answer: Mapping[str, Any] | None, key: str) -> Sequence[Mapping[str, Any]]:
    """The rows of a HAL list; 204 (None) is an empty one. Anything else is a broken answer, to be retried."""
    if answer is None:
        return ()
    embedded = answer.get("_embedded")
    items = embedded.get(key) if isinstance(embedded, Mapping) else None
    if not isinstance(items, list):
        raise AmoUnavailable(f"amoCRM answered a list without its {key!r}.")
    return items


def _after_update(stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    moments = [int(item.get(stream.cursor) or 0) for item in items]
    if not has_next or not moments:
        return Page(items=items, position=None, reached=at["until"])
    last = max(moments)
    if last > at["from"]:
        return Page(items=items, position={**at, "from": last, "page": 1}, reached=last - 1)
    # A whole page of one second (a bulk edit): only here page numbers count on.
    return Page(items=items, position={**at, "page": at["page"] + 1}, reached=at["from"] - 1)


def _after_page(_stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    return Page(items=items, position={**at, "page": at["page"] + 1} if has_next else None)


def _after_window(_stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    if has_next:
        return Page(items=items, position={**at, "page": at["page"] + 1})
    if at["to"] >= at["until"]:
        return Page(items=items, position=None, reached=at["until"])
    following = {**at, "from": at["to"] + 1, "to": min(at["to"] + WINDOW_S, at["until"]), "page": 1}
    return Page(items=items, position=following, reached=at["to"])


def _after_unfiltered(
    stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool
) -> Page:
    oldest = min((int(item.get(stream.cursor) or 0) for item in items), default=0)
    if at["since"] and oldest < at["since"]:
        return Page(items=items, position=None)
    return _after_page(stream, at, items, has_next)


NEXT = {
    "unfiltered": _after_unfiltered,
    Paging.BY_UPDATE: _after_update,
    Paging.BY_ID: _after_page,
    Paging.BY_WINDOW: _after_window,
}
