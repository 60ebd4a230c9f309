"""`python -m sandbox generate`: writes a generated account as a snapshot directory."""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.clock import parse_moment
from sandbox.generate.snapshot import CUSTOMERS_MODES, write_snapshot

QUIET_BELOW = 50_000


def main(argv: list[str]) -> int:
    """Generate as the arguments say; 0, or 1 with a one-line reason, or 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m sandbox generate", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write, new or empty")
    parser.add_argument("--leads", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--now", type=parse_moment, help="end of the history, ISO 8601 (default: the present)"
    )
    parser.add_argument("--subdomain", default="demo")
    parser.add_argument("--account-id", type=int)
    parser.add_argument("--customers-mode", choices=CUSTOMERS_MODES, default="disabled",
                        help="whether the API shows amoCRM's own customers (default: disabled)")  # fmt: skip
    try:
        args = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    now = dt.datetime.fromtimestamp(time.time() if args.now is None else args.now, tz=dt.UTC)
    try:
        write_snapshot(
            args.out,
            leads=args.leads,
            seed=args.seed,
            now=now,
            subdomain=args.subdomain,
            account_id=args.account_id,
            customers_mode=args.customers_mode,
            progress=_progress(args.leads),
        )
    except (OSError, ValueError) as error:
        print(f"generate: {error}", file=sys.stderr)
        return 1
    print(f"{args.out}: {args.leads} leads, history up to {now.isoformat(timespec='seconds')}")
    return 0


def _progress(leads: int) -> Callable[[int], None] | None:
    """Tells a waiting person how far a large account has come; nothing for small ones."""
    if leads < QUIET_BELOW:
        return None
    return lambda count: print(f"generate: {count:,} of {leads:,} leads", file=sys.stderr, flush=True)
