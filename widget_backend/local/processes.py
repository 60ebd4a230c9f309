"""Runs the processes of a `Procfile`: in order, restarted when they die, stopped together.

kill -9 of the runner ends them too (Linux). Everything here belongs into the main thread.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from widget_backend.local.errors import LocalError
from widget_backend.local.home import last_lines
from widget_backend.local.launch import die_with_parent
from widget_backend.local.procfile import argv_of, read_procfile

RELEASE = "release"
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0
HEALTHY_AFTER_S = 30.0
MAX_LOG_BYTES = 50_000_000

Echo = Callable[[str, str], None]
"""Gets the name of a process and one line that it wrote."""
Ready = Callable[[], bool]


@dataclass(kw_only=True)
class Process:
    """One process of the group: `web.1` is the first of `web`."""

    name: str
    argv: list[str]
    env: dict[str, str]
    log: Path
    ready: Ready | None = None
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0
    was_ready: bool = False
    shown: int = field(default=0)

    @property
    def pid(self) -> int | None:
        return self.popen.pid if self.popen else None

    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that died without being told to, and when it will be started again."""

    name: str
    code: int
    restart_in_s: float
    last_lines: str


def restart_delay_s(failures: int) -> float:
    """Seconds to wait before the n-th restart in a row (n counts from 1)."""
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (failures - 1))


def how_it_ended(code: int) -> str:
    """An exit code in words: `was killed (SIGKILL)`, `ended with 3`."""
    if code >= 0:
        return f"ended with {code}"
    try:
        return f"was killed ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed ({-code})"


def answers_http(url: str) -> Ready:
    """A ready check: does GET url answer 200?"""

    def check() -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError, ValueError):
            return False

    return check


