"""Servers under measurement: started as a user starts them, watched for memory, ended by their own id."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.measure import ROOT

GUARD_S = 60.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Server:
    """`python -m MODULE …` that prints a line ending in its address once it answers. Used as a context."""

    def __init__(self, *command: object) -> None:
        began = time.perf_counter()
        self.child = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self._peak = 0
        self._watch = threading.Thread(target=self._watch_memory, daemon=True)
        self._up = threading.Event()
        self._watch.start()
        line = self.child.stdout.readline() if self.child.stdout else ""
        self.start_s = time.perf_counter() - began
        self._up.set()
        if " on http://" not in line:
            self._end()
            name = " ".join(map(str, command))
            raise RuntimeError(f"{name} did not start (code {self.child.returncode})")
        self.url = line.split()[-1]

    def _watch_memory(self) -> None:
        while not self._up.wait(0.05):
            self._peak = max(self._peak, sum(map(resident_bytes, family(self.child.pid))))

    @property
    def peak_mb(self) -> float:
        """Most memory resident at once until it answered, helpers included; 0 where it cannot be seen."""
        self._watch.join()
        return self._peak / 1e6

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.terminate()
        self._end()

    def _end(self) -> None:
        self.child.wait(GUARD_S)
        if self.child.stdout:
            self.child.stdout.close()


def family(pid: int) -> list[int]:
    """The process and its children, as far as the system tells."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        lists = []
    return [pid, *(int(child) for listed in lists for child in listed.split())]


def resident_bytes(pid: int) -> int:
    """0 for a process that is gone, or on a system without /proc."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0
