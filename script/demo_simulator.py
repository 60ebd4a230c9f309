"""One simulator of a demo (amocrm, sheets, page): its process, its log, where it listens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from widget_backend.local.child import free_port
from widget_backend.local.errors import LocalError
from widget_backend.local.home import last_lines
from widget_backend.local.launch import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 600.0  # a large snapshot takes its time
STOP_TIMEOUT_S = 15.0
PORT_TRIES = 3
SOUND_AFTER_S, MAX_FAILURES = 10.0, 3


class Simulator:
    """`python -m sandbox NAME …`. Leaving the block stops it."""

    def __init__(self, home: Path, name: str, arguments: list[str]):
        self.name = name
        self.arguments = arguments
        self.log = home / "logs" / f"sandbox-{name}.log"
        self.port = 0
        self._port_file = home / "run" / f"sandbox-{name}.port"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def start(self, port: int) -> int:
        """Start it at this port (at another one if that is taken meanwhile, 0 for any); returns the port.

        Raises LocalError with the reason it gives.
        """
        self.log.unlink(missing_ok=True)
        for attempt in range(1, PORT_TRIES + 1):
            self.port = port or free_port()
            self._launch()
            if self._answers():
                return self.port
            if "is taken" not in last_lines(self.log) or attempt == PORT_TRIES:
                break
            port = 0
        # What it says of a source names file, line and remedy; the log has the rest.
        said = last_lines(self.log, 1).removeprefix(f"sandbox {self.name}: ").rstrip(".")
        full = "No space left" in said or "disk is full" in said
        raise LocalError(
            f"the {self.name} simulator ended: {said or 'it said nothing'}",
            "Free some disk space and start again." if full else f"See {self.log}.",
        )

    def revive(self) -> None:
        """Start it again at the same port. Raises LocalError when it does not stay up."""
        young = time.monotonic() - self._started_at < SOUND_AFTER_S
        self._failures = self._failures + 1 if young else 0
        if self._failures >= MAX_FAILURES:
            raise LocalError(
                f"the {self.name} simulator does not stay up: {last_lines(self.log)}", f"See {self.log}."
            )
        # Its clients know this port, so we do not take another one.
        self._launch()
        if not self._answers():
            raise LocalError(f"the {self.name} simulator does not start again", f"See {self.log}.")

    def door(self, name: str, body: dict[str, Any] | None = None) -> Any:
        """Call one of its own doors; POST with a body, GET without. Raises LocalError."""
        url = f"{self.origin}/_sandbox/{name}"
        try:
            answer = requests.request("GET" if body is None else "POST", url, json=body, timeout=60)
        except requests.RequestException as error:
            problem = f"the {self.name} simulator does not answer ({type(error).__name__})"
            raise LocalError(problem, f"Start the demo again; its log is {self.log}.") from error
        if not answer.ok:
            raise LocalError(f"the {self.name} simulator refused {name}: {answer.text[:200]}", f"See {url}.")
        return answer.json()

    def stop(self) -> None:
        """Ask it to end, and see that it does. Safe to repeat."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        self._port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox", self.name, "--port", str(self.port), *self.arguments]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--port-file", str(self._port_file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                preexec_fn=die_with_parent(signal.SIGTERM, os.getpid()),
                start_new_session=True,
            )
        self._started_at = time.monotonic()

    def _answers(self) -> bool:
        """True once it says where it listens, False when it ended."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self._port_file.exists() and self._port_file.read_text().strip()):
            if self.code is not None:
                return False
            if time.monotonic() > deadline:
                raise LocalError(f"the {self.name} simulator does not start", f"See {self.log}.")
            time.sleep(0.05)
        return True
