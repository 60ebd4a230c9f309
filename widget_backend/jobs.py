"""Names of background jobs, shared by those who ask and the workers that run them. Imports no task."""

from enum import StrEnum


class Job(StrEnum):
    """A job of one account (or of one install request); the value is the Celery task name."""

    EXCHANGE_CODE = "oauth.exchange_code"
    BACKFILL = "sync.backfill"
    INCREMENTAL = "sync.incremental"
    DICTIONARIES = "sync.dictionaries"
    RECONCILE = "sync.reconcile"
    PROCESS_HOOKS = "webhooks.process"
    REFRESH_TOKEN = "tokens.refresh"  # noqa: S105  (a task name)
    ENSURE_HOOKS = "webhooks.ensure"
    EXPORT = "exports.run"


QUEUE = {
    Job.EXCHANGE_CODE: "hooks",
    Job.PROCESS_HOOKS: "hooks",
    Job.REFRESH_TOKEN: "hooks",
    Job.ENSURE_HOOKS: "hooks",
    Job.INCREMENTAL: "sync",
    Job.BACKFILL: "sync",
    Job.DICTIONARIES: "sync",
    Job.RECONCILE: "sync",
    Job.EXPORT: "reports",
}
