"""The state of the simulator: one SQLite file that survives kill -9, many readers, one writer."""

import json
import queue
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.amocrm.storage import tables, texts
from sandbox.amocrm.storage.places import Places

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, subdomain TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sequences (account_id INTEGER, name TEXT, value INTEGER NOT NULL,
  PRIMARY KEY (account_id, name));
CREATE TABLE IF NOT EXISTS integrations (client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL,
  redirect_uri TEXT NOT NULL, account_id INTEGER, name TEXT, disconnect_uri TEXT, created_at INTEGER);
CREATE TABLE IF NOT EXISTS codes (code TEXT PRIMARY KEY, client_id TEXT NOT NULL, account_id INTEGER NOT NULL,
  user_id INTEGER NOT NULL, expires_at REAL NOT NULL, used_at REAL);
CREATE TABLE IF NOT EXISTS refresh_tokens (token TEXT PRIMARY KEY, client_id TEXT NOT NULL,
  account_id INTEGER NOT NULL, user_id INTEGER NOT NULL, expires_at REAL NOT NULL, state TEXT NOT NULL,
  replaced_by TEXT);
CREATE TABLE IF NOT EXISTS access_tokens (token TEXT PRIMARY KEY, client_id TEXT NOT NULL,
  account_id INTEGER NOT NULL, user_id INTEGER NOT NULL, expires_at REAL NOT NULL, revoked INTEGER NOT NULL,
  refresh_token TEXT);
CREATE INDEX IF NOT EXISTS access_tokens_refresh ON access_tokens (refresh_token);
CREATE TABLE IF NOT EXISTS webhooks (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL,
  destination TEXT NOT NULL, settings TEXT NOT NULL, sort INTEGER NOT NULL, disabled INTEGER NOT NULL,
  client_id TEXT, created_by INTEGER, created_at INTEGER, updated_at INTEGER,
  UNIQUE (account_id, destination));
CREATE TABLE IF NOT EXISTS deliveries (id INTEGER PRIMARY KEY, webhook_id INTEGER, account_id INTEGER,
  destination TEXT NOT NULL, method TEXT NOT NULL, body BLOB NOT NULL, queued_at REAL NOT NULL,
  due_at REAL NOT NULL, attempts INTEGER NOT NULL, state TEXT NOT NULL, last_status INTEGER,
  pipeline_hook_id INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at, id);
CREATE TABLE IF NOT EXISTS bad_answers (webhook_id INTEGER NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS bad_answers_at ON bad_answers (webhook_id, at);
CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, account_id INTEGER NOT NULL,
  by INTEGER NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, params TEXT NOT NULL, client TEXT);
CREATE INDEX IF NOT EXISTS journal_account ON journal (account_id, id);
CREATE TABLE IF NOT EXISTS sorted_unsorted (account_id INTEGER NOT NULL, id TEXT NOT NULL, category TEXT,
  pipeline_id INTEGER, created_at INTEGER, how TEXT NOT NULL, sorted_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, id));
CREATE TABLE IF NOT EXISTS source_owners (account_id INTEGER NOT NULL, source_id INTEGER NOT NULL,
  client_id TEXT NOT NULL, external_id TEXT NOT NULL, PRIMARY KEY (account_id, source_id));
CREATE TABLE IF NOT EXISTS fresh (account_id INTEGER NOT NULL, name TEXT NOT NULL, id NOT NULL,
  made_at INTEGER, changed_at INTEGER NOT NULL, PRIMARY KEY (account_id, name, id));
CREATE TABLE IF NOT EXISTS pipeline_hooks (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL,
  pipeline_id INTEGER NOT NULL, status_id INTEGER NOT NULL, event TEXT NOT NULL, url TEXT NOT NULL,
  UNIQUE (account_id, pipeline_id, status_id, event, url));
"""


def _fold(text: Any) -> str:
    return "" if text is None else str(text).casefold()


def _digits(text: Any) -> str:
    return "" if text is None else "".join(character for character in str(text) if character.isdigit())


class Store:
    """Connections to the state file. `read()` may run beside others, `write()` runs alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._lock = threading.RLock()
        self._depth = 0
        self._version = 0
        self.places = Places(lambda: self._version)
        self._writer = self._open()
        self._writer.executescript(SCHEMA)
        self._widen()
        for table in tables.TABLES.values():
            for statement in tables.create_statements(table):
                self._writer.execute(statement)

    def _widen(self) -> None:
        """A state kept by an earlier version lacks the newest column."""
        known = {row[1] for row in self._writer.execute("PRAGMA table_info(deliveries)")}
        if "pipeline_hook_id" not in known:
            self._writer.execute("ALTER TABLE deliveries ADD COLUMN pipeline_hook_id INTEGER")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=400
        )
        # Off, not normal: the file must survive the death of the process, not of the machine.
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY", "cache_size=-32000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("fold", 1, _fold, deterministic=True)
        connection.create_function("digits", 1, _digits, deterministic=True)
        return connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; each statement sees what is committed then."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._open()
        try:
            yield connection
        finally:
            self._readers.put(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The one writing connection inside one transaction; an exception undoes all of it."""
        with self._lock:
            if self._depth:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            self._depth = 1
            self._version += 1  # odd: rows may change at any moment
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            else:
                self._writer.execute("COMMIT")
            finally:
                self._depth = 0
                self._version += 1

    @contextmanager
    def bulk(self) -> Iterator[sqlite3.Connection]:
        """Fill an empty store: no journal, indexes last. Cut short, the file must be discarded."""
        self._writer.execute("PRAGMA journal_mode=OFF")
        self._writer.execute("PRAGMA cache_size=-128000")
        with self.write() as connection:
            yield connection
            for table in tables.TABLES.values():
                for statement in tables.index_statements(table):
                    connection.execute(statement)
        self._writer.execute("PRAGMA analysis_limit=1000")
        self._writer.execute("ANALYZE")
        self._writer.execute("PRAGMA cache_size=-32000")
        self._writer.execute("PRAGMA journal_mode=WAL")

    def get_meta(self, name: str) -> Any:
        """The kept value, or None."""
        with self.read() as connection:
            found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else None

    def set_meta(self, name: str, value: Any) -> None:
        """Keep a JSON value under a name."""
        with self.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, texts.dumps(value)))

    def close(self) -> None:
        """Close every connection that is not in use."""
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                break
        with self._lock:
            self._writer.close()
