"""Tokens: spend a fresh authorisation code, keep token pairs alive."""

from typing import Any

import structlog
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient, Token
from widget_backend.bootstrap import Services
from widget_backend.errors import AppError, Conflict, InputError, Retriable
from widget_backend.jobs import Job
from widget_backend.oauth.exchange import exchange_code
from widget_backend.oauth.models import Account
from widget_backend.sync.install import prepare_account
from widget_backend.webhooks.inbox import ensure_endpoint
from workers.base import account_job, services
from workers.celery_app import app

log = structlog.get_logger(__name__)
REFRESH_AHEAD_S = 3600


@account_job(Job.REFRESH_TOKEN)
def run_refresh(services: Services, account: Account) -> None:
    services.tokens.refresh_if_due(account.account_id, ahead_s=REFRESH_AHEAD_S)


@app.task(name=str(Job.EXCHANGE_CODE))
def run_exchange(install_request_id: int) -> None:
    """Install an account. Failures stand in the request's row; the dispatcher sends again what may pass."""
    made = services()
    try:
        exchange_code(
            made.engine,
            made.vault,
            made.token_endpoint,
            install_request_id,
            fetch_account=lambda account_id, domain, token: fetch_account(made, account_id, domain, token),
            on_installed=lambda session, account_id: prepare(made, session, account_id),
        )
    except Conflict:
        return
    except (Retriable, InputError) as error:
        log.info("oauth.exchange_pending", install_request_id=install_request_id, reason=error.message)
    except AppError as error:
        log.warning("oauth.exchange_failed", install_request_id=install_request_id, reason=error.message)


def prepare(made: Services, session: Session, account_id: int) -> None:
    ensure_endpoint(session, made.vault, account_id)
    prepare_account(session, made.settings, account_id)


def fetch_account(made: Services, account_id: int, domain: str, token: Token) -> dict[str, Any]:
    """The account as its new token shows it. This token is seconds old: there is nothing to refresh."""
    client: AmoClient = made.client_with(account_id, domain, token)
    params = {"with": "datetime_settings,is_api_filter_enabled"}
    return dict(client.get("/api/v4/account", params=params) or {})
