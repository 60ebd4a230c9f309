"""The `beat` process: turns due rows into queue messages. Any number may run; each row goes to one of them.

It sleeps until a transaction notifies it or the sweep interval has passed, waits a moment so that a burst of
hooks becomes one job, and hands out what is due.
"""

import os
import signal
import sys
import time
from threading import Event
from types import FrameType

import psycopg
import structlog
from kombu.exceptions import OperationalError as QueueDown
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from widget_backend import logs
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.errors import ConfigError
from widget_backend.jobs import Job
from widget_backend.oauth.models import InstallRequest
from widget_backend.schedule import CHANNEL, claim_due, release
from workers.celery_app import app

log = structlog.get_logger(__name__)
SWEEP_S = 5.0
COALESCE_S = 0.5


def dispatch(services: Services) -> int:
    """Hand out everything that is due now; returns how many messages were sent."""
    with services.engine.begin() as connection:
        claims = claim_due(connection)
    try:
        for claim in claims:
            app.send_task(str(claim.job), args=[claim.account_id, claim.seen])
    except QueueDown:
        with session_scope(services.engine) as session:
            for claim in claims:
                release(session, claim)
        raise
    with session_scope(services.engine) as session:
        waiting = session.scalars(
            select(InstallRequest.id).where(
                InstallRequest.finished_at.is_(None), InstallRequest.received_at <= now()
            )
        ).all()
    for request_id in waiting:
        # Sent again at each sweep until it is finished; the task takes the row's lock, so one does it.
        app.send_task(str(Job.EXCHANGE_CODE), args=[request_id])
    return len(claims) + len(waiting)


def listen(services: Services, stop: Event) -> None:
    """Dispatch whenever something was asked for, and at least every few seconds, until told to stop."""
    address = services.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        log.info("dispatcher.listening")
        while not stop.is_set():
            dispatch(services)
            heard = next(connection.notifies(timeout=SWEEP_S, stop_after=1), None)
            if heard is not None:
                stop.wait(COALESCE_S)
                for _ in connection.notifies(timeout=0):
                    pass


def main() -> int:
    """Run until SIGTERM or SIGINT; a lost database or Redis is waited for."""
    logs.configure(os.environ.get("LOG_LEVEL") or "INFO")
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        # `notifies` blocks in C; the exception ends it at once.
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        services = Services.from_environ()
    except ConfigError as error:
        print(error.one_line(), file=sys.stderr)
        return 1
    down = False
    while not stop.is_set():
        try:
            listen(services, stop)
        except (OperationalError, psycopg.OperationalError, QueueDown) as error:
            if not down:
                log.warning("dispatcher.server_lost", error=type(error).__name__)
            down = True
            time.sleep(1)
        else:
            down = False
    return 0


if __name__ == "__main__":
    sys.exit(main())
