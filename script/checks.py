"""`script/test`: lint, format, types and tests, in turn; says how long each part took."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USAGE = """usage: script/test [--quick] [pytest arguments]
--quick leaves out tests marked `browser` and `slow`. Without a browser (CHROMIUM, or chromium on PATH)
browser tests are skipped by name; with CI set they fail."""


def main(arguments: list[str]) -> int:
    """Runs every part, even after a failure. Exit 0 only when all of them passed."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return 0
    quick = "--quick" in arguments
    rest = [one for one in arguments if one != "--quick"]
    home = Path(os.environ.get("APP_HOME") or ROOT / ".local")
    caches = home / "cache"
    caches.mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        "RUFF_CACHE_DIR": str(caches / "ruff"),
        "MYPY_CACHE_DIR": str(caches / "mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(caches / "hypothesis"),
    }
    parts = [
        ("lint", ["ruff", "check", "."]),
        ("format", ["ruff", "format", "--check", "."]),
        ("types", ["mypy"]),
        ("tests", ["pytest", *pytest_arguments(rest, quick=quick)]),
    ]
    results = [run(name, command, env) for name, command in parts]
    print("\npart      result   seconds")
    for (name, _), (code, seconds) in zip(parts, results, strict=True):
        print(f"{name:9} {'ok' if code == 0 else 'FAILED':8} {seconds:7.1f}")
    return 0 if all(code == 0 for code, _ in results) else 1


def pytest_arguments(rest: list[str], *, quick: bool) -> list[str]:
    """Two workers and the ten slowest tests, unless the caller says otherwise."""
    options = ["--durations=10"]
    if not any(one.startswith(("-n", "--numprocesses")) or one == "--pdb" for one in rest):
        options += ["-n", "2", "--dist", "worksteal"]
    if quick:
        options += ["-m", "not browser and not slow"]
    return [*options, *rest]


def run(name: str, command: list[str], env: dict[str, str]) -> tuple[int, float]:
    """Runs one part in the checkout; its exit code and seconds."""
    print(f"\n== {name}: {' '.join(command)}", flush=True)
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=env, check=False).returncode
    return code, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
