"""Due rows: handed out once, never lost, ever more rarely when they fail or vanish."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import ACCOUNT, an_account
from tests.workers.rows import JOB, change, claim, claimed, lose, row, set_state
from widget_backend import schedule
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.jobs import Job
from widget_backend.schedule import retry_delay_s
from widget_backend.sync.install import periods, prepare_account


def test_every_job_of_a_new_account_is_due_once(services: Services) -> None:
    assert {one.job for one in claim(services)} == set(periods(services.settings))
    assert claim(services) == [], "leased"


def test_many_dispatchers_never_hand_out_a_row_twice(services: Services) -> None:
    with session_scope(services.engine) as session:
        for number in range(1, 21):
            an_account(session, ACCOUNT + number)
            prepare_account(session, services.settings, ACCOUNT + number)
    with ThreadPoolExecutor(8) as pool:
        found = [one for part in pool.map(lambda _: claim(services, 7), range(60)) for one in part]
    keys = [(one.account_id, one.job) for one in found]
    assert len(keys) == len(set(keys)) == 21 * len(periods(services.settings))


def test_a_finished_job_rests_for_its_interval(services: Services) -> None:
    change(services, failures=3, last_error="what was wrong before")
    with session_scope(services.engine) as session:
        schedule.finish(session, claimed(services))
    done = row(services)
    assert (done.failures, done.last_error, done.leased_until) == (0, None, None)
    assert done.last_done_at is not None
    assert done.due_at - done.last_done_at == timedelta(seconds=done.every_s)


@pytest.mark.parametrize("how", ["again", "asked"])
def test_a_job_that_has_more_to_do_or_was_asked_for_meanwhile_is_due_at_once(
    services: Services, how: str
) -> None:
    mine = claimed(services)
    with session_scope(services.engine) as session:
        if how == "asked":
            schedule.request(session, ACCOUNT, JOB)
        schedule.finish(session, mine, again=how == "again")
    assert [one.job for one in claim(services)] == [JOB]


def test_a_request_before_the_claim_is_answered_by_its_run(services: Services) -> None:
    with session_scope(services.engine) as session:
        schedule.request(session, ACCOUNT, JOB)
    mine = claimed(services)
    with session_scope(services.engine) as session:
        schedule.finish(session, mine)
    assert claim(services) == []


def test_a_lost_job_is_handed_out_again_and_then_ever_more_rarely(services: Services) -> None:
    claim(services)
    lose(services)
    assert [one.job for one in claim(services)] == [JOB], "the first time at once"
    assert (row(services).failures, row(services).last_error) == (1, schedule.LOST)
    lose(services)
    assert claim(services) == []
    lose(services, ago_s=schedule.FIRST_RETRY_S + 1)
    assert [one.job for one in claim(services)] == [JOB]
    change(services, failures=30)
    lose(services, ago_s=schedule.LONGEST_RETRY_S - 60)
    assert claim(services) == []
    lose(services, ago_s=schedule.LONGEST_RETRY_S + 1)
    assert [one.job for one in claim(services)] == [JOB], "but never not at all"


def test_a_failed_job_keeps_its_pause_however_many_hooks_ask_for_it(services: Services) -> None:
    mine = claimed(services, Job.PROCESS_HOOKS)
    with session_scope(services.engine) as session:
        schedule.fail(session, mine, "amoCRM is down.")
    with session_scope(services.engine) as session:
        schedule.request(session, ACCOUNT, Job.PROCESS_HOOKS)
    assert claim(services) == []
    found = row(services, Job.PROCESS_HOOKS)
    assert (found.failures, found.last_error) == (1, "amoCRM is down.")
    assert found.due_at > now()


def test_planning_again_forgets_failures_and_runs_a_running_job_once_more(services: Services) -> None:
    mine = claimed(services)
    change(services, failures=9, last_error="no", every_s=1)
    with session_scope(services.engine) as session:
        prepare_account(session, services.settings, ACCOUNT)
    planned = row(services)
    assert (planned.failures, planned.last_error, planned.leased_until) == (0, None, None)
    assert planned.every_s == services.settings.sync_every_s
    with session_scope(services.engine) as session:
        schedule.finish(session, mine)
    assert row(services).due_at <= now()


@pytest.mark.parametrize("state", ["reauth_required", "disconnected"])
def test_accounts_that_may_not_work_get_nothing(services: Services, state: str) -> None:
    set_state(services, state)
    assert claim(services) == []


def test_of_a_paused_account_only_the_tokens_are_kept_alive(services: Services) -> None:
    mine = claimed(services)
    set_state(services, "paused")
    with session_scope(services.engine) as session:
        assert not schedule.renew(session, mine), "a message that was on its way"
        schedule.release(session, mine)
        prepare_account(session, services.settings, ACCOUNT)
    assert [one.job for one in claim(services)] == [Job.REFRESH_TOKEN]
    set_state(services, "active")
    assert JOB in {one.job for one in claim(services)}


def test_a_message_that_comes_after_the_work_is_done_does_nothing(services: Services) -> None:
    mine = claimed(services)
    with session_scope(services.engine) as session:
        schedule.finish(session, mine)
    with session_scope(services.engine) as session:
        assert not schedule.renew(session, mine)


def test_jobs_of_a_removed_account_are_forgotten(services: Services) -> None:
    mine = claimed(services)
    with session_scope(services.engine) as session:
        schedule.cancel(session, ACCOUNT)
    with session_scope(services.engine) as session:
        assert not schedule.renew(session, mine)
        schedule.finish(session, mine)
        schedule.fail(session, mine, "too late")
    assert claim(services) == []


def test_the_longest_waiting_go_first(services: Services) -> None:
    change(services, Job.EXPORT, due_at=now() - timedelta(days=1))
    assert [one.job for one in claim(services, limit=1)] == [Job.EXPORT]


@given(failures=st.integers(0, 10_000), asked=st.none() | st.floats(0, 1e6))
def test_pauses_grow_to_a_limit_and_are_never_shorter_than_asked(failures: int, asked: float | None) -> None:
    pause = retry_delay_s(failures, asked)
    assert pause >= (asked or 0)
    assert schedule.FIRST_RETRY_S <= pause <= max(schedule.LONGEST_RETRY_S, asked or 0)
    assert retry_delay_s(failures + 1, asked) >= pause
