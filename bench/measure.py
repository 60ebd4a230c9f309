"""What every benchmark needs: medians beside a comparison, the speed of the machine, where data are kept."""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
WRITTEN = re.compile(r"Calibration when this was written: ([\d.]+) s")
SLOWER = 1.5
ROUNDS = 5
LOOP = """
import json, time
text = json.dumps({str(n): [n, n / 7, "слово" * 5] for n in range(400)})
began = time.perf_counter()
for _ in range(250):
    json.dumps({k: sorted(v, key=str) for k, v in json.loads(text).items()})
print(time.perf_counter() - began)
"""


def home(name: str) -> Path:
    """Where a benchmark keeps its data: `APP_HOME/bench/NAME`."""
    path = Path(os.environ.get("APP_HOME") or ROOT / ".local") / "bench" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def calibrate() -> float:
    """Seconds a fixed loop takes when two processes run it at once; the median of five."""
    times = []
    for _ in range(ROUNDS):
        pair = [
            subprocess.Popen([sys.executable, "-c", LOOP], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        times.append(max(float(one.communicate()[0]) for one in pair))
    return statistics.median(times)


@cache
def written() -> float | None:
    """What the loop took when docs/benchmarks.md was written; None when that does not say."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    found = WRITTEN.search(text)
    return float(found[1]) if found else None


def verdict(met: bool, loop_s: float, written_s: float | None) -> tuple[bool | None, str | None]:
    """`ok` and `reason`: not judged on a machine that is much slower than the one of the document."""
    if written_s is not None and loop_s > SLOWER * written_s:
        return (
            None,
            f"the machine is {loop_s / written_s:.1f} times slower than when docs/benchmarks.md was written",
        )
    return met, None


def alternately(
    subject: Callable[[], float], comparison: Callable[[], float], rounds: int | None = None
) -> tuple[list[float], list[float]]:
    """Both in turn, so that a busy moment of the machine hits both."""
    pairs = [(subject(), comparison()) for _ in range(rounds or ROUNDS)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def timed(work: Callable[[], object]) -> float:
    """Seconds it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def result(name: str, values: Sequence[float], unit: str, **more: Any) -> dict[str, Any]:
    """The median of the values with their lowest and highest; `compared` gives values of `against`."""
    value = statistics.median(values)
    compared = more.pop("compared", None)
    if compared:
        more["ratio"] = round(value / statistics.median(compared), 3)
        more["against"] = f"{more['against']}: {statistics.median(compared):.4g} {unit}"
    spread = [float(f"{edge:.4g}") for edge in (min(values), max(values))]
    return {
        "name": name,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "n": len(values),
        "spread": spread,
        **more,
    }


def judged(
    found: dict[str, Any], loop_s: float, *, at_least: float | None = None, at_most: float | None = None
) -> dict[str, Any]:
    """The result with its goal and verdict."""
    if at_least is not None:
        goal, met = f"≥ {at_least:g} {found['unit']}", found["value"] >= at_least
    elif at_most is not None:
        goal, met = f"≤ {at_most:g} {found['unit']}", found["value"] <= at_most
    else:
        return {**found, "goal": None, "ok": None, "reason": found.get("reason") or "no goal is set"}
    ok, reason = verdict(met, loop_s, written())
    return {**found, "goal": goal, "ok": ok, "reason": reason}


if __name__ == "__main__":
    print(json.dumps({"calibration_s": round(calibrate(), 4)}))
