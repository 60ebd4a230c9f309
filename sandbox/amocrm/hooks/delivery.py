"""Sends queued hooks: two seconds to answer, the vendor's retries, and the switch-off of bad destinations."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import random
import sqlite3
import threading
import uuid
from dataclasses import dataclass, fields
from typing import Any

import urllib3

from sandbox.amocrm.world import World

THREADS = 4
DISABLE_WINDOW_S = 7200
# Before attempt 2, 3, 4, 5; the last two only after 499 and 5xx. A timeout or no connection counts as 499.
RETRY_DELAYS_S = (300, 900, 900, 3600)
NO_ANSWER = 499
SHORT_BODY = 65536
# Digital-pipeline hooks, where they are retried at all: four times within an hour; after more than a hundred
# bad answers in five minutes the hook rests for five minutes.
PIPELINE_DELAYS_S = (300, 900, 900, 1500)
PIPELINE_REST_S = 300
PIPELINE_BAD_ANSWERS = 100


def retry_delay_s(attempts: int, status: int) -> float | None:
    """Seconds until the next try after so many attempts, the last with this status; None: given up."""
    if attempts > len(RETRY_DELAYS_S):
        return None
    if attempts >= 3 and not (status == NO_ANSWER or 500 <= status <= 599):
        return None
    return float(RETRY_DELAYS_S[attempts - 1])


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A delivery that is due: of a subscription, of the digital pipeline, or (neither) sent once."""

    id: int
    webhook_id: int | None
    pipeline_hook_id: int | None
    destination: str
    method: str
    body: bytes
    attempts: int
    queued_at: float
    due_at: float

    @property
    def is_first_try(self) -> bool:
        """Whether nothing has happened to it yet, a delay by fault neither."""
        return self.attempts == 0 and self.due_at == self.queued_at


_COLUMNS = tuple(field.name for field in fields(Parcel))


