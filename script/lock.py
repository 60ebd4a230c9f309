"""`script/lock`: pins what requirements*.in name. Writes versions only, never addresses."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = ("requirements", "requirements-local", "requirements-dev")
OPTIONS = ("--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--quiet")
USAGE = """usage: script/lock [--upgrade] [--upgrade-package NAME]
Pins what requirements*.in name in requirements*.txt; pins that still fit stay as they are."""
UV = "uv==0.13.9"


def main(arguments: list[str]) -> int:
    """Further arguments go to `uv pip compile`; without --upgrade existing pins stay."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    uv = _uv()
    for name in SETS:
        target = ROOT / f"{name}.txt"
        command = [*uv, "pip", "compile", f"{name}.in", "-o", target.name, *OPTIONS, *arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        if code != 0:
            return code
        lines = [line for line in target.read_text().splitlines(keepends=True) if "://" not in line]
        target.write_text("".join(lines))
    return 0


def _uv() -> list[str]:
    found = shutil.which("uv")
    if found:
        return [found]
    own = [sys.executable, "-m", "uv"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode != 0:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", UV], check=True)
    return own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
