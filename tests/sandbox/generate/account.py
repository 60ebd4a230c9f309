"""A generated snapshot read back, and small questions that several tests ask of it."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
NOW = dt.datetime.fromisoformat("2026-11-17T15:30:00+03:00")
FIRST_OF_MONTH = dt.datetime.fromisoformat("2026-11-01T00:20:00+03:00")
CARDS = {"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"}
PLURAL = CARDS | {"task": "tasks"}


class Account:
    """The rows of a snapshot directory; `history` has the events of each (entity type, id) in order."""

    def __init__(self, directory: Path, now: dt.datetime) -> None:
        self.directory, self.now_s = directory, int(now.timestamp())
        self._read: dict[str, list[Row]] = {}
        self.leads = self.rows("leads")
        self.events = self.rows("events")
        self.tasks = self.rows("tasks")
        self.notes = [
            row | {"_kind": kind} for kind in CARDS.values() for row in self.rows(f"notes_{kind}")
        ]  # fmt: skip
        self.history: dict[tuple[str, int], list[Row]] = {}
        for event in self.events:
            self.history.setdefault((event["entity_type"], event["entity_id"]), []).append(event)

    def rows(self, name: str) -> list[Row]:
        """The rows of one file; `truth/…` for what a client must find out."""
        if name not in self._read:
            self._read[name] = self._lines(name)
        return self._read[name]

    def _lines(self, name: str) -> list[Row]:
        lines = (self.directory / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def of(self, lead: Row, kind: str) -> Iterator[tuple[int, Row, Row]]:
        """(moment, value before, value after) of the lead's events of one kind."""
        for event in self.history[("lead", lead["id"])]:
            if event["type"] == kind:
                yield event["created_at"], event["value_before"][0], event["value_after"][0]

    def shown(self) -> list[Row]:
        """Leads that lists show."""
        return [lead for lead in self.leads if not lead["is_deleted"] and "_merged_into" not in lead]


def bytes_of(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, by its path in it."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
