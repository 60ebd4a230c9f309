"""What every job has in common: log context, one run at a time, and error class → what happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from threading import Event, Thread
from typing import Any

import structlog

from widget_backend import schedule
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import AccountBlocked, AppError, NeedsReauthorization, Retriable
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account, AccountState
from widget_backend.schedule import Claim
from workers.celery_app import app

log = structlog.get_logger(__name__)
BLOCKED_RETRY_S = 900.0

# A job gets the services and the account; True means "there is more to do, run me again at once".
AccountJob = Callable[[Services, Account], bool | None]


@lru_cache(maxsize=1)
def services() -> Services:
    """This process's services, made on first use."""
    return Services.from_environ()


def forget_services() -> None:
    """Drop connections inherited from the parent process without closing them there."""
    if services.cache_info().currsize:
        inherited = services()
        if "engine" in inherited.__dict__:
            inherited.engine.dispose(close=False)
    services.cache_clear()


def account_job(job: Job) -> Callable[[AccountJob], Any]:
    """Make a function the Celery task of ``job``."""

    def decorate(function: AccountJob) -> Any:
        @wraps(function)
        def task(account_id: int, seen: int) -> None:
            run(services(), Claim(account_id=account_id, job=job, seen=seen), function)

        return app.task(name=str(job))(task)

    return decorate


def run(made: Services, claim: Claim, function: AccountJob) -> None:
    """Run one claimed job and write down how it ended.

    If another process is at the same job of the same account, the claim is given back and tried again soon.
    """
    with (
        structlog.contextvars.bound_contextvars(account_id=claim.account_id, job=str(claim.job)),
        try_lock(made.engine, claim.job, claim.account_id) as alone,
    ):
        if not alone:
            _end(made, claim, Retriable("The job is already running.", retry_after_s=5))
            return
        with session_scope(made.engine) as session:
            if not schedule.renew(session, claim):
                return
        try:
            with _kept_alive(made, claim):
                again = bool(function(made, made.account(claim.account_id)))
        except AppError as error:
            log.warning("job.failed", error=type(error).__name__, reason=error.message, **error.context)
            _end(made, claim, error)
        except Exception as error:
            # The last place that can release the row; the traceback goes to the log, the row is retried.
            log.exception("job.crashed")
            _end(made, claim, AppError(f"{type(error).__name__}: unexpected; see the log."))
        else:
            with session_scope(made.engine) as session:
                schedule.finish(session, claim, again=again)


@contextmanager
def _kept_alive(made: Services, claim: Claim) -> Iterator[None]:
    """Renew the lease in the background for as long as the job runs."""
    done = Event()

    def renew() -> None:
        while not done.wait(schedule.LEASE_S / 3):
            with session_scope(made.engine) as session:
                schedule.renew(session, claim)

    keeper = Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _end(made: Services, claim: Claim, error: AppError) -> None:
    """The table of error class → what happens to the job and the account."""
    with session_scope(made.engine) as session:
        if isinstance(error, NeedsReauthorization):
            account = session.get_one(Account, claim.account_id)
            if account.state != AccountState.DISCONNECTED:
                account.state, account.state_reason = AccountState.REAUTH_REQUIRED, error.message
        retry_after_s = error.retry_after_s if isinstance(error, Retriable) else None
        if isinstance(error, AccountBlocked):
            retry_after_s = BLOCKED_RETRY_S
        schedule.fail(session, claim, error.message, retry_after_s=retry_after_s)
