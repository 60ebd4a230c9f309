"""One server process and its lock file: start it, watch it, stop it, outlive what a crash left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from widget_backend.local import locks
from widget_backend.local.errors import LocalError
from widget_backend.local.home import Home, adopt
from widget_backend.local.launch import Account, spawn

ORPHAN_WAIT_S = 30.0
ORPHAN_SIGNALS_AFTER_S = (1.0, 10.0, 20.0)
MAX_LOG_BYTES = 10_000_000


@dataclass(kw_only=True)
class Child:
    """A server that the keeper runs.

    The lock on `<data>.lock` is inherited by the server and by all *its* children, so it is free exactly
    when nothing of an earlier run is left: no pid file has to be believed.
    """

    home: Home
    name: str
    account: Account
    data: Path
    stop_signals: tuple[signal.Signals, ...]
    stop_wait_s: float = 30.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _lock: int | None = field(default=None, init=False)
    _said_from: int = field(default=0, init=False)

    @property
    def lock_fd(self) -> int:
        """The held lock, for programs that prepare the data. Raises RuntimeError when it is not held."""
        if self._lock is None:
            raise RuntimeError(f"{self.name}: its lock is not held")
        return self._lock

    @property
    def log(self) -> Path:
        return self.home.logs / f"{self.name}.log"

    @property
    def lock_path(self) -> Path:
        return self.data.with_name(self.data.name + ".lock")

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def take_lock(self) -> None:
        """Holds the lock, waiting for servers of a killed keeper to end. Raises LocalError after 30 s."""
        if self._lock is not None:
            return
        fd = locks.open_lock(self.lock_path)
        adopt(self.home, self.lock_path)
        began = time.monotonic()
        signals = list(zip(ORPHAN_SIGNALS_AFTER_S, (*self.stop_signals, signal.SIGKILL), strict=False))
        while not locks.try_exclusive(fd):
            waited = time.monotonic() - began
            if signals and waited > signals[0][0]:
                self._signal_orphan(fd, signals.pop(0)[1])
            if waited > ORPHAN_WAIT_S:
                os.close(fd)
                raise LocalError(
                    f"an earlier {self.name} server still runs on {self.data}",
                    f"Stop it (its process id is in {self.lock_path}) and start again.",
                )
            time.sleep(0.05)
        self._lock = fd

    def drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def launch(self, argv: Sequence[str | Path], *, env: dict[str, str], stdin: bytes | None = None) -> None:
        """Starts the server; its output goes to the log. The lock must be held."""
        with open_log(self.home, self.log) as output:
            self._said_from = os.fstat(output).st_size
            self.process = spawn(
                argv,
                account=self.account,
                cwd=self.data,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                output=output,
                death_signal=self.stop_signals[0],
                keep_fds=[self.lock_fd],
                env=env,
            )
        os.ftruncate(self.lock_fd, 0)
        os.pwrite(self.lock_fd, str(self.process.pid).encode(), 0)
        if self.process.stdin is not None:
            try:
                self.process.stdin.write(stdin or b"")
                self.process.stdin.close()
            except BrokenPipeError:
                pass  # it died at once: the caller sees that and quotes the log

    def wait_ready(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """True once `ready()` holds while the server lives, False when it ended or time is up."""
        deadline = time.monotonic() + timeout_s
        while self.alive() and time.monotonic() < deadline:
            if ready():
                return self.alive()
            time.sleep(0.03)
        return False

    def said(self) -> str:
        """What the server wrote to its log since its last start."""
        with self.log.open("rb") as file:
            file.seek(self._said_from)
            return file.read(100_000).decode(errors="replace")

    def stop(self) -> None:
        """Ends the server: politely, then less so."""
        for number in (*self.stop_signals, signal.SIGKILL):
            if self.process is None or self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(self.stop_wait_s)
            except subprocess.TimeoutExpired:
                continue
        self.process = None
        self.drop_lock()

    def _signal_orphan(self, lock: int, number: signal.Signals) -> None:
        """Signals the process that the lock file names, if it really is this server on this data."""
        text = os.pread(lock, 32, 0).decode(errors="replace").strip()
        if text.isdigit() and str(self.data) in command_line(int(text)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(text), number)


def command_line(pid: int) -> str:
    """The command line of a process; empty when it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    try:  # systems without /proc
        return subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return ""


def free_port(preferred: int = 0) -> int:
    """A free TCP port on 127.0.0.1, `preferred` when that one is free."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("no free TCP port on 127.0.0.1", "Close some programs and start again.")


def open_log(home: Home, path: Path) -> "LogFile":
    """Opens a log for appending; a big one is first put aside as `<name>.1`."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    adopt(home, path)
    return LogFile(fd)


class LogFile:
    """A descriptor to hand to a child, closed at the end of a `with`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> int:
        return self._fd

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
