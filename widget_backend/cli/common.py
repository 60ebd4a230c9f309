"""What the commands share: services, finding an account, printing."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from widget_backend import logs
from widget_backend.bootstrap import Services, check_role
from widget_backend.db import migrate
from widget_backend.errors import ConfigError, InputError, NotFound
from widget_backend.local.environment import completed
from widget_backend.oauth.models import Account

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON for programs.")
account_option = click.option(
    "--account", "account_name", required=True, help="Subdomain, domain or numeric id of the account."
)


def say(line: str) -> None:
    """Progress for people, on standard error."""
    click.echo(line, err=True)


def _silent(_line: str) -> None:
    """No progress."""


@contextmanager
def services(*, migrated: bool = True) -> Iterator[Services]:
    """Services for one command, on embedded servers where no others are set.

    Raises ConfigError for an odd environment, a privileged role or a database that is not migrated.
    """
    # A program that reads standard error gets the one line of an error, and nothing else.
    with completed(os.environ, progress=say if sys.stderr.isatty() else _silent) as environ:
        made = Services.from_environ(environ)
        logs.configure(environ.get("LOG_LEVEL") or "WARNING")
        try:
            if migrated:
                _check_database(made)
            yield made
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise ConfigError(
                f"The database cannot be used: {reason}.", remedy="Check DATABASE_URL and that it is up."
            ) from error
        finally:
            made.close()


def _check_database(made: Services) -> None:
    check_role(made.engine)
    if migrate.current(made.engine) != migrate.head():
        raise ConfigError(
            "The database is not at this version's schema.", remedy="Run `python -m widget_backend migrate`."
        )


def find_account(session: Session, name: str) -> Account:
    """The account with this id, subdomain or domain. Raises NotFound, or InputError if several fit."""
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 19 else -1
    found = session.scalars(
        select(Account).where(
            or_(Account.account_id == number, Account.subdomain == name, Account.domain == name)
        )
    ).all()
    if not found:
        raise NotFound(f"There is no account {name!r}.", remedy="`accounts list` shows those there are.")
    if len(found) > 1:
        raise InputError(f"{name!r} fits several accounts.", field="--account", remedy="Give the numeric id.")
    return found[0]


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A plain table with aligned columns; null shows as —."""
    lines = [[str(h) for h in headings]] + [["—" if c is None else str(c) for c in row] for row in rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def compact(mapping: Mapping[str, Any]) -> str:
    """``user 501, pipeline 3100`` for a row's key; «total» for the whole."""
    parts = [f"{k.removesuffix('_id')} {'—' if v is None else v}" for k, v in mapping.items()]
    return ", ".join(parts) or "total"
