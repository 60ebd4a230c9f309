"""Fixtures for tests that start embedded servers of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from widget_backend.local.servers import down

HOLD = """
import sys
from pathlib import Path
from widget_backend.local.servers import acquire
lease = acquire(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def quick_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fsync, and no five seconds of patience after the last user."""
    monkeypatch.setenv("APP_LOCAL_FAST", "1")
    monkeypatch.setenv("APP_LOCAL_IDLE_S", "0.2")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """An APP_HOME to be; whatever runs there is stopped after the test."""
    place = tmp_path / "home"
    yield place
    down(place)


@pytest.fixture
def hold(home: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts another process that uses the servers until it is killed or its input ends."""
    users: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        user = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(home)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        users.append(user)
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        return user

    yield start
    for user in users:
        if user.poll() is None:
            user.send_signal(signal.SIGKILL)
        user.wait()
        for stream in (user.stdin, user.stdout):
            assert stream is not None
            stream.close()