class Delivery:
    """Worker threads over the table `deliveries`; what is pending survives the process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = urllib3.PoolManager(num_pools=64, maxsize=THREADS, retries=False)
        self._changed = threading.Condition()
        self._stop = False
        self._taken: set[int] = set()
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
                f"SELECT {', '.join(_COLUMNS)} FROM deliveries WHERE state = 'pending'"
                " ORDER BY due_at, id LIMIT ?",
                (THREADS + 1,),
            ).fetchall()
        for row in rows:
            parcel = Parcel(**dict(zip(_COLUMNS, row, strict=True)))
            if parcel.id in self._taken:
                continue
            if parcel.due_at > now:
                return None, min(float(parcel.due_at - now), 3600.0)
            return parcel, None
        return None, None

    def _handle(self, parcel: Parcel) -> None:
        if not self._still_wanted(parcel):
            self._update(parcel, "state = 'cancelled'")
            return
        if parcel.is_first_try and self._bent(parcel):
            return
        status = self._send(parcel)
        if parcel.attempts == 0 and self._chance(parcel, "hook_duplicate_pct"):
            self._send(parcel)
        if 100 <= status <= 299:
            self._settle(parcel, "done", status)
        elif parcel.webhook_id is not None:
            self._note_bad(parcel, status)
        elif parcel.pipeline_hook_id is not None:
            self._note_bad_trigger(parcel, status)
        else:
            self._settle(parcel, "failed", status)

    def _still_wanted(self, parcel: Parcel) -> bool:
        """Whether who asked for it is still there: a subscription that is gone or off gets nothing more."""
        if parcel.webhook_id is None:
            return True
        with self._world.store.read() as connection:
            found = connection.execute(
                "SELECT 1 FROM webhooks WHERE id = ? AND disabled = 0", (parcel.webhook_id,)
            ).fetchone()
        return found is not None

    def _bent(self, parcel: Parcel) -> bool:
        """Whether a hook fault takes the parcel: lost for good, or late."""
        if parcel.webhook_id is None:
            return False
        if self._chance(parcel, "hook_drop_pct"):
            self._settle(parcel, "dropped", None)
            return True
        late = parcel.queued_at + float(self._world.switches["hook_delay_s"])
        if late > self._world.clock.now() and self._chance(parcel, "hook_delay_pct"):
            self._postpone(parcel, late, parcel.attempts, None)
            return True
        return False

    def _chance(self, parcel: Parcel, name: str) -> bool:
        """Whether the fault strikes this parcel; the same parcels in every run, whichever thread has them."""
        percent = float(self._world.switches[name])
        return percent > 0 and random.Random(f"{name}:{parcel.id}").random() * 100 < percent

    def _send(self, parcel: Parcel) -> int:
        """The answer's status; 499 for none within the time limit."""
        headers = {"User-Agent": "amoCRM-Webhooks/3.0", "X-Amocrm-Requestid": str(uuid.uuid4())}
        if parcel.method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        timeout = urllib3.Timeout(total=float(self._world.switches["hook_timeout_s"]))
        try:
            response = self._pool.request(
                parcel.method,
                parcel.destination,
                body=bytes(parcel.body) if parcel.method == "POST" else None,
                headers=headers,
                timeout=timeout,
                redirect=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return NO_ANSWER
        _let_go(response)
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
        delay_s = retry_delay_s(parcel.attempts + 1, status)
        with self._world.store.write() as connection:
            count = _count_bad(connection, int(parcel.webhook_id or 0), now, DISABLE_WINDOW_S)
            if count > self._world.switches["hook_disable_after"]:
                _disable(connection, int(parcel.webhook_id or 0), now)
                delay_s = None
        self._again_or_never(parcel, now, delay_s, status)

    def _note_bad_trigger(self, parcel: Parcel, status: int) -> None:
        """A digital-pipeline hook: by switch sent once, or four times more within an hour with rests."""
        if self._world.switches["pipeline_hook_retries"] == "none":
            self._settle(parcel, "failed", status)
            return
        now = self._world.clock.now()
        tried = parcel.attempts + 1
        delay_s = float(PIPELINE_DELAYS_S[tried - 1]) if tried <= len(PIPELINE_DELAYS_S) else None
        hook_id = int(parcel.pipeline_hook_id or 0)
        with self._world.store.write() as connection:
            # Below zero, so that they never meet the subscriptions' numbers.
            count = _count_bad(connection, -hook_id, now, PIPELINE_REST_S)
            if count > PIPELINE_BAD_ANSWERS:
                _let_rest(connection, hook_id, now + PIPELINE_REST_S)
        self._again_or_never(parcel, now, delay_s, status)

    def _again_or_never(self, parcel: Parcel, now: float, delay_s: float | None, status: int) -> None:
        if delay_s is None:
            self._settle(parcel, "failed", status)
            return
        scale = float(self._world.switches["hook_retry_scale"])
        self._postpone(parcel, now + delay_s * scale, parcel.attempts + 1, status)


def _let_go(response: urllib3.BaseHTTPResponse) -> None:
    """The status is all that counts: a short body is read, so that the connection serves again."""
    length = response.headers.get("Content-Length", "")
    if response.status == 204 or (length.isdecimal() and int(length[:9]) <= SHORT_BODY):
        response.drain_conn()
        response.release_conn()
    else:
        response.close()


def _count_bad(connection: sqlite3.Connection, key: int, now: float, window_s: float) -> int:
    """Write one bad answer down; how many there were within the window."""
    connection.execute("INSERT INTO bad_answers VALUES (?, ?)", (key, now))
    connection.execute("DELETE FROM bad_answers WHERE webhook_id = ? AND at < ?", (key, now - window_s))
    found = connection.execute("SELECT count(*) FROM bad_answers WHERE webhook_id = ?", (key,)).fetchone()
    return int(found[0])


def _disable(connection: sqlite3.Connection, webhook_id: int, now: float) -> None:
    connection.execute(
        "UPDATE webhooks SET disabled = 1, updated_at = ? WHERE id = ?", (int(now), webhook_id)
    )
    connection.execute(
        "UPDATE deliveries SET state = 'failed' WHERE webhook_id = ? AND state = 'pending'", (webhook_id,)
    )


def _let_rest(connection: sqlite3.Connection, hook_id: int, until: float) -> None:
    """Nothing of the hook is tried before this moment."""
    connection.execute(
        "UPDATE deliveries SET due_at = max(due_at, ?) WHERE pipeline_hook_id = ? AND state = 'pending'",
        (until, hook_id),
    )
