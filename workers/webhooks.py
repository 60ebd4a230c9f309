"""Hooks: work off the inbox, and keep our subscription alive."""

from widget_backend.bootstrap import Services
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account
from widget_backend.sync.from_hooks import process_hooks
from widget_backend.webhooks.subscription import ensure_subscription
from workers.base import account_job


@account_job(Job.PROCESS_HOOKS)
def run_process_hooks(services: Services, account: Account) -> bool:
    return process_hooks(services.engine, services.client(account), account.account_id)


@account_job(Job.ENSURE_HOOKS)
def run_ensure_hooks(services: Services, account: Account) -> None:
    client = services.client(account)
    ensure_subscription(
        services.engine, client, services.vault, account.account_id, services.settings.public_url
    )
