"""Notice when amoCRM ignores our filters: an account-wide switch that fails silently."""

import structlog
from sqlalchemy import Engine

from widget_backend.db.engine import session_scope
from widget_backend.errors import Retriable
from widget_backend.oauth.models import Account
from widget_backend.sync.drain import BY_SECOND, Page, Position, moments_of
from widget_backend.sync.models import SyncCursor
from widget_backend.sync.streams import Paging, Stream

log = structlog.get_logger(__name__)


class FiltersOff(Retriable):
    """The account's filters are off; the stream starts again, read without them."""


def obeys(stream: Stream, position: Position, page: Page) -> bool:
    """Whether every row that has a moment lies inside the window that was asked for."""
    if position["way"] not in (Paging.BY_UPDATE, BY_SECOND):
        return True
    until = position["from"] if position["way"] == BY_SECOND else position["until"]
    return all(position["from"] <= moment <= until for moment in moments_of(stream, page.items))


def check_filters(engine: Engine, account_id: int, stream: Stream, position: Position, page: Page) -> None:
    """Raise FiltersOff (and remember it) if an answer breaks the filter it was asked with."""
    if not stream.resource.filters_optional or obeys(stream, position, page):
        return
    with session_scope(engine, account_id) as session:
        session.get_one(Account, account_id).filters_enabled = False
        cursor = session.get(SyncCursor, (account_id, stream.name))
        if cursor is not None:
            cursor.position = None
    log.warning("sync.filters_off", account_id=account_id, stream=stream.name)
    raise FiltersOff("amoCRM ignores filters in this account.", retry_after_s=0, stream=stream.name)
