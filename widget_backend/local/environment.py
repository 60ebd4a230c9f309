"""The environment of a command: what is set outside, completed by the embedded servers where nothing is."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from widget_backend.local.errors import LocalError
from widget_backend.local.servers import acquire
from widget_backend.settings import app_home

# What a demo or an installer leaves for later commands of the same APP_HOME (addresses, never secrets).
DEFAULTS = "environment.json"
SERVER_VARIABLES = ("DATABASE_URL", "REDIS_URL")


@contextmanager
def completed(
    environ: Mapping[str, str], progress: Callable[[str], None] | None = None
) -> Iterator[dict[str, str]]:
    """The variables to run with; embedded servers are held for as long as the block lasts.

    Raises LocalError when the embedded servers are needed and cannot be had.
    """
    if all(environ.get(name) for name in SERVER_VARIABLES):
        yield dict(environ)
        return
    home = app_home(environ)
    with acquire(home, progress=progress) as lease:
        own = lease.servers.environ()
        # A database of one's own comes with its own owner: never mix the two halves.
        if environ.get("DATABASE_URL"):
            own.pop("DATABASE_URL")
            own.pop("DATABASE_OWNER_URL")
        given = {name: value for name, value in environ.items() if value}
        yield {**read_defaults(home), **own, **given, "APP_HOME": str(home)}


def read_defaults(home: Path) -> dict[str, str]:
    """Variables left under ``APP_HOME``; none where the file is missing. Raises LocalError."""
    path = home / DEFAULTS
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            f"{path} cannot be read ({error})", "Remove it; the next script/demo makes it anew."
        ) from error
    return {str(k): str(v) for k, v in found.items()}


def write_defaults(home: Path, variables: Mapping[str, str]) -> None:
    """Leave variables for later commands of this ``APP_HOME``. Replaces the file in one step."""
    path = home / DEFAULTS
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(dict(variables), indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)
