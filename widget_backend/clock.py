"""The product's one clock. Nothing else asks the operating system for the time of day."""

import os
from datetime import UTC, datetime, timedelta

_offset = timedelta(seconds=float(os.environ.get("APP_CLOCK_OFFSET_S") or 0))


def now() -> datetime:
    """The present moment, UTC, shifted by ``APP_CLOCK_OFFSET_S`` (tests and demos only)."""
    return datetime.now(UTC) + _offset
