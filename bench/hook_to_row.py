"""From a deal won in the CRM to the number the widget reads: the whole product at work on one machine."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from bench import measure
from bench.measure import ROOT

LIMIT_S = 15.0
SIZES = {"default": (200, 10), "full": (2000, 50)}
START_GUARD_S = 1200.0
POLL_S = 0.05
HEAD = 501  # the generated account's administrator
SERVER_VARIABLES = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "ENCRYPTION_KEYS")


def run(size: str) -> Iterable[dict[str, Any]]:
    """One result: the median of n wins, each awaited before the next; spread is the slowest of them."""
    leads, wins = SIZES[size]
    home = measure.home("hook_to_row")
    loop_s = measure.calibrate()
    with (home / "demo.log").open("w+", encoding="utf-8") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "script.demo", "--generate", f"leads={leads},seed=7", "--speed", "0"],
            cwd=ROOT,
            env={
                **{k: v for k, v in os.environ.items() if k not in SERVER_VARIABLES},
                "APP_HOME": str(home),
            },
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            _wait_until_up(demo, home / "demo.log")
            seconds = sorted(_Account(home).win() for _ in range(wins))
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(90)
    median = statistics.median(seconds)
    ok, reason = measure.verdict(seconds[-1] <= LIMIT_S, loop_s, measure.written())
    yield {
        "name": "hook_to_row",
        "value": round(median, 2),
        "unit": "s",
        "against": f"the issue's limit of {LIMIT_S:.0f} s",
        "ratio": round(median / LIMIT_S, 3),
        "goal": f"every win within {LIMIT_S:.0f} s",
        "ok": ok,
        "reason": reason,
        "n": wins,
        "spread": round(seconds[-1], 2),
    }


def _wait_until_up(demo: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_GUARD_S
    while "Ctrl-C stops" not in log.read_text(encoding="utf-8"):
        if demo.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the demo did not come up: {log.read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.2)


class _Account:
    """The demo's account, seen by its administrator's widget."""

    def __init__(self, home: Path):
        state = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        self.amocrm, self.web = (f"http://127.0.0.1:{state['ports'][name]}" for name in ("amocrm", "web"))
        body = {"client_id": state["client_id"], "user_id": HEAD}
        token = requests.post(f"{self.amocrm}/_sandbox/widget_token", json=body, timeout=10).json()["token"]
        self.headers = {"X-Auth-Token": token}

    def win(self) -> float:
        """Create a lead, win it, and wait until the API counts it. Answers the seconds since the win."""
        today = datetime.now(UTC).date()
        # A day to either side: the account's date may be another one than UTC's.
        span = [(today + timedelta(days=shift)).isoformat() for shift in (-1, 1)]
        query = {"metric": "won_count", "start": span[0], "end": span[1]}
        made = self._act({"do": "create_lead", "name": "Bench", "pipeline_id": 3100, "price": 1, "by": HEAD})
        lead_id = made["done"][0]["id"]
        before = self._count(query)
        began = time.monotonic()
        self._act({"do": "win_lead", "lead_id": lead_id, "by": HEAD})
        while self._count(query) == before:
            if time.monotonic() - began > 4 * LIMIT_S:
                raise RuntimeError("the win never reached the API")
            time.sleep(POLL_S)
        return time.monotonic() - began

    def _act(self, action: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.amocrm}/_sandbox/actions", json=[action], timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _count(self, query: dict[str, str]) -> int:
        answer = requests.get(f"{self.web}/api/v1/kpis", params=query, headers=self.headers, timeout=10)
        answer.raise_for_status()
        return int(answer.json()["metrics"][0]["rows"][0]["value"])
