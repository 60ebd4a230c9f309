"""accounts list/install-link/add/pause/resume."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from widget_backend import schedule
from widget_backend.bootstrap import Services
from widget_backend.cli.common import (
    account_option,
    as_json,
    find_account,
    print_json,
    print_table,
    say,
    services,
)
from widget_backend.clock import now
from widget_backend.crm.freshness import as_of
from widget_backend.crm.models import Lead
from widget_backend.db.engine import session_scope
from widget_backend.errors import Conflict, InputError
from widget_backend.oauth.install import make_link
from widget_backend.oauth.models import Account, AccountState
from widget_backend.oauth.registry import all_integrations
from widget_backend.sync.install import prepare_account
from widget_backend.sync.models import Reconciliation, SyncCursor
from widget_backend.sync.reconcile import last_checked
from widget_backend.webhooks.inbox import destination
from widget_backend.webhooks.models import WebhookEndpoint


@click.group()
def accounts() -> None:
    """amoCRM accounts that have installed the integration."""


@accounts.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Show every account: state, hook address, how current and how complete its copy is."""
    with services() as made:
        with session_scope(made.engine) as session:
            found = session.scalars(select(Account).order_by(Account.account_id)).all()
        rows = [describe(made, account) for account in found]
    if json_:
        print_json(rows)
        return
    print_table(
        ("id", "domain", "state", "as of", "leads", "compared with amoCRM"),
        (
            (
                r["account_id"],
                r["domain"],
                r["state"],
                r["as_of"],
                " of ".join(map(str, r["complete"]["leads"])),
                r["checked_at"],
            )
            for r in rows
        ),
    )


def describe(made: Services, account: Account) -> dict[str, Any]:
    """One account as ``accounts list --json`` shows it."""
    with session_scope(made.engine, account.account_id) as session:
        endpoint = session.scalar(
            select(WebhookEndpoint).where(WebhookEndpoint.account_id == account.account_id)
        )
        moment = as_of(session, account.account_id)
        checked = last_checked(session, account.account_id)
        return {
            "account_id": account.account_id,
            "subdomain": account.subdomain,
            "domain": account.domain,
            "state": account.state,
            "state_reason": account.state_reason,
            "hook_url": destination(endpoint, made.vault, made.settings.public_url) if endpoint else None,
            "timezone": account.timezone,
            "currency": account.currency,
            "as_of": iso(moment, account.timezone),
            "complete": {"leads": _completeness(session, account.account_id)},
            "checked_at": iso(checked, account.timezone),
        }


def iso(moment: datetime | None, timezone: str) -> str | None:
    """The moment in the account's zone, with its offset; None stays None."""
    return moment.astimezone(ZoneInfo(timezone)).isoformat() if moment else None


def _completeness(session: Session, account_id: int) -> list[int | None]:
    """Leads in the mirror, and leads amoCRM has, unknown before the first copy ended.

    The second counts what the last comparison found missing on top of what is here now.
    """
    have = session.scalar(
        select(func.count()).where(Lead.account_id == account_id, Lead.is_deleted.is_(False))
    )
    cursor = session.get(SyncCursor, (account_id, "leads"))
    complete = cursor is not None and cursor.backfilled_at is not None
    checked = session.get(Reconciliation, (account_id, "leads"))
    missing = (checked.listed or 0) - (checked.kept or 0) if checked is not None else 0
    return [have, (have or 0) + missing if complete else None]


@accounts.command(name="install-link")
@click.option("--client-id", help="Which integration; needed only if there are several.")
def install_link(client_id: str | None) -> None:
    """Print the address an administrator opens to install. Good once, for 20 minutes."""
    with services() as made:
        with session_scope(made.engine) as session:
            known = [row.client_id for row in all_integrations(session)]
        if client_id is None:
            if len(known) != 1:
                raise InputError(
                    f"There are {len(known)} integrations.",
                    field="--client-id",
                    remedy="Name one; `integrations list` shows them." if known else "Add one first.",
                )
            client_id = known[0]
        click.echo(make_link(made.engine, client_id, origin=made.settings.amocrm_origin))


@accounts.command()
@account_option
def pause(account_name: str) -> None:
    """Stop all work for an account; hooks are still stored."""
    _set_state(account_name, AccountState.PAUSED)


@accounts.command()
@account_option
def resume(account_name: str) -> None:
    """Go on with a paused account, from where it stopped."""
    _set_state(account_name, AccountState.BACKFILLING)


def _set_state(account_name: str, state: AccountState) -> None:
    with services() as made:
        with session_scope(made.engine) as session:
            account_id = find_account(session, account_name).account_id
        with session_scope(made.engine, account_id) as session:
            account = session.get_one(Account, account_id, with_for_update=True)
            pausing = state is AccountState.PAUSED
            expected = (AccountState.ACTIVE, AccountState.BACKFILLING) if pausing else (AccountState.PAUSED,)
            if account.state not in expected:
                raise Conflict(
                    f"The account is {account.state}.",
                    remedy="Only an account at work can be paused, and only a paused one resumed.",
                )
            # A resumed account passes through the backfill, which finds at once what is complete already.
            account.state, account.state_reason, account.updated_at = state, None, now()
            if pausing:
                schedule.notify(session)
            else:
                prepare_account(session, made.settings, account_id)
    say(f"The account is {'paused' if pausing else 'at work again'}.")
