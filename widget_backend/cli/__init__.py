"""The command line: parse, call one function, print. Errors are one line that names the remedy."""

import sys

import click

from widget_backend import __version__
from widget_backend.cli import accounts, data, integrations, settings, system
from widget_backend.errors import AppError, InputError
from widget_backend.local.errors import LocalError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def root() -> None:
    """Sales reporting for amoCRM: mirror an account, compute its KPIs, export them."""


for command in (
    system.migrate,
    system.doctor,
    system.pack,
    system.local,
    integrations.integrations,
    accounts.accounts,
    settings.settings,
    data.sync,
    data.kpi,
    data.kpi_docs,
    data.export,
):
    root.add_command(command)


def main() -> None:
    """Run and exit: 0 done, 2 wrong usage (bad input included), 1 anything else."""
    try:
        root(standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            print(f"{error.format_message()} See `{error.ctx.command_path} --help`.", file=sys.stderr)
        else:
            print(error.format_message(), file=sys.stderr)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except AppError as error:
        print(error.one_line(), file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except LocalError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
