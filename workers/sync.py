"""Copying accounts: the first full copy, and what changed since."""

import time

from widget_backend.amocrm.limiter import Priority
from widget_backend.bootstrap import Services
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account
from widget_backend.sync.backfill import backfill
from widget_backend.sync.dictionaries import sync_dictionaries
from widget_backend.sync.incremental import refresh_facts, sync_changes
from workers.base import account_job

# Short, because it holds one of the worker's few threads: what is left goes on in the next task, after those
# that wait by then, such as other accounts' hooks.
BACKFILL_SLICE_S = 20.0


@account_job(Job.BACKFILL)
def run_backfill(services: Services, account: Account) -> bool:
    until = time.monotonic() + BACKFILL_SLICE_S
    done = backfill(
        services.engine,
        services.client(account),
        account.account_id,
        keep_going=lambda: time.monotonic() < until,
    )
    return not done


@account_job(Job.INCREMENTAL)
def run_incremental(services: Services, account: Account) -> None:
    overlap_s = services.settings.sync_overlap_s
    sync_changes(services.engine, services.client(account), account.account_id, overlap_s)


@account_job(Job.DICTIONARIES)
def run_dictionaries(services: Services, account: Account) -> None:
    client = services.client(account)
    sync_dictionaries(services.engine, client, account.account_id, Priority.INCREMENTAL)
    refresh_facts(services.engine, account.account_id)
