"""spreadsheets.batchUpdate: one function per kind of request, in a table; all or nothing."""

from typing import Any

from sandbox.sheets.batch.cells import HANDLERS as CELLS
from sandbox.sheets.batch.common import Body, Editor, Handler
from sandbox.sheets.batch.filters import HANDLERS as FILTERS
from sandbox.sheets.batch.lines import HANDLERS as LINES
from sandbox.sheets.batch.looks import HANDLERS as LOOKS
from sandbox.sheets.batch.metadata import HANDLERS as METADATA
from sandbox.sheets.batch.moving import HANDLERS as MOVING
from sandbox.sheets.batch.objects import HANDLERS as OBJECTS
from sandbox.sheets.batch.ranges import HANDLERS as RANGES
from sandbox.sheets.batch.tabs import HANDLERS as TABS
from sandbox.sheets.batch.texts import HANDLERS as TEXTS
from sandbox.sheets.book import Book
from sandbox.sheets.errors import GoogleError, invalid

HANDLERS: dict[str, Handler] = {
    **TABS,
    **LINES,
    **CELLS,
    **RANGES,
    **FILTERS,
    **LOOKS,
    **METADATA,
    **MOVING,
    **TEXTS,
    **OBJECTS,
}


def apply(book: Book, requests: list[Body], editor: Editor) -> list[Body]:
    """Applies the requests in order and returns a reply for each; GoogleError leaves the book half-changed.

    The caller throws the changed book away on an error: that makes the call atomic.
    """
    if not requests:
        raise invalid("Must specify at least one request.")
    return [_one(book, index, request, editor) for index, request in enumerate(requests)]


def _one(book: Book, index: int, request: Body, editor: Editor) -> Body:
    if len(request) != 1:
        raise invalid(f"Invalid requests[{index}]: exactly one kind of request must be set.")
    ((kind, body),) = request.items()
    handler = HANDLERS.get(kind)
    if handler is None:
        raise GoogleError(501, f"requests[{index}].{kind} is part of the API, but not of this simulator.")
    try:
        reply: Any = handler(book, body, editor)
    except GoogleError as err:
        if err.code != 400 or err.message.startswith("Invalid requests["):
            raise
        raise invalid(f"Invalid requests[{index}].{kind}: {err.message}") from err
    return {kind: reply} if reply is not None else {}
