"""Page after page of one HAL list."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.errors import AmoRejected, AmoUnavailable


class RowsMoved(AmoUnavailable):
    """A page that the previous one promised is empty: rows moved while we read. Read again, once."""


def pages(
    client: AmoClient,
    path: str,
    key: str,
    params: Mapping[str, Any] | None = None,
    *,
    priority: Priority = Priority.INCREMENTAL,
) -> Iterator[list[Any]]:
    """The items of ``_embedded[key]``, one list per page, in amoCRM's order; an empty list yields nothing.

    ``params`` may name the page to begin with. Only the query of a ``next`` link is followed: our host and
    path stay, so that an answer cannot send the token elsewhere. Raises RowsMoved (see there), AmoRejected
    when a link comes twice, and whatever the client raises.
    """
    query: Mapping[str, Any] | str = params or {}
    seen: set[str] = set()
    promised = False
    while True:
        data = client.get(path, query, priority=priority)
        if data is None:
            if promised:
                raise RowsMoved("A promised page is empty.", account_id=client.account_id, path=path)
            return
        items = items_of(data, key)
        if items:
            yield items
        following = next_query(data)
        if following is None:
            return
        if following in seen:
            raise AmoRejected(
                "amoCRM repeats a link to the next page.",
                account_id=client.account_id,
                path=path,
                page=parse_qs(following).get("page", [""])[0],
            )
        seen.add(following)
        query, promised = following, True


def items_of(data: Any, key: str) -> list[Any]:
    """``_embedded[key]`` of an answer; anything else than a list there counts as no items."""
    embedded = data.get("_embedded") if isinstance(data, dict) else None
    items = embedded.get(key) if isinstance(embedded, dict) else None
    return items if isinstance(items, list) else []


def next_query(data: Any) -> str | None:
    """The query of the ``next`` link, None on the last page."""
    links = data.get("_links") if isinstance(data, dict) else None
    link = links.get("next") if isinstance(links, dict) else None
    href = link.get("href") if isinstance(link, dict) else None
    return urlsplit(href).query or None if isinstance(href, str) else None
