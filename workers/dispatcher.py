"""The `beat` process: turns due rows into queue messages. Any number may run; each row goes to one of them.

It sleeps until a transaction notifies it or the sweep interval has passed, waits a moment so that a burst of
hooks becomes one job, and hands out what is due.
"""

import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Event
from types import FrameType

import psycopg
import structlog
from kombu.exceptions import ChannelError, KombuError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from widget_backend import logs
from widget_backend.bootstrap import Services, wait_for_role
from widget_backend.db.engine import session_scope
from widget_backend.errors import ConfigError
from widget_backend.jobs import Job
from widget_backend.oauth.models import InstallRequest
from widget_backend.schedule import CHANNEL, Claim, claim_due, release, retry_delay_s
from workers.celery_app import app

log = structlog.get_logger(__name__)
SWEEP_S = 5.0
COALESCE_S = 0.5
# How soon a request to stop is noticed.
BLINK_S = 0.5
BATCH = 200
LONGEST_INSTALL_RETRY_S = 300.0
QUEUE_LOST = (KombuError, ChannelError)
# Either server is away, restarting or refuses for now; everything else is a defect and ends the process.
SERVER_LOST = (DBAPIError, psycopg.Error, *QUEUE_LOST)


@dataclass(kw_only=True)
class InstallRetries:
    """When each unfinished install request may be sent again (seconds of the monotonic clock).

    The task notes in the request's row how it ended; one that is still open failed for now, or its message
    was lost. In memory only: after a restart of this process each is tried at once, which does no harm.
    """

    tries: dict[int, tuple[int, float]] = field(default_factory=dict)

    def due(self, waiting: Iterable[int], moment_s: float) -> list[int]:
        """Those of ``waiting`` to send now; each rests 5, 10, 20 … 300 s before the next time."""
        self.tries = {id_: self.tries.get(id_, (0, moment_s)) for id_ in waiting}
        found = [id_ for id_, (_, at_s) in self.tries.items() if at_s <= moment_s]
        for id_ in found:
            count = self.tries[id_][0]
            self.tries[id_] = (count + 1, moment_s + min(retry_delay_s(count), LONGEST_INSTALL_RETRY_S))
        return found


def dispatch(services: Services, installs: InstallRetries) -> int:
    """Hand out everything that is due now; returns how many messages were sent."""
    sent = 0
    while True:
        with services.engine.begin() as connection:
            claims = claim_due(connection, BATCH)
        _send(services, claims)
        sent += len(claims)
        if len(claims) < BATCH:
            break
    with session_scope(services.engine) as session:
        waiting = session.scalars(
            select(InstallRequest.id)
            .where(InstallRequest.finished_at.is_(None))
            .order_by(InstallRequest.received_at)
            .limit(BATCH)
        ).all()
    for request_id in installs.due(waiting, time.monotonic()):
        app.send_task(str(Job.EXCHANGE_CODE), args=[request_id])
        sent += 1
    return sent


def _send(services: Services, claims: list[Claim]) -> None:
    """One message for each claim; those that could not be sent are given back."""
    left = list(claims)
    try:
        while left:
            app.send_task(str(left[0].job), args=[left[0].account_id, left[0].seen])
            left.pop(0)
    except QUEUE_LOST:
        with session_scope(services.engine) as session:
            for claim in left:
                release(session, claim)
        raise


def listen(services: Services, installs: InstallRetries, stop: Event) -> None:
    """Dispatch whenever something was asked for, and at least every few seconds, until told to stop."""
    address = services.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        # Before the first look: what was committed earlier needs no notice, what comes later gives one.
        dispatch(services, installs)
        log.info("dispatcher.listening")
        while not stop.is_set():
            if _heard(connection, stop):
                stop.wait(COALESCE_S)
                for _ in connection.notifies(timeout=0):
                    pass
            if not stop.is_set():
                dispatch(services, installs)


def _heard(connection: psycopg.Connection, stop: Event) -> bool:
    """Wait for a notice; False when the sweep interval has passed or we are to stop."""
    deadline = time.monotonic() + SWEEP_S
    while not stop.is_set() and time.monotonic() < deadline:
        if next(connection.notifies(timeout=BLINK_S, stop_after=1), None) is not None:
            return True
    return False


def keep_listening(services: Services, stop: Event) -> None:
    """Listen until told to stop; a lost database or Redis is waited for, and named once per outage."""
    installs, down = InstallRetries(), False
    while not stop.is_set():
        try:
            if not down:
                listen(services, installs, stop)
            else:
                dispatch(services, installs)
                down = False
                log.info("dispatcher.servers_back")
        except SERVER_LOST as error:
            if not down:
                log.warning("dispatcher.server_lost", error=type(error).__name__)
            down = True
            stop.wait(1)


def main() -> int:
    """Run until SIGTERM or SIGINT, and finish handing out what was claimed. 1 if it is set up wrongly."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        services = Services.from_environ()
        logs.configure(services.settings.log_level)
        wait_for_role(services.engine, stop.wait)
    except ConfigError as error:
        print(error.one_line(), file=sys.stderr)
        return 1
    keep_listening(services, stop)
    services.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
