"""The runner of `Procfile`: order, restarts, ends, and nothing left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tests.support.waiting import is_alive, wait_until
from widget_backend.local.errors import LocalError
from widget_backend.local.processes import ProcessGroup, answers_http, restart_delay_s
from widget_backend.local.procfile import argv_of, read_procfile

NOTE = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()} {os.environ.get('PORT')}\\n")
time.sleep(1000)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with a program `note.py FILE` that notes its pid and PORT, then waits."""
    place = tmp_path / "a place with spaces"
    place.mkdir()
    (place / "note.py").write_text(NOTE)
    return place


def group(folder: Path, procfile: str, **more: object) -> ProcessGroup:
    (folder / "Procfile").write_text(procfile)
    env = {**os.environ, "PORT": "5000", "FOLDER": str(folder)}
    return ProcessGroup(folder / "Procfile", env=env, log_dir=folder / "logs", **more)  # type: ignore[arg-type]


def noted(folder: Path, name: str) -> list[list[str]]:
    path = folder / name
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_a_procfile_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# comment\n\nrelease: a b\nweb: c --x='1 2'\n")
    assert read_procfile(tmp_path / "Procfile") == {"release": "a b", "web": "c --x='1 2'"}


@pytest.mark.parametrize("text", ["web", "web:\n", "web: a\nweb: b", "a b: c"])
def test_a_bad_line_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    with pytest.raises(LocalError, match="Procfile, line"):
        read_procfile(tmp_path / "Procfile")


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("python -m x", [sys.executable, "-m", "x"]),
        ('run "a b" $PORT ${PORT}1', ["run", "a b", "80", "801"]),
        ("run '$DIR/file'", ["run", "/with space/file"]),
    ],
)
def test_commands_become_arguments_without_a_shell(command: str, argv: list[str]) -> None:
    assert argv_of(command, {"PORT": "80", "DIR": "/with space"}) == argv


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(LocalError, match=r"\$NOPE"):
        argv_of("run $NOPE", {})


@pytest.mark.parametrize(("failures", "delay"), [(1, 0.5), (2, 1.0), (4, 4.0), (50, 30.0)])
def test_restarts_back_off(failures: int, delay: float) -> None:
    assert restart_delay_s(failures) == delay


def test_release_ends_before_the_others_start(folder: Path) -> None:
    made = "import pathlib; pathlib.Path('made').write_text('x')"
    need = "import pathlib; pathlib.Path('seen').write_text(pathlib.Path('made').read_text())"
    with group(
        folder, f'release: python -c "{made}"\nweb: python -c "{need}; import time; time.sleep(1000)"'
    ) as running:
        running.start()
        wait_until(lambda: (folder / "seen").exists(), "web saw what release made")


def test_a_failed_release_is_quoted_and_starts_nothing(folder: Path) -> None:
    line = "release: python -c \"raise SystemExit('no database')\"\nweb: python note.py web"
    with group(folder, line) as running, pytest.raises(LocalError, match="release ended with 1: no database"):
        running.start()
    assert noted(folder, "web") == []


def test_counts_ports_and_logs(folder: Path) -> None:
    lines: list[tuple[str, str]] = []
    procfile = (
        "web: python note.py web\nworker: python note.py worker\n"
        "beat: python -u -c \"print('tick'); import time; time.sleep(1000)\""
    )
    with group(
        folder,
        procfile,
        counts={"web": 2, "worker": 0},
        echo=lambda *line: lines.append(line),
    ) as running:
        running.start()
        wait_until(lambda: len(noted(folder, "web")) == 2, "two web processes")
        wait_until(lambda: [*running.poll(), ("beat.1", "tick") in lines][-1], "the line of beat")
        assert sorted(port for _, port in noted(folder, "web")) == ["5000", "5001"]
    assert noted(folder, "worker") == []
    assert (folder / "logs" / "beat.1.log").read_text().startswith("tick\n")


def test_an_unknown_process_is_named(folder: Path) -> None:
    with pytest.raises(LocalError, match=r"no process named wrker.*web, worker"):
        group(folder, "web: a\nworker: b", counts={"wrker": 2})


def test_what_dies_is_started_again(folder: Path) -> None:
    with group(folder, "web: python note.py web") as running:
        running.start()
        wait_until(lambda: noted(folder, "web"), "the first start")
        first = int(noted(folder, "web")[0][0])
        os.kill(first, signal.SIGKILL)
        ended: list[str] = []

        def restarted() -> bool:
            ended.extend(one.name for one in running.poll())
            return len(noted(folder, "web")) == 2

        wait_until(restarted, "the second start")
        assert ended == ["web.1"]
        second = running.processes[0].pid
        assert second != first
    assert second is not None
    assert not is_alive(second)


def test_stop_ends_the_stubborn_and_their_children(folder: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " subprocess.run([sys.executable, 'note.py', 'grandchild'])"
    )
    running = group(folder, f'web: python -c "{stubborn}"', stop_timeout_s=0.2)
    running.start()
    wait_until(lambda: noted(folder, "grandchild"), "the grandchild")
    running.stop()
    running.stop()
    grandchild = int(noted(folder, "grandchild")[0][0])
    wait_until(lambda: not is_alive(grandchild), "its end")


def test_ready_means_that_it_answers(folder: Path, free_port: int) -> None:
    procfile = f"web: python -m http.server --bind 127.0.0.1 {free_port}"
    check = answers_http(f"http://127.0.0.1:{free_port}/Procfile")
    with group(folder, procfile, ready={"web": check}) as running:
        assert not check()
        running.start()
        running.wait_ready()
        assert check()
    assert not check()


def test_a_process_that_dies_before_it_is_ready_is_quoted(folder: Path) -> None:
    line = "web: python -c \"raise SystemExit('port is taken')\""
    with group(folder, line, ready={"web": lambda: False}) as running:
        running.start()
        with pytest.raises(LocalError, match=r"web\.1 ended with 1: port is taken"):
            running.wait_ready()


RUNNER = """
import os, sys
from pathlib import Path
from widget_backend.local.processes import run_processes
folder = Path(sys.argv[1])
run_processes(folder / "Procfile", env=dict(os.environ), log_dir=folder / "logs")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_runner(folder: Path, number: signal.Signals) -> None:
    (folder / "Procfile").write_text("web: python note.py noted\nworker: python note.py noted\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(folder)], env=env, stderr=subprocess.DEVNULL
    ) as runner:
        wait_until(lambda: len(noted(folder, "noted")) == 2, "both processes")
        runner.send_signal(number)
        code = runner.wait()
    found = [int(pid) for pid, _ in noted(folder, "noted")]
    wait_until(lambda: not any(map(is_alive, found)), "their end")
    assert code == (0 if number != signal.SIGKILL else -signal.SIGKILL)
