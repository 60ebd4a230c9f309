"""One request budget per account and integration, shared by all processes through Redis."""

import random
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import redis
import structlog

from widget_backend.amocrm.answers import BAN_REMEDY
from widget_backend.errors import AccountBlocked, AmoRateLimited

log = structlog.get_logger(__name__)

SCRIPT = Path(__file__).with_name("limiter.lua").read_text(encoding="utf-8")
PER_SECOND = 6
# amoCRM counts arrivals, we count grants. The gap keeps a burst from meeting the next one when the network
# delays the first requests of a window more than the last; 0.8 of an even spread still lets late slots catch
# up.
SPREAD = 0.8
# One millisecond more than a second, so that not even the two ends of a closed second hold N + 1 grants.
WINDOW_US = 1_001_000
IDLE_S = 3600
GRACE_US = 150_000
BLOCKED_S = 3600.0
# Nothing can be asked, or nothing can be written down: either way the budget is unknown.
_UNREACHABLE = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.BusyLoadingError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
)


class Priority(IntEnum):
    """Who goes first when the budget is short; the smaller the sooner."""

    USER = 0
    HOOKS = 1
    INCREMENTAL = 2
    RECONCILE = 3
    BACKFILL = 4


class Budget(Protocol):
    """What the client asks before each request, and tells when amoCRM complains."""

    def acquire(self, priority: Priority, timeout_s: float) -> None:
        """Return when one request may be sent."""

    def pause(self, seconds: float) -> None:
        """Nobody sends for so long (amoCRM answered 429)."""

    def trip(self, reason: str) -> None:
        """Nobody sends until a person has settled it, or an hour has passed (amoCRM has banned us)."""


class RedisBudget:
    """Never more than ``per_second`` grants in any sliding second, over all processes, on Redis's clock.

    If its state is gone (Redis was wiped, restarted or replaced), nothing is granted for one full window,
    because what was granted before is unknown. ``now_us`` replaces the server's clock in tests.
    """

    def __init__(
        self,
        client: redis.Redis,
        account_id: int,
        client_id: str,
        *,
        per_second: int = PER_SECOND,
        now_us: Callable[[], int] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._redis = client
        self._script = client.register_script(SCRIPT)
        self.account_id = account_id
        name = f"amo:budget:{{{account_id}:{client_id}}}"
        self._keys = [f"{name}:log", f"{name}:state"]
        self._per_second = per_second
        self._gap_us = int(WINDOW_US / per_second * SPREAD)
        self._now_us = now_us
        self._sleep = sleep

    def ask(self, priority: Priority) -> float:
        """Take a grant now if there is one: 0 when granted, else the seconds after which asking again pays.

        Raises AccountBlocked while the breaker is open.
        """
        now = "" if self._now_us is None else self._now_us()
        arguments = [self._per_second, WINDOW_US, self._gap_us, int(priority), IDLE_S, GRACE_US, now]
        code, value, *_ = self._script(keys=self._keys, args=arguments)
        if int(code) == 2:
            reason = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            raise blocked(self.account_id, reason)
        return 0.0 if int(code) == 0 else int(value) / 1e6

    def acquire(self, priority: Priority, timeout_s: float) -> None:
        """Wait for a grant. Raises AmoRateLimited after ``timeout_s``, AccountBlocked while the breaker is
        open.

        Without Redis nothing is granted: guessing the budget is what gets accounts banned.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            cause: Exception | None = None
            try:
                wait_s = self.ask(priority)
            except _UNREACHABLE as error:
                cause, wait_s = error, 0.5
            if wait_s == 0.0:
                return
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise AmoRateLimited(
                    "The request budget of the account is used up."
                    if cause is None
                    else "Redis is out of reach.",
                    remedy="It passes by itself." if cause is None else "Check that Redis is up.",
                    account_id=self.account_id,
                    retry_after_s=max(wait_s, 1.0),
                ) from cause
            # A few milliseconds apart, so that waiters of many processes do not all ask in the same instant.
            self._sleep(min(wait_s + random.uniform(0, 0.003), left_s))  # noqa: S311

    def pause(self, seconds: float) -> None:
        """Grant nothing for so long. A longer pause that already runs is not shortened."""
        try:
            until = self._time_us() + int(seconds * 1e6)
            current = self._redis.hget(self._keys[1], "hold")
            if current is None or int(current) < until:
                self._write({"hold": until}, seconds)
        except _UNREACHABLE as error:
            log.warning("amocrm.pause_not_shared", account_id=self.account_id, reason=type(error).__name__)

    def trip(self, reason: str, seconds: float = BLOCKED_S) -> None:
        """Open the breaker: every process gets AccountBlocked without calling amoCRM."""
        log.error("amocrm.breaker_opened", account_id=self.account_id, reason=reason)
        try:
            until = self._time_us() + int(seconds * 1e6)
            self._write({"blocked": reason, "blocked_until": until}, seconds)
        except _UNREACHABLE as error:
            # Without Redis nobody is granted anything anyway; the next call after it will meet the ban again.
            log.warning("amocrm.breaker_not_shared", account_id=self.account_id, reason=type(error).__name__)

    def _write(self, fields: dict[Any, Any], seconds: float) -> None:
        self._redis.hset(self._keys[1], mapping=fields)
        self._redis.expire(self._keys[1], max(IDLE_S, int(seconds) + 1))

    def reset(self) -> None:
        """Close the breaker (a person says that the ban is lifted)."""
        self._redis.hdel(self._keys[1], "blocked", "blocked_until")

    def _time_us(self) -> int:
        if self._now_us is not None:
            return self._now_us()
        seconds, micros = self._redis.time()
        return int(seconds) * 1_000_000 + int(micros)


def blocked(account_id: int, reason: str) -> AccountBlocked:
    """The error for an account that amoCRM has banned."""
    return AccountBlocked(
        f"amoCRM has blocked the account's traffic ({reason}).",
        remedy=BAN_REMEDY,
        account_id=account_id,
        reason=reason,
    )
