"""The rotating pair: one refresh whoever asks, nothing lost that could be kept, and clear ends."""

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from tests.amocrm.scripted import BAN, LOST, Asked, Reply, ScriptedServer, ok, problem
from tests.oauth.crowd import refresh_in_threads
from tests.oauth.world import (
    ACCOUNT,
    NOW,
    REVOKED,
    SECRET,
    FakeAmo,
    access_token,
    account_now,
    add_account,
    token_row,
    token_store,
)
from tests.support.databases import Database
from widget_backend.db.engine import session_scope
from widget_backend.errors import (
    AccountBlocked,
    AmoRateLimited,
    AmoRejected,
    AmoUnavailable,
    AppError,
    NeedsReauthorization,
    NotConnected,
)
from widget_backend.oauth.models import Account, AccountState
from widget_backend.oauth.vault import Vault


def test_a_refresh_stores_both_tokens_encrypted_before_it_returns(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    tokens = token_store(own, vault, server.origin)
    before = tokens.current(ACCOUNT)
    after = tokens.refresh(ACCOUNT, before.version)
    assert (before.version, after.version, after.domain) == (1, 2, "demo.amocrm.ru")
    assert after.access == access_token(number=1)
    assert after.expires_at == NOW + timedelta(days=1)
    assert tokens.current(ACCOUNT) == after
    row = token_row(own)
    assert row is not None
    assert vault.decrypt(row.refresh_encrypted) == "refresh-1"
    assert b"refresh-1" not in row.refresh_encrypted
    assert (row.user_id, row.api_domain, row.refreshed_at) == (501, "api-b.amocrm.ru", NOW)
    (asked,) = server.asked
    assert asked.headers["host"] == "demo.amocrm.ru"
    assert "authorization" not in asked.headers


def test_the_servers_own_time_counts_for_the_expiry(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    amo.server_time = 1_800_000_000
    token = token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert token.expires_at == datetime.fromtimestamp(1_800_086_400, UTC)


def test_a_pair_that_changed_meanwhile_is_used_as_it_is(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    tokens = token_store(own, vault, server.origin)
    first = tokens.refresh(ACCOUNT, 1)
    assert tokens.refresh(ACCOUNT, 1) == first
    assert amo.refreshes == 1


def test_forty_threads_make_one_refresh(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    tokens = token_store(own, vault, server.origin)
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda _: tokens.refresh(ACCOUNT, 1), range(40)))
    assert set(got) == {tokens.current(ACCOUNT)}
    assert amo.refreshes == 1


@pytest.mark.slow
def test_twenty_processes_of_ten_threads_make_one_refresh(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, database: Database
) -> None:
    add_account(own, vault)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.oauth.crowd"])
    with context.Pool(20) as pool:
        per_process = pool.starmap(
            refresh_in_threads, [(database.app_url, server.origin, 10)] * 20, chunksize=1
        )
    answers = [answer for answers in per_process for answer in answers]
    assert len(answers) == 200
    assert set(answers) == {f"2:{access_token(number=1)}"}
    assert amo.refreshes == 1


def test_a_time_limit_does_not_come_between_answer_and_commit(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    class TimeLimit(Exception):
        """What the worker's signal handler raises."""

    def strike(number: int, frame: object) -> None:
        raise TimeLimit

    def script(asked: Asked) -> Reply:
        reply = amo(asked)
        os.kill(os.getpid(), signal.SIGUSR1)
        return reply

    add_account(own, vault)
    server.script = script
    before = signal.signal(signal.SIGUSR1, strike)
    try:
        with pytest.raises(TimeLimit):
            token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    row = token_row(own)
    assert row is not None
    assert (row.version, vault.decrypt(row.refresh_encrypted)) == (2, amo.good)


@pytest.mark.parametrize("state", [AccountState.ACTIVE, AccountState.BACKFILLING])
def test_a_revoked_pair_stops_the_account_and_is_asked_about_once(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, state: AccountState
) -> None:
    add_account(own, vault, state=state)
    amo.good = "somebody-else-used-it"
    tokens = token_store(own, vault, server.origin)
    for _ in range(3):
        with pytest.raises(NeedsReauthorization) as caught:
            tokens.refresh(ACCOUNT, 1)
        assert caught.value.context["account_id"] == ACCOUNT
    account = account_now(own)
    assert account.state == AccountState.REAUTH_REQUIRED
    assert account.state_reason == "token_revoked: Token has been revoked"
    assert amo.refreshes == 1
    assert token_row(own) is not None


def test_a_state_set_by_a_person_stays(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault, state=AccountState.PAUSED)
    amo.good = "other"
    with pytest.raises(NeedsReauthorization):
        token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert account_now(own).state == AccountState.PAUSED


@pytest.mark.parametrize("trouble", [LOST, problem(500), problem(504), Reply(body=b"{garbage"), ok({})])
def test_a_lost_answer_is_repeated_once_where_the_token_lives_on(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, trouble: Reply
) -> None:
    add_account(own, vault)
    amo.fail = [trouble]
    token = token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert (token.version, token.access) == (2, access_token(number=1))
    assert len(server.asked) == 2


def test_a_lost_answer_that_used_the_token_up_ends_in_reauthorization(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    amo.lose = 1
    with pytest.raises(NeedsReauthorization):
        token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert amo.refreshes == 2
    assert account_now(own).state == AccountState.REAUTH_REQUIRED


def test_a_lost_answer_of_a_platform_that_keeps_used_tokens_costs_nothing(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    amo.lose, amo.keeps_used = 1, True
    assert token_store(own, vault, server.origin).refresh(ACCOUNT, 1).version == 2


def test_an_outage_is_asked_twice_and_keeps_the_account(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    amo.fail = [problem(503)] * 2
    tokens = token_store(own, vault, server.origin)
    with pytest.raises(AmoUnavailable):
        tokens.refresh(ACCOUNT, 1)
    assert len(server.asked) == 2
    assert account_now(own).state == AccountState.ACTIVE
    assert tokens.refresh(ACCOUNT, 1).version == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (BAN, AccountBlocked),
        (Reply(status=429, body=b"slow"), AmoRateLimited),
        (problem(400, hint="Check the `redirect_uri` parameter"), AmoRejected),
        (problem(401, hint="Client authentication failed"), AmoRejected),
    ],
)
def test_troubles_that_say_nothing_about_the_token_keep_the_account(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, reply: Reply, expected: type[AppError]
) -> None:
    add_account(own, vault)
    amo.fail = [reply]
    with pytest.raises(expected) as caught:
        token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert len(server.asked) == 1
    assert account_now(own).state == AccountState.ACTIVE
    row = token_row(own)
    assert row is not None
    assert row.version == 1
    for hidden in (SECRET, "refresh-0"):
        assert hidden not in repr(caught.value.context) + str(caught.value)


@pytest.mark.parametrize("old_host", [problem(404), REVOKED])
def test_a_renamed_account_is_followed(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, old_host: Reply
) -> None:
    add_account(own, vault)
    amo.domain, amo.fail = "renamed.amocrm.ru", [old_host]
    token = token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert (token.version, token.domain) == (2, "renamed.amocrm.ru")
    account = account_now(own)
    assert (account.domain, account.subdomain) == ("renamed.amocrm.ru", "renamed")
    assert [(a.path, a.headers["host"]) for a in server.asked] == [
        ("/oauth2/access_token", "demo.amocrm.ru"),
        ("/oauth2/account/current/subdomain", "api-b.amocrm.ru"),
        ("/oauth2/access_token", "renamed.amocrm.ru"),
    ]


def test_a_new_name_outside_amocrm_is_not_followed(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    amo.domain = "evil.example"
    with pytest.raises(NeedsReauthorization):
        token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert {a.headers["host"] for a in server.asked} == {"demo.amocrm.ru", "api-b.amocrm.ru"}


def test_an_unanswered_question_for_the_new_name_decides_nothing(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    plain = server.script
    server.script = lambda asked: LOST if asked.path.endswith("subdomain") else plain(asked)
    amo.domain = "renamed.amocrm.ru"
    with pytest.raises(AmoUnavailable):
        token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    assert account_now(own).state == AccountState.ACTIVE


def test_only_what_is_due_is_refreshed(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    tokens = token_store(own, vault, server.origin)
    assert tokens.refresh_if_due(ACCOUNT).version == 2
    assert tokens.refresh_if_due(ACCOUNT).version == 2
    assert tokens.refresh_if_due(ACCOUNT, ahead_s=86_401).version == 3
    with session_scope(own, ACCOUNT) as session:
        session.execute(text("UPDATE oauth_tokens SET refreshed_at = :at"), {"at": NOW - timedelta(days=8)})
    assert tokens.refresh_if_due(ACCOUNT).version == 4


def test_an_account_without_tokens_is_not_connected(
    own: Engine, vault: Vault, server: ScriptedServer
) -> None:
    tokens = token_store(own, vault, server.origin)
    for ask in (tokens.current, tokens.refresh_if_due, lambda account_id: tokens.refresh(account_id, 1)):
        with pytest.raises(NotConnected):
            ask(ACCOUNT)
    add_account(own, vault)
    with session_scope(own) as session:
        session.get_one(Account, ACCOUNT).state = AccountState.DISCONNECTED
    with pytest.raises(NotConnected):
        tokens.refresh(ACCOUNT, 1)
    assert server.asked == []


def test_another_accounts_tokens_are_untouched(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer
) -> None:
    add_account(own, vault)
    add_account(own, vault, account_id=ACCOUNT + 1)
    token_store(own, vault, server.origin).refresh(ACCOUNT, 1)
    other = token_row(own, ACCOUNT + 1)
    assert other is not None
    assert (other.version, vault.decrypt(other.refresh_encrypted)) == (1, "refresh-0")
