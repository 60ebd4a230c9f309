"""The embedded servers for those who use them: `acquire` them, look at them, shut them down."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from widget_backend.local import locks, postgres, valkey
from widget_backend.local.child import open_log
from widget_backend.local.errors import LocalError
from widget_backend.local.home import Home, Secrets, number_in, open_home, read_json, read_secrets

__all__ = ["Lease", "LocalError", "Servers", "Status", "acquire", "down", "status"]

ACQUIRE_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 90.0
ELSEWHERE_TIMEOUT_S = 20.0
ROOT = Path(__file__).resolve().parents[2]
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Addresses of running servers (the first three carry passwords) and a key for `ENCRYPTION_KEYS`."""

    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    encryption_key: str = field(repr=False)

    def environ(self) -> dict[str, str]:
        """The variables the product reads."""
        return {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.database_owner_url,
            "REDIS_URL": self.redis_url,
            "ENCRYPTION_KEYS": self.encryption_key,
        }


@dataclass(frozen=True, kw_only=True)
class Status:
    """What runs under an `APP_HOME`; ports and pids are None where nothing runs."""

    app_home: Path
    running: bool
    in_use: bool
    keeper_pid: int | None = None
    postgres_pid: int | None = None
    postgres_port: int | None = None
    valkey_pid: int | None = None
    valkey_port: int | None = None
    run_as: str | None = None


class _Detached(subprocess.Popen[bytes]):
    """A process that outlives us on purpose: no warning about that when we end."""

    def __del__(self) -> None:
        pass


_keepers: list[_Detached] = []  # those we started: polled at the next start, so that none stays a zombie


class Lease:
    """The right to use the servers of one `APP_HOME`, until `close()` or the end of this process."""

    def __init__(self, home: Home, lock: int, progress: Progress) -> None:
        self._home = home
        self._lock: int | None = lock
        self._progress = progress
        self.servers: Servers

    def keeper_alive(self) -> bool:
        """A cheap look, for loops: False means that `ensure` has something to do."""
        return locks.is_held(self._home.keeper_lock)

    def ensure(self) -> Servers:
        """The servers, started again if their keeper was killed; ports stay the same where possible.

        Long-lived users call it now and then. Raises LocalError.
        """
        if self._lock is None:
            raise RuntimeError("this lease is closed")
        self.servers = _wait_for_servers(self._home, self._progress)
        return self.servers

    def close(self) -> None:
        """Gives the servers up: they stop five seconds after their last user did. Safe to repeat."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def acquire(app_home: Path, *, progress: Progress | None = None) -> Lease:
    """Addresses of running servers under `app_home`, starting them where they do not run.

    Hold the lease as long as they are needed. `progress` gets short lines while something takes time.
    Raises LocalError, one line with its remedy: not writable, no programs, does not start, wrong platform.
    """
    if sys.platform == "win32":
        raise LocalError("the embedded servers need Linux or macOS", "Use WSL2, or set DATABASE_URL.")
    tell = progress or _silent
    home = open_home(app_home)
    lock = _join_users(home, tell)
    lease = Lease(home, lock, tell)
    try:
        lease.ensure()
    except BaseException:
        lease.close()
        raise
    return lease


def down(app_home: Path) -> bool:
    """Stops the servers now, used or not; False when none ran. Raises LocalError when they do not stop."""
    home = Home(Path(os.path.abspath(app_home)))
    if not locks.is_held(home.keeper_lock):
        return False
    pid = _keeper_pid(home)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError as err:
        raise LocalError(
            f"the servers of {home.path} belong to another account (process {pid})",
            "Stop them from that account.",
        ) from err
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while locks.is_held(home.keeper_lock):
        if time.monotonic() > deadline:
            raise LocalError(f"the keeper (process {pid}) does not stop", f"See {home.logs / 'keeper.log'}.")
        time.sleep(0.05)
    return True


def status(app_home: Path) -> Status:
    """What runs under `app_home` now. Starts nothing."""
    home = Home(Path(os.path.abspath(app_home)))
    in_use = locks.is_held(home.users_lock)
    state = read_json(home.state)
    if state is None or not locks.is_held(home.keeper_lock):
        return Status(app_home=home.path, running=False, in_use=in_use)
    return Status(
        app_home=home.path,
        running=_servers(home, state) is not None,
        in_use=in_use,
        keeper_pid=_keeper_pid(home),
        postgres_pid=number_in(state, "postgres", "pid"),
        postgres_port=number_in(state, "postgres", "port"),
        valkey_pid=number_in(state, "valkey", "pid"),
        valkey_port=number_in(state, "valkey", "port"),
        run_as=str(state.get("run_as")),
    )


def _join_users(home: Home, tell: Progress) -> int:
    """Takes the shared users' lock; while a keeper shuts down, waits for it."""
    _wait_for_another_network(home, tell)
    lock = locks.open_lock(home.users_lock)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    told = False
    while True:
        if locks.try_shared(lock):
            if locks.same_file(lock, home.users_lock):
                return lock
            os.close(lock)  # APP_HOME was deleted and made anew in between
            home = open_home(home.path)
            lock = locks.open_lock(home.users_lock)
            continue
        if time.monotonic() > deadline:
            os.close(lock)
            raise LocalError("the previous servers do not stop", f"See {home.logs / 'keeper.log'}.")
        # The keeper holds the lock for an instant twice a second, which is not worth a word.
        if not told and time.monotonic() > deadline - STOP_TIMEOUT_S + 1:
            tell("waiting for the previous servers to stop")
            told = True
        time.sleep(0.02)


