"""Install link, redirect, exchange of the code, and the disconnect hook."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from tests.amocrm.scripted import BAN, LOST, ScriptedServer, problem
from tests.oauth.world import (
    ACCOUNT,
    CLIENT,
    NOW,
    SECRET,
    FakeAmo,
    account_now,
    add_account,
    add_integration,
    token_row,
    token_store,
)
from widget_backend.amocrm.client import Token, make_session
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import (
    AccountBlocked,
    AmoForbidden,
    AmoUnavailable,
    AppError,
    Conflict,
    InputError,
    NotFound,
    Unauthorized,
)
from widget_backend.oauth.endpoint import TokenEndpoint
from widget_backend.oauth.install import accept_callback, disconnect, exchange_code, make_link
from widget_backend.oauth.models import AccountState, InstallRequest, Integration, OAuthState
from widget_backend.oauth.vault import Vault
from widget_backend.sync.models import SyncCursor

OTHER_CLIENT = "1111aaaa-1111-4222-8333-444455556666"
ACCOUNT_PAYLOAD: dict[str, Any] = {
    "id": ACCOUNT,
    "name": "Демо",
    "subdomain": "demo",
    "country": "KZ",
    "currency": "KZT",
    "is_api_filter_enabled": False,
    "_embedded": {"datetime_settings": {"timezone": "Asia/Almaty"}},
}


def callback(**changes: str) -> dict[str, str]:
    full = {"code": "code-1", "referer": "demo.amocrm.ru", "client_id": CLIENT, "from_widget": "1", **changes}
    return {name: value for name, value in full.items() if value}


def accept(engine: Engine, vault: Vault, at: datetime = NOW, **changes: str) -> int:
    with session_scope(engine) as session:
        return accept_callback(session, vault, callback(**changes), now=lambda: at).id


class Installer:
    """``exchange_code`` with what the worker passes in."""

    def __init__(self, engine: Engine, vault: Vault, origin: str):
        self.engine, self.vault = engine, vault
        self.endpoint = TokenEndpoint(make_session(), origin)
        self.payload: dict[str, Any] = ACCOUNT_PAYLOAD
        self.trouble: AppError | None = None
        self.fetched: list[tuple[int, str, int]] = []
        self.installed: list[int] = []

    def fetch(self, account_id: int, domain: str, token: Token) -> dict[str, Any]:
        self.fetched.append((account_id, domain, token.version))
        if self.trouble is not None:
            raise self.trouble
        return self.payload

    def on_installed(self, session: Session, account_id: int) -> None:
        assert session.scalar(select(func.current_setting("app.account_id"))) == str(account_id)
        self.installed.append(account_id)

    def run(self, request_id: int, at: datetime = NOW) -> int:
        return exchange_code(
            self.engine,
            self.vault,
            self.endpoint,
            request_id,
            fetch_account=self.fetch,
            on_installed=self.on_installed,
            now=lambda: at,
        )


@pytest.fixture
def installer(own: Engine, vault: Vault, server: ScriptedServer) -> Installer:
    return Installer(own, vault, server.origin)


def request_row(engine: Engine, request_id: int) -> InstallRequest:
    with session_scope(engine) as session:
        return session.get_one(InstallRequest, request_id)


# --- link and redirect -------------------------------------------------------------------------------


def test_the_link_goes_to_amocrm_with_a_fresh_state(own: Engine) -> None:
    one, two = (urlsplit(make_link(own, CLIENT, now=lambda: NOW)) for _ in range(2))
    assert (one.scheme, one.netloc, one.path) == ("https", "www.amocrm.ru", "/oauth")
    query = parse_qs(one.query)
    assert (query["client_id"], query["mode"]) == ([CLIENT], ["popup"])
    assert len(query["state"][0]) >= 32
    assert query["state"] != parse_qs(two.query)["state"]


def test_a_simulator_replaces_scheme_and_host(own: Engine) -> None:
    assert make_link(own, CLIENT, origin="http://127.0.0.1:8001/").startswith("http://127.0.0.1:8001/oauth?")


def test_there_is_no_link_for_a_stranger(own: Engine) -> None:
    with pytest.raises(NotFound):
        make_link(own, OTHER_CLIENT)


def fresh_state(engine: Engine, at: datetime = NOW) -> str:
    return parse_qs(urlsplit(make_link(engine, CLIENT, now=lambda: at)).query)["state"][0]


def test_a_state_is_good_once(own: Engine, vault: Vault) -> None:
    state = fresh_state(own)
    request_id = accept(own, vault, state=state, from_widget="")
    row = request_row(own, request_id)
    assert (row.client_id, row.referer, row.received_at, row.finished_at) == (
        CLIENT,
        "demo.amocrm.ru",
        NOW,
        None,
    )
    assert row.code_encrypted is not None
    assert vault.decrypt(row.code_encrypted) == "code-1"
    with pytest.raises(InputError) as caught:
        accept(own, vault, state=state, from_widget="")
    assert caught.value.field == "state"


def test_a_state_expires_and_old_ones_are_swept(own: Engine, vault: Vault) -> None:
    state = fresh_state(own)
    with pytest.raises(InputError):
        accept(own, vault, at=NOW + timedelta(minutes=20), state=state, from_widget="")
    fresh_state(own, NOW + timedelta(hours=1))
    with session_scope(own) as session:
        assert session.scalar(select(func.count()).select_from(OAuthState)) == 1


def test_a_state_of_another_integration_does_not_count(own: Engine, vault: Vault) -> None:
    add_integration(own, vault, OTHER_CLIENT)
    state = fresh_state(own)
    with pytest.raises(InputError):
        accept(own, vault, client_id=OTHER_CLIENT, state=state, from_widget="")
    accept(own, vault, state=state, from_widget="")


@pytest.mark.parametrize("from_widget", ["1", "true"])
@pytest.mark.parametrize("state", ["", "meaningless"])
def test_an_install_from_amocrms_own_pages_needs_no_state(
    own: Engine, vault: Vault, from_widget: str, state: str
) -> None:
    assert accept(own, vault, from_widget=from_widget, state=state) > 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"error": "access_denied"}, "error"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": OTHER_CLIENT}, "client_id"),
        ({"client_id": "a\0b"}, "client_id"),
        ({"referer": ""}, "referer"),
        ({"referer": "evil.example"}, "referer"),
        ({"referer": "https://demo.amocrm.ru@evil.example"}, "referer"),
        ({"code": ""}, "code"),
        ({"code": "x" * 5000}, "code"),
        ({"from_widget": ""}, "state"),
        ({"from_widget": "0", "state": "guessed"}, "state"),
        ({"from_widget": "0", "state": "a\0b"}, "state"),
        ({"from_widget": "0", "state": "x" * 5000}, "state"),
    ],
)
def test_a_bad_redirect_names_its_fault(
    own: Engine, vault: Vault, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        accept(own, vault, **changes)
    assert caught.value.field == field
    assert caught.value.remedy
    with session_scope(own) as session:
        assert session.scalar(select(func.count()).select_from(InstallRequest)) == 0


# --- exchange ----------------------------------------------------------------------------------------


def test_a_code_becomes_a_connected_account(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    assert installer.run(request_id) == ACCOUNT
    account = account_now(own)
    assert (account.state, account.state_reason) == (AccountState.BACKFILLING, None)
    assert (account.domain, account.subdomain, account.name) == ("demo.amocrm.ru", "demo", "Демо")
    assert (account.timezone, account.currency, account.country) == ("Asia/Almaty", "KZT", "KZ")
    assert (account.filters_enabled, account.client_id) == (False, CLIENT)
    row = token_row(own)
    assert row is not None
    assert (row.version, row.user_id, vault.decrypt(row.refresh_encrypted)) == (1, 501, "refresh-1")
    done = request_row(own, request_id)
    assert (done.finished_at, done.account_id, done.error, done.code_encrypted) == (NOW, ACCOUNT, None, None)
    assert installer.fetched == [(ACCOUNT, "demo.amocrm.ru", 1)]
    assert installer.installed == [ACCOUNT]


def test_a_second_run_does_nothing_more(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    assert installer.run(request_id) == installer.run(request_id) == ACCOUNT
    assert (amo.exchanges, installer.installed) == (1, [ACCOUNT])


def test_a_crash_after_the_exchange_loses_no_token(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    installer.trouble = AmoUnavailable("amoCRM did not answer.")
    with pytest.raises(AmoUnavailable):
        installer.run(request_id)
    assert request_row(own, request_id).finished_at is None
    installer.trouble = None
    # Even long after the code has expired: it is not needed any more.
    assert installer.run(request_id, NOW + timedelta(hours=5)) == ACCOUNT
    assert amo.exchanges == 1


def test_a_ban_leaves_the_request_open(own: Engine, vault: Vault, amo: FakeAmo, installer: Installer) -> None:
    request_id = accept(own, vault)
    amo.fail = [BAN]
    with pytest.raises(AccountBlocked):
        installer.run(request_id)
    assert installer.run(request_id) == ACCOUNT


def test_a_lost_answer_is_tried_again_while_the_code_may_live(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    amo.fail = [LOST, problem(503)]
    for _ in range(2):
        with pytest.raises(AmoUnavailable):
            installer.run(request_id)
    assert installer.run(request_id) == ACCOUNT


def test_a_code_that_could_not_be_exchanged_in_time_is_given_up(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    amo.fail = [problem(503)]
    with pytest.raises(InputError):
        installer.run(request_id, NOW + timedelta(minutes=21))
    row = request_row(own, request_id)
    assert (row.error, row.code_encrypted) == ("code_expired", None)


def test_a_refused_code_ends_the_request_and_touches_no_account(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    add_account(own, vault)
    request_id = accept(own, vault, code="stale")
    with pytest.raises(AppError):
        installer.run(request_id)
    assert request_row(own, request_id).error == "TokenRefused"
    with pytest.raises(InputError):
        installer.run(request_id)
    assert account_now(own).state == AccountState.ACTIVE
    assert amo.exchanges == 1


def test_a_tariff_that_forbids_the_api_ends_the_request(
    own: Engine, vault: Vault, installer: Installer
) -> None:
    installer.trouble = AmoForbidden("amoCRM forbids the call (402).")
    request_id = accept(own, vault)
    with pytest.raises(AmoForbidden):
        installer.run(request_id)
    assert request_row(own, request_id).error == "AmoForbidden"
    assert installer.installed == []


def test_a_token_of_another_account_than_it_says_is_not_installed(
    own: Engine, vault: Vault, installer: Installer
) -> None:
    installer.payload = {**ACCOUNT_PAYLOAD, "id": ACCOUNT + 1}
    with pytest.raises(InputError):
        installer.run(accept(own, vault))
    assert installer.installed == []


def test_two_workers_do_not_spend_one_code(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    request_id = accept(own, vault)
    with try_lock(own, "oauth.exchange_code", request_id) as held:
        assert held
        with pytest.raises(Conflict):
            installer.run(request_id)
    assert installer.run(request_id) == ACCOUNT
    assert amo.exchanges == 1


def test_two_codes_of_one_new_account_at_once_both_arrive(
    own: Engine, vault: Vault, amo: FakeAmo, installer: Installer
) -> None:
    amo.codes = {"code-1", "code-2"}
    requests = [accept(own, vault, code=code) for code in ("code-1", "code-2")]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(installer.run, requests)) == [ACCOUNT, ACCOUNT]
    row = token_row(own)
    assert row is not None
    assert row.version == 2


def test_an_unknown_request_is_named(installer: Installer) -> None:
    with pytest.raises(NotFound):
        installer.run(999)


@pytest.mark.parametrize(
    ("cursors", "state"),
    [
        ([], AccountState.BACKFILLING),
        ([("leads", NOW, NOW)], AccountState.ACTIVE),
        ([("leads", NOW, NOW), ("facts", NOW, NOW)], AccountState.ACTIVE),
        ([("leads", NOW, NOW), ("events", NOW, None)], AccountState.BACKFILLING),
    ],
)
def test_a_reinstall_keeps_the_data_and_goes_on_where_it_stopped(
    own: Engine, vault: Vault, installer: Installer, cursors: list[Any], state: AccountState
) -> None:
    add_account(own, vault, state=AccountState.REAUTH_REQUIRED)
    with session_scope(own, ACCOUNT) as session:
        for stream, started_at, done_at in cursors:
            session.add(
                SyncCursor(
                    account_id=ACCOUNT,
                    stream=stream,
                    backfill_started_at=started_at,
                    backfilled_at=done_at,
                    updated_at=NOW,
                )
            )
    assert installer.run(accept(own, vault)) == ACCOUNT
    assert account_now(own).state == state
    row = token_row(own)
    assert row is not None
    assert row.version == 2
    with session_scope(own, ACCOUNT) as session:
        assert session.scalar(select(func.count()).select_from(SyncCursor)) == len(cursors)


def test_after_a_reinstall_waiters_with_the_old_version_get_the_new_pair(
    own: Engine, vault: Vault, amo: FakeAmo, server: ScriptedServer, installer: Installer
) -> None:
    add_account(own, vault, state=AccountState.REAUTH_REQUIRED)
    installer.run(accept(own, vault))
    assert token_store(own, vault, server.origin).refresh(ACCOUNT, 1).version == 2
    assert amo.refreshes == 0


# --- disconnect --------------------------------------------------------------------------------------


def signature(client_id: str = CLIENT, account_id: int = ACCOUNT, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{client_id}|{account_id}".encode(), hashlib.sha256).hexdigest()


def hook(**changes: str) -> dict[str, str]:
    return {"account_id": str(ACCOUNT), "client_uuid": CLIENT, "signature": signature(), **changes}


def test_a_signed_disconnect_stops_the_account_and_forgets_its_tokens(own: Engine, vault: Vault) -> None:
    add_account(own, vault)
    unscheduled: list[int] = []
    with session_scope(own) as session:
        account = disconnect(
            session,
            vault,
            hook(),
            lambda _session, account_id: unscheduled.append(account_id),
            now=lambda: NOW,
        )
    assert account is not None
    assert (account_now(own).state, account_now(own).state_reason) == (
        AccountState.DISCONNECTED,
        "uninstalled",
    )
    assert token_row(own) is None
    assert unscheduled == [ACCOUNT]


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": signature(secret="x" * 64)},
        {"signature": signature(account_id=ACCOUNT + 1)},
        {"signature": "ё"},
        {"client_uuid": OTHER_CLIENT},
        {"client_uuid": ""},
        {"client_uuid": "a\0b"},
        {"account_id": ""},
        {"account_id": "0x1"},
        {"account_id": "9" * 30},
        {"account_id": "31000001 "},
    ],
)
def test_a_wrong_signature_changes_nothing(own: Engine, vault: Vault, changes: dict[str, str]) -> None:
    add_account(own, vault)
    with pytest.raises(Unauthorized), session_scope(own) as session:
        disconnect(session, vault, hook(**changes), lambda *_: None, now=lambda: NOW)
    assert account_now(own).state == AccountState.ACTIVE
    assert token_row(own) is not None


def test_the_previous_secret_signs_until_it_expires(own: Engine, vault: Vault) -> None:
    add_account(own, vault)
    with session_scope(own) as session:
        row = session.get_one(Integration, CLIENT)
        row.secret_encrypted, row.previous_secret_encrypted = vault.encrypt("n" * 64), row.secret_encrypted
        row.previous_valid_until = NOW + timedelta(hours=1)
    late = NOW + timedelta(hours=1)
    with pytest.raises(Unauthorized), session_scope(own) as session:
        disconnect(session, vault, hook(), lambda *_: None, now=lambda: late)
    with session_scope(own) as session:
        assert disconnect(session, vault, hook(), lambda *_: None, now=lambda: NOW) is not None


def test_an_account_that_another_integration_serves_meanwhile_goes_on(own: Engine, vault: Vault) -> None:
    add_integration(own, vault, OTHER_CLIENT)
    add_account(own, vault)
    params = hook(client_uuid=OTHER_CLIENT, signature=signature(OTHER_CLIENT))
    with session_scope(own) as session:
        assert disconnect(session, vault, params, lambda *_: None, now=lambda: NOW) is None
    assert account_now(own).state == AccountState.ACTIVE
    assert token_row(own) is not None


def test_an_unknown_account_is_nobodys(own: Engine, vault: Vault) -> None:
    with session_scope(own) as session:
        assert disconnect(session, vault, hook(), lambda *_: None, now=lambda: NOW) is None
