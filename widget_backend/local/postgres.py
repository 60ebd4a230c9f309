"""The embedded PostgreSQL: its data directory, settings, roles. Only the keeper starts it."""

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from widget_backend.local.binaries import Binaries
from widget_backend.local.child import Child, free_port, open_log
from widget_backend.local.errors import LocalError
from widget_backend.local.home import Home, Secrets, last_lines
from widget_backend.local.launch import Account, spawn

DATABASE = "app"
START_TIMEOUT_S = 180.0  # recovery after a crash may take its time
NEEDED_BYTES = 50_000_000
SMALL_SHM_BYTES = 256 * 1024 * 1024

# For a laptop or a small virtual machine; production servers are tuned by their owners.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # socket paths over about 100 bytes fail; TCP has no such limit
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "80MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "password_encryption": "scram-sha-256",
}
# Survives kill -9 all the same, but not a power cut: for tests.
UNSAFE_FAST = {"fsync": "off", "full_page_writes": "off"}


def url(role: str, password: str, port: int, database: str = DATABASE) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}/{database}"


def superuser_url(secrets: Secrets, port: int) -> str:
    """For the keeper and for tests that make databases; the product never gets it."""
    return url("postgres", secrets.postgres, port, "postgres")


def answers(role: str, password: str, port: int, database: str = DATABASE) -> bool:
    """True when *our* server listens there: one that proves by SCRAM that it knows the password."""
    try:
        psycopg.connect(
            url(role, password, port, database),
            connect_timeout=5,
            require_auth="scram-sha-256",
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def new_child(home: Home, account: Account, data: Path) -> Child:
    return Child(
        home=home,
        name="postgres",
        account=account,
        data=data,
        stop_signals=(signal.SIGINT, signal.SIGQUIT),  # fast shutdown, then immediate
    )


def initialise(child: Child, binaries: Binaries, secrets: Secrets) -> None:
    """Makes the data directory: beside its place first, so that an interrupted run leaves none.

    The child's lock must be held. Raises LocalError with the last lines of the log.
    """
    home, account, data = child.home, child.account, child.data
    fresh = data.with_name(data.name + ".new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    give(fresh, account)
    with tempfile.NamedTemporaryFile("w", dir=home.path, prefix="initdb-") as password:
        password.write(secrets.postgres)
        password.flush()
        if os.geteuid() == 0:
            os.chown(password.name, account.uid, account.gid)
        locale: list[str] = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if binaries.postgres_major >= 17
            else ["--locale=C.UTF-8"]
        )
        command: list[str | Path] = [
            binaries.postgres_bin / "initdb",
            *("-D", str(fresh), "-U", "postgres", "-E", "UTF8", *locale),
            *("--auth=scram-sha-256", f"--pwfile={password.name}", "--no-sync", "--no-instructions"),
        ]
        log = home.logs / "initdb.log"
        log.unlink(missing_ok=True)
        with open_log(home, log) as output:
            made = spawn(
                command,
                account=account,
                cwd=fresh,
                output=output,
                keep_fds=[child.lock_fd],
                env=environment(),
            ).wait()
    if made != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise start_error("PostgreSQL's initdb", log)
    fresh.rename(data)


def start(child: Child, binaries: Binaries, secrets: Secrets, preferred_port: int, fast: bool) -> int:
    """Starts the server and makes its roles; returns the port. Raises LocalError when it does not start."""
    child.take_lock()
    # The lock says that nobody runs on this data, so a pid file is stale, whoever has that number now
    # (a not yet reaped zombie included).
    (child.data / "postmaster.pid").unlink(missing_ok=True)
    port = free_port(preferred_port)
    for _ in range(5):
        child.launch(command_line(binaries, child.data, port, fast), env=environment())
        ready = partial(answers, "postgres", secrets.postgres, port, "postgres")
        if child.wait_ready(ready, START_TIMEOUT_S):
            ensure_roles(superuser_url(secrets, port), secrets)
            return port
        port_was_taken = "could not bind" in child.said()
        child.stop()
        child.take_lock()
        if not port_was_taken:
            break
        port = free_port()
    raise start_error("PostgreSQL", child.log)


def command_line(binaries: Binaries, data: Path, port: int, fast: bool) -> list[str | Path]:
    settings = SETTINGS | {"port": str(port)} | (UNSAFE_FAST if fast else {})
    if _small_shm():
        settings["dynamic_shared_memory_type"] = "mmap"
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [binaries.postgres_bin / "postgres", "-D", data, *options]


def ensure_roles(admin_url: str, secrets: Secrets) -> None:
    """Makes the two roles and the database, or sets them right; safe to repeat."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        known = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles")}
        for role, rights, password in (
            ("app_owner", "CREATEROLE", secrets.app_owner),
            ("app", "NOCREATEROLE", secrets.app),
        ):
            verb = "ALTER" if role in known else "CREATE"
            statement = f"{verb} ROLE {{}} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB {rights} PASSWORD {{}}"
            admin.execute(sql.SQL(statement).format(sql.Identifier(role), sql.Literal(password)))
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            make_database(admin, DATABASE)


def make_database(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """A database of `app_owner`. The public schema follows its owner; `app` may look into it, no more:
    what it may touch is said by the migrations, as on any production server.
    """
    admin.execute(sql.SQL("CREATE DATABASE {} OWNER app_owner").format(sql.Identifier(name)))


def give(tree: Path, account: Account) -> None:
    """Makes a data directory belong to the servers' account; nothing above it is touched."""
    if os.geteuid() != 0 or tree.stat().st_uid == account.uid:
        return
    for folder, _, files in os.walk(tree, topdown=False):  # the top last: it says that all is done
        for path in (*(os.path.join(folder, name) for name in files), folder):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a server sees of our environment: no PG*, no URLs, no secrets."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ")
    return {name: environ[name] for name in kept if name in environ} | {"LC_ALL": "C"}


def start_error(what: str, log: Path) -> LocalError:
    """A LocalError that quotes the end of a log and names the remedy it suggests."""
    quoted = last_lines(log)
    full = re.search("No space left|disk full|Disk quota", last_lines(log, 50), re.IGNORECASE)
    # Programs may end without a word where the disk is full, so we also look ourselves.
    if full or shutil.disk_usage(log.parent).free < NEEDED_BYTES:
        remedy = "Free some disk space (200 MB are enough to start) and start again."
    else:
        remedy = f"The whole log is {log}."
    return LocalError(f"{what} did not start: {quoted or 'it said nothing'}", remedy)


def _small_shm() -> bool:
    """Containers often have 64 MB of /dev/shm, too little for parallel queries."""
    try:
        shm = os.statvfs("/dev/shm")  # noqa: S108 the place, not a file in it
    except OSError:
        return False
    return shm.f_bavail * shm.f_frsize < SMALL_SHM_BYTES
