"""At most N arrivals in any 1,000 ms, and the ban after many violations; in memory, in real time."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable

from sandbox.amocrm.switches import Switches

WINDOW_S = 1.0


class Limiter:
    """Counts arrivals per key; `admit` says whether one more fits."""

    def __init__(self, switches: Switches, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._switches = switches
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._arrivals: dict[Hashable, deque[float]] = defaultdict(deque)
        self._violations: deque[float] = deque()

    def admit(self, keys: list[tuple[Hashable, int]]) -> bool:
        """True when the arrival fits under each (key, limit); limit 0 is no limit.

        Counted only when admitted, unless the switch `count_rejected` is on.
        """
        now = self._monotonic()
        with self._lock:
            fits = all(self._fits(key, limit, now) for key, limit in keys if limit)
            if fits or self._switches["count_rejected"]:
                for key, limit in keys:
                    if limit:
                        self._arrivals[key].append(now)
            if not fits:
                self._violations.append(now)
            return fits

    def _fits(self, key: Hashable, limit: int, now: float) -> bool:
        arrivals = self._arrivals[key]
        while arrivals and arrivals[0] <= now - WINDOW_S:
            arrivals.popleft()
        return len(arrivals) < limit

    def should_ban(self) -> bool:
        """Whether so many violations lie in the last `ban_window_s` that the vendor would block."""
        limit = self._switches["ban_after"]
        horizon = self._monotonic() - float(self._switches["ban_window_s"])
        with self._lock:
            while self._violations and self._violations[0] <= horizon:
                self._violations.popleft()
            return bool(limit) and len(self._violations) >= limit

    def forgive(self) -> None:
        """Forget the violations, as when a ban is lifted."""
        with self._lock:
            self._violations.clear()
