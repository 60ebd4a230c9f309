"""The product's one clock. Nothing else asks the operating system for the time of day."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

LARGEST_OFFSET_S = 100 * 366 * 86_400


def offset_of(environ: Mapping[str, str]) -> timedelta | None:
    """``APP_CLOCK_OFFSET_S`` of an environment, nothing if it is not set; None if it is no number of seconds.

    The settings name an odd value at start-up; importing this module must not fail before that.
    """
    try:
        seconds = float(environ.get("APP_CLOCK_OFFSET_S") or 0)
    except ValueError:
        return None
    return timedelta(seconds=seconds) if abs(seconds) <= LARGEST_OFFSET_S else None


_offset = offset_of(os.environ) or timedelta(0)


def now() -> datetime:
    """The present moment, UTC, shifted by ``APP_CLOCK_OFFSET_S`` (tests and demos only)."""
    return datetime.now(UTC) + _offset