def _wait_for_another_network(home: Home, tell: Progress) -> None:
    """Returns when no keeper runs in another network namespace (`unshare -n`, a container).

    Its servers cannot be reached from here. We do not join its users, or it would never stop.
    """
    deadline = time.monotonic() + ELSEWHERE_TIMEOUT_S
    told = False
    while _is_in_another_network(home):
        if time.monotonic() > deadline:
            raise LocalError(
                f"the servers of {home.path} run in another network namespace (process {_keeper_pid(home)})",
                "Stop what uses them there, or set APP_HOME to another directory.",
            )
        if not told:
            tell("waiting for the servers in another network namespace to stop")
            told = True
        time.sleep(0.1)


def _is_in_another_network(home: Home) -> bool:
    if not locks.is_held(home.keeper_lock):
        return False
    try:
        return os.readlink(f"/proc/{_keeper_pid(home)}/ns/net") != os.readlink("/proc/self/ns/net")
    except OSError:  # no /proc, not ours to look at, or just gone
        return False


def _wait_for_servers(home: Home, tell: Progress) -> Servers:
    deadline = time.monotonic() + ACQUIRE_TIMEOUT_S
    while time.monotonic() < deadline:
        if not locks.is_held(home.keeper_lock):
            _start_keeper(home, tell)
        state = read_json(home.state)
        found = _servers(home, state) if state else None
        if found is not None:
            return found
        time.sleep(0.1)  # another user's keeper is starting, or an old one is going
    raise LocalError("the local servers do not answer", f"See {home.logs / 'keeper.log'}.")


def _start_keeper(home: Home, tell: Progress) -> None:
    """Starts a keeper and follows its report until it is ready, busy elsewhere, or failed."""
    reader, writer = os.pipe()
    environment = postgres.environment() | {
        name: value for name, value in os.environ.items() if name.startswith(("APP_LOCAL_", "PYTHON"))
    }
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "widget_backend.local.keeper", str(home.path), str(writer)]
    with open_log(home, home.logs / "keeper.log") as output, os.fdopen(reader) as report:
        process = _Detached(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[writer],
            cwd=home.path,
            env=environment,
            start_new_session=True,
        )
        os.close(writer)
        for line in report:
            kind, _, text = line.rstrip("\n").partition(" ")
            if kind == "progress":
                tell(text)
            elif kind == "error":
                process.wait()
                problem, _, remedy = text.partition("\t")
                raise LocalError(problem, remedy)
            elif kind in ("ready", "busy"):
                break
        else:  # it died without a word
            raise postgres.start_error("the keeper of the local servers", home.logs / "keeper.log")
    _keepers[:] = [one for one in (*_keepers, process) if one.poll() is None]


def _servers(home: Home, state: dict[str, Any]) -> Servers | None:
    """Addresses proven by a real, authenticated connection to each server; None when one is not ours."""
    secrets = read_secrets(home)
    postgres_port, valkey_port = number_in(state, "postgres", "port"), number_in(state, "valkey", "port")
    if secrets is None or not postgres_port or not valkey_port:
        return None
    if not postgres.answers("app", secrets.app, postgres_port):
        return None
    if not valkey.answers(secrets, valkey_port, home.valkey_data):
        return None
    return _addresses(secrets, postgres_port, valkey_port)


def _addresses(secrets: Secrets, postgres_port: int, valkey_port: int) -> Servers:
    return Servers(
        database_url=postgres.url("app", secrets.app, postgres_port),
        database_owner_url=postgres.url("app_owner", secrets.app_owner, postgres_port),
        redis_url=valkey.url(secrets, valkey_port),
        encryption_key=secrets.encryption_key,
    )


def _keeper_pid(home: Home) -> int | None:
    try:
        text = home.keeper_lock.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _silent(_: str) -> None:
    pass
