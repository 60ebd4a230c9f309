"""The embedded Valkey (Redis protocol): settings and start. Only the keeper starts it."""

import signal
from functools import partial
from pathlib import Path

import redis

from widget_backend.local.binaries import Binaries
from widget_backend.local.child import Child, free_port
from widget_backend.local.home import Home, Secrets
from widget_backend.local.launch import Account
from widget_backend.local.postgres import environment, start_error

START_TIMEOUT_S = 30.0
# A broker must never evict. The append-only file survives kill -9; snapshots would add nothing.
SETTINGS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "databases": "64",
    "appendonly": "yes",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "set-proc-title": "no",
}


def url(secrets: Secrets, port: int, database: int = 0) -> str:
    return f"redis://:{secrets.valkey}@127.0.0.1:{port}/{database}"


def answers(secrets: Secrets, port: int, data: Path) -> bool:
    """True when *our* server listens there: it takes the password and works in this directory."""
    client = redis.Redis.from_url(url(secrets, port), socket_timeout=5, socket_connect_timeout=5)
    try:
        told = client.config_get("dir")
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
    return bool(Path(_text(told, "dir")).resolve() == data.resolve())


def new_child(home: Home, account: Account) -> Child:
    return Child(
        home=home,
        name="valkey",
        account=account,
        data=home.valkey_data,
        stop_signals=(signal.SIGTERM,),
    )


def start(child: Child, binaries: Binaries, secrets: Secrets, preferred_port: int, fast: bool) -> int:
    """Starts the server and returns its port. Raises LocalError when it does not start."""
    child.take_lock()
    port = free_port(preferred_port)
    for _ in range(5):
        settings = SETTINGS | {"port": str(port), "appendfsync": "no" if fast else "everysec"}
        # The password goes in by standard input: not into `ps`, not into a file.
        lines = [f"{name} {value}" for name, value in settings.items()]
        text = "\n".join([*lines, f"requirepass {secrets.valkey}", ""])
        command: list[str | Path] = [binaries.valkey, "-", "--dir", child.data]
        child.launch(command, env=environment(), stdin=text.encode())
        if child.wait_ready(partial(answers, secrets, port, child.data), START_TIMEOUT_S):
            return port
        child.stop()
        child.take_lock()
        port = free_port()
    raise start_error("Valkey", child.log)


def _text(told: object, name: str) -> str:
    value = told.get(name) or told.get(name.encode()) if isinstance(told, dict) else ""
    return value.decode() if isinstance(value, bytes) else str(value)
