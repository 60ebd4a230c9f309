"""Rows of ``schedule`` as tests take, read and change them."""

from datetime import timedelta
from typing import Any

from tests.support.builders import ACCOUNT
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account
from widget_backend.schedule import Claim, claim_due
from widget_backend.sync.models import Schedule

JOB = Job.INCREMENTAL


def claim(services: Services, limit: int = 200) -> list[Claim]:
    with services.engine.begin() as connection:
        return claim_due(connection, limit)


def claimed(services: Services, job: Job = JOB) -> Claim:
    return next(one for one in claim(services) if one.job == job)


def row(services: Services, job: Job = JOB, account_id: int = ACCOUNT) -> Schedule:
    with session_scope(services.engine) as session:
        return session.get_one(Schedule, (account_id, job))


def change(services: Services, job: Job = JOB, **columns: Any) -> None:
    with session_scope(services.engine) as session:
        found = session.get_one(Schedule, (ACCOUNT, job))
        for name, value in columns.items():
            setattr(found, name, value)


def set_state(services: Services, state: str) -> None:
    with session_scope(services.engine) as session:
        session.get_one(Account, ACCOUNT).state = state


def lose(services: Services, job: Job = JOB, *, ago_s: float = 1.0) -> None:
    """The lease ran out so long ago: its message or its worker is gone."""
    change(services, job, leased_until=now() - timedelta(seconds=ago_s))
