"""The files of a snapshot, written in bounded memory; rows that come out of order are sorted on disk."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

IN_ORDER = (
    "leads",
    "tasks",
    "notes_leads",
    "notes_contacts",
    "notes_companies",
    "unsorted",
    "talks",
    "links",
)


def to_line(row: dict[str, Any]) -> str:
    """One row as one line of JSON, unicode as it stands."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


class SortedFile:
    """Collects lines by a whole-number key in any order, and writes them sorted.

    Lines go to bucket files by ranges of the key (`low` up to `high`), so that only one bucket at a time is
    sorted in memory. `tie` orders lines of one key.
    """

    def __init__(self, directory: Path, *, low: int, high: int, buckets: int) -> None:
        directory.mkdir(parents=True)
        self._directory, self._low = directory, low
        self._width = max(1, (high - low) // buckets + 1)
        self._open: dict[int, TextIO] = {}

    def add(self, key: int, tie: str, line: str) -> None:
        number = max(0, (key - self._low) // self._width)
        handle = self._open.get(number)
        if handle is None:
            handle = (self._directory / f"{number}").open("w", encoding="utf-8", newline="\n")
            self._open[number] = handle
        handle.write(f"{key:012d} {tie}\t{line}\n")

    def close(self) -> None:
        for handle in self._open.values():
            handle.close()

    def write(self, path: Path) -> None:
        self.close()
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for number in sorted(self._open):
                with (self._directory / f"{number}").open(encoding="utf-8", newline="\n") as bucket:
                    out.writelines(line.partition("\t")[2] for line in sorted(bucket))


class SnapshotFiles:
    """Open files of one snapshot directory. Used as a context; `finish` puts the sorted ones in place."""

    def __init__(self, directory: Path, *, leads: int, first_s: int, last_s: int) -> None:
        self._directory = directory
        self._plain = {
            name: (directory / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") for name in IN_ORDER
        }
        # About 20,000 events or 4,000 customers in a bucket: tens of megabytes while it is sorted.
        buckets = min(200, 1 + leads // 2000)
        self._sorted = {
            "events": SortedFile(directory / ".events", low=first_s, high=last_s, buckets=buckets),
            "contacts": SortedFile(directory / ".contacts", low=0, high=8001 + 2 * leads, buckets=buckets),
            "companies": SortedFile(directory / ".companies", low=0, high=9001 + leads, buckets=buckets),
        }

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Append a row to a file whose rows already come in the order of their ids."""
        self._plain[name].write(to_line(row) + "\n")

    def add_event(self, row: dict[str, Any]) -> None:
        self._sorted["events"].add(row["created_at"], row["id"], to_line(row))

    def add_by_id(self, name: str, row: dict[str, Any]) -> None:
        self._sorted[name].add(row["id"], "", to_line(row))

    def write_table(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write a small dictionary file (users, pipelines …) at once."""
        text = "".join(to_line(row) + "\n" for row in rows)
        (self._directory / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")

    def finish(self) -> None:
        for name, rows in self._sorted.items():
            rows.write(self._directory / f"{name}.jsonl")
            shutil.rmtree(self._directory / f".{name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._plain.values():
            handle.close()
        for rows in self._sorted.values():
            rows.close()
