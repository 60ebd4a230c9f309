"""The log of API requests, in a file of its own so that a long write transaction never holds up an answer."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLUMNS = ("at", "subdomain", "client_id", "method", "path", "query", "status", "took_ms")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One request; `at` is the sandbox's time, Unix seconds with a fraction."""

    at: float
    subdomain: str | None
    client_id: str | None
    method: str
    path: str
    query: str
    status: int
    took_ms: float


class RequestLog:
    """Appends entries and reads them back in order of arrival."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        columns = ", ".join(COLUMNS)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, {columns})")
        self._insert = f"INSERT INTO requests ({columns}) VALUES ({', '.join('?' * len(COLUMNS))})"

    def append(self, entry: Entry) -> None:
        """Store one entry."""
        with self._lock:
            self._connection.execute(self._insert, tuple(getattr(entry, name) for name in COLUMNS))

    def since(self, at: float, after_id: int, limit: int) -> Iterator[dict[str, Any]]:
        """Entries at or after the moment and with a larger id, oldest first."""
        with self._lock:
            found = self._connection.execute(
                f"SELECT id, {', '.join(COLUMNS)} FROM requests WHERE at >= ? AND id > ? ORDER BY id LIMIT ?",
                (at, after_id, limit),
            ).fetchall()
        names = ("id", "at", "account", "integration", "method", "path", "query", "status", "took_ms")
        return (dict(zip(names, row, strict=True)) for row in found)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
