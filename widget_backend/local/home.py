"""The directory `APP_HOME`: where things lie in it, whose it is, and its secrets."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from widget_backend.local.errors import LocalError


@dataclass(frozen=True)
class Home:
    """Paths inside one `APP_HOME` (absolute)."""

    path: Path

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def valkey_data(self) -> Path:
        return self.path / "valkey"

    @property
    def users_lock(self) -> Path:
        return self.run / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.run / "keeper.lock"

    @property
    def state(self) -> Path:
        return self.run / "servers.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    def postgres_data(self, major: int) -> Path:
        """A later wheel may carry another major version, which cannot read this one's files."""
        return self.path / f"pg{major}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Secrets:
    """Passwords of the local servers and the key for `ENCRYPTION_KEYS`; made once per `APP_HOME`."""

    postgres: str
    app_owner: str
    app: str
    valkey: str
    encryption_key: str


def open_home(app_home: Path) -> Home:
    """Makes the directories of `APP_HOME` and checks that files can be written there.

    Raises LocalError when they cannot.
    """
    home = Home(Path(os.path.abspath(app_home)))
    try:
        for directory in (home.path, home.run, home.logs):
            directory.mkdir(parents=True, exist_ok=True)
            adopt(home, directory)
        probe = home.run / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        # A lock file that another account made cannot be opened: better said now than later.
        os.close(os.open(home.users_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        adopt(home, home.users_lock)
    except OSError as err:
        raise LocalError(
            f"APP_HOME {home.path} is not writable ({err.strerror})",
            "Set APP_HOME to a directory of your own.",
        ) from err
    return home


def adopt(home: Home, path: Path) -> None:
    """When root works in another account's `APP_HOME`, what it makes there goes to that account."""
    if os.geteuid() == 0:
        owner = home.path.stat()
        if path.stat().st_uid != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None when the file is missing, empty or torn."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def number_in(state: dict[str, Any], server: str, name: str) -> int | None:
    """A number that the state file gives for one server; None when it gives none."""
    about = state.get(server)
    value = about.get(name) if isinstance(about, dict) else None
    return value if isinstance(value, int) else None


def write_json(home: Home, path: Path, value: dict[str, Any]) -> None:
    """Replaces a private file in one step, so that a reader never sees half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    adopt(home, fresh)
    fresh.replace(path)


def read_secrets(home: Home) -> Secrets | None:
    """The secrets of this `APP_HOME`; None before the first start. Raises LocalError for a broken file."""
    try:
        exists = home.secrets.exists()
        value = read_json(home.secrets)
    except OSError as err:
        raise LocalError(
            f"{home.secrets} cannot be read ({err.strerror})",
            "It belongs to the account that made this APP_HOME: use that account or another APP_HOME.",
        ) from err
    if not exists:
        return None
    names = {field.name for field in fields(Secrets)}
    if value is None or not names <= value.keys():
        raise LocalError(f"{home.secrets} is damaged", f"Restore it, or remove {home.path} to start anew.")
    return Secrets(**{name: str(value[name]) for name in names})


def make_secrets(home: Home) -> Secrets:
    """Makes and stores new secrets. Only the keeper calls this, under its lock."""
    made = Secrets(
        postgres=secrets.token_hex(24),
        app_owner=secrets.token_hex(24),
        app=secrets.token_hex(24),
        valkey=secrets.token_hex(24),
        encryption_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),  # a Fernet key
    )
    write_json(home, home.secrets, asdict(made))
    return made


def last_lines(log: Path, count: int = 3) -> str:
    """The last lines of a log, joined by ` | `, for error messages; empty when there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4000))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-count:])
