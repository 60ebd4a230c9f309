"""Snapshots written by hand, as a third party would write them, and accounts mirrored from them."""

import contextlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.databases import Database, TestServers, drop_database, make_database
from tests.support.sandbox import Sandbox, install, make_services, running_sandbox
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope
from widget_backend.oauth.models import Account
from widget_backend.reports import metric_rows, report
from widget_backend.sync.backfill import backfill

Row = dict[str, Any]
Place = tuple[int, int]


class Outside:
    """Files of one account in the making. Moments are local ISO texts, or Unix seconds."""

    def __init__(self, zone: str, **account: Any) -> None:
        self._zone = ZoneInfo(zone)
        self.account: Row = {
            "id": 32000001,
            "subdomain": "outside",
            "currency": "RUB",
            "_embedded": {"datetime_settings": {"timezone": zone}},
            **account,
        }
        self.files: dict[str, list[Row | str]] = {}

    def at(self, moment: str | int, fold: int = 0) -> int:
        """Unix seconds."""
        if isinstance(moment, int):
            return moment
        return int(datetime.fromisoformat(moment).replace(tzinfo=self._zone, fold=fold).timestamp())

    def add(self, name: str, *rows: Row | str) -> None:
        """Lines of a file; a text stands as it is."""
        self.files.setdefault(name, []).extend(rows)

    def lead(
        self, lead_id: int, place: Place, created: str, closed: str | None = None, **fields: Any
    ) -> None:
        """A lead as it stands now."""
        updated = fields.pop("updated", closed or created)
        row: Row = {
            "id": lead_id,
            "name": f"Lead {lead_id}",
            "price": 0,
            "responsible_user_id": 501,
            "pipeline_id": place[0],
            "status_id": place[1],
            "created_at": self.at(created),
            "updated_at": self.at(updated),
            "closed_at": self.at(closed) if closed else None,
            "is_deleted": False,
            "_embedded": {"tags": [], "companies": [], "contacts": []},
            **fields,
        }
        self.add("leads", {name: value for name, value in row.items() if value is not ...})

    def event(self, lead_id: int, kind: str, at: str | int, before: Any, after: Any, by: int = 501) -> None:
        """One line of the event log."""
        number = len(self.files.get("events", ()))
        self.add(
            "events",
            {
                "id": f"01outside{number:06d}",
                "type": kind,
                "entity_id": lead_id,
                "entity_type": "lead",
                "created_by": by,
                "created_at": self.at(at),
                "value_before": before,
                "value_after": after,
            },
        )

    def move(self, lead_id: int, at: str, before: Place | None, after: Place) -> None:
        """A change of status; an unknown one before stands as ``[]``."""
        self.event(lead_id, "lead_status_changed", at, [_status(before)] if before else [], [_status(after)])

    def owner(self, lead_id: int, at: str, before: int, after: int) -> None:
        """A change of the responsible user."""
        old, new = ([{"responsible_user": {"id": user_id}}] for user_id in (before, after))
        self.event(lead_id, "entity_responsible_changed", at, old, new)

    def call(
        self, note_id: int, on: tuple[str, int], kind: str, at: str | int, duration: Any, **params: Any
    ) -> None:
        """A call note; ``created_by`` goes beside ``params``."""
        by, moment = params.pop("created_by", 0), self.at(at)
        self.add(
            f"notes_{on[0]}",
            {
                "id": note_id,
                "entity_id": on[1],
                "note_type": f"call_{kind}",
                "created_by": by,
                "responsible_user_id": 501,
                "created_at": moment,
                "updated_at": moment,
                "params": {"duration": duration, "phone": f"+7900{note_id:07d}", **params},
            },
        )

    def write(self, directory: Path) -> Path:
        """The snapshot on disk."""
        directory.mkdir(parents=True)
        (directory / "account.json").write_text(json.dumps(self.account), encoding="utf-8")
        for name, rows in self.files.items():
            lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
            (directory / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return directory


def _status(place: Place) -> Row:
    return {"lead_status": {"id": place[1], "pipeline_id": place[0]}}


def pipeline(pipeline_id: int, name: str, *status_ids: int, unsorted: int | None = None) -> Row:
    """A line of pipelines.jsonl; won and lost come by themselves."""
    statuses = [
        {"id": status_id, "name": str(status_id), "sort": number, "type": int(status_id == unsorted)}
        for number, status_id in enumerate((*status_ids, 142, 143))
    ]
    return {"id": pipeline_id, "name": name, "sort": pipeline_id, "_embedded": {"statuses": statuses}}


class Mirrored:
    """An account copied from a snapshot, and what it answers."""

    def __init__(self, services: Services, account: Account, sandbox: Sandbox) -> None:
        self.services, self.account, self.sandbox = services, account, sandbox

    def rows(self, metric: str, start: str, end: str, **asked: Any) -> list[Row]:
        """The rows of one metric."""
        with session_scope(self.services.engine, self.account.account_id) as session:
            answer = report(
                session,
                self.account,
                start_on=date.fromisoformat(start),
                end_on=date.fromisoformat(end),
                metrics=(metric,),
                **asked,
            )
        return list(answer["metrics"][0]["rows"])

    def value(self, metric: str, start: str, end: str) -> Any:
        """Its total."""
        return self.rows(metric, start, end)[0]["value"]

    def by(self, dimension: str, metric: str, start: str, end: str) -> dict[int | None, Any]:
        """Its parts."""
        rows = self.rows(metric, start, end, by=(dimension,))
        return {next(iter(row["key"].values())): row["value"] for row in rows}

    def buckets(self, metric: str, start: str, end: str, bucket: str) -> dict[str, Any]:
        """Its trend."""
        return {row["bucket"]: row["value"] for row in self.rows(metric, start, end, bucket=bucket)}

    def ids(self, metric: str, start: str, end: str) -> list[int]:
        """What it is made of."""
        with session_scope(self.services.engine, self.account.account_id) as session:
            found = metric_rows(
                session,
                self.account,
                metric,
                start_on=date.fromisoformat(start),
                end_on=date.fromisoformat(end),
            )
        return sorted(item["id"] for item in found["items"])


@contextlib.contextmanager
def mirrored(
    servers: TestServers, template: Database, directory: Path, snapshot: Outside
) -> Iterator[Mirrored]:
    """The product installed on the snapshot's account, everything copied."""
    path = snapshot.write(directory / "snapshot")
    database = make_database(servers, "outside", template.name)
    try:
        with running_sandbox(directory, "--snapshot", str(path), "--rate-limit", "0") as sandbox:
            services = make_services(
                database.app_url, servers.redis_url, sandbox.origin, directory, requests_per_s=500
            )
            try:
                account = install(services, sandbox)
                backfill(
                    services.engine, services.client(account), account.account_id, keep_going=lambda: True
                )
                yield Mirrored(services, services.account(account.account_id), sandbox)
            finally:
                services.close()
    finally:
        drop_database(servers, database)
