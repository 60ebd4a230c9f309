"""The sandbox's one clock: real time plus an offset that can be set; it always runs on."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime


def parse_moment(text: str) -> float:
    """Unix seconds of an ISO 8601 moment (no offset means UTC) or of a number.

    ValueError when it is neither.
    """
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


class Clock:
    """Answers the sandbox's time in Unix seconds; listeners are told when it jumps."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self._offset_s = offset_s
        self._lock = threading.Lock()
        self._listeners: list[Callable[[float], None]] = []

    @property
    def offset_s(self) -> float:
        """Seconds the sandbox is ahead of real time."""
        return self._offset_s

    def now(self) -> float:
        """The moment in Unix seconds, with a fraction."""
        return time.time() + self._offset_s

    def on_jump(self, listener: Callable[[float], None]) -> None:
        """Call `listener(offset_s)` after each jump."""
        self._listeners.append(listener)

    def set(self, moment: float) -> None:
        """Let the clock show `moment` (Unix seconds) now and run on; ValueError outside 1970 to 2999."""
        self._jump(moment - time.time())

    def advance(self, seconds: float) -> None:
        """Jump ahead (or back, when negative) by so many seconds; ValueError as in `set`."""
        self._jump(self._offset_s + seconds)

    def _jump(self, offset_s: float) -> None:
        if not 0 <= time.time() + offset_s < _LATEST:  # not a number is refused here, too
            raise ValueError("the clock goes from 1970 to 2999")
        with self._lock:
            self._offset_s = offset_s
        for listener in self._listeners:
            listener(offset_s)
