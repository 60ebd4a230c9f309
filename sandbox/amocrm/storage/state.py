"""The state directory: what it was made from, and how a source is loaded into a fresh one."""

import fcntl
import hashlib
import importlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sandbox.amocrm.storage import loading, snapshot
from sandbox.amocrm.storage.snapshot import SnapshotError
from sandbox.amocrm.storage.store import Store
from sandbox.amocrm.vocabulary import Row

FILE = "sandbox.sqlite"
DEFAULT_ACCOUNT_ID = 31000001


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the accounts come from: snapshot directories, or a generator's `leads`, `seed`, `accounts`."""

    snapshots: tuple[Path, ...] = ()
    generate: dict[str, int] | None = None
    now: float | None = None
    subdomain: str | None = None

    def fingerprint(self) -> str:
        """Equal for equal contents: a state is continued only by the source it was made from."""
        if self.generate is not None:
            parts = [f"{name}={value}" for name, value in sorted(self.generate.items())]
            # A history that ends at a named moment is another one for another moment.
            parts += [] if self.now is None else [f"now={self.now}"]
        else:
            parts = [snapshot.fingerprint(path) for path in self.snapshots]
        parts.append(f"subdomain={self.subdomain}")
        return hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()

    def look(self) -> str:
        """Equal only for files nobody has touched since, which is seen without reading them."""
        files = [
            (str(path), info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
            for directory in self.snapshots
            for path in sorted(directory.iterdir())
            if (info := path.stat())
        ]
        return hashlib.blake2b(repr((self, files)).encode(), digest_size=16).hexdigest()


class StateError(Exception):
    """The state cannot be used; the message is one line with the remedy."""


def lock(directory: Path) -> IO[str]:
    """Hold the directory for this process; StateError when another simulator has it."""
    file = (directory / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateError(
            f"{directory} is in use by another simulator: stop it or name another --state"
        ) from None
    return file


def open_store(directory: Path, source: Source) -> Store:
    """The store of the state directory, loaded from the source if it is fresh.

    StateError when the state was made from another source, SnapshotError when the source cannot be read.
    """
    path = directory / FILE
    look = source.look()
    if path.exists():
        store = Store(path)
        found = store.get_meta("source")
        if found is not None and _is_same(store, source, look, found):
            return store
        store.close()
        if found is not None:
            raise StateError(
                f"{directory} holds the state of another source: remove it or name another --state"
            )
        _discard(directory)  # an interrupted first start
    store = Store(path)
    try:
        with ThreadPoolExecutor(1) as beside:  # hashing gigabytes does not need this thread
            fingerprint = beside.submit(source.fingerprint)
            _load(store, source, directory)
        store.set_meta("look", look)
        store.set_meta("source", fingerprint.result())
    except BaseException:
        store.close()
        _discard(directory)
        raise
    return store


def _is_same(store: Store, source: Source, look: str, found: str) -> bool:
    """Whether the state was made from this source; its contents are read only when it looks different."""
    if store.get_meta("look") == look:
        return True
    if source.fingerprint() != found:
        return False
    store.set_meta("look", look)
    return True


def _discard(directory: Path) -> None:
    for path in directory.glob(f"{FILE}*"):
        path.unlink()


def _load(store: Store, source: Source, directory: Path) -> None:
    generated = None
    try:
        if source.generate is not None:
            generated = Path(tempfile.mkdtemp(prefix="generated-", dir=directory))
            snapshots = _generated(generated, source)
        else:
            snapshots = list(source.snapshots)
        accounts = _accounts(snapshots, source)
        with store.bulk() as connection:
            loading.load(connection, accounts)
    finally:
        if generated is not None:
            shutil.rmtree(generated, ignore_errors=True)


def _accounts(snapshots: list[Path], source: Source) -> list[tuple[Path, Row]]:
    """The directories with their account.json; SnapshotError when two have the same id or subdomain."""
    seen: dict[Any, Path] = {}
    accounts = []
    for index, path in enumerate(snapshots):
        account = snapshot.read_account(path)
        if source.subdomain and index == 0:
            account["subdomain"] = source.subdomain.lower()
        for name in ("id", "subdomain"):
            if account[name] in seen:
                raise SnapshotError(
                    f"{path} and {seen[account[name]]} have the same account {name} {account[name]}"
                )
            seen[account[name]] = path
        accounts.append((path, account))
    return accounts


def _generated(directory: Path, source: Source) -> list[Path]:
    """Snapshots written by the generator, one per account."""
    write_snapshot = importlib.import_module("sandbox.generate").write_snapshot
    spec = source.generate or {}
    now = datetime.now(UTC) if source.now is None else datetime.fromtimestamp(source.now, UTC)
    first = source.subdomain or "demo"
    paths = []
    for index in range(spec.get("accounts", 1)):
        path = directory / str(index)
        write_snapshot(
            path,
            leads=spec.get("leads", 2000),
            seed=spec.get("seed", 7) + index,
            now=now,
            subdomain=first if index == 0 else f"{first}{index + 1}",
            account_id=DEFAULT_ACCOUNT_ID + index,
        )
        paths.append(path)
    return paths
