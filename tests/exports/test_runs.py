"""A run of an export is written down before and after, and one that was cut off is done again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.builders import ACCOUNT, a_lead, a_pipeline, a_user, an_account
from tests.support.databases import Database
from tests.support.sandbox import make_services
from widget_backend.access import settings as documents
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import ConfigError, NotFound, SinkBusy, SinkMisconfigured
from widget_backend.exports.models import ExportRun
from widget_backend.exports.runs import run_export
from widget_backend.jobs import Job
from widget_backend.kpi.build import rebuild
from widget_backend.oauth.models import Account
from widget_backend.settings import Settings
from widget_backend.sync.install import prepare_account
from widget_backend.sync.models import Schedule, SyncCursor
from widget_backend.sync.streams import STREAMS
from workers import base
from workers.exports import run_exports


@pytest.fixture
def services(database: Database, redis_url: str, tmp_path: Path, google: Any) -> Iterator[Services]:
    """An account with one manager who won one lead today, and a spreadsheet."""
    made = make_services(database.app_url, redis_url, "http://127.0.0.1:9", tmp_path)
    with session_scope(made.engine, ACCOUNT) as session:
        an_account(session, ACCOUNT)
        a_pipeline(session)
        a_user(session, 501, name="Анна")
        a_lead(session, 7001, user=501, status=142, created=now(), closed=now(), price=45000)
        rebuild(session, ACCOUNT, None, as_of=now())
        for name in (*(stream.name for stream in STREAMS), "facts"):
            session.add(
                SyncCursor(
                    account_id=ACCOUNT,
                    stream=name,
                    synced_to=now(),
                    backfilled_at=now(),
                    backfill_started_at=now(),
                    updated_at=now(),
                )
            )
    choose(made, google.spreadsheet_id)
    yield made
    made.close()


def choose(services: Services, spreadsheet_id: str | None) -> None:
    with session_scope(services.engine, ACCOUNT) as session:
        document = documents.parse({"export": {"spreadsheet_id": spreadsheet_id}})
        documents.save(session, ACCOUNT, document)


def settings(services: Services, google: Any, **changes: Any) -> Settings:
    given = {"google_credentials": json.dumps(google.robot), "google_origin": google.url, **changes}
    return replace(services.settings, **given)


def export(services: Services, google: Any, **changes: Any) -> dict[str, Any]:
    account = services.account(ACCOUNT)
    return run_export(services.engine, settings(services, google, **changes), account, "managers")


def runs(services: Services) -> list[tuple[str, int | None, str | None]]:
    with session_scope(services.engine, ACCOUNT) as session:
        found = session.scalars(select(ExportRun).order_by(ExportRun.id)).all()
        assert all((run.finished_at is None) == (run.state == "STARTED") for run in found)
        return [(run.state, run.rows, run.error) for run in found]


def test_a_good_run_is_done_and_says_where(services: Services, google: Any) -> None:
    result = export(services, google)
    assert result["spreadsheet_id"] == google.spreadsheet_id
    assert runs(services) == [("DONE", result["rows"], None)]
    written = [cell for title in google.titles() for row in google.values(title) for cell in row]
    assert "Анна" in written
    assert 45000 in written


def test_credentials_may_lie_in_a_file(services: Services, google: Any, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps(google.robot))
    assert export(services, google, google_credentials=str(key))["rows"] > 0


@pytest.mark.parametrize("given", [None, "/nowhere/key.json", "{broken"])
def test_missing_credentials_fail_the_run(services: Services, google: Any, given: str | None) -> None:
    with pytest.raises(ConfigError, match="GOOGLE_CREDENTIALS"):
        export(services, google, google_credentials=given)
    [(state, rows, error)] = runs(services)
    assert (state, rows) == ("FAILED", None)
    assert "GOOGLE_CREDENTIALS" in str(error)


def test_a_refusal_of_the_target_fails_the_run(services: Services, google: Any) -> None:
    choose(services, "no-such-id")
    with pytest.raises(SinkMisconfigured):
        export(services, google)
    assert [state for state, *_ in runs(services)] == ["FAILED"]


def test_a_run_that_was_cut_off_is_done_again(
    services: Services, google: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widget_backend.exports import runs as module

    def power_cut(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "compose", power_cut)
        with pytest.raises(KeyboardInterrupt):
            export(services, google)
    assert [state for state, *_ in runs(services)] == ["STARTED"]
    export(services, google)
    assert [(state, error) for state, _, error in runs(services)] == [
        ("FAILED", "The run was cut off."),
        ("DONE", None),
    ]


def test_two_processes_never_write_at_once(services: Services, google: Any) -> None:
    with try_lock(services.engine, "exports.managers", ACCOUNT) as held:
        assert held
        with pytest.raises(SinkBusy):
            export(services, google)
    assert runs(services) == []


def test_without_a_spreadsheet_nothing_begins(services: Services, google: Any) -> None:
    choose(services, None)
    with pytest.raises(SinkMisconfigured, match="No spreadsheet"):
        export(services, google)
    assert runs(services) == []


def test_an_unknown_run_is_named(services: Services, google: Any) -> None:
    with pytest.raises(NotFound, match="nobody"):
        run_export(services.engine, services.settings, services.account(ACCOUNT), "nobody")


@pytest.mark.parametrize(
    ("state", "chosen", "count"), [("active", True, 1), ("active", False, 0), ("backfilling", True, 0)]
)
def test_the_hourly_job_exports_complete_accounts_that_chose_a_sheet(
    services: Services,
    google: Any,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    chosen: bool,
    count: int,
) -> None:
    if not chosen:
        choose(services, None)
    services.settings = settings(services, google)
    with session_scope(services.engine) as session:
        session.get_one(Account, ACCOUNT).state = state
        prepare_account(session, services.settings, ACCOUNT)
    monkeypatch.setattr(base, "services", lambda: services)
    run_exports(ACCOUNT, 0)
    assert len(runs(services)) == count
    with session_scope(services.engine) as session:
        assert session.get_one(Schedule, (ACCOUNT, Job.EXPORT)).last_done_at is not None
