"""`script/demo`: the product at work on a simulated account, from nothing to panel and sheet."""

import argparse
import os
import signal
import sys
from typing import NoReturn

from script.demo_source import DEFAULT, Source
from widget_backend.errors import AppError
from widget_backend.local.errors import LocalError


class Parser(argparse.ArgumentParser):
    """argparse with its errors on one line."""

    def error(self, message: str) -> NoReturn:
        """Exit 2."""
        self.exit(2, f"{message}. See `{self.prog} --help`.\n")


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000")
    return speed


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command; exits 2 for wrong usage."""
    parser = Parser(
        prog="script/demo", description="The product running on a simulated amoCRM account. Ctrl-C stops it."
    )
    parser.add_argument("--once", action="store_true", help="do the main job to its end and exit")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--snapshot", metavar="DIR", help="an account as a snapshot directory")
    source.add_argument(
        "--generate",
        type=Source.generated,
        default=Source.generated(DEFAULT),
        metavar="SPEC",
        help=f"made up; default {DEFAULT}",
    )
    parser.add_argument("--keep", action="store_true", help="refuse to discard the data of another source")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on standard output")
    parser.add_argument("--speed", type=_speed, default=1.0, help="how fast live traffic goes; 0 stops it")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """0 when the job is done, 2 for wrong usage, 1 with one line that names the remedy otherwise."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    once = "--once" in arguments
    try:
        options = parse(arguments)
        source = Source.snapshot(options.snapshot) if options.snapshot else options.generate
        # Imported here, after the handlers are set: it takes a moment, in which Ctrl-C must be quiet too.
        from script.demo_run import run

        return run(os.environ, source, options)
    except AppError as error:
        print(error.one_line(), file=sys.stderr)
    except LocalError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"The demo cannot go on: {error.strerror or error}{where}.", file=sys.stderr)
    except ImportError as error:
        print(f"The environment is damaged ({error}). Remove .venv and start again.", file=sys.stderr)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130 if once else 0
    except Exception as error:
        # Killed servers and faults of ours: one line here too; the traceback is a variable away.
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            raise
        said = " ".join(str(error).split())[:200]
        print(
            f"The demo broke: {type(error).__name__}: {said}. Start it again; LOG_LEVEL=DEBUG shows where.",
            file=sys.stderr,
        )
    return 1


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
