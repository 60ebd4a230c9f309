"""The embedded servers: who may do what, bad places, stale state."""

import json
import os
import shutil
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.waiting import wait_until
from tests.support.words import read, write
from widget_backend.local import binaries, keeper, locks
from widget_backend.local.servers import LocalError, acquire, down, status


def stopped(home: Path) -> bool:
    return not locks.is_held(home / "run" / "keeper.lock")


def test_servers_start_answer_and_stop_after_their_last_user(home: Path) -> None:
    told: list[str] = []
    with acquire(home, progress=told.append) as first, acquire(home) as second:
        assert first.servers == second.servers
        assert status(home).running
        write(first.servers, "Жё")
        assert read(second.servers) == (["Жё"], ["Жё"])
    assert told
    wait_until(lambda: stopped(home), "the keeper ends")
    assert not status(home).running
    with acquire(home) as again:
        assert read(again.servers) == (["Жё"], ["Жё"])


def test_a_long_path_with_spaces_works(tmp_path: Path) -> None:
    home = tmp_path / ("a path with spaces, " * 3) / ("й" * 60) / "home"
    assert len(str(home)) > 120
    try:
        with acquire(home) as lease:
            write(lease.servers, "x")
            assert read(lease.servers) == (["x"], ["x"])
    finally:
        down(home)


def test_the_roles_have_the_rights_they_need_and_no_more(home: Path) -> None:
    with acquire(home) as lease, psycopg.connect(lease.servers.database_owner_url) as owner:
        rows = owner.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname IN ('app', 'app_owner') ORDER BY 1"
        ).fetchall()
        assert rows == [("app", False, False, False, False), ("app_owner", False, False, True, False)]
        assert owner.execute("SELECT count(*) FROM pg_tables WHERE tableowner = 'app'").fetchone() == (0,)
        owner.execute("CREATE TABLE one (n int)")
        owner.commit()
        with psycopg.connect(lease.servers.database_url) as app, pytest.raises(psycopg.Error):
            app.execute("CREATE TABLE public.mine (n int)")


def test_no_one_gets_in_without_the_password(home: Path) -> None:
    with acquire(home) as lease:
        for role in ("app", "app_owner", "postgres"):
            host = lease.servers.database_url.partition("@")[2]
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(f"postgresql://{role}:wrong@{host}", connect_timeout=5)
        port = status(home).valkey_port
        assert port is not None
        with redis.Redis(host="127.0.0.1", port=port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_secrets_are_private_and_not_shown(home: Path) -> None:
    with acquire(home) as lease:
        assert (home / "secrets.json").stat().st_mode & 0o077 == 0
        secrets = json.loads((home / "secrets.json").read_text())
        told = repr(lease.servers) + (home / "run" / "servers.json").read_text()
        told += "".join(log.read_text() for log in (home / "logs").iterdir())
        pids = [status(home).postgres_pid, status(home).valkey_pid, status(home).keeper_pid]
        told += "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)
        assert [name for name, value in secrets.items() if value in told] == []
        assert lease.servers.encryption_key == secrets["encryption_key"]


def test_a_second_keeper_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with acquire(home):
        before = status(home)
        assert keeper.main([str(home)]) == 0
        assert "busy" in capsys.readouterr().out
        assert status(home) == before


def test_down_stops_used_servers_and_says_when_there_are_none(home: Path) -> None:
    with acquire(home) as lease:
        write(lease.servers, "kept")
        assert down(home) is True
        assert down(home) is False
        assert not lease.keeper_alive()
        assert read(lease.ensure()) == (["kept"], ["kept"])


def test_two_homes_side_by_side_are_two_worlds(tmp_path: Path) -> None:
    homes = (tmp_path / "one", tmp_path / "two")
    try:
        with acquire(homes[0]) as one, acquire(homes[1]) as two:
            write(one.servers, "one")
            write(two.servers, "two")
            assert read(one.servers) == (["one"], ["one"])
            assert read(two.servers) == (["two"], ["two"])
    finally:
        for home in homes:
            down(home)


@contextmanager
def strangers_at(ports: list[int]) -> Iterator[None]:
    """Other programs that accept connections on these ports and hang up."""
    found = []
    for port in ports:
        server = socketserver.TCPServer(("127.0.0.1", port), socketserver.BaseRequestHandler, False)
        server.allow_reuse_address = True
        server.server_bind()
        server.server_activate()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.append(server)
    try:
        yield
    finally:
        for server in found:
            server.shutdown()
            server.server_close()


def test_ports_that_others_took_meanwhile_are_left_to_them(home: Path) -> None:
    with acquire(home) as lease:
        write(lease.servers, "kept")
        old = status(home)
    down(home)
    assert old.postgres_port is not None
    assert old.valkey_port is not None
    ports = [old.postgres_port, old.valkey_port]
    with strangers_at(ports), acquire(home) as lease:
        assert read(lease.servers) == (["kept"], ["kept"])
        assert not {status(home).postgres_port, status(home).valkey_port} & set(ports)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"postgres": {"port": "x"}}', '{"postgres": 3}'])
def test_a_damaged_state_file_does_no_harm(home: Path, text: str) -> None:
    with acquire(home) as lease:
        write(lease.servers, "kept")
    down(home)
    (home / "run" / "servers.json").write_text(text)
    with acquire(home) as lease:
        assert read(lease.servers) == (["kept"], ["kept"])


def test_a_stale_pid_file_of_a_living_stranger_does_no_harm(home: Path) -> None:
    with acquire(home) as lease:
        write(lease.servers, "kept")
    down(home)
    data = next(home.glob("pg[0-9][0-9]"))
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n\n127.0.0.1\n\nready\n")
    with acquire(home) as lease:
        assert read(lease.servers) == (["kept"], ["kept"])


def test_an_interrupted_first_start_is_made_good(home: Path) -> None:
    home.mkdir()
    (home / "pg18.new").mkdir()
    (home / "pg18.new" / "half").write_text("x")
    with acquire(home) as lease:
        write(lease.servers, "x")
    assert not (home / "pg18.new").exists()


def test_a_home_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match=r"not writable .*Set APP_HOME") as caught:
        acquire(tmp_path / "file")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(LocalError, match="not writable"):
        acquire(tmp_path / "closed" / "home")


def test_lost_secrets_are_named(home: Path) -> None:
    with acquire(home):
        pass
    down(home)
    (home / "secrets.json").unlink()
    with pytest.raises(LocalError, match=r"secrets\.json is missing"):
        acquire(home)


def test_a_server_that_does_not_start_is_quoted(home: Path) -> None:
    with acquire(home):
        pass
    down(home)
    next(home.glob("pg[0-9][0-9]/PG_VERSION")).unlink()
    with pytest.raises(LocalError, match=r"PostgreSQL did not start: .*PG_VERSION.*\.log") as caught:
        acquire(home)
    assert "\n" not in str(caught.value)
    assert stopped(home)


def test_a_home_deleted_under_its_servers_ends_them(home: Path) -> None:
    with acquire(home):
        pid = status(home).keeper_pid
        assert pid is not None
        shutil.rmtree(home)
        wait_until(lambda: not Path(f"/proc/{pid}/cwd").exists(), "the keeper ends")
    with acquire(home) as lease:
        write(lease.servers, "new")
        assert read(lease.servers) == (["new"], ["new"])


def test_missing_programs_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(binaries.shutil, "which", lambda name: None)
    monkeypatch.setattr(binaries, "DISTRO_FOLDERS", ())
    with pytest.raises(LocalError, match=r"no PostgreSQL programs found.*requirements-local\.txt"):
        binaries.find_binaries()
