"""Waiting for something to become true, with a guard instead of a guess."""

import time
from collections.abc import Callable
from pathlib import Path

GUARD_S = 60.0


def wait_until(condition: Callable[[], object], what: str, guard_s: float = GUARD_S) -> None:
    """Returns when `condition()` holds. Raises AssertionError naming `what` when it never does."""
    deadline = time.monotonic() + guard_s
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """True while a process runs; a zombie that nobody has collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
