"""The demo's main job, step by step, each timed; and its summary for people."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from script.demo_home import DemoHome
from script.demo_install import install_account, wait_until_current
from script.demo_processes import Demo
from script.demo_source import Source
from script.demo_summary import summarize
from widget_backend import logs


def run(environ: Mapping[str, str], source: Source, options: argparse.Namespace) -> int:
    """Everything from servers to summary; then, without ``--once``, until interrupted."""
    logs.configure("WARNING")
    seconds: dict[str, float] = {}
    began = time.monotonic()

    def step_done(name: str) -> None:
        nonlocal began
        seconds[name] = round(time.monotonic() - began, 2)
        began = time.monotonic()

    with DemoHome.open(environ, say) as home:
        step_done("servers")
        home.choose_source(source, keep=options.keep)
        with Demo(home, live=not options.once, speed=options.speed) as demo:
            demo.start_sandbox()
            step_done("sandbox")
            demo.start_product()
            step_done("product")
            account = install_account(demo)
            step_done("install")
            wait_until_current(demo, account)
            step_done("backfill")
            result = demo.export(account)
            step_done("export")
            summary = summarize(demo, account, result, seconds)
            step_done("summary")
            show(summary, as_json=options.json)
            if not options.once:
                for line in demo.addresses(summary):
                    say(line)
                demo.stay()
    return 0


def show(summary: dict[str, Any], *, as_json: bool) -> None:
    """The summary on standard output."""
    if as_json:
        print(json.dumps(summary, ensure_ascii=False), flush=True)
        return
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
