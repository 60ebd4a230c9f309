"""integrations add/list/rotate."""

import sys

import click

from widget_backend.cli.common import as_json, print_json, print_table, say, services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.errors import InputError
from widget_backend.oauth import registry

secret_option = click.option(
    "--client-secret", default="-", help="The secret key; read from standard input if it is left out."
)


@click.group()
def integrations() -> None:
    """Pairs of client id and secret that accounts install."""


@integrations.command()
@click.option("--client-id", required=True, help="The integration's id, a UUID.")
@secret_option
@click.option("--redirect-uri", required=True, help="As in the integration's settings in amoCRM.")
@click.option("--title", default="", help="A name for yourself.")
def add(client_id: str, client_secret: str, redirect_uri: str, title: str) -> None:
    """Register an integration, or update one."""
    secret = _secret(client_secret)
    with services() as made, session_scope(made.engine) as session:
        registry.add_integration(
            session,
            made.vault,
            client_id=client_id,
            client_secret=secret,
            redirect_uri=redirect_uri,
            title=title,
            at=now(),
        )
    say(f"Integration {client_id} is registered.")


@integrations.command(name="list")
@as_json
def list_(json_: bool) -> None:
    """Show the integrations; secrets are never shown."""
    with services() as made, session_scope(made.engine) as session:
        rows = [
            {"client_id": row.client_id, "title": row.title, "redirect_uri": row.redirect_uri}
            for row in registry.all_integrations(session)
        ]
    if json_:
        print_json(rows)
    else:
        print_table(("client id", "title", "redirect URI"), (row.values() for row in rows))


@integrations.command()
@click.option("--client-id", required=True)
@secret_option
def rotate(client_id: str, client_secret: str) -> None:
    """Replace the secret; signatures with the old one are accepted for another day."""
    secret = _secret(client_secret)
    with services() as made, session_scope(made.engine) as session:
        registry.rotate_secret(session, made.vault, client_id, secret, now())
    say("The new secret is in use.")


def _secret(given: str) -> str:
    """The option's value, or standard input, which leaves no trace in the process list."""
    secret = (sys.stdin.readline() if given == "-" else given).strip()
    if not secret:
        raise InputError(
            "The secret is empty.",
            field="--client-secret",
            remedy="Give it, or write it to standard input, as it stands in amoCRM.",
        )
    return secret
