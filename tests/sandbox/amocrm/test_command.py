"""The command: start, kill -9, continue, refuse; snapshots that are odd or broken."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.amocrm.live import Live
from sandbox.amocrm.main import Simulator, main
from sandbox.amocrm.storage.state import Source
from tests.sandbox.amocrm.support import Client, a_lead, account_json, small_account, write_account

GUARD_S = 60
ROOT = Path(__file__).resolve().parents[3]


class Process:
    """`python -m sandbox amocrm` as a process of its own."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "sandbox", "amocrm", "--port", "0", *map(str, arguments)]
        self.child = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
        )

    def url(self) -> str:
        """The address it says it answers at."""
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line.startswith("sandbox amocrm on http://127.0.0.1:"), (line, self.child.stderr)
        return line.split()[-1]

    def end(self, number: int) -> int:
        """Send a signal and answer how it ended."""
        self.child.send_signal(number)
        code = self.child.wait(GUARD_S)
        for pipe in (self.child.stdout, self.child.stderr):
            assert pipe is not None
            pipe.close()
        return code


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    made: list[Process] = []
    yield made
    for process in made:
        if process.child.poll() is None:
            process.end(signal.SIGKILL)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The command in this process, for starts that must fail: exit code and standard error."""
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.mark.slow
def test_state_survives_kill_and_the_same_source_continues(
    tmp_path: Path, snapshot: Path, processes: list[Process]
) -> None:
    arguments = ("--snapshot", snapshot, "--state", tmp_path / "state", "--port-file", tmp_path / "port")
    arguments += ("--rate-limit", 0)
    first = Process(*arguments)
    processes.append(first)
    client = Client(first.url())
    client.do("move_lead", lead_id=7001, status_id=142)
    client.call("POST", "webhooks", json={"destination": "http://127.0.0.1:9/h", "settings": ["add_lead"]})
    client.door("clock", advance_s=1000)
    first.end(signal.SIGKILL)
    second = Process(*arguments)
    processes.append(second)
    client.url = second.url()
    assert (tmp_path / "port").read_text().strip() == client.url
    assert client.get("leads/7001").json()["status_id"] == 142
    assert len(client.rows("webhooks", "webhooks")) == 1
    assert client.http.get(f"{client.url}/_sandbox/clock").json()["offset_s"] == pytest.approx(1000, abs=1)
    assert (
        client.token(grant_type="refresh_token", refresh_token=client.tokens["refresh_token"]).status_code
        == 200
    )
    assert second.end(signal.SIGTERM) == 0
    client.http.close()


def test_another_source_is_refused_with_a_remedy(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    Simulator(state, Source(snapshots=(snapshot,))).close()
    other = write_account(tmp_path / "other", account_json(name="Другой"), small_account())
    code, said = run(capsys, "--port", 0, "--snapshot", other, "--state", state)
    assert (code, said.count("\n")) == (1, 1)
    assert "remove it or name another --state" in said


def test_a_state_in_use_is_refused(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    running = Simulator(state, Source(snapshots=(snapshot,)))
    code, said = run(capsys, "--port", 0, "--snapshot", snapshot, "--state", state)
    running.close()
    assert code == 1
    assert "in use by another simulator" in said


def test_taken_port_says_so(snapshot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run(capsys, "--port", port, "--snapshot", snapshot)
    assert (code, said.count("\n")) == (1, 1)
    assert f"port {port} is taken" in said


def test_no_source_or_a_bad_one_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--port", 0)[0] == 2
    assert run(capsys, "--port", 0, "--generate", "dogs=1")[0] == 2
    assert run(capsys, "--port", 0, "--snapshot", "x", "--now", "soon")[0] == 2


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("leads", b'{"id": 1'),
        ("leads", b"[1]"),
        ("leads", b'{"name": "x"}'),
        ("events", b"\xff\xfe"),
        ("account", b""),
    ],
)
def test_an_unreadable_line_is_named(
    snapshot: Path, capsys: pytest.CaptureFixture[str], name: str, line: bytes
) -> None:
    path = snapshot / ("account.json" if name == "account" else f"{name}.jsonl")
    kept = b"" if name == "account" else path.read_bytes()
    path.write_bytes(kept + line + b"\n")
    code, said = run(capsys, "--port", 0, "--snapshot", snapshot)
    assert (code, said.count("\n")) == (1, 1)
    assert str(path) in said
    if name != "account":
        assert f":{kept.count(10) + 1}:" in said


def test_a_missing_account_and_two_alike_are_refused(
    tmp_path: Path, snapshot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert "no account.json" in run(capsys, "--port", 0, "--snapshot", tmp_path / "empty")[1]
    assert "same account id" in run(capsys, "--port", 0, "--snapshot", snapshot, "--snapshot", snapshot)[1]


def started(tmp_path: Path, *snapshots: Path, **more: Any) -> Simulator:
    """A running simulator without rate limit."""
    state = tmp_path / "state"
    state.mkdir()
    running = Simulator(state, Source(snapshots=snapshots, **more))
    running.world.switches.change({"rate_limit": 0})
    running.start()
    return running


def test_several_snapshots_are_several_accounts(tmp_path: Path, snapshot: Path) -> None:
    rows = {**small_account(), "leads": [a_lead(7001, name="Чужой", account_id=32)]}
    second = write_account(tmp_path / "second", account_json(id=32, subdomain="second"), rows)
    running = started(tmp_path, snapshot, second, subdomain="renamed")
    one, two = Client(running.url, "renamed"), Client(running.url, "second")
    assert len(one.rows("leads", "leads")) == 3
    assert [lead["name"] for lead in two.rows("leads", "leads")] == ["Чужой"]
    two.tokens = one.tokens
    assert two.get("leads").status_code == 401
    assert one.call("GET", "leads", headers={"Host": "127.0.0.1"}).status_code == 404
    for client in (one, two):
        client.http.close()
    running.close()


def test_odd_exports_are_served_as_they_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = a_lead(
        7001,
        name=None,
        price="12.50",
        updated_at="1760000009",
        created_at=1760000000.0,
        strange={"a": [1]},
        _links={"self": {"href": "https://old.amocrm.ru/api/v4/leads/7001"}},
        _embedded={"contacts": None, "tags": None, "companies": [{"id": 1, "_links": {"self": {}}}]},
    )
    rows: dict[str, list[dict[str, Any]]] = {"leads": [odd, {"id": 7002}], "dogs": [{"id": 1}], "users": []}
    directory = write_account(tmp_path / "odd", {"id": 5, "subdomain": "odd", "name": None}, rows)
    running = started(tmp_path, directory)
    said = capsys.readouterr().err
    assert "dogs.jsonl is not part of a snapshot" in said
    assert "time zone" in said
    client = Client(running.url, "odd")
    (first,) = client.rows("leads?with=contacts,loss_reason&filter[updated_at][from]=1760000009", "leads")
    assert (first["name"], first["price"], first["strange"]) == (None, "12.50", {"a": [1]})
    assert first["_links"]["self"]["href"] == "https://odd.amocrm.ru/api/v4/leads/7001"
    kept = client.truth("leads")
    assert "_links" not in json.dumps(kept)
    assert kept[1] == {"id": 7002}
    assert client.rows("leads?order[updated_at]=desc", "leads")[-1]["id"] == 7002
    for path in ("users", "leads/pipelines", "contacts", "tasks", "events"):
        assert client.get(path).status_code == 204
    assert client.rows("leads/7002/links", "links") == []
    client.http.close()
    running.close()


def test_truth_equals_the_snapshot_until_something_happens(client: Client) -> None:
    for entity, rows in small_account().items():
        assert client.truth(entity) == rows
    assert client.http.get(f"{client.url}/_sandbox/truth/account").json() == account_json()


def test_live_traffic_acts_through_the_write_path(client: Client, simulator: Simulator) -> None:
    before = len(client.truth("events"))
    live = Live(simulator.world)
    done = [name for _ in range(60) if (name := live.act())]
    assert len(set(done)) >= 5
    assert len(client.truth("events")) > before + len(done) // 2


@pytest.mark.slow
def test_generated_accounts(tmp_path: Path) -> None:
    running = started(tmp_path, generate={"leads": 40, "seed": 3, "accounts": 2}, now=1772348400.0)
    first, second = Client(running.url, "demo"), Client(running.url, "demo2")
    assert (len(first.truth("leads")) >= 40, len(second.truth("leads")) >= 40) == (True, True)
    assert first.get("account").json()["id"] != second.get("account").json()["id"]
    assert abs(first.http.get(f"{running.url}/_sandbox/clock").json()["now"] - 1772348400.0) < 60
    assert max(lead["updated_at"] for lead in first.truth("leads")) <= 1772348400
    for client in (first, second):
        client.http.close()
    running.close()
