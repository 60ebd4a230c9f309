"""Read one stream from a moment on to its end, page by page, resumable after any page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.values import as_moment
from widget_backend.errors import AmoUnavailable
from widget_backend.sync.streams import Paging, Stream

WINDOW_S = 30 * 86_400
# Ways of reading beside those of ``Paging``, chosen while reading.
UNFILTERED = "unfiltered"
BY_SECOND = "by_second"
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
    if stream.resource.filters_optional and not filters:
        return {"way": UNFILTERED, "since": since, "page": 1}
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
    params: dict[str, Any] = {**stream.resource.params(), "page": at["page"]}
    cursor = stream.cursor
    if at["way"] == UNFILTERED:
        # Backfill: oldest id first, stable under writes. Later: newest change first, until the known past.
        params |= {"order[id]": "asc"} if not at["since"] else {"order[updated_at]": "desc"}
    elif at["way"] == Paging.BY_UPDATE:
        params |= {
            f"filter[{cursor}][from]": at["from"],
            f"filter[{cursor}][to]": at["until"],
            f"order[{cursor}]": "asc",
        }
    elif at["way"] == BY_SECOND:
        params |= {
            f"filter[{cursor}][from]": at["from"],
            f"filter[{cursor}][to]": at["from"],
            "order[id]": "asc",
        }
    elif at["way"] == Paging.BY_ID:
        params |= {f"filter[{cursor}][from]": at["from"], "order[id]": "asc"}
    else:
        params |= {f"filter[{cursor}][from]": at["from"], f"filter[{cursor}][to]": at["to"]}
    answer = client.get(stream.resource.path, params=params, priority=priority)
    items = _items(answer, stream.resource.key)
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
    if not has_next:
        return Page(items=items, position=None, reached=at["until"])
    last = max(moments_of(stream, items), default=None)
    if last is None:
        # Rows without a moment (never seen) cannot lead on; only the page number can.
        return Page(items=items, position={**at, "page": at["page"] + 1})
    if last > at["from"]:
        return Page(items=items, position={**at, "from": last, "page": 1}, reached=last - 1)
    # A whole page of one second (a bulk edit) has no order of its own: that second is read by id, then on.
    return Page(items=items, position={**at, "way": BY_SECOND, "page": 1}, reached=at["from"] - 1)


def _after_second(stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    page = _after_page(stream, at, items, has_next)
    if page.position is not None:
        return page
    if at["from"] >= at["until"]:
        return Page(items=items, position=None, reached=at["until"])
    following = {"way": str(Paging.BY_UPDATE), "from": at["from"] + 1, "until": at["until"], "page": 1}
    return Page(items=items, position=following, reached=at["from"])


def _after_page(_stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    """Rows by id: find the last page, then read from there down to the first.

    Rows that vanish (deleted, or changed out of the filter) move those behind them to earlier pages. Who
    reads forward misses one at a page's edge; who reads backward meets each of them again, on a page still to
    come. The search looks at pages 1, 2, 4, 8 … and halves the gap, so it costs few requests; a list of one
    page costs none.
    """
    page = at["page"]
    if at.get("down") or (page == 1 and not has_next):
        return Page(items=items, position={**at, "page": page - 1, "down": True} if page > 1 else None)
    if items and not has_next:
        return Page(items=items, position={**at, "page": page - 1, "down": True})
    low, high = (page, at.get("high")) if items else (at.get("low", 1), page)
    if high is None:
        return Page(items=items, position={**at, "page": 2 * page, "low": low})
    if high - low > 1:
        return Page(items=items, position={**at, "page": (low + high) // 2, "low": low, "high": high})
    return Page(items=items, position={**at, "page": low, "down": True})


def _after_window(_stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool) -> Page:
    if has_next:
        return Page(items=items, position={**at, "page": at["page"] + 1})
    if at["to"] >= at["until"]:
        return Page(items=items, position=None, reached=at["until"])
    # Years without an event must not cost a request a month: empty windows grow.
    span = WINDOW_S if items or at["page"] > 1 else 2 * at.get("span", WINDOW_S)
    end = min(at["to"] + span, at["until"])
    following = {**at, "from": at["to"] + 1, "to": end, "page": 1, "span": span}
    return Page(items=items, position=following, reached=at["to"])


def _after_unfiltered(
    stream: Stream, at: Position, items: Sequence[Mapping[str, Any]], has_next: bool
) -> Page:
    oldest = min(moments_of(stream, items), default=at["since"])
    if not at["since"]:
        return _after_page(stream, at, items, has_next)
    more = has_next and oldest >= at["since"]
    return Page(items=items, position={**at, "page": at["page"] + 1} if more else None)


def moments_of(stream: Stream, items: Sequence[Mapping[str, Any]]) -> list[int]:
    """The cursor's value (Unix seconds) of each row that has a readable one."""
    found = (as_moment(item.get(stream.cursor)) for item in items)
    return [int(moment.timestamp()) for moment in found if moment is not None]


NEXT = {
    UNFILTERED: _after_unfiltered,
    Paging.BY_UPDATE: _after_update,
    BY_SECOND: _after_second,
    Paging.BY_ID: _after_page,
    Paging.BY_WINDOW: _after_window,
}
