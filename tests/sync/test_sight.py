"""A user who loses rights sees shorter lists, without any error: hidden must not be taken for deleted."""

import pytest
from sqlalchemy import func, select

from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import Sandbox, an_open_lead
from tests.sync.test_mirror import changes
from widget_backend.amocrm.limiter import Priority
from widget_backend.bootstrap import Services
from widget_backend.crm.models import Lead
from widget_backend.db.engine import session_scope
from widget_backend.oauth.models import Account
from widget_backend.sync.dictionaries import sync_dictionaries
from widget_backend.sync.reconcile import reconcile
from widget_backend.sync.reread import reread

NOTHING_BUT_OWN = {"is_admin": False, "leads": {"view": "M"}, "contacts": {"view": "M"}}


def alive(services: Services, account_id: int) -> int:
    with session_scope(services.engine, account_id) as session:
        query = select(func.count()).where(Lead.account_id == account_id, Lead.is_deleted.is_(False))
        return session.scalar(query) or 0


def limited(services: Services, account_id: int) -> str | None:
    return services.account(account_id).limited_view


@pytest.fixture
def connected_user(services: Services, mirrored: Account) -> int:
    """The administrator who installed."""
    found = services.client(mirrored).get("account")
    return int(found["current_user_id"])


def test_what_a_demoted_user_no_longer_sees_stays(
    services: Services, mirrored: Account, sandbox: Sandbox, connected_user: int
) -> None:
    before = alive(services, mirrored.account_id)
    assert limited(services, mirrored.account_id) is None
    sandbox.act({"do": "change_rights", "user_id": connected_user, "rights": NOTHING_BUT_OWN, "by": 0})
    client = services.client(mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        everyone = session.scalars(select(Lead.id).where(~Lead.is_deleted)).all()
    # What a hook about each of them would do, a forged one too; and then the nightly comparison.
    outcome = reread(services.engine, client, mirrored.account_id, "leads", everyone, Priority.HOOKS)
    assert outcome.gone == 0
    assert outcome.shown < len(everyone)
    assert reconcile(services.engine, client, mirrored.account_id, keep_going=lambda: True)
    assert alive(services, mirrored.account_id) == before
    assert "administrator" in (limited(services, mirrored.account_id) or "")

    sandbox.act({"do": "change_rights", "user_id": connected_user, "rights": {"is_admin": True}, "by": 0})
    sync_dictionaries(services.engine, client, mirrored.account_id, Priority.INCREMENTAL)
    assert limited(services, mirrored.account_id) is None
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_a_deletion_that_the_log_tells_is_believed_all_the_same(
    services: Services, mirrored: Account, sandbox: Sandbox, connected_user: int
) -> None:
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "delete", "id": lead["id"], "by": connected_user})
    sandbox.act({"do": "change_rights", "user_id": connected_user, "rights": {"is_admin": False}, "by": 0})
    changes(services, mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        assert session.get_one(Lead, (mirrored.account_id, lead["id"])).is_deleted
