"""`script/demo`: the product at work on a simulated account, from nothing to panel and sheet."""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from script.demo_home import DemoHome
from script.demo_install import install_account, wait_until_active
from script.demo_processes import Demo
from script.demo_summary import summarize
from widget_backend import logs
from widget_backend.errors import AppError
from widget_backend.local.errors import LocalError

DEFAULT_SOURCE = "leads=1000,seed=7"


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command; argparse exits 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="script/demo", description="The product running on a simulated amoCRM account. Ctrl-C stops it."
    )
    parser.add_argument("--once", action="store_true", help="do the main job to its end and exit")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--snapshot", type=Path, metavar="DIR", help="an account as a snapshot directory")
    source.add_argument(
        "--generate", default=DEFAULT_SOURCE, metavar="SPEC", help=f"made up; default {DEFAULT_SOURCE}"
    )
    parser.add_argument("--keep", action="store_true", help="refuse to discard the data of another source")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON on standard output")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast live traffic goes; 0 stops it")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """0 when the job is done, 2 for wrong usage, 1 with one line that names the remedy otherwise."""
    options = parse(arguments)
    logs.configure("WARNING")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with DemoHome.open(os.environ, say) as home:
            return run(home, options)
    except (AppError, LocalError) as error:
        print(error.one_line() if isinstance(error, AppError) else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 0 if not options.once else 130


def run(home: DemoHome, options: argparse.Namespace) -> int:
    """The main job, step by step, each timed."""
    seconds: dict[str, float] = {}
    began = time.monotonic()

    def step_done(name: str) -> None:
        nonlocal began
        seconds[name] = round(time.monotonic() - began, 2)
        began = time.monotonic()

    home.choose_source(options.snapshot, options.generate, keep=options.keep)
    with Demo(home, live=not options.once, speed=options.speed) as demo:
        demo.start_servers()
        step_done("servers")
        demo.start_sandbox()
        step_done("sandbox")
        demo.start_product()
        step_done("product")
        account = install_account(demo)
        step_done("install")
        wait_until_active(demo, account)
        step_done("backfill")
        result = demo.export(account)
        step_done("export")
        summary = summarize(demo, account, result, seconds)
        step_done("summary")
        if options.json:
            print(json.dumps(summary, ensure_ascii=False), flush=True)
        else:
            show(summary)
        if options.once:
            return 0
        for line in demo.addresses(summary):
            say(line)
        demo.stay()
    return 0


def show(summary: dict[str, Any]) -> None:
    """The summary for people, on standard output."""
    print(f"\nAccount {summary['account']} from {summary['source']}, as of {summary['as_of']}")
    print("  mirrored  " + "  ".join(f"{name} {count}" for name, count in summary["rows"].items()))
    print("  requests  " + "  ".join(f"{name} {count}" for name, count in summary["requests"].items()))
    for metric in summary["kpi"]:
        row = metric["rows"][0]
        value = "—" if row["value"] is None else row["value"]
        before = "—" if row.get("previous") is None else row["previous"]
        print(f"  {metric['id']:<20} {value:>16}   before {before:>16}")
    print(f"  sheet     {summary['export']['rows']} rows in {summary['export']['spreadsheet_id']}")
    print(
        "  seconds   " + "  ".join(f"{name} {value}" for name, value in summary["seconds"].items()),
        flush=True,
    )


def say(line: str) -> None:
    """Progress, on standard error."""
    print(line, file=sys.stderr, flush=True)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
