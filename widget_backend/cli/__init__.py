"""The command line: parse, call one function, print. Errors are one line that names the remedy."""

import os
import sys

import click
from click.exceptions import NoArgsIsHelpError

from widget_backend import __version__
from widget_backend.cli import accounts, data, integrations, settings, system
from widget_backend.errors import (
    AmoUnavailable,
    AppError,
    InputError,
    NeedsReauthorization,
    Retriable,
    SinkBusy,
)
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


# For errors that are raised where nobody knows what the reader can do.
REMEDIES: tuple[tuple[type[AppError], str], ...] = (
    (AmoUnavailable, "Try again later; with a demo's data, while the demo runs."),
    (SinkBusy, "Try again later; with a demo's data, while the demo runs."),
    (Retriable, "Try again later."),
    (NeedsReauthorization, "An administrator has to install the integration again: `accounts install-link`."),
)


def main() -> None:
    """Run and exit: 0 done, 2 wrong usage (bad input included), 1 anything else."""
    try:
        root(standalone_mode=False)
    except click.ClickException as error:
        print(_usage(error), file=sys.stderr)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except AppError as error:
        print(_explained(error), file=sys.stderr)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except LocalError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader has seen enough, as in `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}. Correct that and try again.", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        # Even of a fault of ours a script gets one line; the traceback is a variable away.
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            raise
        said = " ".join(str(error).split())[:200]
        print(
            f"A fault of this program: {type(error).__name__}: {said}. LOG_LEVEL=DEBUG shows where.",
            file=sys.stderr,
        )
        sys.exit(1)


def _usage(error: click.ClickException) -> str:
    if isinstance(error, NoArgsIsHelpError) or not isinstance(error, click.UsageError):
        return error.format_message()
    command = error.ctx.command_path if error.ctx is not None else "python -m widget_backend"
    return f"{_sentence(error.format_message())} See `{command} --help`."


def _explained(error: AppError) -> str:
    """The error on one line, with a remedy in any case."""
    remedy = error.remedy or next((text for kind, text in REMEDIES if isinstance(error, kind)), None)
    text = _sentence(f"{error.field}: {error.message}" if error.field else error.message)
    return " ".join(f"{text} {remedy or '`doctor` shows what is wrong.'}".split())


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
