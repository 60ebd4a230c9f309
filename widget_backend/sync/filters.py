"""Notice when amoCRM ignores our filters: an account-wide switch that fails silently."""

import structlog
from sqlalchemy import Engine

from widget_backend.db.engine import session_scope
from widget_backend.errors import Retriable
from widget_backend.oauth.models import Account
from widget_backend.sync.drain import Page, Position
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.streams import Paging, Stream

log = structlog.get_logger(__name__)


class FiltersOff(Retriable):
    """The account's filters are off; the stream starts again, read without them."""


def obeys(stream: Stream, position: Position, page: Page) -> bool:
    """Whether every row lies inside the window that was asked for."""
    if position["way"] != Paging.BY_UPDATE:
        return True
    return all(
        position["from"] <= int(item.get(stream.cursor) or 0) <= position["until"] for item in page.items
    )


def check_filters(engine: Engine, account_id: int, stream: Stream, position: Position, page: Page) -> None:
    """Raise FiltersOff (and remember it) if an answer breaks the filter it was asked with."""
    if not stream.alpha_filter or obeys(stream, position, page):
        return
    with session_scope(engine, account_id) as session:
        session.get_one(Account, account_id).filters_enabled = False
        cursor = session.get(SyncCursor, (account_id, stream.name))
        if cursor is not None:
            cursor.position = None
    log.warning("sync.filters_off", account_id=account_id, stream=stream.name)
    raise FiltersOff("amoCRM ignores filters in this account.", retry_after_s=0, stream=stream.name)
