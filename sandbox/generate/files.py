"""The files of a snapshot, written in bounded memory; rows that come out of order are sorted on disk."""

import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# Rows of these come in the order of their ids (leads, stage visits …) or have none (links).
IN_ORDER = (
    "leads",
    "unsorted",
    "links",
    "truth/duplicates",
    "truth/stage_visits",
    "truth/owner_intervals",
    "truth/unsorted",
)
MOST_BUCKETS = 200
SPILL_LINES = 100
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
to_text = _ENCODER.encode


def to_line(row: dict[str, Any]) -> str:
    """One row as one line of JSON, unicode as it stands."""
    return to_text(row)


class SortedFile:
    """Collects lines by a whole-number key in any order, and writes them sorted.

    Lines go to buckets by ranges of the key (`low` up to `high`), so that only one bucket at a time is sorted
    in memory; a bucket is a file opened only to append, since open files are limited. `tie` orders lines of
    one key.
    """

    def __init__(self, directory: Path, *, low: int, high: int, buckets: int) -> None:
        self._directory, self._low = directory, low
        self._width = max(1, (high - low) // buckets + 1)
        self._waiting: dict[int, list[str]] = {}
        self._spilled: set[int] = set()

    def add(self, key: int, tie: str, line: str) -> None:
        number = max(0, (key - self._low) // self._width)
        waiting = self._waiting.get(number)
        if waiting is None:
            waiting = self._waiting[number] = []
        waiting.append(f"{key:012d} {tie}\t{line}\n")
        if len(waiting) >= SPILL_LINES:
            self._spill(number, waiting)

    def _spill(self, number: int, waiting: list[str]) -> None:
        if not self._spilled:
            self._directory.mkdir(parents=True)
        self._spilled.add(number)
        with self._bucket(number).open("a", encoding="utf-8", newline="\n") as bucket:
            bucket.writelines(waiting)
        waiting.clear()

    def _bucket(self, number: int) -> Path:
        return self._directory / f"{number}"

    def write(self, path: Path) -> None:
        """Write all lines, without their keys, into one file, and remove the buckets."""
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for number in sorted(self._waiting):
                lines = self._waiting.pop(number)
                if number in self._spilled:
                    with self._bucket(number).open(encoding="utf-8", newline="\n") as bucket:
                        lines.extend(bucket)
                    self._bucket(number).unlink()
                lines.sort()
                out.writelines(line.partition("\t")[2] for line in lines)
        if self._spilled:
            self._directory.rmdir()


class SnapshotFiles:
    """Open files of one snapshot directory. Used as a context; `finish` puts the sorted ones in place.

    `ranges` tells the keys to be expected in each sorted file, as (low, high).
    """

    def __init__(self, directory: Path, *, leads: int, ranges: dict[str, tuple[int, int]]) -> None:
        self._directory = directory
        (directory / "truth").mkdir()
        self._plain = {
            name: (directory / f"{name}.jsonl").open("w", encoding="utf-8", newline="\n") for name in IN_ORDER
        }
        # At most 250,000 rows or so are sorted at a time: 100 MB while they are.
        buckets = min(MOST_BUCKETS, 1 + leads // 4000)
        self._sorted = {
            name: SortedFile(directory / f".{name}", low=low, high=high, buckets=buckets)
            for name, (low, high) in ranges.items()
        }

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Append a row to a file whose rows already come in order."""
        self._plain[name].write(to_text(row) + "\n")

    def add_line(self, name: str, line: str) -> None:
        """Append a line of JSON to such a file."""
        self._plain[name].write(line + "\n")

    def add_sorted(self, name: str, key: int, line: str, tie: str = "") -> None:
        """Add a line of JSON to a file that is sorted by the key in the end."""
        self._sorted[name].add(key, tie, line)

    def add_by_id(self, name: str, row: dict[str, Any]) -> None:
        """Add a row to a file that is sorted by its ids in the end."""
        self._sorted[name].add(row["id"], "", to_text(row))

    def write_table(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write a small dictionary file (users, pipelines …) at once."""
        text = "".join(to_text(row) + "\n" for row in rows)
        (self._directory / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")

    def finish(self) -> None:
        """Write the sorted files and remove what they were sorted in."""
        for name, rows in self._sorted.items():
            rows.write(self._directory / f"{name}.jsonl")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._plain.values():
            handle.close()
