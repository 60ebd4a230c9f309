"""What an account needs once it is installed: an address for hooks, and its periodic jobs."""

from sqlalchemy.orm import Session

from widget_backend import schedule
from widget_backend.jobs import Job
from widget_backend.settings import Settings


def periods(settings: Settings) -> dict[Job, int]:
    """Seconds between runs of each job of an account. Hooks run when one arrives; the period is their net.

    A reconciliation names the next night itself.
    """
    return {
        Job.BACKFILL: 3600,
        Job.INCREMENTAL: settings.sync_every_s,
        Job.DICTIONARIES: settings.dictionaries_every_s,
        Job.RECONCILE: 86_400,
        Job.PROCESS_HOOKS: 60,
        Job.ENSURE_HOOKS: 900,
        Job.REFRESH_TOKEN: 300,
        Job.EXPORT: 3600,
    }


def prepare_account(session: Session, settings: Settings, account_id: int) -> None:
    """Plan the account's jobs, all due now. Safe to repeat."""
    schedule.plan(session, account_id, periods(settings))
