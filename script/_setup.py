"""Makes the environment: `python -m script._setup CHECKOUT APP_HOME local|dev [page]` prints its Python.

Runs under any Python ≥ 3.11 with nothing installed. Progress goes to standard error. A second run finds
everything in place; an interrupted one is noticed by its missing stamp.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from enum import IntEnum
from pathlib import Path

from script import _node
from script._tools import SetupError, checksum, listing, run_logged, say

# Reads pins from standard input; answers 0 when this environment's Python has all of them, 3 when a package
# has lost files (pip would take it for whole), 1 when one is missing.
SATISFIED = """
import sys
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pip._vendor.packaging.requirements import Requirement
for one in distributions():
    if any(file.suffix == ".py" and not one.locate_file(file).exists() for file in one.files or ()):
        sys.exit(3)
for line in sys.stdin:
    if line.strip() and not line.startswith("#"):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate():
            try:
                if not pin.specifier.contains(distribution(pin.name).version, prereleases=True):
                    sys.exit(1)
            except PackageNotFoundError:
                sys.exit(1)
"""


def main(arguments: list[str]) -> int:
    root, app_home, kind = Path(arguments[0]), Path(arguments[1]), arguments[2]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        venv, log = choose_places(root, app_home)
        with Exclusive(root / "script"):
            python = ensure_packages(root, venv, kind, log)
            if "page" in arguments[3:]:
                _node.ensure_node_modules(root, app_home, python, log)
            write_stamps(root, venv, kind)
    except SetupError as err:
        print(err, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the next start finishes it.", file=sys.stderr)
        return 130
    except OSError as err:
        where = f" ({err.filename})" if err.filename else ""
        remedy = "Free some disk space, or set APP_HOME to a directory of your own with room for 700 MB."
        print(f"Set-up failed: {err.strerror}{where}. {remedy}", file=sys.stderr)
        return 1
    print(python)
    return 0


def choose_places(root: Path, app_home: Path) -> tuple[Path, Path]:
    """The environment's folder (in the checkout when that can be written) and the set-up's log."""
    beside = root / ".venv"
    usable = os.access(beside if beside.exists() else root, os.W_OK)
    try:
        (app_home / "logs").mkdir(parents=True, exist_ok=True)
        log = app_home / "logs" / "setup.log"
        log.open("ab").close()
    except OSError as err:
        problem = f"APP_HOME {app_home} is not writable ({err.strerror})."
        raise SetupError(f"{problem} Set APP_HOME to a directory of your own.") from err
    return (beside if usable else app_home / "venv"), log


class Exclusive:
    """Two set-ups at once: the second waits, then finds the work done. Freed by any end of the process."""

    def __init__(self, folder: Path) -> None:
        self.fd = os.open(folder, os.O_RDONLY)

    def __enter__(self) -> None:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up of this checkout is running; waiting for it")
            fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def ensure_packages(root: Path, venv: Path, kind: str, log: Path) -> Path:
    """The environment's Python with the packages of requirements-KIND.txt; installs what is missing."""
    python, incomplete = venv / "bin" / "python", venv / ".incomplete"
    requirements = root / f"requirements-{kind}.txt"
    if incomplete.exists() or not works(python):
        make_venv(venv, log)
    if read(venv / f".installed-{kind}") != stamp(venv, requirements):
        found = look_at(python, requirements)
        if found is Packages.DAMAGED:
            make_venv(venv, log)
        if found is not Packages.WHOLE:
            incomplete.touch()  # a killed pip can leave a package that looks whole: then start from nothing
            install(python, requirements, log)
            incomplete.unlink()
    return python


def write_stamps(root: Path, venv: Path, kind: str) -> None:
    """Says that the set-up is done. The development set holds the local one, so both are in place."""
    for name in {kind, "local"}:
        (venv / f".installed-{name}").write_text(stamp(venv, root / f"requirements-{name}.txt"))


def make_venv(venv: Path, log: Path) -> None:
    if venv.exists():
        say("the environment is incomplete; making it anew")
        shutil.rmtree(venv)
    say(f"making a Python {sys.version.split()[0]} environment in {venv}")
    venv.mkdir(parents=True)
    (venv / ".incomplete").touch()
    base = getattr(sys, "_base_executable", None) or sys.executable
    output = run_logged([base, "-m", "venv", str(venv)], log)
    if output.code != 0:
        remedy = "Debian: apt install python3-venv." if "ensurepip" in output.text else f"See {log}."
        raise SetupError(f"Python's venv module failed: {output.last_line}. {remedy}")


def works(python: Path) -> bool:
    """True when this environment has a new enough Python and a pip."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class Packages(IntEnum):
    """What SATISFIED answers."""

    WHOLE = 0
    MISSING = 1
    DAMAGED = 3


def look_at(python: Path, requirements: Path) -> Packages:
    """Whether the environment holds what the pins name."""
    pins = requirements.read_bytes()
    code = subprocess.run([python, "-c", SATISFIED], input=pins, capture_output=True).returncode
    return Packages(code) if code in (Packages.WHOLE, Packages.MISSING) else Packages.DAMAGED


def install(python: Path, requirements: Path, log: Path) -> None:
    """pip install with progress. Raises SetupError with a remedy."""
    total = sum(1 for line in requirements.read_text().splitlines() if line and line[0] != "#")
    seen = 0

    def progress(line: str) -> str | None:
        nonlocal seen
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            seen += 1
            return f"downloading packages: {min(seen, total)} of {total}"
        return f"installing {total} packages" if line.startswith("Installing collected") else None

    say(f"installing the {total} packages of {requirements.name} (once; about 20–60 s)")
    began = time.monotonic()
    command = [str(python), "-m", "pip", "install", "--progress-bar", "off", "-r", str(requirements)]
    output = run_logged(command, log, progress)
    if output.code != 0:
        raise SetupError(output.explain("pip", log))
    say(f"packages installed in {time.monotonic() - began:.0f} s")


def stamp(venv: Path, requirements: Path) -> str:
    """The same words as stamp_of in _env.sh."""
    lines = read(venv / "pyvenv.cfg").splitlines()
    versions = [
        line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip() == "version"
    ]
    packages = next(iter(venv.glob("lib/python3*/site-packages")), venv / "lib")
    return f"{' '.join(versions)} {checksum(requirements)} {listing(packages)}"


def read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
