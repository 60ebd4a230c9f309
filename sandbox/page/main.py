"""`python -m sandbox page`: starts the emulated page for one archive and one simulator."""

import argparse
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from zipfile import BadZipFile

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.page import libraries
from sandbox.page.archive import Archive
from sandbox.page.server import create_app
from sandbox.page.simulator import Simulator, Unreachable
from sandbox.portfile import write_address


def start(
    port: int,
    archive: Path,
    amocrm: str,
    *,
    client_id: str | None = None,
    subdomain: str | None = None,
    modules: Path = libraries.NODE_MODULES,
) -> BaseWSGIServer:
    """A server bound to 127.0.0.1 (port 0 = any free one), not yet serving: call `serve_forever`.

    Raises LibrariesMissing without `npm ci`, Unreachable without a simulator, OSError for
    the port or the archive, BadZipFile for what is none.
    """
    libraries.check(modules)
    simulator = Simulator(amocrm, subdomain=subdomain, client_id=client_id)
    uploaded = Archive(archive, simulator.client_id())
    uploaded.manifest()
    # Bound here: werkzeug ends the process itself when a port is taken.
    with socket.create_server(("127.0.0.1", port), backlog=64) as bound:
        return make_server(
            "127.0.0.1",
            bound.getsockname()[1],
            create_app(simulator, uploaded, modules),
            threaded=True,
            request_handler=_Quiet,
            fd=bound.fileno(),
        )


class _Quiet(WSGIRequestHandler):
    """Says nothing about requests: a panel asks every few seconds."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 with one line on standard error when it cannot start."""
    options = _options(argv)
    try:
        server = start(
            options.port,
            options.archive,
            options.amocrm,
            client_id=options.client_id,
            subdomain=options.subdomain,
            modules=options.modules,
        )
    except (OSError, BadZipFile, libraries.LibrariesMissing, Unreachable) as error:
        print(f"sandbox page: {error}", file=sys.stderr)
        return 1
    _serve(server, options.port_file)
    return 0


def _serve(server: BaseWSGIServer, port_file: Path | None) -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    url = f"http://127.0.0.1:{server.port}"
    if port_file:
        write_address(port_file, url)
    print(f"sandbox page on {url}", flush=True)
    server.serve_forever()
    server.server_close()


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox page", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--archive", type=Path, required=True, help="widget.zip; read again when it changes")
    parser.add_argument("--amocrm", required=True, metavar="URL", help="the amoCRM simulator")
    parser.add_argument("--client-id", help="the integration (default: the simulator's first)")
    parser.add_argument("--subdomain", help="the account, where the simulator has several")
    parser.add_argument("--port-file", type=Path, help="write the address here once it answers")
    parser.add_argument("--modules", type=Path, default=libraries.NODE_MODULES, help="npm's node_modules")
    return parser.parse_args(argv)
