"""The administrator's part of a demo: open the install link, allow access, and watch the copy fill."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from script.demo_processes import Demo
from widget_backend.crm.freshness import as_of
from widget_backend.crm.models import Event, Lead
from widget_backend.db.engine import session_scope
from widget_backend.local.errors import LocalError
from widget_backend.oauth.install import make_link
from widget_backend.oauth.models import SYNCING, Account, AccountState, InstallRequest
from widget_backend.sync.install import prepare_account
from widget_backend.sync.models import Schedule

INSTALL_TIMEOUT_S = 120.0
BACKFILL_TIMEOUT_S = 3600.0
TELL_EVERY_S = 5.0
Found = TypeVar("Found")
DOCTOR = "`script/python -m widget_backend doctor` says more."


def install_account(demo: Demo) -> Account:
    """The account of last time with its tokens, or a new one by OAuth."""
    engine = demo.services.engine
    client_id = demo.home.state["client_id"]
    with session_scope(engine) as session:
        account = session.scalar(select(Account).where(Account.client_id == client_id))
    if account is not None and account.state == AccountState.PAUSED:
        raise LocalError(
            f"the account {account.subdomain} is paused",
            f"Run `script/python -m widget_backend accounts resume --account {account.subdomain}` first.",
        )
    if account is not None and account.state in SYNCING:
        demo.home.say(f"going on with the account {account.subdomain}")
        with session_scope(engine) as session:
            prepare_account(session, demo.services.settings, account.account_id)
        return account
    demo.home.say("installing the integration by OAuth")
    link = make_link(engine, client_id, origin=demo.origins["amocrm"])
    try:
        consent = requests.get(link, headers={"Host": "www.amocrm.ru"}, allow_redirects=False, timeout=30)
        if consent.status_code not in (302, 303):
            raise LocalError(f"the consent page answered {consent.status_code}", "See sandbox-amocrm.log.")
        landed = requests.get(consent.headers["Location"], timeout=30)
    except requests.RequestException as error:
        problem = f"the install link does not lead back ({type(error).__name__})"
        raise LocalError(problem, "Start the demo again.") from error
    if not landed.ok:
        raise LocalError(f"the OAuth callback answered {landed.status_code}", "See web.1.log.")
    return _wait_for_account(demo, client_id)


def _wait_for_account(demo: Demo, client_id: str) -> Account:
    def look() -> Account | None:
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
        return None

    for found in _looking(demo, look, INSTALL_TIMEOUT_S):
        if found is not None:
            return found
    raise LocalError("the installation does not end", "See beat.1.log and worker.1.log.")


def wait_until_current(demo: Demo, account: Account) -> None:
    """Return when the copy is whole and holds all that happened before this start; says how far it is."""
    told = time.monotonic()

    def look() -> bool:
        nonlocal told
        with session_scope(demo.services.engine, account.account_id) as session:
            state = session.get_one(Account, account.account_id).state
            moment = as_of(session, account.account_id)
            if state == AccountState.ACTIVE and moment is not None and moment >= demo.launched_at:
                return True
            if state not in SYNCING:
                raise LocalError(f"the account is {state}", DOCTOR)
            if time.monotonic() - told > TELL_EVERY_S:
                leads, events = (
                    session.scalar(
                        select(func.count()).select_from(model).where(model.account_id == account.account_id)
                    )
                    for model in (Lead, Event)
                )
                demo.home.say(f"copying the account: {leads} leads, {events} events")
                for job in session.scalars(
                    select(Schedule).where(Schedule.account_id == account.account_id, Schedule.failures > 0)
                ):
                    demo.home.say(f"{job.job} has failed {job.failures} times: {job.last_error}")
                told = time.monotonic()
        return False

    if not any(_looking(demo, look, BACKFILL_TIMEOUT_S)):
        raise LocalError("the copy does not end", DOCTOR)


def _looking(demo: Demo, look: Callable[[], Found], timeout_s: float) -> Iterator[Found]:
    """What ``look`` answers, several times a second until time is up; a killed database is waited for."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        demo.look_after()
        try:
            yield look()
        except OperationalError:
            demo.home.say("the database does not answer; trying again")
            time.sleep(1)
        time.sleep(0.2)
