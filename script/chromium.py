"""Prints the path of a Chromium from npm, for machines where none is or can be installed.

It needs the system's libnss3 and libexpat; exit 1 with one line when it does not run here.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from script._node import find_node, npm_ci
from script._tools import SetupError

ROOT = Path(__file__).resolve().parent.parent
UNPACK = "import('@sparticuz/chromium').then(async (m) => console.log(await m.default.executablePath()))"


def main() -> int:
    home = Path(os.environ.get("APP_HOME") or ROOT / ".local")
    program = home / "cache" / "chromium" / "chromium"
    try:
        if not _runs(program):
            unpack(home, program)
    except (SetupError, OSError, subprocess.SubprocessError) as err:
        print(f"No Chromium from npm: {err}", file=sys.stderr)
        return 1
    if not _runs(program):
        print("Chromium from npm does not run here: it needs libnss3 and libexpat.", file=sys.stderr)
        return 1
    print(program)
    return 0


def unpack(home: Path, program: Path) -> None:
    """Installs the npm package under APP_HOME and unpacks its browser to `program`'s folder."""
    package = home / "browser"
    (home / "logs").mkdir(parents=True, exist_ok=True)
    package.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(ROOT / "script" / "browser" / name, package / name)
    python = Path(sys.executable)
    npm_ci(package, home, python, ROOT, home / "logs" / "setup.log")
    node = find_node(python)
    if node is None:
        raise SetupError("there is no Node.js")
    shutil.rmtree(program.parent, ignore_errors=True)
    program.parent.parent.mkdir(parents=True, exist_ok=True)
    # It unpacks to a fixed name in the temp directory, where another account's may already lie.
    with tempfile.TemporaryDirectory(dir=program.parent.parent) as private:
        subprocess.run(
            [node[0], "--eval", UNPACK], cwd=package, env={**os.environ, "TMPDIR": private}, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        shutil.copytree(private, program.parent)


def _runs(program: Path) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
