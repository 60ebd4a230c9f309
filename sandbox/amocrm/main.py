"""`python -m sandbox amocrm`: arguments, start-up in order, a clean stop."""

import argparse
import errno
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import IO

from sandbox.amocrm.app import App
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.faults import Faults
from sandbox.amocrm.hooks.delivery import Delivery
from sandbox.amocrm.http import Request, Response, Server
from sandbox.amocrm.limiter import Limiter
from sandbox.amocrm.live import Live
from sandbox.amocrm.requestlog import RequestLog
from sandbox.amocrm.storage import state
from sandbox.amocrm.storage.accounts import Accounts
from sandbox.amocrm.storage.snapshot import SnapshotError
from sandbox.amocrm.storage.state import Source, StateError
from sandbox.amocrm.storage.store import Store
from sandbox.amocrm.switches import Switches
from sandbox.amocrm.world import World
from sandbox.clock import Clock, parse_moment
from sandbox.portfile import write_address


def parse_generate(text: str) -> dict[str, int]:
    """`leads=2000,seed=7` → numbers; ArgumentTypeError names what is wrong."""
    spec: dict[str, int] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name not in ("leads", "seed", "accounts") or not value.isdecimal():
            raise argparse.ArgumentTypeError(f"{part!r} is none of leads=N, seed=N, accounts=N")
        spec[name] = int(value)
    return spec


def _moment(text: str) -> float:
    try:
        return parse_moment(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO 8601 moment") from None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m sandbox amocrm", description="The amoCRM simulator.")
    made.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 picks a free one")
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--snapshot", type=Path, action="append", metavar="DIR", help="an account's snapshot; may be repeated"
    )
    source.add_argument(
        "--generate", type=parse_generate, metavar="SPEC", help="leads=2000,seed=7[,accounts=K]"
    )
    made.add_argument("--subdomain", help="what the (first) account is called")
    made.add_argument(
        "--rate-limit", type=int, help="requests in any second per integration (7); 0 = no limit"
    )
    made.add_argument("--speed", type=float, help="live traffic, times an action every two seconds; 0 = none")
    made.add_argument("--live", action="store_true", help="live traffic at speed 1")
    made.add_argument("--now", type=_moment, metavar="ISO", help="where the clock starts, and history ends")
    made.add_argument("--state", type=Path, metavar="DIR", help="keep the state here (default: nowhere)")
    made.add_argument("--port-file", type=Path, metavar="FILE", help="write the address here once it answers")
    return made


class Simulator:
    """The running parts. `start` listens, `close` ends everything; used by the command and by tests."""

    def __init__(self, directory: Path, source: Source, port: int = 0) -> None:
        self._directory_lock: IO[str] = state.lock(directory)
        try:
            self._server = Server(port, self._not_yet)
        except OSError:
            self._directory_lock.close()
            raise
        try:
            self._store = state.open_store(directory, source)
        except BaseException:
            self._server.server_close()
            self._directory_lock.close()
            raise
        self.world = _world(self._store, directory, source)
        self._delivery = Delivery(self.world)
        self._live = Live(self.world)
        self._server.app = App(self.world)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @staticmethod
    def _not_yet(request: Request) -> Response:
        return Response(status=503)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Answer requests, deliver hooks, and act if live traffic is on."""
        self._thread.start()
        self._delivery.start()
        self._live.start()

    def close(self) -> None:
        """Stop everything and close the files."""
        self._live.stop()
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.hang_up()
        self._server.server_close()
        self._delivery.stop()
        self.world.log.close()
        self._store.close()
        self._directory_lock.close()


def _world(store: Store, directory: Path, source: Source) -> World:
    offset_s = store.get_meta("clock_offset_s")
    clock = Clock(offset_s or 0.0)
    clock.on_jump(lambda offset: store.set_meta("clock_offset_s", offset))
    if source.now is not None and store.get_meta("clock_start") != source.now:
        clock.set(source.now)
        store.set_meta("clock_start", source.now)
    key = store.get_meta("signing_key")
    if key is None:
        key = tokens.new_signing_key().decode()
        store.set_meta("signing_key", key)
    switches = Switches(store)
    return World(
        store=store,
        clock=clock,
        switches=switches,
        accounts=Accounts(store),
        limiter=Limiter(switches),
        log=RequestLog(directory / "requests.sqlite"),
        faults=Faults(store),
        signing_key=key.encode(),
    )


def _switch(simulator: Simulator, args: argparse.Namespace) -> None:
    """What the command line says counts over what the state has kept."""
    wanted: dict[str, object] = {}
    if args.rate_limit is not None:
        wanted["rate_limit"] = args.rate_limit
    wanted["live_speed"] = args.speed if args.speed is not None else float(args.live)
    simulator.world.switches.change(wanted)


def _complain(text: str) -> int:
    print(f"sandbox amocrm: {text}", file=sys.stderr)
    return 1


def main(argv: list[str]) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop, 1 with a one-line reason, 2 for wrong usage."""
    try:
        args = parser().parse_args(argv)
    except SystemExit as err:
        return int(err.code or 0)
    source = Source(
        snapshots=tuple(args.snapshot or ()), generate=args.generate, now=args.now, subdomain=args.subdomain
    )
    private = args.state is None
    directory = Path(tempfile.mkdtemp(prefix="sandbox-amocrm-")) if private else args.state
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return _serve(directory, source, args)
    except (SnapshotError, StateError) as err:
        return _complain(str(err))
    except OSError as err:
        if err.errno == errno.EADDRINUSE:
            return _complain(f"port {args.port} is taken: stop what uses it, or choose another with --port")
        return _complain(f"{err}: choose a place that can be read and written")
    finally:
        if private:
            shutil.rmtree(directory, ignore_errors=True)


def _serve(directory: Path, source: Source, args: argparse.Namespace) -> int:
    stop = threading.Event()
    serving = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not serving:
            raise SystemExit(128 + number)  # loading may take long and leaves nothing half-done
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    simulator = Simulator(directory, source, args.port)
    _switch(simulator, args)
    simulator.start()
    serving = True
    try:
        if args.port_file is not None:
            write_address(args.port_file, simulator.url)
        print(f"sandbox amocrm on {simulator.url}", flush=True)
        stop.wait()
    finally:
        simulator.close()
    return 0
