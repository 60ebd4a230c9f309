"""`python -m bench NAME [--size full] [--json]`: runs one benchmark, or `all` that exist in turn.

A benchmark is a module `bench/NAME.py` with `run(size: str) -> Iterable[dict]`; each dict is one result:
`name value unit against ratio goal ok reason n spread` (`ok` None: not judged, `reason` says why).
"""

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

NAMES = (
    "sandbox",
    "backfill",
    "ingest",
    "memory",
    "hooks",
    "hook_to_row",
    "rls",
    "chaos",
    "kpi",
    "overdue",
    "duplicates",
    "export",
    "widget",
    "fleet",
)
FIELDS = ("name", "value", "unit", "against", "ratio", "goal", "ok", "reason", "n", "spread")


def available() -> list[str]:
    """The benchmarks that exist in this version."""
    return [name for name in NAMES if importlib.util.find_spec(f"bench.{name}") is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 when no result missed its goal, 1 when one did, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Runs one benchmark.")
    parser.add_argument("name", metavar="NAME", help=f"all, or one of: {' '.join(available()) or 'none yet'}")
    parser.add_argument("--size", choices=("default", "full"), default="default")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    there = available()
    wanted = there if options.name == "all" else [options.name]
    if not wanted or wanted[0] not in there:
        what = "no such benchmark" if options.name not in (*NAMES, "all") else "not built yet"
        print(f"{options.name}: {what}. There are: {', '.join(there) or 'none yet'}.", file=sys.stderr)
        return 2
    missed = False
    for name in wanted:
        for result in _results(name, options.size):
            missed = missed or result["ok"] is False
            print(json.dumps(result, ensure_ascii=False) if options.json else _line(result), flush=True)
    return 1 if missed else 0


def _results(name: str, size: str) -> Iterable[dict[str, Any]]:
    for result in importlib.import_module(f"bench.{name}").run(size):
        yield {field: result.get(field) for field in FIELDS}


def _line(result: dict[str, Any]) -> str:
    verdict = {True: "ok", False: "MISSED", None: "not judged"}[result["ok"]]
    return "  ".join(
        str(part)
        for part in (
            f"{result['name']}: {result['value']} {result['unit']}",
            f"against {result['against']} ({result['ratio']})" if result["against"] is not None else "",
            f"goal {result['goal']}" if result["goal"] is not None else "",
            verdict,
            result["reason"] or "",
        )
        if part
    )


if __name__ == "__main__":
    sys.exit(main())
