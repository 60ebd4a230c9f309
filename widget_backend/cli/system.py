"""migrate, doctor, pack, local: the installation itself."""

import os
import shlex
from pathlib import Path

import click
from sqlalchemy import select

from widget_backend.cli.common import as_json, print_json, print_table, say, services
from widget_backend.db import migrate as schema
from widget_backend.db.engine import session_scope
from widget_backend.errors import ConfigError
from widget_backend.local import servers
from widget_backend.local.environment import completed, read_defaults
from widget_backend.oauth.models import Account
from widget_backend.settings import app_home
from widget_backend.sync.models import Schedule
from widget_backend.sync.reconcile import unsettled
from widget_backend.webhooks.models import WebhookEndpoint


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema (runs as the owner role)."""
    with services(migrated=False) as made:
        owner_url = made.settings.database_owner_url
        if not owner_url:
            raise ConfigError(
                "DATABASE_OWNER_URL is missing.", remedy="Set it to the role that owns the schema."
            )
        schema.upgrade(owner_url, made.engine.url.username or schema.APP_ROLE)
        say(f"The database is at revision {schema.head()}.")


@click.command()
@as_json
def doctor(json_: bool) -> None:
    """Say what is wrong, account by account: state, rights, last error of each job, hooks, filters,
    completeness.
    """
    with services() as made, session_scope(made.engine) as session:
        accounts = session.scalars(select(Account).order_by(Account.account_id)).all()
        hooks = {e.account_id: e for e in session.scalars(select(WebhookEndpoint))}
        troubles = session.scalars(select(Schedule).where(Schedule.failures > 0)).all()
        findings = []
        for account in accounts:
            if account.state not in ("active", "backfilling"):
                findings.append((account, "state", account.state_reason or account.state))
            if not account.filters_enabled:
                findings.append((account, "filters", "amoCRM's filters are off: lists are read whole"))
            if account.limited_view is not None:
                findings.append((account, "rights", account.limited_view))
            endpoint = hooks.get(account.account_id)
            if endpoint is not None and endpoint.checked_at is not None and not endpoint.accepted_events:
                findings.append((account, "hooks", "not available: the tariff or rights; polling only"))
            with session_scope(made.engine, account.account_id) as own:
                findings += [(account, "completeness", line) for line in unsettled(own, account.account_id)]
            findings += [
                (account, row.job, f"{row.last_error} ({row.failures} in a row)")
                for row in troubles
                if row.account_id == account.account_id
            ]
    if json_:
        print_json([{"account": a.subdomain, "check": c, "finding": f} for a, c, f in findings])
    elif findings:
        print_table(("account", "check", "finding"), ((a.subdomain, c, f) for a, c, f in findings))
    else:
        click.echo(f"{len(accounts)} accounts, nothing wrong.")


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("widget.zip"))
@click.option("--backend-url", help="Where the widget finds the backend; PUBLIC_URL by default.")
def pack(out: Path, backend_url: str | None) -> None:
    """Build widget.zip: the same bytes for the same tree and address."""
    from widget_frontend.pack import build

    url = backend_url or os.environ.get("PUBLIC_URL") or read_defaults(app_home(os.environ)).get("PUBLIC_URL")
    if not url:
        raise click.UsageError("Give --backend-url, or set PUBLIC_URL.", click.get_current_context())
    click.echo(build(out, backend_url=url.rstrip("/")))


@click.group()
def local() -> None:
    """The embedded servers of APP_HOME."""


@local.command()
def up() -> None:
    """Start the embedded servers if need be, and stop when nobody uses them."""
    with completed(os.environ, progress=say):
        status = servers.status(app_home(os.environ))
        click.echo(f"PostgreSQL on port {status.postgres_port}, Valkey on port {status.valkey_port}.")


@local.command()
def down() -> None:
    """Stop the embedded servers now."""
    stopped = servers.down(app_home(os.environ))
    click.echo("Stopped." if stopped else "They were not running.")


@local.command()
def env() -> None:
    """Print the variables of the embedded servers as shell assignments (they contain passwords)."""
    with completed(os.environ, progress=say) as environ:
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENCRYPTION_KEYS"):
            click.echo(f"export {name}={shlex.quote(environ[name])}")
