"""Copying accounts: the first full copy, and what changed since."""

import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from widget_backend.amocrm.limiter import Priority
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account
from widget_backend.sync.backfill import backfill
from widget_backend.sync.dictionaries import sync_dictionaries
from widget_backend.sync.incremental import refresh_facts, sync_changes
from widget_backend.sync.reconcile import next_night, reconcile
from workers.base import account_job

# Short, because it holds one of the worker's few threads: what is left goes on in the next task, after those
# that wait by then, such as other accounts' hooks.
SLICE_S = 20.0


def _for_one_slice() -> Callable[[], bool]:
    until = time.monotonic() + SLICE_S
    return lambda: time.monotonic() < until


@account_job(Job.BACKFILL)
def run_backfill(services: Services, account: Account) -> bool:
    client = services.client(account)
    return not backfill(services.engine, client, account.account_id, keep_going=_for_one_slice())


@account_job(Job.RECONCILE)
def run_reconcile(services: Services, account: Account) -> bool | datetime:
    client = services.client(account)
    if not reconcile(services.engine, client, account.account_id, keep_going=_for_one_slice()):
        return True
    return next_night(account.account_id, ZoneInfo(account.timezone), now())


@account_job(Job.INCREMENTAL)
def run_incremental(services: Services, account: Account) -> None:
    overlap_s = services.settings.sync_overlap_s
    sync_changes(services.engine, services.client(account), account.account_id, overlap_s)


@account_job(Job.DICTIONARIES)
def run_dictionaries(services: Services, account: Account) -> None:
    client = services.client(account)
    sync_dictionaries(services.engine, client, account.account_id, Priority.INCREMENTAL)
    refresh_facts(services.engine, account.account_id)
