"""What every job has in common: log context, one run at a time, and error class → what happens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, wraps
from threading import Event, Thread
from typing import Any

import structlog
from sqlalchemy import exists, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from widget_backend import schedule
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import AccountBlocked, AmoForbidden, AppError, NeedsReauthorization, Retriable
from widget_backend.jobs import Job
from widget_backend.oauth.models import SYNCING, Account, AccountState, InstallRequest
from widget_backend.schedule import Claim
from workers.celery_app import app

log = structlog.get_logger(__name__)

# A job gets the services and the account. True: "there is more to do, run me again at once"; a moment:
# "run me again then", instead of after the usual interval.
AccountJob = Callable[[Services, Account], bool | datetime | None]

# How long a job rests at least after an error that people have to settle; all others rest ever longer, from
# seconds to a quarter of an hour. A banned or unpaid account is asked now and then whether it still is.
REST_S: dict[type[AppError], float] = {AccountBlocked: 900.0, AmoForbidden: 3600.0}


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

    If another process is at the same job of the same account, nothing is touched: that one is alive, renews
    its lease, and sees from the row whether somebody asked meanwhile.
    """
    with (
        structlog.contextvars.bound_contextvars(account_id=claim.account_id, job=str(claim.job)),
        try_lock(made.engine, claim.job, claim.account_id) as alone,
    ):
        if not alone:
            log.info("job.already_running")
            return
        started_at = now()
        with session_scope(made.engine) as session:
            if not schedule.renew(session, claim):
                return
        try:
            with _kept_alive(made, claim):
                answer = function(made, made.account(claim.account_id))
        except AppError as error:
            log.warning("job.failed", error=type(error).__name__, reason=error.message, **_context(error))
            _end(made, claim, error, started_at)
        except Exception as error:
            # The last place that can release the row; the traceback goes to the log, the row is retried.
            log.exception("job.crashed")
            _end(made, claim, AppError(f"{type(error).__name__}: unexpected; see the log."), started_at)
        else:
            with session_scope(made.engine) as session:
                next_at = answer if isinstance(answer, datetime) else None
                schedule.finish(session, claim, again=answer is True, next_at=next_at)


def _context(error: AppError) -> dict[str, Any]:
    """The error's own fields, but for names that the log line has already."""
    return {k: v for k, v in error.context.items() if k not in ("account_id", "job", "error", "reason")}


@contextmanager
def _kept_alive(made: Services, claim: Claim) -> Iterator[None]:
    """Renew the lease in the background for as long as the job runs."""
    done = Event()

    def renew() -> None:
        while not done.wait(schedule.LEASE_S / 3):
            try:
                with session_scope(made.engine) as session:
                    schedule.renew(session, claim)
            except SQLAlchemyError as error:
                # The database is away for a moment; two more chances before the lease runs out.
                log.warning("job.lease_not_renewed", account_id=claim.account_id, error=type(error).__name__)

    keeper = Thread(target=renew, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def rest_s(error: AppError) -> float | None:
    """Seconds a job rests at least after this error; None leaves it to the number of failures."""
    if isinstance(error, Retriable):
        return error.retry_after_s
    return next((seconds for kind, seconds in REST_S.items() if isinstance(error, kind)), None)


def _end(made: Services, claim: Claim, error: AppError, started_at: datetime) -> None:
    """Write the failure down; dead tokens stop the account until somebody authorises it again."""
    with session_scope(made.engine) as session:
        if isinstance(error, NeedsReauthorization) and not _authorised_since(session, claim, started_at):
            account = session.get_one(Account, claim.account_id, with_for_update=True)
            if account.state in SYNCING:
                account.state, account.state_reason = AccountState.REAUTH_REQUIRED, error.message
                account.updated_at = now()
        schedule.fail(session, claim, error.message, retry_after_s=rest_s(error))


def _authorised_since(session: Session, claim: Claim, moment: datetime) -> bool:
    """Whether the account was authorised again while this job was at work with the old tokens."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    InstallRequest.account_id == claim.account_id, InstallRequest.finished_at >= moment
                )
            )
        )
    )
