"""The amoCRM simulator: pages a second, start from a big snapshot, its memory, hooks a second."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from bench import measure
from bench.measure import ROOT, ROUNDS, alternately, judged, result, timed
from bench.processes import Server
from bench.raw_http import fetch_all, request
from bench.receiver import Receiver

# Leads of the snapshot, then goals: seconds to start, seconds to continue a kept state.
SIZES = {"default": (20_000, 5.0, 1.0), "full": (100_000, 20.0, 1.5)}
PAGES_PER_S, PEAK_MB = 100, 1000
LIMIT, EVENTS_LIMIT = 250, 100
CONNECTIONS = 2
WITH = "contacts,loss_reason,source_id,source,catalog_elements,is_price_modified_by_robot"
HEAD = 501  # the generated account's administrator
HOOKS = 300
NOW = "2026-11-01T00:00:00+00:00"


def run(size: str) -> Iterable[dict[str, Any]]:
    """The results, each as soon as it is there."""
    leads, start_goal_s, restart_goal_s = SIZES[size]
    home = measure.home("sandbox")
    snapshot = _snapshot(home, leads)
    loop_s = measure.calibrate()
    yield from _starts(home, snapshot, loop_s, start_goal_s, restart_goal_s)
    with ExitStack() as stack:
        simulator = stack.enter_context(_simulator(snapshot, "--state", home / "state"))
        account = _Account(simulator.url)
        yield from _pages(stack, home, account, leads, loop_s)
        yield from _hooks(stack, account, loop_s)
    shutil.rmtree(home / "state")


def _snapshot(home: Path, leads: int) -> Path:
    """A generated snapshot, kept until the generator changes."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted((ROOT / "sandbox" / "generate").glob("*.py")):
        digest.update(path.read_bytes())
    target = home / f"leads-{leads}-{digest.hexdigest()}"
    if not target.exists():
        for old in home.glob(f"leads-{leads}-*"):
            shutil.rmtree(old)
        subprocess.run(
            [sys.executable, "-m", "sandbox", "generate", "--out", target, "--leads", str(leads),
             "--seed", "7", "--now", NOW],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return target


def _simulator(snapshot: Path, *more: object) -> Server:
    return Server(
        "sandbox", "amocrm", "--port", 0, "--snapshot", snapshot, "--rate-limit", 0, "--now", NOW, *more
    )


def _starts(
    home: Path, snapshot: Path, loop_s: float, goal_s: float, restart_goal_s: float
) -> Iterator[dict[str, Any]]:
    """Fresh starts beside `json.loads` of every line, then starts that continue what the last one kept."""
    peaks = []
    state = home / "state"

    def start() -> float:
        shutil.rmtree(state, ignore_errors=True)
        with _simulator(snapshot, "--state", state) as simulator:
            peaks.append(simulator.peak_mb)
            return simulator.start_s

    def restart() -> float:
        with _simulator(snapshot, "--state", state) as simulator:
            return simulator.start_s

    fresh, parsed = alternately(start, lambda: timed(lambda: _parse(snapshot)))
    found = result(
        "sandbox.start", fresh, "s", against="json.loads of every line, one process", compared=parsed
    )
    yield judged(found, loop_s, at_most=goal_s)
    found = result("sandbox.start_peak_memory", peaks, "MB")
    if min(peaks) > 0:
        yield judged(found, loop_s, at_most=PEAK_MB)
    else:
        yield judged({**found, "reason": "this system has no /proc to read memory from"}, loop_s)
    again = [restart() for _ in range(ROUNDS)]
    yield judged(result("sandbox.restart", again, "s"), loop_s, at_most=restart_goal_s)


def _parse(snapshot: Path) -> None:
    for path in snapshot.glob("*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                json.loads(line)


def _pages(
    stack: ExitStack, home: Path, account: "_Account", leads: int, loop_s: float
) -> Iterator[dict[str, Any]]:
    """Sweeps of all leads beside Python's own HTTP server with a page's bytes; then three other lists."""
    last = max(leads // LIMIT * 9 // 10, 1)  # some leads are deleted or merged
    first = f"leads?with={WITH}&limit={LIMIT}&page="
    (home / "page.json").write_bytes(account.body(first + "1"))
    plain = stack.enter_context(Server("bench.plain_server", home / "page.json"))
    sweep = [account.request(f"{first}{page}") for page in range(1, last + 1)]
    client_cpu: list[float] = []

    def subject() -> float:
        cpu = time.process_time()
        seconds = timed(lambda: fetch_all(account.url, sweep, CONNECTIONS))
        client_cpu.append(100 * (time.process_time() - cpu) / seconds)
        return len(sweep) / seconds

    rates, limits = alternately(
        subject, lambda: len(sweep) / timed(lambda: fetch_all(plain.url, sweep, CONNECTIONS))
    )
    found = result(
        "sandbox.list_pages", rates, "pages/s", against="http.server with the same bytes", compared=limits
    )
    yield judged(found, loop_s, at_least=PAGES_PER_S)
    yield judged(result("sandbox.list_pages.client_cpu", client_cpu, "% of a core"), loop_s)
    deep = leads * 10 // EVENTS_LIMIT
    events = range(max(deep - 200, 1), deep)
    span = "filter[updated_at][from]=1767225600&filter[updated_at][to]=1782864000&order[updated_at]=asc"
    filtered = f"leads?with={WITH}&limit={LIMIT}&{span}"
    others = {
        "filtered_pages": [f"{filtered}&page={n}" for n in range(1, last // 4 + 2)],
        "deep_event_pages": [f"events?limit={EVENTS_LIMIT}&page={n}" for n in events],
        "note_pages": [f"leads/notes?limit={LIMIT}&page={n}" for n in range(1, last + 1)],
    }
    for name, paths in others.items():
        asked = [account.request(path) for path in paths]
        found = result(f"sandbox.{name}", [_rate(account.url, asked) for _ in range(ROUNDS)], "pages/s")
        yield judged(found, loop_s)


def _rate(url: str, asked: list[bytes]) -> float:
    return len(asked) / timed(lambda: fetch_all(url, asked, CONNECTIONS))


def _hooks(stack: ExitStack, account: "_Account", loop_s: float) -> Iterator[dict[str, Any]]:
    """From the first of many changes to the arrival of the last hook, beside the same bodies just posted."""
    receiver = stack.enter_context(Receiver())
    account.subscribe(receiver.url)

    def subject() -> None:
        account.rename(HOOKS)
        receiver.wait_for(HOOKS)

    rates, posted = alternately(
        lambda: HOOKS / timed(subject), lambda: HOOKS / timed(lambda: receiver.post_again(HOOKS))
    )
    found = result(
        "sandbox.hooks", rates, "hooks/s", against="the same bodies posted by requests", compared=posted
    )
    yield judged(found, loop_s)


class _Account:
    """The generated account, seen by an integration of its administrator."""

    def __init__(self, url: str) -> None:
        self.url = url
        made = self._door("integrations", {"redirect_uri": "http://127.0.0.1/"})
        code = self._door("codes", {"client_id": made["client_id"]})["code"]
        names = ("client_id", "client_secret", "redirect_uri")
        asked = {name: made[name] for name in names} | {"grant_type": "authorization_code", "code": code}
        answer = requests.post(f"{url}/oauth2/access_token", json=asked, timeout=30)
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Host": "demo.amocrm.ru"}

    def _door(self, name: str, body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{name}", json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def request(self, path: str) -> bytes:
        """The bytes of a GET."""
        return request(f"/api/v4/{path}", **self._headers)

    def body(self, path: str) -> bytes:
        """One answer."""
        answer = requests.get(f"{self.url}/api/v4/{path}", headers=self._headers, timeout=60)
        answer.raise_for_status()
        return answer.content

    def subscribe(self, destination: str) -> None:
        """Have changes of leads told there."""
        asked = {"destination": destination, "settings": ["update_lead"]}
        requests.post(
            f"{self.url}/api/v4/webhooks", json=asked, headers=self._headers, timeout=30
        ).raise_for_status()

    def rename(self, count: int) -> None:
        """Change so many leads, one after the other."""
        stamp = time.time_ns()
        listed = json.loads(self.body(f"leads?limit={LIMIT}"))["_embedded"]["leads"]
        ids = [lead["id"] for lead in listed]
        names = [f"Bench {stamp} {n}" for n in range(count)]
        self._door("actions", [
            {"do": "edit_lead", "lead_id": ids[n % len(ids)], "set": {"name": name}, "by": HEAD}
            for n, name in enumerate(names)
        ])  # fmt: skip
