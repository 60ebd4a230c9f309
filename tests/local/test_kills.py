"""kill -9 of anything, and start again: the data are there, and nothing is left running."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.conftest import HOLD
from tests.support.repository import ROOT
from tests.support.waiting import is_alive, wait_until
from tests.support.words import read, write
from widget_backend.local import locks, servers
from widget_backend.local.errors import LocalError
from widget_backend.local.servers import Status, acquire, down, status

pytestmark = pytest.mark.slow

Hold = Callable[[], subprocess.Popen[str]]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")


def pids(now: Status) -> tuple[int, int, int]:
    found = (now.keeper_pid, now.postgres_pid, now.valkey_pid)
    assert all(found)
    return found  # type: ignore[return-value]


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill(*victims: int) -> None:
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):  # it followed another one
            os.kill(pid, signal.SIGKILL)


def all_gone(*victims: int) -> None:
    wait_until(lambda: not any(map(is_alive, victims)), f"the end of {victims}")


def test_a_killed_keeper_takes_its_servers_along_and_they_come_back(home: Path) -> None:
    with acquire(home) as lease:
        write(lease.servers, "before")
        before, addresses = status(home), lease.servers
        keeper, postgres, valkey = pids(before)
        backends = children_of(postgres)
        kill(keeper)
        all_gone(keeper, postgres, valkey, *backends)
        assert not lease.keeper_alive()
        assert lease.ensure() == addresses  # same ports: those who hold the addresses find them again
        write(lease.servers, "later")
        assert read(lease.servers) == (["before", "later"], ["before", "later"])


@pytest.mark.parametrize("which", ["postgres", "valkey"])
def test_a_killed_server_is_started_again_by_its_keeper(home: Path, which: str) -> None:
    with acquire(home) as lease:
        write(lease.servers, "before")
        before = status(home)
        victim = before.postgres_pid if which == "postgres" else before.valkey_pid
        assert victim
        kill(victim)
        wait_until(lambda: (now := status(home)).running and pids(now) != pids(before), "a new server")
        assert pids(status(home))[0] == before.keeper_pid
        assert read(lease.servers) == (["before"], ["before"])


def test_everything_killed_at_once_comes_back_with_its_data(home: Path, hold: Hold) -> None:
    user = hold()
    with acquire(home) as lease:
        write(lease.servers, "before")
    victims = pids(status(home))
    backends = children_of(victims[1])
    kill(*victims, *backends, user.pid)
    with acquire(home) as lease:
        assert read(lease.servers) == (["before"], ["before"])
        assert not set(pids(status(home))) & set(victims)


def test_servers_outlive_one_killed_user_and_end_after_the_last(home: Path, hold: Hold) -> None:
    first, second = hold(), hold()
    found = pids(status(home))
    kill(first.pid)
    first.wait()
    with acquire(home) as lease:
        write(lease.servers, "still here")
    assert pids(status(home)) == found
    kill(second.pid)
    all_gone(*found)
    assert not locks.is_held(home / "run" / "keeper.lock")


def test_a_keeper_that_cannot_stop_is_no_obstacle_to_a_newcomer(home: Path) -> None:
    with acquire(home) as lease:
        write(lease.servers, "kept")
        keeper, postgres, valkey = pids(status(home))
        # A frozen server does not follow its keeper: the newcomer has to end it.
        os.kill(valkey, signal.SIGSTOP)
        kill(keeper)
        all_gone(keeper, postgres)
    with acquire(home) as lease:
        assert not is_alive(valkey)
        assert read(lease.servers)[0] == ["kept"]


@as_root
@pytest.mark.parametrize("mode", ["account", "namespace", "capability", "copy"])
def test_root_finds_a_way_not_to_be_root(
    open_place: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_LOCAL_RUN_AS", mode)
    home = open_place / "home"
    try:
        with acquire(home) as lease:
            write(lease.servers, "x")
            now = status(home)
            assert now.run_as == mode
            keeper, postgres, valkey = pids(now)
            expected = 0 if mode == "namespace" else 65534
            assert {os.stat(f"/proc/{pid}").st_uid for pid in (postgres, valkey)} <= {expected, 0}
            kill(keeper)
            all_gone(postgres, valkey)
            assert read(lease.ensure()) == (["x"], ["x"])
    finally:
        down(home)


@as_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="makes a network namespace with unshare")
def test_servers_in_another_network_namespace_are_waited_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = 'ip link set lo up; exec "$0" "$@"'
    with subprocess.Popen(
        ["unshare", "-n", "sh", "-c", held, sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as holder:
        assert holder.stdout
        if holder.stdout.readline() != "ready\n":
            pytest.skip("no network namespaces here")
        monkeypatch.setattr(servers, "ELSEWHERE_TIMEOUT_S", 0.2)
        with pytest.raises(LocalError, match="another network namespace"):
            acquire(home)
        monkeypatch.undo()
        holder.communicate("")
    with acquire(home) as lease:
        write(lease.servers, "here")


@as_root
def test_a_closed_directory_above_is_passed_without_opening_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "home"
    try:
        with acquire(home) as lease:
            write(lease.servers, "x")
            assert status(home).run_as in ("namespace", "capability")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        down(home)


@as_root
def test_data_move_between_modes(open_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = open_place / "home"
    for mode in ("namespace", "account", "namespace"):
        monkeypatch.setenv("APP_LOCAL_RUN_AS", mode)
        try:
            with acquire(home) as lease:
                assert status(home).run_as == mode
                write(lease.servers, mode)
        finally:
            down(home)
    with acquire(home) as lease:
        assert read(lease.servers)[1] == ["account", "namespace"]
    down(home)


@as_root
def test_root_in_another_accounts_home_leaves_it_usable_to_that_account(open_place: Path) -> None:
    home = open_place / "home"
    home.mkdir()
    owner = pwd.getpwnam("daemon").pw_uid
    os.chown(home, owner, -1)
    try:
        with acquire(home) as lease:
            write(lease.servers, "x")
        left = [path for path in home.rglob("*") if path.lstat().st_uid != owner]
        assert left == []
    finally:
        down(home)


USE = """
import sys
from pathlib import Path
from tests.support.words import read, write
from widget_backend.local.servers import acquire, down, status
home = Path(sys.argv[1])
with acquire(home) as lease:
    write(lease.servers, "x")
    print(status(home).run_as, *read(lease.servers))
down(home)
"""


@as_root
@pytest.mark.parametrize(("uid", "mode"), [("daemon", "self"), (54321, "namespace")])
def test_ordinary_accounts_with_and_without_a_name(open_place: Path, uid: str | int, mode: str) -> None:
    number = pwd.getpwnam(uid).pw_uid if isinstance(uid, str) else uid
    place = open_place / "place"
    place.mkdir()
    os.chown(place, number, -1)

    def run(program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, str(place / "home")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(place)},
            user=number,
            group=number if isinstance(uid, int) else pwd.getpwnam(uid).pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        reached = run("import psycopg, tests.support.words").returncode == 0
    except PermissionError:
        reached = False
    if not reached:
        pytest.skip("other accounts cannot reach this Python or this checkout")
    ended = run(USE)
    assert (ended.stdout, ended.stderr) == (f"{mode} ['x'] ['x']\n", "")


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that other accounts can reach; every new run of pytest closes those below its own."""
    place = Path(tempfile.mkdtemp(prefix="app-place-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)
