"""settings get/set/export/import: an account's choices as one JSON document."""

import json
from pathlib import Path

import click

from widget_backend.access import settings as documents
from widget_backend.cli.common import account_option, find_account, print_json, say, services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.errors import InputError, NotFound
from widget_backend.kpi.build import mark_all_stale
from widget_backend.sync.incremental import refresh_facts


@click.group()
def settings() -> None:
    """What an account chooses: attribution, pipeline roles, working hours, export."""


@settings.command()
@account_option
@click.argument("path", required=False)
def get(account_name: str, path: str | None) -> None:
    """Print the document, or one value of it: `settings get --account demo working_hours.start`."""
    with services() as made, session_scope(made.engine) as session:
        account_id = find_account(session, account_name).account_id
        with session_scope(made.engine, account_id) as own:
            value = documents.load(own, account_id).model_dump(mode="json")
    for part in (path or "").split(".") if path else ():
        if not isinstance(value, dict) or part not in value:
            raise NotFound(
                f"There is no setting {path!r}.", remedy="`settings get` without a path lists them."
            )
        value = value[part]
    print_json(value)


@settings.command(name="set")
@account_option
@click.argument("path")
@click.argument("value")
def set_(account_name: str, path: str, value: str) -> None:
    """Change one value: `settings set --account demo pipeline_roles.3100 pre_sale`."""
    with services() as made:
        with session_scope(made.engine) as session:
            account_id = find_account(session, account_name).account_id
        with session_scope(made.engine, account_id) as session:
            document = documents.with_value(documents.load(session, account_id), path, value)
            documents.save(session, account_id, document)
            mark_all_stale(session, account_id, at=now())
        refresh_facts(made.engine, account_id)
    say("Saved.")


@settings.command()
@account_option
def export(account_name: str) -> None:
    """Print the whole document, for `settings import` elsewhere."""
    click.get_current_context().invoke(get, account_name=account_name, path=None)


@settings.command(name="import")
@account_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(account_name: str, file: Path) -> None:
    """Replace the document by a JSON file."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"{file} is not JSON: {error}.", remedy="`settings export` shows the shape."
        ) from error
    with services() as made:
        with session_scope(made.engine) as session:
            account_id = find_account(session, account_name).account_id
        with session_scope(made.engine, account_id) as session:
            documents.save(session, account_id, documents.parse(content))
            mark_all_stale(session, account_id, at=now())
        refresh_facts(made.engine, account_id)
    say("Saved.")
