"""`script/run`: what `Procfile` names, against DATABASE_URL and REDIS_URL or else the embedded servers."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from widget_backend.local.child import free_port
from widget_backend.local.environment import read_defaults
from widget_backend.local.errors import LocalError
from widget_backend.local.processes import RELEASE, answers_http, run_processes
from widget_backend.local.procfile import read_procfile
from widget_backend.local.servers import Lease, acquire

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 8000
MAX_COUNT = 64
USAGE = "usage: script/run [process=count …]    e.g. script/run web=1 worker=2 beat=1; PORT chooses the port"


class UsageError(Exception):
    """The command line or PORT makes no sense."""


def main(arguments: list[str]) -> int:
    """Runs until Ctrl-C. Exit 2 for wrong usage, 1 when something stands in the way."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    app_home = Path(os.environ.get("APP_HOME") or ROOT / ".local")
    try:
        counts = dict(_count(one) for one in arguments)
        port = _port(os.environ)
        with _Surroundings(app_home, port) as env:
            run_processes(
                ROOT / "Procfile",
                env=env.environ,
                log_dir=app_home / "logs",
                counts=counts,
                ready={"web": answers_http(f"http://127.0.0.1:{port}/healthz")},
                say=_say,
                each_second=env.look_after,
            )
    except UsageError as err:
        print(f"{err}. {USAGE}", file=sys.stderr)
        return 2
    except LocalError as err:
        print(err, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class _Surroundings:
    """The environment of the processes; holds the embedded servers where they are needed."""

    def __init__(self, app_home: Path, port: int) -> None:
        self._lease: Lease | None = None
        self.environ = {
            **read_defaults(app_home),  # what an installation left there, e.g. its public address
            **os.environ,
            "APP_HOME": str(app_home),
            "PORT": str(port),
            "PYTHONUNBUFFERED": "1",
        }
        self.environ.setdefault("PUBLIC_URL", f"http://127.0.0.1:{port}")
        self._app_home = app_home

    def __enter__(self) -> "_Surroundings":
        missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
        if missing:
            self._lease = acquire(self._app_home, progress=_say)
            own = self._lease.servers.environ()
            # A database of one's own comes with its own keys: never mix the two halves.
            for name in [*missing, *(["DATABASE_OWNER_URL"] if "DATABASE_URL" in missing else [])]:
                self.environ[name] = own[name]
            if not self.environ.get("ENCRYPTION_KEYS"):
                self.environ["ENCRYPTION_KEYS"] = own["ENCRYPTION_KEYS"]
        return self

    def __exit__(self, *_: object) -> None:
        if self._lease is not None:
            self._lease.close()

    def look_after(self) -> None:
        """Brings killed servers back (at the same ports), so that the processes find them again."""
        if self._lease is not None and not self._lease.keeper_alive():
            _say("the embedded servers were killed; starting them again")
            self._lease.ensure()


def _count(argument: str) -> tuple[str, int]:
    name, separator, number = argument.partition("=")
    if not separator or not re.fullmatch("[0-9]+", number):
        raise UsageError(f"{argument!r} is not process=count")
    if len(number) > 4 or int(number) > MAX_COUNT:
        raise UsageError(f"{argument} is more than {MAX_COUNT} processes of a kind")
    if name not in (kinds := [one for one in read_procfile(ROOT / "Procfile") if one != RELEASE]):
        raise UsageError(f"no process named {name}: there are {', '.join(kinds)}")
    return name, int(number)


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or str(DEFAULT_PORT)
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise UsageError(f"PORT={text} is not a port")
    port = int(text)
    if free_port(port) != port:
        raise LocalError(f"port {port} is taken", "Choose another one: PORT=8001 script/run.")
    return port


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
