"""JSON Lines → the values that are stored, in batches; also a process of its own (`python -m`).

Reading costs more than storing, so a big snapshot is read beside the process that stores it.
"""

import gc
import json
import marshal
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sandbox.amocrm.storage.snapshot import SnapshotError, no_number, row_values
from sandbox.amocrm.storage.tables import TABLES, Table
from sandbox.amocrm.storage.views import VIEWS
from sandbox.amocrm.vocabulary import Row

Values = tuple[Any, ...]

# Big enough that handing one over costs nothing beside reading it, small enough to wait in memory.
BATCH_ROWS = 4000
BATCH_CHARACTERS = 500_000
WAITING_BATCHES = 64
LENGTH_BYTES = 8

_scan: Any = json.JSONDecoder(parse_constant=no_number).scan_once  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a snapshot: which table it fills, for which account, and its bytes."""

    path: Path
    table: str
    account_id: int
    size: int = 0


def batches(file: File) -> Iterator[list[Values]]:
    """The values of `tables.insert_statement` for every line, in order.

    SnapshotError names the file and the line that cannot be read.
    """
    batch: list[Values] = []
    size = 0
    for _, text, values in numbered(file):
        batch.append(values)
        size += len(text)
        if len(batch) == BATCH_ROWS or size > BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def numbered(file: File) -> Iterator[tuple[int, str, Values]]:
    """Line number, text and values of every line that is not blank; SnapshotError as in `batches`."""
    table, account_id, number = TABLES[file.table], file.account_id, 0
    read = _slowly if file.table in VIEWS else _quickly
    try:
        with file.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                line = line.strip()
                if line:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                    yield number, text, read(table, account_id, line, text, number)
    except OSError as err:
        raise SnapshotError(f"{file.path}: {err.strerror or err}; make it readable") from None
    except (ValueError, KeyError, RecursionError) as err:
        reason = f"no {err}" if isinstance(err, KeyError) else str(err)
        raise SnapshotError(f"{file.path}:{number}: {reason}; mend or remove the line") from None


def _slowly(table: Table, account_id: int, _line: bytes, text: str, number: int) -> Values:
    return row_values(table, account_id, _parsed(text), text, number)


def _quickly(table: Table, account_id: int, line: bytes, text: str, number: int) -> Values:
    """For tables whose rows are served as they were written: only their columns are made of what is parsed.

    orjson takes a quarter of the time, but rounds integers of over 64 bits and refuses half a surrogate. So
    it has no say where the row would be written anew, where it finds a fraction, and where it finds a fault.
    """
    if '"_links"' not in text:
        try:
            row = orjson.loads(line)
        except ValueError:
            return _slowly(table, account_id, line, text, number)
        if type(row) is dict:
            values = row_values(table, account_id, row, text, number)
            if float not in map(type, values):
                return values
    return _slowly(table, account_id, line, text, number)


def _parsed(text: str) -> Row:
    """The line's object. `json.loads` only where something is wrong: it costs half as much again."""
    try:
        row, end = _scan(text, 0)
    except StopIteration:
        end = -1
    if end != len(text):
        row = json.loads(text)
    if type(row) is not dict:
        raise ValueError("not an object")
    return row


def main() -> int:
    """Read the files named on standard input, a JSON list of [path, table, account_id].

    Standard output: frames of a length and a marshalled [index of the file, batch or None for its end], or
    [None, message] for a file that cannot be used; a whole run ends with [None, None].
    """
    # The simulator ends this process; what stops both of them from the terminal is its business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # rows hold no cycles, and looking for them costs a tenth
    sys.setswitchinterval(0.001)  # or every frame waits 5 ms for the thread that reads
    files = [File(path=Path(path), table=table, account_id=account_id) for path, table, account_id in
             json.load(sys.stdin)]  # fmt: skip
    waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_BATCHES)
    writer = threading.Thread(target=_write, args=(waiting,), daemon=True)
    writer.start()
    for frame in _frames(files):
        waiting.put(marshal.dumps(frame))
    waiting.put(None)
    writer.join()
    return 0


def _frames(files: list[File]) -> Iterator[tuple[int | None, Any]]:
    try:
        for index, file in enumerate(files):
            for batch in batches(file):
                yield index, batch
            yield index, None
    except SnapshotError as err:
        yield None, str(err)
    else:
        yield None, None


def _write(waiting: "queue.Queue[bytes | None]") -> None:
    """Send frames as they come; when nobody reads them any more, the process has no purpose."""
    out = sys.stdout.fileno()
    while (frame := waiting.get()) is not None:
        left = memoryview(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
        try:
            while left:
                left = left[os.write(out, left) :]
        except OSError:
            os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main())