class ProcessGroup:
    """The processes of one `Procfile`.

    `counts` says how many of each (default: one of every process in the file; 0 leaves one out).
    `$PORT` is `env["PORT"]`, one more for each further process of a kind. Each process writes to
    `log_dir/NAME.log`; `echo` gets the lines too. `ready` maps a process name (`web`) to a check.
    """

    def __init__(
        self,
        procfile: Path,
        *,
        env: Mapping[str, str],
        log_dir: Path,
        cwd: Path | None = None,
        counts: Mapping[str, int] | None = None,
        echo: Echo | None = None,
        ready: Mapping[str, Ready] | None = None,
        stop_timeout_s: float = 30.0,
    ) -> None:
        self._commands = read_procfile(procfile)
        self._env = dict(env)
        self._cwd = cwd or procfile.resolve().parent
        self._log_dir = log_dir
        self._echo = echo
        self._stop_timeout_s = stop_timeout_s
        log_dir.mkdir(parents=True, exist_ok=True)
        self.processes = list(self._plan(counts or {}, ready or {}))

    def release(self) -> float:
        """Runs `release` to its end and returns the seconds it took; 0 when the file names none.

        Raises LocalError with its last lines when it fails.
        """
        if RELEASE not in self._commands:
            return 0.0
        process = self._process(RELEASE, self._commands[RELEASE], self._env, None)
        began = time.monotonic()
        self._launch(process)
        try:
            while process.running():
                self._show(process)
                time.sleep(0.05)
        except BaseException:
            self._end([process])
            raise
        self._show(process)
        code = process.popen.returncode if process.popen else 1
        if code != 0:
            raise LocalError(
                f"release {how_it_ended(code)}: {last_lines(process.log)}", f"The whole log is {process.log}."
            )
        return time.monotonic() - began

    def start(self) -> None:
        """Runs `release`, then starts the others in the file's order. Raises LocalError."""
        self.release()
        self.launch()

    def launch(self) -> None:
        """Starts the processes in the file's order, without `release`."""
        for process in self.processes:
            self._launch(process)

    def poll(self) -> list[Ended]:
        """To be called often: shows new lines, restarts what died; answers what died since the last call."""
        ended = []
        now = time.monotonic()
        for process in self.processes:
            self._show(process)
            if process.running():
                if process.failures and now - process.started_at > HEALTHY_AFTER_S:
                    process.failures = 0
                continue
            if process.popen is not None:
                ended.append(self._note_end(process, now))
            elif now >= process.start_again_at:
                self._launch(process)
        return ended

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Returns once every ready check has held. Raises LocalError when one process dies or time is up."""
        deadline = time.monotonic() + timeout_s
        while waiting := [one for one in self.processes if one.ready and not one.was_ready]:
            for ended in self.poll():
                raise LocalError(
                    f"{ended.name} {how_it_ended(ended.code)}: {ended.last_lines}", self._log_hint(ended.name)
                )
            for process in waiting:
                process.was_ready = bool(process.running() and process.ready and process.ready())
            if time.monotonic() > deadline:
                name = waiting[0].name
                raise LocalError(f"{name} is not ready after {timeout_s:.0f} s", self._log_hint(name))
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends all, last started first, politely at first. Safe to repeat."""
        self._end(self.processes)

    def __enter__(self) -> "ProcessGroup":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _plan(self, counts: Mapping[str, int], ready: Mapping[str, Ready]) -> Iterable[Process]:
        kinds = [name for name in self._commands if name != RELEASE]
        unknown = sorted(set(counts) - set(kinds))
        if unknown:
            raise LocalError(f"no process named {', '.join(unknown)}", f"There are {', '.join(kinds)}.")
        for kind in kinds:
            for number in range(1, counts.get(kind, 1) + 1):
                env = dict(self._env)
                if "PORT" in env:
                    env["PORT"] = str(int(env["PORT"]) + number - 1)
                check = ready.get(kind) if number == 1 else None
                yield self._process(f"{kind}.{number}", self._commands[kind], env, check)

    def _process(self, name: str, command: str, env: dict[str, str], ready: Ready | None) -> Process:
        log = self._log_dir / f"{name}.log"
        return Process(name=name, argv=argv_of(command, env), env=env, log=log, ready=ready)

    def _launch(self, process: Process) -> None:
        _trim(process.log)
        with process.log.open("ab") as output:
            process.shown = output.tell()
            process.popen = subprocess.Popen(
                process.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=process.env,
                # SIGKILL: a killed runner leaves nobody to wait for a polite end, and jobs may run twice.
                preexec_fn=die_with_parent(signal.SIGKILL, os.getpid()),
                start_new_session=True,
            )
        process.started_at = time.monotonic()

    def _note_end(self, process: Process, now: float) -> Ended:
        code = process.popen.returncode if process.popen else 0
        _kill_group(process)  # what it may have left behind
        process.popen = None
        process.failures += 1
        delay = restart_delay_s(process.failures)
        process.start_again_at = now + delay
        return Ended(name=process.name, code=code, restart_in_s=delay, last_lines=last_lines(process.log))

    def _end(self, processes: list[Process]) -> None:
        for process in reversed(processes):
            if process.running() and process.popen:
                process.popen.terminate()
        deadline = time.monotonic() + self._stop_timeout_s
        for process in reversed(processes):
            if process.popen is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.popen.wait(max(0.0, deadline - time.monotonic()))
                _kill_group(process)
                process.popen.wait()
                self._show(process)
                process.popen = None

    def _show(self, process: Process) -> None:
        if self._echo is None:
            return
        try:
            with process.log.open("rb") as file:
                file.seek(process.shown)
                data = file.read(1_000_000)
        except OSError:
            return
        whole, newline, _ = data.rpartition(b"\n")
        if newline:
            process.shown += len(whole) + 1
            for line in whole.decode(errors="replace").split("\n"):
                self._echo(process.name, line)

    def _log_hint(self, name: str) -> str:
        return f"The whole log is {self._log_dir / (name + '.log')}."


def run_processes(
    procfile: Path,
    *,
    env: Mapping[str, str],
    log_dir: Path,
    counts: Mapping[str, int] | None = None,
    ready: Mapping[str, Ready] | None = None,
    say: Callable[[str], None] | None = None,
    each_second: Callable[[], None] | None = None,
) -> None:
    """Runs a `Procfile` until SIGINT or SIGTERM, telling `say` what happens. Raises LocalError."""
    tell = say or _to_stderr
    asked_to_stop: list[int] = []
    old = {number: signal.signal(number, lambda n, _: asked_to_stop.append(n)) for number in _STOP_SIGNALS}
    group = ProcessGroup(
        procfile,
        env=env,
        log_dir=log_dir,
        counts=counts,
        ready=ready,
        echo=lambda name, line: tell(f"{name:9} | {line}"),
    )
    try:
        group.start()
        told_ready, next_second = False, 0.0
        while not asked_to_stop:
            for ended in group.poll():
                how = how_it_ended(ended.code)
                tell(f"{ended.name} {how}; starting it again in {ended.restart_in_s:g} s")
            if not told_ready and all(one.ready is None or one.ready() for one in group.processes):
                told_ready = True
                tell("ready")
            if each_second is not None and time.monotonic() >= next_second:
                each_second()
                next_second = time.monotonic() + 1
            time.sleep(0.2)
        tell("stopping")
    finally:
        group.stop()
        for number, handler in old.items():
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _kill_group(process: Process) -> None:
    """Each process leads its own session: what is left in its group is its own."""
    if process.pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _trim(log: Path) -> None:
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
