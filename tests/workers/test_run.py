"""One run of a job: alone, under a lease that is kept alive, and every way it can end."""

from threading import Event
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.support.builders import ACCOUNT
from tests.support.waiting import wait_until
from tests.workers.rows import change, claim, claimed, row, set_state
from widget_backend import schedule
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import (
    AccountBlocked,
    AmoForbidden,
    AmoRateLimited,
    AmoRejected,
    AmoUnavailable,
    AppError,
    NeedsReauthorization,
    NotConnected,
)
from widget_backend.jobs import Job
from widget_backend.oauth.models import Account, InstallRequest
from workers import base
from workers.base import run


def raising(error: Exception) -> Any:
    def job(*_: Any) -> None:
        raise error

    return job


def must_not_run(*_: Any) -> None:
    raise AssertionError("it ran")


def state(services: Services) -> tuple[str, str | None]:
    account = services.account(ACCOUNT)
    return account.state, account.state_reason


@pytest.mark.parametrize("more", [True, False, None])
def test_a_job_that_ends_well_is_due_again_when_it_says_so(services: Services, more: bool | None) -> None:
    seen: list[int] = []

    def job(_services: Services, account: Account) -> bool | None:
        seen.append(account.account_id)
        return more

    run(services, claimed(services), job)
    assert seen == [ACCOUNT]
    assert (row(services).due_at <= now()) is bool(more)
    assert row(services).leased_until is None


@pytest.mark.parametrize(
    ("error", "state_after", "rest_s"),
    [
        (AmoUnavailable("down"), "active", schedule.FIRST_RETRY_S),
        (AmoRateLimited("slower", retry_after_s=77), "active", 77),
        (AccountBlocked("banned", account_id=ACCOUNT, reason="403 with a page"), "active", 900),
        (AmoForbidden("unpaid", status=402, account_id=ACCOUNT), "active", 3600),
        (AmoRejected("no", status=400), "active", schedule.FIRST_RETRY_S),
        (NotConnected("gone"), "active", schedule.FIRST_RETRY_S),
        (NeedsReauthorization("dead", account_id=ACCOUNT), "reauth_required", schedule.FIRST_RETRY_S),
        (ZeroDivisionError("a defect"), "active", schedule.FIRST_RETRY_S),
        (OperationalError("SELECT secret", {}, Exception("gone")), "active", schedule.FIRST_RETRY_S),
    ],
)
def test_each_error_has_its_end(
    services: Services, error: Exception, state_after: str, rest_s: float
) -> None:
    before = now()
    run(services, claimed(services), raising(error))
    after = row(services)
    assert state(services)[0] == state_after
    assert (after.failures, after.leased_until) == (1, None)
    assert rest_s <= (after.due_at - before).total_seconds() < rest_s + 60
    assert after.last_error is not None
    assert "secret" not in after.last_error
    if isinstance(error, AppError):
        assert after.last_error == error.message


def test_dead_tokens_leave_a_paused_account_paused(services: Services) -> None:
    mine = claimed(services)

    def job(*_: Any) -> None:
        set_state(services, "paused")
        raise NeedsReauthorization("dead")

    run(services, mine, job)
    assert state(services)[0] == "paused"


def test_a_job_with_the_old_tokens_does_not_stop_an_account_that_was_authorised_again(
    services: Services,
) -> None:
    def job(*_: Any) -> None:
        with session_scope(services.engine) as session:
            session.add(
                InstallRequest(
                    client_id=f"client-{ACCOUNT}",
                    referer="demo.amocrm.ru",
                    received_at=now(),
                    finished_at=now(),
                    account_id=ACCOUNT,
                )
            )
        raise NeedsReauthorization("the old ones are dead")

    run(services, claimed(services), job)
    assert state(services)[0] == "active"


def test_a_job_that_runs_elsewhere_is_left_alone(services: Services) -> None:
    mine = claimed(services)
    before = row(services)
    with try_lock(services.engine, Job.INCREMENTAL, ACCOUNT) as held:
        assert held
        run(services, mine, must_not_run)
    after = row(services)
    assert (after.failures, after.due_at, after.leased_until) == (0, before.due_at, before.leased_until)
    ran: list[int] = []
    run(services, mine, lambda _services, account: ran.append(account.account_id))
    assert ran == [ACCOUNT], "the lock was let go"


@pytest.mark.parametrize("gone", ["paused", "disconnected", "reauth_required"])
def test_a_message_that_arrives_after_the_account_was_stopped_does_nothing(
    services: Services, gone: str
) -> None:
    mine = claimed(services)
    set_state(services, gone)
    run(services, mine, must_not_run)


def test_a_message_that_arrives_twice_runs_once(services: Services) -> None:
    mine = claimed(services)
    run(services, mine, lambda *_: None)
    run(services, mine, must_not_run)


def test_the_lease_is_kept_alive_while_the_job_runs(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LEASE_S", 0.3)
    mine = claimed(services)
    first = row(services).leased_until
    assert first is not None

    def job(*_: Any) -> None:
        def renewed() -> bool:
            until = row(services).leased_until
            return until is not None and (until - first).total_seconds() > 1

        wait_until(renewed, "the lease is renewed again and again")
        assert [one for one in claim(services) if one.job == Job.INCREMENTAL] == []

    run(services, mine, job)
    assert row(services).last_error is None


def test_a_keeper_survives_a_database_that_is_away_for_a_moment(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LEASE_S", 0.15)
    mine = claimed(services)
    real, failed, good = schedule.renew, Event(), Event()

    def flaky(session: Any, claim_: Any) -> bool:
        if not failed.is_set():
            failed.set()
            raise OperationalError("SELECT 1", {}, Exception("terminating connection"))
        renewed = real(session, claim_)
        good.set()
        return renewed

    def job(*_: Any) -> None:
        monkeypatch.setattr(base.schedule, "renew", flaky)
        assert failed.wait(30)
        assert good.wait(30), "it tried again"

    run(services, mine, job)
    assert row(services).last_error is None


def test_a_lock_whose_server_went_away_does_not_hide_how_the_job_ended(services: Services) -> None:
    from sqlalchemy import text

    def job(*_: Any) -> None:
        with services.engine.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )

    change(services, failures=2)
    run(services, claimed(services), job)
    assert (row(services).failures, row(services).leased_until) == (0, None)
