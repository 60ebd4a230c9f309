"""Fills a fresh store from snapshots: who reads them, in which order files come, when indexes are made."""

import os
import sqlite3
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.amocrm.storage import beside, onesided, tables, texts
from sandbox.amocrm.storage.reading import File, Values, batches, numbered
from sandbox.amocrm.storage.snapshot import SnapshotError, notice
from sandbox.amocrm.storage.views import VIEWS
from sandbox.amocrm.vocabulary import Row

# Below this other processes cost more than they save.
BESIDE_FROM_BYTES = 8_000_000
# Two readers keep two cores busy: together they take about as long as one process needs to store.
READERS = 2
# What links are told in comes first: they are completed while the rest is still being read.
LINKED = ("leads", "contacts", "companies", "links")


def load(
    connection: sqlite3.Connection, snapshots: Sequence[tuple[Path, Row]], readers: int | None = None
) -> None:
    """Store the accounts and every row of their snapshots, in the caller's transaction.

    `readers` processes read beside this one; None: none for little, two for much where there are two cores.
    SnapshotError for an unreadable line; files nobody knows are passed over with a notice.
    """
    files: list[File] = []
    for path, account in snapshots:
        connection.execute(
            "INSERT INTO accounts (id, subdomain, body) VALUES (?, ?, ?)",
            (account["id"], account["subdomain"], texts.dumps(account)),
        )
        files += _files(path, account["id"])
    if readers is None:
        readers = READERS if sum(file.size for file in files) >= BESIDE_FROM_BYTES and _cores() > 1 else 0
    left: Counter[Any] = Counter()
    for file in files:
        left.update([_awaited(file), file.table])
    with closing(beside.read(_shared_out(files, readers)) if readers else _read(files)) as parts:
        for file, batch in parts:
            if batch is not None:
                _store(connection, file, batch)
            else:
                left.subtract([_awaited(file), file.table])
                _finish(connection, file, left)


def _files(directory: Path, account_id: int) -> list[File]:
    """The files of one snapshot in the order they are read."""
    known = []
    for path in sorted(directory.iterdir()):
        if path.suffix == ".jsonl" and path.stem in tables.TABLES:
            size = path.stat().st_size
            known.append(File(path=path, table=path.stem, account_id=account_id, size=size))
        elif path.is_file() and path.name != "account.json":
            notice(f"{path} is not part of a snapshot and is ignored")
    return sorted(known, key=lambda file: (file.table not in LINKED, -file.size))


def _store(connection: sqlite3.Connection, file: File, batch: list[Values]) -> None:
    try:
        connection.executemany(tables.insert_statement(tables.TABLES[file.table]), batch)
    except OverflowError:
        raise SnapshotError(f"{_too_large(file)}; mend or remove the line") from None


def _too_large(file: File) -> str:
    """Where the number is that no column takes; read once more, since batches do not carry line numbers."""
    for number, _, values in numbered(file):
        if any(type(value) is int and not tables.SMALLEST <= value <= tables.LARGEST for value in values):
            return f"{file.path}:{number}: a number is too large"
    return f"{file.path}: a number is too large"


def _awaited(file: File) -> tuple[int, bool]:
    """What a file belongs to besides its table: those of an account that tell of links, and its others."""
    return (file.account_id, file.table in LINKED)


def _finish(connection: sqlite3.Connection, file: File, left: "Counter[Any]") -> None:
    """After the last row of a file: complete the links once all are there, and make the table's indexes."""
    if file.table in LINKED and not left[_awaited(file)]:
        added = onesided.complete_leads(connection, file.account_id)
        if added:
            notice(f"{file.path.parent}: {added} links were told only from their other side")
    if not left[file.table]:
        for statement in tables.index_statements(tables.TABLES[file.table]):
            connection.execute(statement)


def _read(files: list[File]) -> Generator[tuple[File, list[Values] | None], None, None]:
    """Batches with their file, None for its end, as from `beside.read`."""
    for file in files:
        for batch in batches(file):
            yield file, batch
        yield file, None


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shared_out(files: list[File], readers: int) -> list[list[File]]:
    """Groups that take about equally long to read; a table is never in two of them."""
    weights: Counter[str] = Counter()
    for file in files:
        weights[file.table] += file.size * (2 if file.table in VIEWS else 1)  # rendering a view costs as much
    loads = [0] * readers
    group_of: dict[str, int] = {}
    for table, weight in weights.most_common():
        group_of[table] = loads.index(min(loads))
        loads[group_of[table]] += weight
    groups = [[file for file in files if group_of[file.table] == index] for index in range(readers)]
    return [group for group in groups if group]
