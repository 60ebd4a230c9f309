"""When a failed call may be sent again, and after how long. Pure: nothing here sleeps or sends."""

import random
from collections.abc import Callable

from widget_backend.errors import AmoRateLimited, Retriable

BASE_S = 1.0
CEILING_S = 30.0


def is_repeatable(error: Retriable) -> bool:
    """Whether sending the same call again is safe and useful.

    A 429 was not carried out; a POST whose answer is lost or 5xx may have been, and twice would be wrong.
    Our own empty budget (no status) is not asked again: ``acquire`` has waited long enough already. A failed
    refresh (no method, or POST) is not repeated here either.
    """
    context = error.context
    if isinstance(error, AmoRateLimited):
        return context.get("status") == 429
    return context.get("method") not in (None, "POST") or context.get("sent") is False


def retry_delay_s(
    attempt: int, asked_s: float | None, jitter: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds before attempt ``attempt`` + 1: what the server asked for, else 1, 2, 4 … s halved by chance.

    The jitter on top of a Retry-After keeps waiters apart, and never comes earlier than asked.
    """
    if asked_s is not None:
        return asked_s + jitter(0.0, 0.25)
    full = min(BASE_S * 2.0 ** (attempt - 1), CEILING_S)
    return jitter(full / 2, full)
