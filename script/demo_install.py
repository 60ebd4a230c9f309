"""The administrator's part of a demo: open the install link, allow access, and watch the copy fill."""

import time

import requests
from sqlalchemy import func, select

from script.demo_processes import Demo
from widget_backend.crm.models import Event, Lead
from widget_backend.db.engine import session_scope
from widget_backend.local.errors import LocalError
from widget_backend.oauth.install import make_link
from widget_backend.oauth.models import Account, AccountState, InstallRequest
from widget_backend.sync.install import prepare_account

INSTALL_TIMEOUT_S = 60.0
BACKFILL_TIMEOUT_S = 3600.0


def install_account(demo: Demo) -> Account:
    """The installed account: the one of last time with its tokens, or a new one by OAuth."""
    engine = demo.services.engine
    client_id = demo.home.state["client_id"]
    with session_scope(engine) as session:
        account = session.scalar(select(Account).where(Account.client_id == client_id))
    if account is not None and account.state in (AccountState.ACTIVE, AccountState.BACKFILLING):
        demo.home.say(f"going on with the account {account.subdomain}")
        with session_scope(engine) as session:
            prepare_account(session, demo.services.settings, account.account_id)
        return account
    demo.home.say("installing the integration by OAuth")
    link = make_link(engine, client_id, origin=demo.origins["amocrm"])
    consent = requests.get(link, headers={"Host": "www.amocrm.ru"}, allow_redirects=False, timeout=30)
    if consent.status_code not in (302, 303):
        raise LocalError(f"the consent page answered {consent.status_code}", "See sandbox-amocrm.log.")
    landed = requests.get(consent.headers["Location"], timeout=30)
    if not landed.ok:
        raise LocalError(f"the OAuth callback answered {landed.status_code}", "See web.1.log.")
    return _wait_for_account(demo, client_id)


def _wait_for_account(demo: Demo, client_id: str) -> Account:
    deadline = time.monotonic() + INSTALL_TIMEOUT_S
    while time.monotonic() < deadline:
        demo.look_after()
        with session_scope(demo.services.engine) as session:
            request = session.scalars(
                select(InstallRequest)
                .where(InstallRequest.client_id == client_id)
                .order_by(InstallRequest.id.desc())
                .limit(1)
            ).first()
            if request is not None and request.error is not None:
                raise LocalError(f"the installation failed: {request.error}", "See worker.1.log.")
            if request is not None and request.finished_at is not None and request.account_id is not None:
                return session.get_one(Account, request.account_id)
        time.sleep(0.2)
    raise LocalError("the installation does not end", "See beat.1.log and worker.1.log.")


def wait_until_active(demo: Demo, account: Account) -> None:
    """Return when the whole account is copied; says every few seconds how far it is."""
    engine = demo.services.engine
    deadline = time.monotonic() + BACKFILL_TIMEOUT_S
    told = 0.0
    while time.monotonic() < deadline:
        demo.look_after()
        with session_scope(engine, account.account_id) as session:
            state = session.get_one(Account, account.account_id).state
            if state == AccountState.ACTIVE:
                return
            if state != AccountState.BACKFILLING:
                raise LocalError(
                    f"the account is {state}", "`script/python -m widget_backend doctor` says why."
                )
            if time.monotonic() - told > 5:
                leads, events = (
                    session.scalar(
                        select(func.count()).select_from(model).where(model.account_id == account.account_id)
                    )
                    for model in (Lead, Event)
                )
                demo.home.say(f"copying the account: {leads} leads, {events} events")
                told = time.monotonic()
        time.sleep(0.3)
    raise LocalError("the copy does not end", "`script/python -m widget_backend doctor` says why.")
