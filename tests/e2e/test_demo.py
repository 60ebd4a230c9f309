"""`script/demo` as people treat it: to its end, again, killed, with taken ports, with another source."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.generate import write_snapshot
from script.demo_home import DISCARDING, read_state
from script.demo_source import Source
from tests.e2e.conftest import RunningDemo
from tests.support.waiting import is_alive, wait_until
from widget_backend.local.servers import acquire, down

SOURCE = "leads=40,seed=3"
ENTITIES = (
    "users",
    "pipelines",
    "statuses",
    "leads",
    "contacts",
    "companies",
    "tasks",
    "notes",
    "calls",
    "events",
)


def of_home(home: Path) -> list[int]:
    """The processes that run on this APP_HOME, whoever started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            number = int(process.name)
            if str(home).encode() in words and number != os.getpid() and is_alive(number):
                found.append(number)
    return found


def one_line(text: str) -> str:
    """The last line of standard error, which must be the error and no traceback."""
    assert "Traceback" not in text
    return text.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A home in which a demo ran to its end, with everything stopped; and what it printed."""
    demo = RunningDemo(tmp_path_factory.mktemp("made") / "a home", SOURCE)
    done = demo.once("--json")
    assert done.returncode == 0, done.stderr
    down(demo.home)
    return demo.home, json.loads(done.stdout)


@pytest.fixture
def demo(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[RunningDemo]:
    """A copy of that home, for a test to spoil."""
    home = tmp_path / "a home"
    shutil.copytree(made[0], home, ignore=shutil.ignore_patterns("run"))
    running = RunningDemo(home, SOURCE)
    yield running
    running.stop()
    down(home)
    wait_until(lambda: not of_home(home), "nothing is left running")


@pytest.mark.slow
def test_once_prints_one_object_with_rows_of_every_entity(made: tuple[Path, dict[str, Any]]) -> None:
    home, summary = made
    keys = {"account", "source", "rows", "requests", "seconds", "kpi", "export", "as_of", "complete"}
    assert keys <= summary.keys()
    assert (summary["account"], summary["source"], summary["complete"]) == ("demo", SOURCE, True)
    assert [name for name in ENTITIES if not summary["rows"][name] > 0] == []
    assert summary["export"]["rows"] > 0
    assert {"leads", "events", "users"} <= summary["requests"].keys()
    values = {one["id"]: one["rows"][0]["value"] for one in summary["kpi"]}
    assert len(values) >= 16
    assert values["leads_new"] > 0
    assert of_home(home) == []


@pytest.mark.slow
def test_its_result_is_there_for_the_commands_without_the_sandbox(
    made: tuple[Path, dict[str, Any]], demo: RunningDemo
) -> None:
    with acquire(demo.home):
        _look_at_the_result(demo, made[1])


def _look_at_the_result(demo: RunningDemo, summary: dict[str, Any]) -> None:
    (account,) = json.loads(demo.command("accounts", "list", "--json").stdout)
    leads = summary["rows"]["leads"]
    assert (account["subdomain"], account["state"], account["complete"]["leads"]) == (
        "demo",
        "active",
        [leads, leads],
    )
    period = summary["period"]
    days = ("--account", "demo", "--start", period["start_on"], "--end", period["end_on"])
    answer = json.loads(demo.command("kpi", *days, "--compare", "previous", "--json").stdout)
    assert answer["metrics"] == summary["kpi"]
    rows = json.loads(demo.command("kpi", *days, "--metric", "leads_new", "--rows", "--json").stdout)
    assert [rows["total"]] == [m["rows"][0]["value"] for m in summary["kpi"] if m["id"] == "leads_new"]
    assert "nothing wrong" in demo.command("doctor").stdout
    assert json.loads(demo.command("settings", "get", "--account", "demo").stdout)["export"]["spreadsheet_id"]
    assert demo.command("integrations", "list").returncode == 0


BAD_COMMANDS = (
    (2, "--start", ("kpi", "--account", "demo", "--start", "2026-02-30", "--end", "2026-03-01")),
    (2, "--start", ("kpi", "--account", "demo", "--start", "0001-01-01", "--end", "2026-03-01")),
    (2, "--end", ("kpi", "--account", "demo", "--start", "2026-03-02", "--end", "2026-03-01")),
    (1, "accounts list", ("settings", "get", "--account", "9" * 30)),
    (2, "start", ("settings", "set", "--account", "demo", "working_hours.start", "abc")),
    (2, "attribution", ("settings", "set", "--account", "demo", "attribution", "nonsense")),
    (2, "--client-secret", ("integrations", "rotate", "--client-id", "unknown")),
    (1, "paused", ("accounts", "resume", "--account", "demo")),
    (1, "Try again", ("export", "--account", "demo")),
    (2, "--help", ("nonsense",)),
)


@pytest.mark.slow
def test_bad_input_is_answered_by_one_line_that_names_it(demo: RunningDemo) -> None:
    with acquire(demo.home):
        for code, named, arguments in BAD_COMMANDS:
            done = demo.command(*arguments)
            assert (done.returncode, done.stdout) == (code, ""), arguments
            assert named in one_line(done.stderr), arguments


@pytest.mark.slow
def test_the_same_source_goes_on_with_its_tokens(demo: RunningDemo) -> None:
    before = demo.state()
    done = demo.once("--json", "--keep")
    assert done.returncode == 0, done.stderr
    assert "going on with the account" in done.stderr
    assert "OAuth" not in done.stderr
    assert json.loads(done.stdout)["rows"]["leads"] > 0
    for kept in ("client_id", "spreadsheet_id", "ports"):
        assert demo.state()[kept] == before[kept]


@pytest.mark.slow
def test_another_source_is_refused_with_keep_and_discards_without(demo: RunningDemo, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    write_snapshot(snapshot, leads=25, seed=9, now=datetime.now(UTC))
    before = demo.state()
    refused = demo.once("--snapshot", str(snapshot), "--keep")
    assert refused.returncode == 1
    assert "--keep" in one_line(refused.stderr)

    whole = (snapshot / "leads.jsonl").read_text(encoding="utf-8")
    (snapshot / "leads.jsonl").write_text(whole + '{"id": 7,', encoding="utf-8")
    broken = demo.once("--snapshot", str(snapshot))
    assert broken.returncode == 1
    assert f"leads.jsonl:{len(whole.splitlines()) + 1}" in one_line(broken.stderr)
    assert demo.state() == before  # nothing is given up for a source that cannot be read

    (snapshot / "leads.jsonl").write_text(whole, encoding="utf-8")
    done = demo.once("--snapshot", str(snapshot), "--json")
    assert done.returncode == 0, done.stderr
    assert f"({SOURCE}): discarding sandbox and database" in done.stderr
    summary = json.loads(done.stdout)
    assert summary["source"] == f"snapshot {snapshot}"
    assert 0 < summary["rows"]["leads"] <= 25


@pytest.mark.slow
def test_killed_parts_come_back_and_so_does_a_demo_killed_whole(demo: RunningDemo) -> None:
    demo.start()
    second = demo.once()
    assert second.returncode == 1
    assert one_line(second.stderr).startswith("Another demo runs under")

    simulator = next(pid for pid in of_home(demo.home) if b"amocrm\0--port" in command_of(pid))
    os.kill(simulator, signal.SIGKILL)
    wait_until(lambda: "the amocrm simulator was killed (SIGKILL)" in demo.said(), "the demo says so")
    wait_until(lambda: not refuses(demo, "amocrm"), "the simulator is back")
    demo.act({"do": "create_lead", "name": "Полка", "pipeline_id": 3100, "price": 1, "by": 502})
    leads = sum(not (row["is_deleted"] or row.get("_merged_into")) for row in demo.truth("leads"))

    victims = of_home(demo.home)
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):  # it followed another one
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, victims)), "all are gone")
    done = demo.once("--json")
    assert done.returncode == 0, done.stderr
    assert "OAuth" not in done.stderr
    assert json.loads(done.stdout)["rows"]["leads"] == leads


@pytest.mark.slow
def test_taken_ports_are_left_to_their_owners(demo: RunningDemo) -> None:
    ports = demo.state()["ports"]
    with contextlib.ExitStack() as stack:
        for port in ports.values():
            taker = stack.enter_context(socket.socket())
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taker.bind(("127.0.0.1", port))
            taker.listen()
        demo.start()
        now = demo.state()["ports"]
        assert [name for name, port in ports.items() if now[name] == port] == []
        (account,) = json.loads(demo.command("accounts", "list", "--json").stdout)
        assert account["hook_url"].startswith(demo.origin("web"))
        (integration,) = json.loads(demo.command("integrations", "list", "--json").stdout)
        assert integration["redirect_uri"] == f"{demo.origin('web')}/oauth/callback"
        # A hook at the new address: the polling would take longer than this waits.
        demo.act({"do": "create_lead", "name": "Полка", "pipeline_id": 3100, "price": 1, "by": 502})
        wait_until(lambda: hooks_at(demo, "web"), "the hook arrives")
    stopped = demo.stop(signal.SIGTERM)
    assert stopped == 0


def hooks_at(demo: RunningDemo, name: str) -> bool:
    log = (demo.home / "logs" / f"{name}.1.log").read_text(encoding="utf-8", errors="replace")
    return 'POST /hooks/amocrm/[redacted] HTTP/1.1" 200' in log.rpartition("Starting gunicorn")[2]


def command_of(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def refuses(demo: RunningDemo, name: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", demo.state()["ports"][name])) != 0


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("leads=40,seed=3", "leads=40,seed=3"),
        ("seed=3,leads=40", "leads=40,seed=3"),
        ("leads=40", "leads=40,seed=7"),
        ("leads=0", "leads=0,seed=7"),
    ],
)
def test_generated_sources_are_equal_when_their_numbers_are(spec: str, label: str) -> None:
    assert (Source.generated(spec).label, Source.generated(spec).key) == (label, f"generate:{label}")


@pytest.mark.parametrize("spec", ["", "leads", "leads=-1", "leads=x", "seed=1;leads=2", "leads=²", "deals=4"])
def test_other_specs_are_refused(spec: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        Source.generated(spec)


def test_a_snapshot_is_known_by_its_contents(tmp_path: Path) -> None:
    directory = tmp_path / "one"
    directory.mkdir()
    (directory / "account.json").write_text("{}")
    first = Source.snapshot(str(directory))
    moved = directory.rename(tmp_path / "two")
    assert Source.snapshot(str(moved)).key == first.key
    (moved / "leads.jsonl").write_text("{}\n")
    assert Source.snapshot(str(moved)).key != first.key


@pytest.mark.parametrize(
    ("left", "sandbox", "source"),
    [
        (None, False, None),
        (None, True, DISCARDING),
        ("", True, DISCARDING),
        ('{"source": "generate:x"', True, DISCARDING),
        ('{"source": "generate:x", "label": "x"}', True, "generate:x"),
        ('{"source": "generate:x", "label": "x"}', False, DISCARDING),
    ],
)
def test_what_no_demo_remembers_is_discarded(
    tmp_path: Path, left: str | None, sandbox: bool, source: str | None
) -> None:
    if left is not None:
        (tmp_path / "demo.json").write_text(left)
    if sandbox:
        (tmp_path / "sandbox" / "amocrm").mkdir(parents=True)
    assert read_state(tmp_path).get("source") == source
