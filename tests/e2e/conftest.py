"""The demo as people start it, in a home of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "leads=60,seed=5"
SERVER_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENCRYPTION_KEYS")


class RunningDemo:
    """`script/demo` that stays, without live traffic; or to its end, with `once`."""

    def __init__(self, home: Path, source: str = SOURCE):
        self.home = home
        self.source = source
        self.log = home.with_name(home.name + ".log")
        self.process: subprocess.Popen[bytes] | None = None

    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in SERVER_VARIABLES}
        quick = {"APP_LOCAL_FAST": "1", "APP_LOCAL_IDLE_S": "0.5"}
        return {**kept, **quick, "APP_HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def start(self) -> None:
        """Start it and wait until it says what to open."""
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "script.demo", "--generate", self.source, "--speed", "0"],
                cwd=ROOT,
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
        process = self.process
        wait_until(lambda: process.poll() is not None or "Ctrl-C stops" in self.said(), "the demo is up", 240)
        assert process.poll() is None, self.said()

    def once(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`script/demo --once …`; the source is this one's unless the arguments name another."""
        named = {"--generate", "--snapshot"} & set(arguments)
        source = [] if named else ["--generate", self.source]
        return self._run("script.demo", "--once", *source, *arguments)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self, how: signal.Signals = signal.SIGINT) -> int | None:
        """Ctrl-C, or worse; answers the exit code, None if it was never started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(90)
        return self.process.returncode if self.process is not None else None

    def state(self) -> dict[str, Any]:
        """What it remembers: ports, ids."""
        return dict(json.loads((self.home / "demo.json").read_text(encoding="utf-8")))

    def origin(self, name: str) -> str:
        return f"http://127.0.0.1:{self.state()['ports'][name]}"

    def act(self, *actions: dict[str, Any]) -> None:
        """Let people do something in the CRM."""
        answer = requests.post(f"{self.origin('amocrm')}/_sandbox/actions", json=list(actions), timeout=30)
        assert answer.ok, answer.text[:300]

    def truth(self, entity: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.origin('amocrm')}/_sandbox/truth/{entity}", timeout=30)
        return [json.loads(line) for line in answer.text.splitlines() if line]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`python -m widget_backend …` on the same home."""
        return self._run("widget_backend", *arguments)

    def _run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One running demo for the tests of a module."""
    running = RunningDemo(tmp_path_factory.mktemp("demo") / "home")
    running.start()
    try:
        yield running
    finally:
        running.stop()
