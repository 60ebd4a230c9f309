"""Pinned environments of third-party clients, under APP_HOME/thirdparty, made once per list of pins."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from script._node import find_node, npm_ci
from script._tools import SetupError

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = Path(__file__).resolve().parent / "clients"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")


class EnvironmentMissing(Exception):
    """The client's packages could not be installed; the text says why."""


def make_environment(name: str) -> list[str]:
    """The command that runs the client's scenario in its own environment. Raises EnvironmentMissing.

    A finished environment is used as it is, offline; one whose pins have changed is made anew.
    """
    source = CLIENTS / name
    is_node = (source / "package.json").exists()
    pins = source / ("package-lock.json" if is_node else "requirements.txt")
    target = _home() / name
    with _alone(target):
        stamp = _stamp(pins, sys.version if not is_node else "")
        if not (target / ".stamp").exists() or (target / ".stamp").read_text() != stamp:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            (_install_npm if is_node else _install_pip)(source, target)
            (target / ".stamp").write_text(stamp)
    if is_node:
        # Node looks for packages beside the script, so the script lies beside the packages.
        shutil.copyfile(source / "scenario.mjs", target / "scenario.mjs")
        return [str(_node()), str(target / "scenario.mjs")]
    return [str(target / "bin" / "python"), "-I", str(source / "scenario.py")]


def _home() -> Path:
    app_home = Path(os.environ.get("APP_HOME") or ROOT / ".local").absolute()
    return app_home / "thirdparty"


def _stamp(pins: Path, more: str) -> str:
    return hashlib.sha256(pins.read_bytes() + more.encode()).hexdigest()


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One worker makes it, the others wait."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install_pip(source: Path, target: Path) -> None:
    # Our own pip installs into it: an environment without a pip of its own is made in a tenth of the time.
    _run([sys.executable, "-m", "venv", "--without-pip", str(target)])
    pip = [sys.executable, "-m", "pip", "--python", str(target / "bin" / "python"), "install"]
    options = ["--quiet", "--no-input", "--no-compile", "--no-deps", "--disable-pip-version-check"]
    _run([*pip, *options, "--retries", "2", "-r", str(source / "requirements.txt")])


def _install_npm(source: Path, target: Path) -> None:
    for name in NPM_FILES:
        shutil.copyfile(source / name, target / name)
    try:
        npm_ci(target, _home(), Path(sys.executable), ROOT, target / "npm.log")
    except SetupError as err:
        raise EnvironmentMissing(str(err)) from err


def _node() -> Path:
    found = find_node(Path(sys.executable))
    if found is None:
        raise EnvironmentMissing("no Node.js")
    return found[0]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise EnvironmentMissing(f"{command[2]}: {told[-1]}")
