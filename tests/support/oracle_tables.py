"""Hand-made snapshots for the oracle's tests: a few rows in, written as the files an account would have."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.oracle import Oracle

Row = dict[str, Any]
Place = tuple[int, int]

SALES, PRODUCTION, QUALIFYING, REPEAT = 3100, 3300, 3400, 3200
NEW, WORK, PRODUCING = (SALES, 4101), (SALES, 4102), (PRODUCTION, 4301)
UNSORTED = (SALES, 4100)
WON, LOST = (SALES, 142), (SALES, 143)
PIPELINES = {
    SALES: ("Продажи", (4100, 4101, 4102)),
    REPEAT: ("Повторные", (4200, 4201)),
    PRODUCTION: ("Производство", (4300, 4301, 4302)),
    QUALIFYING: ("Квалификация", (4400, 4401)),
    3500: ("Вакансии", (4500, 4501)),
}
USERS = ((501, 0, "Анна"), (502, 88, "Борис"), (503, 88, "Вера"))


def seconds(text: str) -> int:
    """Unix seconds of an ISO moment; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


class Tables:
    """Rows of one account in the making; moments are ISO texts, as in `seconds`."""

    def __init__(self, directory: Path, *, zone: str = "Europe/Moscow") -> None:
        self._directory, self._zone = directory, zone
        self._rows: dict[str, list[Row]] = {
            "users": [
                {
                    "id": user_id,
                    "name": name,
                    "email": f"u{user_id}@demo.example",
                    "phone_number": f"+7 495 000-0{user_id}",
                    "rights": {"group_id": group_id, "is_active": True},
                }
                for user_id, group_id, name in USERS
            ],
            "pipelines": [
                {
                    "id": pipeline_id,
                    "name": name,
                    "_embedded": {
                        "statuses": [
                            {"id": status_id, "type": int(status_id % 100 == 0)}
                            for status_id in (*statuses, 142, 143)
                        ]
                    },
                }
                for pipeline_id, (name, statuses) in PIPELINES.items()
            ],
        }

    def _add(self, name: str, row: Row) -> None:
        self._rows.setdefault(name, []).append(row)

    def lead(
        self, lead_id: int, at: str, place: Place = NEW, *, closed: str | None = None, **fields: Any
    ) -> None:
        """A lead created at a moment and standing at (pipeline, status) now."""
        linked = {kind: [{"id": n} for n in fields.pop(kind, ())] for kind in ("contacts", "companies")}
        row = {
            "id": lead_id,
            "price": 0,
            "responsible_user_id": 501,
            "pipeline_id": place[0],
            "status_id": place[1],
            "created_at": seconds(at),
            "updated_at": seconds(closed or at),
            "closed_at": seconds(closed) if closed else None,
            "is_deleted": False,
            "_embedded": linked,
        }
        self._add("leads", row | fields)

    def event(
        self,
        kind: str,
        entity: tuple[str, int],
        at: str,
        *,
        before: Row | None = None,
        after: Row | None = None,
        by: int = 501,
    ) -> None:
        """A line of the audit log; lines of one second keep the order of these calls."""
        number = len(self._rows.get("events", []))
        row = {
            "id": f"{number:026d}",
            "type": kind,
            "entity_type": entity[0],
            "entity_id": entity[1],
            "created_by": by,
            "created_at": seconds(at),
            "value_before": [before] if before else [],
            "value_after": [after] if after else [],
        }
        self._add("events", row)

    def move(self, lead_id: int, at: str, before: Place, after: Place) -> None:
        values = [{"lead_status": {"pipeline_id": place[0], "id": place[1]}} for place in (before, after)]
        self.event("lead_status_changed", ("lead", lead_id), at, before=values[0], after=values[1])

    def owner(self, lead_id: int, at: str, before: int, after: int) -> None:
        values = [{"responsible_user": {"id": user_id}} for user_id in (before, after)]
        self.event("entity_responsible_changed", ("lead", lead_id), at, before=values[0], after=values[1])

    def price(self, lead_id: int, at: str, before: float, after: float) -> None:
        values = [{"sale_field_value": {"sale": sale}} for sale in (before, after)]
        self.event("sale_field_changed", ("lead", lead_id), at, before=values[0], after=values[1])

    def call(
        self, note_id: int, at: str, *, on: tuple[str, int] = ("leads", 7001), kind: str = "call_out",
        by: int = 501, duration: int = 90, **params: Any,
    ) -> None:  # fmt: skip
        """A call note; further words go into its params."""
        row = {
            "id": note_id,
            "entity_id": on[1],
            "note_type": kind,
            "created_by": by,
            "created_at": seconds(at),
            "responsible_user_id": 501,
            "params": {"duration": duration, "phone": f"+7 900 {note_id:07d}"} | params,
        }
        self._add(f"notes_{on[0]}", row)

    def meeting(self, task_id: int, at: str, *, on: tuple[str, int], result: Any = (), by: int = 501) -> None:
        """A completed task of type 2 and the event of its completion."""
        result = {"text": result} if isinstance(result, str) else []
        row = {"id": task_id, "entity_type": on[0], "entity_id": on[1], "task_type_id": 2, "result": result}
        self._add("tasks", row | {"is_completed": True})
        self.event("task_completed", ("task", task_id), at, by=by)

    def oracle(self, as_of: str = "2026-06-30T12:00:00+03:00", settings: Row | None = None) -> Oracle:
        """Write the files and open the oracle on them."""
        self._directory.mkdir(exist_ok=True)
        account = {"id": 1, "_embedded": {"datetime_settings": {"timezone": self._zone}}}
        (self._directory / "account.json").write_text(json.dumps(account), encoding="utf-8")
        for name, rows in self._rows.items():
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (self._directory / f"{name}.jsonl").write_text(text, encoding="utf-8")
        moment = datetime.fromisoformat(as_of)
        return Oracle(self._directory, moment if moment.tzinfo else moment.replace(tzinfo=UTC), settings)
