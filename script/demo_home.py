"""What a demo keeps under APP_HOME between runs: its source, its ports, its integration and its sheet."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, text

from widget_backend.db.engine import normalize_url
from widget_backend.errors import ConfigError, Conflict
from widget_backend.local.child import free_port
from widget_backend.local.servers import Lease, acquire
from widget_backend.settings import app_home

STATE = "demo.json"


@dataclass(kw_only=True)
class DemoHome:
    """One demo's memory. ``state`` is written whenever it changes, so that kill -9 loses nothing."""

    path: Path
    say: Callable[[str], None]
    environ: Mapping[str, str]
    lease: Lease
    state: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def open(cls, environ: Mapping[str, str], say: Callable[[str], None]) -> Iterator["DemoHome"]:
        """Take this APP_HOME for one demo, with its servers running. Raises Conflict if another has it."""
        path = app_home(environ)
        say(f"starting PostgreSQL and Valkey under {path}")
        with acquire(path, progress=say) as lease, (path / "run" / "demo.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(
                    f"Another demo runs under {path}.", remedy="Stop it, or set APP_HOME to another folder."
                ) from error
            home = cls(path=path, say=say, environ=environ, lease=lease)
            with contextlib.suppress(FileNotFoundError):
                home.state = json.loads((path / STATE).read_text(encoding="utf-8"))
            yield home

    def remember(self, **values: Any) -> None:
        """Keep values for the next run."""
        self.state.update(values)
        fresh = self.path / (STATE + ".new")
        fresh.write_text(json.dumps(self.state, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.path / STATE)

    def choose_source(self, snapshot: Path | None, generate: str, *, keep: bool) -> None:
        """Go on with the same source; for another one, discard the sandbox and the database, and say so."""
        if snapshot is not None:
            source, arguments = f"snapshot:{_digest(snapshot)}", ["--snapshot", str(snapshot.resolve())]
            label = f"snapshot {snapshot}"
        else:
            source, arguments, label = f"generate:{generate}", ["--generate", generate], generate
        before = self.state.get("source")
        if before is not None and before != source:
            if keep:
                raise Conflict(
                    f"{self.path} holds a demo of another source ({self.state['label']}).",
                    remedy="Leave out --keep to discard it, or set APP_HOME to another folder.",
                )
            self.say(
                f"another source than last time ({self.state['label']}): discarding sandbox and database"
            )
            # The mark first: a run killed in between discards the rest.
            self.remember(source="discarding", label=self.state["label"])
            self._discard()
        self.remember(source=source, label=label, sandbox_arguments=arguments)

    def _discard(self) -> None:
        for name in ("sandbox", "builds"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        engine = create_engine(normalize_url(self.lease.servers.database_owner_url))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        with contextlib.closing(redis.Redis.from_url(self.lease.servers.redis_url)) as client:
            client.flushall()
        self.state = {}

    def port(self, name: str) -> int:
        """The port of last time, if it is free now; else any."""
        wanted = self.state.get("ports", {}).get(name, 0)
        port = free_port(wanted)
        self.remember(ports={**self.state.get("ports", {}), name: port})
        return port


def _digest(snapshot: Path) -> str:
    """What a snapshot is recognised by: names and contents of its files."""
    if not (snapshot / "account.json").is_file():
        raise ConfigError(
            f"{snapshot} is no snapshot: it has no account.json.",
            field="--snapshot",
            remedy="Give a directory as docs/sandbox.md describes it.",
        )
    digest = hashlib.sha256()
    for path in sorted(p for p in snapshot.iterdir() if p.is_file()):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def private_file(path: Path, content: str) -> None:
    """Write a file only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
