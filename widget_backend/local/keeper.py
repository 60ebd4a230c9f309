"""The keeper: one process per `APP_HOME`, parent of PostgreSQL and Valkey, gone 5 s after its last user.

Started by `servers.acquire`, never by hand: `python -m widget_backend.local.keeper APP_HOME [REPORT_FD]`.
"""

import os
import select
import shutil
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from widget_backend.local import locks, postgres, valkey
from widget_backend.local.accounts import choose_account, copy_place
from widget_backend.local.binaries import Binaries, find_binaries
from widget_backend.local.child import Child
from widget_backend.local.errors import LocalError
from widget_backend.local.home import (
    Home,
    Secrets,
    adopt,
    make_secrets,
    number_in,
    open_home,
    read_json,
    read_secrets,
    write_json,
)
from widget_backend.local.launch import Account, RunAs

IDLE_S = 5.0
POLL_S = 0.5
MAX_RESTART_DELAY_S = 10.0


class Report:
    """Tells the process that started the keeper how it goes: lines `progress …`, `error …`, `ready`."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    def say(self, kind: str, text: str = "") -> None:
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {kind} {text}".rstrip(), flush=True)
        if self._fd is None:
            return
        try:
            os.write(self._fd, f"{kind} {text}\n".encode())
        except OSError:  # the starter is gone; its lock is too, so we shall stop in 5 s
            self.close()

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Keeper:
    """Starts both servers, restarts the one that dies, stops both when nobody uses them."""

    def __init__(self, home: Home, report: Report) -> None:
        self.home = home
        self.report = report
        self.fast = os.environ.get("APP_LOCAL_FAST") == "1"
        self.idle_s = float(os.environ.get("APP_LOCAL_IDLE_S", IDLE_S))
        self.users = locks.open_lock(home.users_lock)
        self.children: dict[str, Child] = {}
        self.ports: dict[str, int] = {}
        self.account: Account | None = None
        self.failures = 0
        self.stopping = False

    def start(self) -> None:
        """Brings both servers up. Raises LocalError."""
        self.binaries: Binaries = find_binaries()
        data = self.home.postgres_data(self.binaries.postgres_major)
        self.secrets: Secrets = self._secrets(data)
        self.home.valkey_data.mkdir(mode=0o700, exist_ok=True)
        self.account, self.binaries = choose_account(self.home, self.binaries)
        postgres.give(self.home.valkey_data, self.account)
        self.children = {
            "postgres": postgres.new_child(self.home, self.account, data),
            "valkey": valkey.new_child(self.home, self.account),
        }
        last = read_json(self.home.state) or {}
        for name in self.children:
            self.ports[name] = number_in(last, name, "port") or 0
        if not data.exists():
            self.report.say("progress", f"making a PostgreSQL {self.binaries.postgres_major} database")
            self.children["postgres"].take_lock()
            postgres.initialise(self.children["postgres"], self.binaries, self.secrets)
        postgres.give(data, self.account)
        self.report.say("progress", "starting PostgreSQL and Valkey")
        for name in self.children:
            self._start(name)
        self._publish()

    def run(self) -> None:
        """Watches servers and users until nobody is left or a signal comes."""
        reader, writer = os.pipe()
        for fd in (reader, writer):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(writer)
        idle_since: float | None = None
        while not self.stopping:
            select.select([reader], [], [], POLL_S)
            _drain(reader)
            if self.stopping or not locks.same_file(self.users, self.home.users_lock):
                break  # told to stop, or APP_HOME was deleted under us
            self._revive()
            if not locks.try_exclusive(self.users):
                idle_since = None
                continue
            idle_since = time.monotonic() if idle_since is None else idle_since
            if time.monotonic() - idle_since >= self.idle_s:
                break  # the lock stays ours: a newcomer waits until we are wholly gone
            locks.release(self.users)

    def stop(self) -> None:
        for name in reversed(self.children):
            self.children[name].stop()
        if self.account is not None and self.account.mode is RunAs.COPY:
            shutil.rmtree(copy_place(self.home), ignore_errors=True)
        self.report.say("stopped")

    def on_signal(self, *_: object) -> None:
        self.stopping = True

    def _start(self, name: str) -> None:
        module = postgres if name == "postgres" else valkey
        child = self.children[name]
        self.ports[name] = module.start(child, self.binaries, self.secrets, self.ports[name], self.fast)
        self.report.say("progress", f"{name}: process {child.pid}, port {self.ports[name]}")

    def _revive(self) -> None:
        """Starts again what died; a server that does not start is tried again, ever more slowly."""
        for name, child in self.children.items():
            if child.alive():
                continue
            self.report.say("restart", f"{name} ended")
            child.stop()  # also lets go of its lock, so that the start waits for its children
            try:
                self._start(name)
            except LocalError as err:
                self.failures += 1
                self.report.say("failed", str(err))
                time.sleep(min(MAX_RESTART_DELAY_S, 0.5 * 2**self.failures))
            else:
                self.failures = 0
                self._publish()

    def _publish(self) -> None:
        sources = {"postgres": self.binaries.postgres_source, "valkey": self.binaries.valkey_source}
        state: dict[str, object] = {
            name: {"pid": child.pid, "port": self.ports[name], "source": sources[name]}
            for name, child in self.children.items()
        }
        state |= {
            "keeper_pid": os.getpid(),
            "run_as": str(self.account.mode) if self.account else None,
            "postgres_major": self.binaries.postgres_major,
            "fsync": not self.fast,
        }
        write_json(self.home, self.home.state, state)

    def _secrets(self, data: Path) -> Secrets:
        found = read_secrets(self.home)
        if found is None and data.exists():
            raise LocalError(
                f"{self.home.secrets} is missing, and with it the passwords of the data in {data}",
                f"Restore it, or remove {self.home.path} to start anew.",
            )
        return found or make_secrets(self.home)


def main(arguments: list[str]) -> int:
    """Runs the keeper. Exit 0 when it stopped in good order or another keeper is there, else 1."""
    report = Report(int(arguments[1]) if len(arguments) > 1 else None)
    keeper: Keeper | None = None
    try:
        home = open_home(Path(arguments[0]))
        lock = locks.open_lock(home.keeper_lock)
        adopt(home, home.keeper_lock)
        if not locks.try_exclusive(lock):
            report.say("busy")
            return 0
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        keeper = Keeper(home, report)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, keeper.on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        keeper.start()
        report.say("ready")
        report.close()
        keeper.run()
    except LocalError as err:
        report.say("error", f"{err.problem}\t{err.remedy}")
        return 1
    except OSError as err:
        report.say("error", f"local servers: {err}\tFree some disk space, or set APP_HOME to another place.")
        return 1
    finally:
        if keeper is not None:
            keeper.stop()
    return 0


def _drain(reader: int) -> None:
    try:
        while os.read(reader, 512):
            pass
    except BlockingIOError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
