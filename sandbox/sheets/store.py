"""What survives kill -9: spreadsheets by row, service accounts and access tokens, in one SQLite file."""

import copy
import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.sheets.book import Book, Sheet

_TABLES = """
CREATE TABLE IF NOT EXISTS books (id TEXT PRIMARY KEY, place INTEGER, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rows (book_id TEXT, sheet_id INTEGER, row INTEGER, json TEXT NOT NULL,
                                 PRIMARY KEY (book_id, sheet_id, row)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (email TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, email TEXT NOT NULL, scope TEXT NOT NULL,
                                   expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, json TEXT NOT NULL);
"""


class Store:
    """All state of the simulator. Not thread-safe: the application holds one lock around each request."""

    def __init__(self, directory: Path | None) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if directory is None else str(directory / "sheets.sqlite3")
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL with NORMAL keeps every committed request over kill -9; only a power cut may lose the last.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)
        self.books: dict[str, Book] = {}
        for (book_id,) in self._db.execute("SELECT id FROM books ORDER BY place"):
            self.books[book_id] = self._load(book_id)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    @contextmanager
    def changing(self, book_id: str) -> Iterator[Book]:
        """Hands out a book for changes: stored when the block ends, as before when it raises."""
        try:
            yield self.books[book_id]
            self.save(self.books[book_id])
        except BaseException:
            self.books[book_id] = self._load(book_id)
            raise

    def save(self, book: Book) -> None:
        """Stores the book: its head and the rows marked as changed."""
        self.books.setdefault(book.book_id, book)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            place = list(self.books).index(book.book_id)
            head = json.dumps(_head(book), ensure_ascii=False)
            self._db.execute("INSERT OR REPLACE INTO books VALUES (?, ?, ?)", (book.book_id, place, head))
            self._drop_other_sheets(book)
            for sheet in book.sheets:
                self._save_rows(book, sheet)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def remove(self, book_id: str) -> None:
        """Forgets a spreadsheet."""
        del self.books[book_id]
        self._db.execute("DELETE FROM rows WHERE book_id = ?", (book_id,))
        self._db.execute("DELETE FROM books WHERE id = ?", (book_id,))

    def _drop_other_sheets(self, book: Book) -> None:
        kept = [sheet.sheet_id for sheet in book.sheets]
        marks = ",".join("?" * len(kept))
        statement = f"DELETE FROM rows WHERE book_id = ? AND sheet_id NOT IN ({marks})"  # noqa: S608 - marks only
        self._db.execute(statement, (book.book_id, *kept))

    def _save_rows(self, book: Book, sheet: Sheet) -> None:
        key = (book.book_id, sheet.sheet_id)
        if sheet.dirty is None:
            self._db.execute("DELETE FROM rows WHERE book_id = ? AND sheet_id = ?", key)
        changed = set(sheet.rows) if sheet.dirty is None else sheet.dirty
        gone = [(*key, row) for row in changed if row not in sheet.rows]
        self._db.executemany("DELETE FROM rows WHERE book_id = ? AND sheet_id = ? AND row = ?", gone)
        stored = [
            (*key, row, json.dumps(sheet.rows[row], ensure_ascii=False))
            for row in changed
            if row in sheet.rows
        ]
        self._db.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", stored)
        sheet.dirty = set()

    def _load(self, book_id: str) -> Book:
        ((text,),) = self._db.execute("SELECT json FROM books WHERE id = ?", (book_id,))
        head = json.loads(text)
        sheets = [_sheet(raw) for raw in head.pop("sheets")]
        by_id = {sheet.sheet_id: sheet for sheet in sheets}
        rows = self._db.execute("SELECT sheet_id, row, json FROM rows WHERE book_id = ?", (book_id,))
        for sheet_id, row, cells in rows:
            by_id[sheet_id].rows[row] = {int(c): cell for c, cell in json.loads(cells).items()}
        return Book(sheets=sheets, **head)

    def add_account(self, email: str, facts: dict[str, Any]) -> None:
        """Remembers a service account: its public key and project."""
        self._db.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?)", (email, json.dumps(facts)))

    def account(self, email: str) -> dict[str, Any] | None:
        """A service account's facts, None for a stranger."""
        row = self._db.execute("SELECT json FROM accounts WHERE email = ?", (email,)).fetchone()
        return json.loads(row[0]) if row else None

    def accounts(self) -> list[str]:
        """E-mails of all service accounts."""
        return [email for (email,) in self._db.execute("SELECT email FROM accounts ORDER BY email")]

    def add_token(self, token: str, email: str, scope: str, expires_at: float) -> None:
        """Remembers an access token; ``expires_at`` is a Unix time."""
        self._db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (token, email, scope, expires_at))

    def token(self, token: str) -> tuple[str, str, float] | None:
        """(e-mail, scope, expires_at) of an access token, None for an unknown one."""
        row = self._db.execute(
            "SELECT email, scope, expires_at FROM tokens WHERE token = ?", (token,)
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def revoke_tokens(self, email: str) -> None:
        """Forgets the access tokens of an account."""
        self._db.execute("DELETE FROM tokens WHERE email = ?", (email,))

    def setting(self, name: str) -> Any:
        """A stored setting of the simulator itself, None when never set."""
        row = self._db.execute("SELECT json FROM settings WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_setting(self, name: str, value: Any) -> None:
        """Stores a setting of the simulator itself."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


def copied_book(source: Book, shared: dict[str, str], at: str) -> Book:
    """A spreadsheet with the same content under a new id, not stored yet; protections stay behind."""
    book = copy.deepcopy(source)
    book.book_id = secrets.token_urlsafe(33).replace("_", "A").replace("-", "B")
    book.shared, book.anyone, book.trashed = shared, None, False
    book.created_at = book.modified_at = at
    for sheet in book.sheets:
        sheet.dirty = None
        sheet.extras.pop("protectedRanges", None)
    return book


def _head(book: Book) -> dict[str, Any]:
    names = (
        "book_id",
        "properties",
        "named_ranges",
        "metadata",
        "shared",
        "next_id",
        "created_at",
        "modified_at",
        "anyone",
        "trashed",
    )
    sheets = [
        {
            "properties": s.properties,
            "columns": s.columns,
            "row_properties": s.row_properties,
            "extras": s.extras,
        }
        for s in book.sheets
    ]
    return {name: getattr(book, name) for name in names} | {"sheets": sheets}


def _sheet(raw: dict[str, Any]) -> Sheet:
    for name in ("columns", "row_properties"):
        raw[name] = {int(index): properties for index, properties in raw[name].items()}
    return Sheet(**raw)
