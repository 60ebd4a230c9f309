"""What a demo keeps under APP_HOME between runs: its source, its ports, its integration and its sheet."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from script.demo_simulator import Simulator
from script.demo_source import Source
from widget_backend.db.engine import normalize_url
from widget_backend.errors import Conflict
from widget_backend.local.child import free_port
from widget_backend.local.home import open_home
from widget_backend.local.servers import Lease, acquire
from widget_backend.settings import app_home

STATE = "demo.json"
DISCARDING = "discarding"


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
        home = open_home(path)
        with (home.run / "demo.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(
                    f"Another demo runs under {path}.", remedy="Stop it, or set APP_HOME to another folder."
                ) from error
            say(f"starting PostgreSQL and Valkey under {path}")
            with acquire(path, progress=say) as lease:
                yield cls(path=path, say=say, environ=environ, lease=lease, state=read_state(path))

    def remember(self, **values: Any) -> None:
        """Keep values for the next run."""
        self.state.update(values)
        fresh = self.path / (STATE + ".new")
        fresh.write_text(json.dumps(self.state, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self.path / STATE)

    def choose_source(self, source: Source, *, keep: bool) -> None:
        """Go on with the same source; for another one, discard the sandbox and the database, and say so.

        Nothing is discarded for a source that cannot be read. Raises LocalError that names its fault, and
        Conflict if something is to be kept.
        """
        before = self.state.get("source")
        if before == source.key:
            self.remember(label=source.label, sandbox_arguments=source.arguments)
            return
        if before is not None and keep:
            raise Conflict(
                f"{self.path} holds a demo of another source ({self.state['label']}).",
                remedy="Leave out --keep to discard it, or set APP_HOME to another folder.",
            )
        fresh = self._load(source)
        if before is not None:
            self.say(
                f"another source than last time ({self.state['label']}): discarding sandbox and database"
            )
            # The mark first: a run killed in between discards the rest.
            self.remember(source=DISCARDING, label=self.state["label"])
            self._discard()
        fresh.rename(self.path / "sandbox")
        # The ports stay, so that an open page finds the next demo.
        kept = {"ports": self.state.get("ports", {})}
        self.state = {}
        self.remember(**kept, source=source.key, label=source.label, sandbox_arguments=source.arguments)

    def _load(self, source: Source) -> Path:
        """The state of a simulator that has read the source, beside the present one."""
        self.say(f"loading {source.label} into the amoCRM simulator")
        fresh = self.path / "sandbox.new"
        shutil.rmtree(fresh, ignore_errors=True)
        with Simulator(self.path, "amocrm", [*source.arguments, "--state", str(fresh / "amocrm")]) as loading:
            loading.start(port=0)
        return fresh

    def _discard(self) -> None:
        for name in ("sandbox", "builds"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        engine = create_engine(normalize_url(self.lease.servers.database_owner_url))
        try:
            with engine.begin() as connection:
                connection.execute(text("SET LOCAL lock_timeout = '15s'"))
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        except OperationalError as error:
            raise Conflict(
                f"The database under {self.path} is in use.", remedy="Stop script/run and start again."
            ) from error
        finally:
            engine.dispose()
        with contextlib.closing(redis.Redis.from_url(self.lease.servers.redis_url)) as client:
            client.flushall()

    def port(self, name: str) -> int:
        """The port of last time, if it is free now; else any."""
        return self.keep_port(name, free_port(self.state.get("ports", {}).get(name, 0)))

    def keep_port(self, name: str, port: int) -> int:
        """Remember a port for the next run."""
        if self.state.get("ports", {}).get(name) != port:
            self.remember(ports={**self.state.get("ports", {}), name: port})
        return port


def read_state(path: Path) -> dict[str, Any]:
    """What the last demo left; without that (or with a torn file) its data belong to nobody knows whom."""
    unknown = {"source": DISCARDING, "label": "unknown"}
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return unknown if (path / "sandbox").exists() else {}
    except ValueError:
        return unknown
    if not isinstance(state, dict) or "label" not in state:
        return unknown
    if not (path / "sandbox" / "amocrm").exists():
        state["source"] = DISCARDING  # tokens and ids of a simulator that is no more
    return state


def private_file(path: Path, content: str) -> None:
    """Write a file only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
