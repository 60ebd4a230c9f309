"""Sends queued hooks: two seconds to answer, the vendor's retries, and the switch-off of bad destinations."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import random
import threading
from dataclasses import dataclass
from typing import Any

import urllib3

from sandbox.amocrm.world import World

THREADS = 4
DISABLE_WINDOW_S = 7200
# Before attempt 2, 3, 4, 5; the last two only after 499 and 5xx. A timeout or no connection counts as 499.
RETRY_DELAYS_S = (300, 900, 900, 3600)
NO_ANSWER = 499


def retry_delay_s(attempts: int, status: int) -> float | None:
    """Seconds until the next try after so many attempts, the last with this status; None: given up."""
    if attempts > len(RETRY_DELAYS_S):
        return None
    if attempts >= 3 and not (status == NO_ANSWER or 500 <= status <= 599):
        return None
    return float(RETRY_DELAYS_S[attempts - 1])


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A delivery that is due."""

    id: int
    webhook_id: int | None
    destination: str
    method: str
    body: bytes
    attempts: int
    queued_at: float


class Delivery:
    """Worker threads over the table `deliveries`; what is pending survives the process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = urllib3.PoolManager(num_pools=64, maxsize=THREADS, retries=False)
        self._changed = threading.Condition()
        self._stop = False
        self._taken: set[int] = set()
        self._random = random.Random(7)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        world.wake_delivery = self.wake
        world.clock.on_jump(lambda _: self.wake())

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look again: something was queued, or time jumped."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Let the threads finish what they are sending."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)
        self._pool.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._stop:
                    return
                parcel, wait_s = self._next()
                if parcel is None:
                    self._changed.wait(wait_s)
                    continue
                self._taken.add(parcel.id)
            try:
                self._handle(parcel)
            finally:
                with self._changed:
                    self._taken.discard(parcel.id)

    def _next(self) -> tuple[Parcel | None, float | None]:
        """The next due parcel nobody has in hand; else how long to sleep (None: until woken)."""
        now = self._world.clock.now()
        with self._world.store.read() as connection:
            rows = connection.execute(
                "SELECT id, webhook_id, destination, method, body, attempts, queued_at, due_at"
                " FROM deliveries WHERE state = 'pending' ORDER BY due_at, id LIMIT ?",
                (THREADS + 1,),
            ).fetchall()
        for row in rows:
            if row[0] in self._taken:
                continue
            if row[7] > now:
                return None, min(float(row[7] - now), 3600.0)
            names = ("id", "webhook_id", "destination", "method", "body", "attempts", "queued_at")
            return Parcel(**dict(zip(names, row[:7], strict=True))), None
        return None, None

    def _handle(self, parcel: Parcel) -> None:
        if parcel.attempts == 0 and self._bent(parcel):
            return
        status = self._send(parcel)
        if parcel.attempts == 0 and self._chance("hook_duplicate_pct"):
            self._send(parcel)
        if 100 <= status <= 299 or parcel.webhook_id is None:
            self._settle(parcel, "done" if 100 <= status <= 299 else "failed", status)
            return
        self._note_bad(parcel, status)

    def _bent(self, parcel: Parcel) -> bool:
        """Whether a hook fault takes the parcel: lost for good, or late."""
        switches = self._world.switches
        if parcel.webhook_id is None:
            return False
        if self._chance("hook_drop_pct"):
            self._settle(parcel, "dropped", None)
            return True
        late = parcel.queued_at + float(switches["hook_delay_s"])
        if late > self._world.clock.now() and self._chance("hook_delay_pct"):
            self._postpone(parcel, late, parcel.attempts, None)
            return True
        return False

    def _chance(self, name: str) -> bool:
        percent = float(self._world.switches[name])
        return percent > 0 and self._random.random() * 100 < percent

    def _send(self, parcel: Parcel) -> int:
        """The answer's status; 499 for none within the time limit."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}
        timeout = urllib3.Timeout(total=float(self._world.switches["hook_timeout_s"]))
        try:
            response = self._pool.request(
                parcel.method,
                parcel.destination,
                body=bytes(parcel.body) if parcel.method == "POST" else None,
                headers=headers if parcel.method == "POST" else {},
                timeout=timeout,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return NO_ANSWER
        return int(response.status)

    def _settle(self, parcel: Parcel, state: str, status: int | None) -> None:
        self._update(parcel, "state = ?, attempts = attempts + 1, last_status = ?", state, status)

    def _postpone(self, parcel: Parcel, due_at: float, attempts: int, status: int | None) -> None:
        self._update(parcel, "due_at = ?, attempts = ?, last_status = ?", due_at, attempts, status)
        self.wake()

    def _update(self, parcel: Parcel, sets: str, *values: Any) -> None:
        with self._world.store.write() as connection:
            connection.execute(f"UPDATE deliveries SET {sets} WHERE id = ?", (*values, parcel.id))

    def _note_bad(self, parcel: Parcel, status: int) -> None:
        """Plan the retry; switch the subscription off when more than 100 answers of two hours were bad."""
        now = self._world.clock.now()
        attempts = parcel.attempts + 1
        delay_s = retry_delay_s(attempts, status)
        with self._world.store.write() as connection:
            connection.execute("INSERT INTO bad_answers VALUES (?, ?)", (parcel.webhook_id, now))
            connection.execute(
                "DELETE FROM bad_answers WHERE webhook_id = ? AND at < ?",
                (parcel.webhook_id, now - DISABLE_WINDOW_S),
            )
            count = connection.execute(
                "SELECT count(*) FROM bad_answers WHERE webhook_id = ?", (parcel.webhook_id,)
            ).fetchone()[0]
            if count > self._world.switches["hook_disable_after"]:
                self._disable(connection, parcel.webhook_id, now)
                delay_s = None
        if delay_s is None:
            self._settle(parcel, "failed", status)
        else:
            scale = float(self._world.switches["hook_retry_scale"])
            self._postpone(parcel, now + delay_s * scale, attempts, status)

    @staticmethod
    def _disable(connection: Any, webhook_id: int | None, now: float) -> None:
        connection.execute(
            "UPDATE webhooks SET disabled = 1, updated_at = ? WHERE id = ?", (int(now), webhook_id)
        )
        connection.execute(
            "UPDATE deliveries SET state = 'failed' WHERE webhook_id = ? AND state = 'pending'", (webhook_id,)
        )
