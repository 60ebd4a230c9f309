"""What amoCRM refuses for good: one record or list, which must not hold up the rest, or the whole account."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from widget_backend.errors import Permanent

log = structlog.get_logger(__name__)
UNPAID = 402


def stop_if_unpaid(error: Permanent) -> None:
    """Raise the error again if it concerns the whole account (402), whatever was asked for."""
    if error.context.get("status") == UNPAID:
        raise error


@contextmanager
def refusals_logged(account_id: int, subject: str) -> Iterator[None]:
    """Go on after a refusal that concerns only this subject. Raises AmoForbidden for an unpaid account."""
    try:
        yield
    except Permanent as error:
        stop_if_unpaid(error)
        log.warning("sync.refused", account_id=account_id, subject=subject, reason=error.message)
