"""The environment, read once. Nobody else looks at environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography.fernet import Fernet

from widget_backend import clock
from widget_backend.errors import ConfigError

CHECKOUT = Path(__file__).resolve().parent.parent
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an installation is told from outside. Secrets never show in ``repr``."""

    app_home: Path
    database_url: str = field(repr=False)
    database_owner_url: str | None = field(repr=False, default=None)
    redis_url: str = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)
    public_url: str
    amocrm_origin: str | None = None
    google_origin: str | None = None
    google_credentials: str | None = field(repr=False, default=None)
    widget_origins: tuple[str, ...] = ()
    log_level: str = "INFO"
    amocrm_requests_per_s: int = 6
    sync_every_s: int = 60
    dictionaries_every_s: int = 900
    sync_overlap_s: int = 600

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Parse and check every variable.

        Raises ConfigError that names all missing and odd ones at once, so that a set-up is mended in one go.
        """
        problems: list[str] = []
        reader = _Reader(environ, problems)
        values = cls(
            app_home=app_home(environ),
            database_url=reader.server("DATABASE_URL", ("postgresql", "postgres"), needed=True) or "",
            database_owner_url=reader.server("DATABASE_OWNER_URL", ("postgresql", "postgres")),
            redis_url=reader.server("REDIS_URL", ("redis", "rediss", "unix"), needed=True) or "",
            encryption_keys=reader.keys("ENCRYPTION_KEYS"),
            public_url=reader.url("PUBLIC_URL", "http://127.0.0.1:8000") or "",
            amocrm_origin=reader.url("AMOCRM_ORIGIN", None),
            google_origin=reader.url("GOOGLE_ORIGIN", None),
            google_credentials=environ.get("GOOGLE_CREDENTIALS") or None,
            widget_origins=reader.origins("WIDGET_ORIGINS"),
            log_level=reader.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
            amocrm_requests_per_s=reader.integer("AMOCRM_REQUESTS_PER_S", 6, 1, 7),
            sync_every_s=reader.integer("SYNC_EVERY_S", 60, 1, 86_400),
            dictionaries_every_s=reader.integer("DICTIONARIES_EVERY_S", 900, 1, 86_400),
            sync_overlap_s=reader.integer("SYNC_OVERLAP_S", 600, 0, 86_400),
        )
        reader.seconds("APP_CLOCK_OFFSET_S")
        if problems:
            raise ConfigError(
                "The environment is incomplete: " + "; ".join(problems) + ".",
                remedy="Set these variables (see the settings table of README.md) and start again.",
            )
        return values


def app_home(environ: Mapping[str, str]) -> Path:
    """``APP_HOME``, by default ``.local`` in the checkout."""
    return Path(environ.get("APP_HOME") or CHECKOUT / ".local").expanduser().resolve()


def _split(value: str) -> SplitResult:
    """The parts of an address; none of what is not even that."""
    try:
        return urlsplit(value)
    except ValueError:
        return urlsplit("")


def _is_web(value: str) -> bool:
    parts = _split(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


class _Reader:
    """Reads one variable at a time and notes what is wrong with it instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str], problems: list[str]):
        self._environ = environ
        self._problems = problems

    def required(self, name: str) -> str:
        value = self._environ.get(name, "")
        if not value:
            self._problems.append(f"{name} is missing")
        return value

    def server(self, name: str, schemes: tuple[str, ...], *, needed: bool = False) -> str | None:
        value = self.required(name) if needed else self._environ.get(name, "")
        # `postgresql+psycopg://` names a driver.
        if value and _split(value).scheme.partition("+")[0] not in schemes:
            self._problems.append(f"{name} must start with {schemes[0]}://")
        return value or None

    def url(self, name: str, default: str | None) -> str | None:
        value = self._environ.get(name) or default
        if value is not None and not _is_web(value):
            self._problems.append(f"{name} must start with http:// or https:// and name a host")
        return value.rstrip("/") if value else None

    def origins(self, name: str) -> tuple[str, ...]:
        found = tuple(self._environ.get(name, "").replace(",", " ").split())
        for origin in found:
            if not _is_web(origin) or _split(origin).path or _split(origin).query:
                self._problems.append(f"{name}: {origin!r} is no origin such as https://demo.example:8080")
        return found

    def seconds(self, name: str) -> None:
        """Only checked: ``clock`` reads it by itself, before there are settings."""
        if clock.offset_of(self._environ) is None:
            self._problems.append(f"{name} must be a number of seconds")

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = (self._environ.get(name) or default).upper()
        if value not in allowed:
            self._problems.append(f"{name} must be one of {', '.join(allowed)}")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        raw = self._environ.get(name)
        if not raw:
            return default
        if not raw.isdecimal() or not low <= int(raw) <= high:
            self._problems.append(f"{name} must be a whole number from {low} to {high}")
            return default
        return int(raw)

    def keys(self, name: str) -> tuple[str, ...]:
        given = self.required(name)
        keys = tuple(given.replace(",", " ").split())
        if given and not keys:
            self._problems.append(f"{name} is missing")
        for number, key in enumerate(keys, start=1):
            try:
                Fernet(key)
            except ValueError:
                self._problems.append(f"{name}: key {number} is not 32 bytes in URL-safe base64")
        return keys
