"""`python -m sandbox sheets`: the Google Sheets simulator alone."""

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from sandbox.portfile import write_address
from sandbox.sheets.server import SheetsServer

REMEDY = "Choose another --port or --state directory."


def main(argv: list[str]) -> int:
    """Serves until SIGINT or SIGTERM; returns the exit code (1 when the port or the state cannot be had)."""
    parser = argparse.ArgumentParser(prog="python -m sandbox sheets", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument(
        "--state", type=Path, help="directory of the state that survives; default: memory only"
    )
    parser.add_argument("--port-file", type=Path, help="write the address here once it answers")
    options = parser.parse_args(argv)
    try:
        server = SheetsServer(options.port, options.state)
    except (OSError, sqlite3.Error) as err:
        print(f"sandbox sheets: cannot start on port {options.port}: {err}. {REMEDY}", file=sys.stderr)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=server.shut_down).start())
    if options.port_file is not None:
        write_address(options.port_file, server.url)
    print(f"sandbox sheets on {server.url}", flush=True)
    server.serve_forever()
    server.stop()
    return 0
