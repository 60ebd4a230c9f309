"""Who has to do what, and when: rows of ``schedule``. A queue message is only a hint that a row is due.

A job is handed out by ``claim_due`` (one taker, whatever the number of dispatchers), runs under a lease, and
ends in ``finish`` or ``fail``. A lost message or a killed worker costs the rest of the lease, nothing else;
lost again and again, the row is handed out ever more rarely, so that neither a job that kills its worker nor
an absent worker fills the queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from widget_backend.clock import now
from widget_backend.jobs import Job
from widget_backend.oauth.models import SYNCING, Account, AccountState
from widget_backend.sync.models import Schedule

# A running job renews its lease; a killed one is handed out again after at most this long.
LEASE_S = 60
FIRST_RETRY_S = 5
LONGEST_RETRY_S = 900
CHANNEL = "work"
LOST = "The worker or its message was lost."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A job handed out: ``seen`` is the number of requests for it that the run will have answered."""

    account_id: int
    job: Job
    seen: int


def plan(session: Session, account_id: int, jobs: Mapping[Job, int]) -> None:
    """Make each job due at once and then every so many seconds; rows that exist get the new interval.

    What failed before is forgotten, and a job that runs now runs once more: the account has just been
    installed, authorised again or resumed.
    """
    for job, every_s in jobs.items():
        statement = insert(Schedule).values(
            account_id=account_id, job=job, due_at=now(), every_s=every_s, requests=0, failures=0
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["account_id", "job"],
                set_={
                    "every_s": every_s,
                    "due_at": statement.excluded.due_at,
                    "leased_until": None,
                    "requests": Schedule.requests + 1,
                    "failures": 0,
                    "last_error": None,
                },
            )
        )
    notify(session)


def request(session: Session, account_id: int, job: Job) -> None:
    """Ask for a job now. If it is running, it runs once more afterwards. Wakes the dispatcher on commit.

    A job that failed keeps its pause: many hooks must not turn into as many attempts on an amoCRM that is
    down.
    """
    sooner = case((Schedule.failures == 0, func.least(Schedule.due_at, now())), else_=Schedule.due_at)
    session.execute(
        update(Schedule)
        .where(Schedule.account_id == account_id, Schedule.job == job)
        .values(requests=Schedule.requests + 1, due_at=sooner)
    )
    notify(session)


def cancel(session: Session, account_id: int) -> None:
    """Forget all jobs of an account (it disconnected)."""
    session.execute(text("DELETE FROM schedule WHERE account_id = :id"), {"id": account_id})


def notify(session: Session) -> None:
    """Wake the dispatchers when this transaction commits."""
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})


def claim_due(connection: Connection, limit: int = 200) -> list[Claim]:
    """Take up to ``limit`` due jobs of accounts that may work, oldest first, and lease them.

    A row whose lease ran out was lost on the way: that counts as a failure, and from the second time on it
    waits as long as any other failed job.
    """
    moment = now()
    due = (
        select(Schedule.account_id, Schedule.job)
        .join(Account, Account.account_id == Schedule.account_id)
        .where(
            Schedule.due_at <= moment,
            or_(Schedule.leased_until.is_(None), Schedule.leased_until + _lost_delay() < moment),
            _may_work(),
        )
        .order_by(Schedule.due_at, Schedule.account_id, Schedule.job)
        .limit(limit)
        .with_for_update(of=Schedule, skip_locked=True)
        .cte("due")
    )
    lost = Schedule.leased_until.is_not(None)
    rows = connection.execute(
        update(Schedule)
        .where(Schedule.account_id == due.c.account_id, Schedule.job == due.c.job)
        .values(
            leased_until=moment + timedelta(seconds=LEASE_S),
            failures=Schedule.failures + case((lost, 1), else_=0),
            last_error=case((lost, LOST), else_=Schedule.last_error),
        )
        .returning(Schedule.account_id, Schedule.job, Schedule.requests)
    )
    return [Claim(account_id=r.account_id, job=Job(r.job), seen=r.requests) for r in rows]


def _lost_delay() -> ColumnElement[timedelta]:
    """How long a lost row rests beyond its lease: nothing the first time, then as after failures."""
    doubled = FIRST_RETRY_S * func.power(2, func.least(Schedule.failures, 20) - 1)
    seconds = case((Schedule.failures == 0, 0), else_=func.least(doubled, LONGEST_RETRY_S))
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _may_work() -> ColumnElement[bool]:
    """Accounts at work; of a paused one only the tokens are kept alive, which die if nobody renews them."""
    resting = and_(Account.state == AccountState.PAUSED, Schedule.job == Job.REFRESH_TOKEN)
    return or_(Account.state.in_(SYNCING), resting)


def renew(session: Session, claim: Claim) -> bool:
    """Start or go on with a claimed job; False if it is not to be done any more.

    Another run may have answered it, or the account was paused or removed while the message was waiting.
    """
    moment = now()
    renewed = session.scalars(
        update(Schedule)
        .where(
            Schedule.account_id == claim.account_id,
            Schedule.job == claim.job,
            Schedule.due_at <= moment,
            Account.account_id == Schedule.account_id,
            _may_work(),
        )
        .values(leased_until=moment + timedelta(seconds=LEASE_S))
        .returning(Schedule.requests)
    )
    return renewed.first() is not None


def release(session: Session, claim: Claim) -> None:
    """Give a claimed job back untouched: its message could not be sent."""
    session.execute(
        update(Schedule)
        .where(Schedule.account_id == claim.account_id, Schedule.job == claim.job)
        .values(leased_until=None)
    )


def finish(session: Session, claim: Claim, *, again: bool = False, next_at: datetime | None = None) -> None:
    """The job is done: due again after its interval or at ``next_at``, or at once if ``again`` or asked for
    meanwhile.
    """
    moment = now()
    wanted = true() if again else Schedule.requests != claim.seen
    due_now = session.scalars(
        update(Schedule)
        .where(Schedule.account_id == claim.account_id, Schedule.job == claim.job)
        .values(
            leased_until=None,
            failures=0,
            last_error=None,
            last_done_at=moment,
            due_at=case((wanted, moment), else_=_next(moment, next_at)),
        )
        .returning(Schedule.due_at <= moment)
    ).first()
    if due_now:
        notify(session)


def _next(moment: datetime, next_at: datetime | None) -> Any:
    return next_at or moment + func.make_interval(0, 0, 0, 0, 0, 0, Schedule.every_s)


def retry_delay_s(failures: int, asked_s: float | None = None) -> float:
    """Seconds until the next try after so many failures in a row; never shorter than the other side asked."""
    return max(min(FIRST_RETRY_S * 2.0 ** min(failures, 20), LONGEST_RETRY_S), asked_s or 0.0)


def fail(session: Session, claim: Claim, error: str, *, retry_after_s: float | None = None) -> None:
    """The job failed: keep the reason (one line, no secrets) and try again later, ever more rarely."""
    row = session.get(Schedule, (claim.account_id, claim.job))
    if row is None:
        return
    row.due_at = now() + timedelta(seconds=retry_delay_s(row.failures, retry_after_s))
    row.failures += 1
    row.last_error = error[:500]
    row.leased_until = None
