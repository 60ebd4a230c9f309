"""The nightly comparison: what the mirror has lost, it finds; what it cannot know, it does not believe."""

from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import Sandbox, an_open_lead
from tests.sync.test_mirror import changes
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.crm.models import Contact, Lead, Note, Task
from widget_backend.db.engine import session_scope
from widget_backend.oauth.models import Account, AccountState
from widget_backend.sync import reconcile as subject
from widget_backend.sync.models import Reconciliation
from widget_backend.sync.reconcile import CHECKED, next_night, reconcile, unsettled

NOTHING = {"absent": 0, "behind": 0, "gone": 0}


def compare(services: Services, account: Account) -> dict[str, Reconciliation]:
    """A whole comparison; what it wrote down, by stream."""
    client = services.client(account)
    assert reconcile(services.engine, client, account.account_id, keep_going=lambda: True)
    with session_scope(services.engine, account.account_id) as session:
        rows = session.scalars(select(Reconciliation)).all()
        session.expunge_all()
    return {row.stream: row for row in rows}


def test_a_true_mirror_compares_equal(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    found = compare(services, mirrored)
    assert set(found) == {stream.name for stream in CHECKED}
    alive = {
        name: sum(not (row.get("is_deleted") or row.get("_merged_into")) for row in sandbox.truth(name))
        for name in ("leads", "contacts", "companies", "tasks")
    }
    for name, row in found.items():
        assert row.repaired == NOTHING, name
        assert row.listed == row.kept
        assert (row.held_back, row.position) == (None, None)
        assert row.checked_at is not None
    assert {name: found[name].listed for name in alive} == alive


def test_what_was_lost_without_a_trace_is_found(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    """Rows that are missing, old, or gone at amoCRM, and no hook and no event tells of them."""
    sandbox.act({"do": "delete", "id": an_open_lead(sandbox)["id"], "by": 501})
    with session_scope(services.engine, mirrored.account_id) as session:
        some = list(session.scalars(select(Lead.id).where(~Lead.is_deleted).order_by(Lead.id)))
        session.execute(delete(Lead).where(Lead.id.in_(some[10:15])))
        earlier = datetime(2020, 1, 1, tzinfo=UTC)
        session.execute(
            update(Lead).where(Lead.id.in_(some[20:23])).values(price=1, status_id=143, updated_at=earlier)
        )
        contact = session.scalars(select(Contact.id).where(~Contact.is_deleted).limit(1)).one()
        session.execute(delete(Contact).where(Contact.id == contact))
        task = session.scalars(select(Task).where(~Task.is_deleted).limit(1)).one()
        session.execute(update(Task).where(Task.id == task.id).values(is_deleted=True))
        note = session.scalars(select(Note).where(Note.entity_type == "leads").limit(1)).one()
        session.execute(delete(Note).where(Note.id == note.id))
        session.add(Note(**{**_columns(note), "id": note.id - 1}))
    found = compare(services, mirrored)
    assert found["leads"].repaired == {"absent": 5, "behind": 3, "gone": 1}
    assert found["contacts"].repaired == {"absent": 1, "behind": 0, "gone": 0}
    assert found["tasks"].repaired == {"absent": 1, "behind": 0, "gone": 0}
    assert found["notes_leads"].repaired == {"absent": 1, "behind": 0, "gone": 1}
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)
    assert [row.repaired for row in compare(services, mirrored).values()] == [NOTHING] * len(CHECKED)


def _columns(note: Note) -> dict[str, object]:
    return {column.name: getattr(note, column.name) for column in Note.__table__.columns}


def test_a_sudden_emptiness_is_not_believed(
    services: Services, mirrored: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who lost rights sees shorter lists, without any error: nothing may be taken for deleted."""
    monkeypatch.setattr(subject, "GUARD_ROWS", 5)
    with session_scope(services.engine, mirrored.account_id) as session:
        before = session.scalar(select(func.count()).select_from(Lead).where(~Lead.is_deleted))
    sandbox.door("faults", [{"route": "/api/v4/leads$", "status": 204, "count": None}])
    found = compare(services, mirrored)
    sandbox.door("faults", [])
    held = found["leads"]
    assert held.held_back is not None
    assert held.held_back.endswith("they are kept.")
    assert held.repaired == NOTHING
    assert found["contacts"].held_back is None
    with session_scope(services.engine, mirrored.account_id) as session:
        assert session.scalar(select(func.count()).select_from(Lead).where(~Lead.is_deleted)) == before
        assert unsettled(session, mirrored.account_id) == [f"leads: {held.held_back}"]
    assert compare(services, mirrored)["leads"].held_back is None
    with session_scope(services.engine, mirrored.account_id) as session:
        assert unsettled(session, mirrored.account_id) == []


def test_a_list_that_is_refused_holds_up_no_other(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    body = '{"title":"Forbidden","status":403}'
    json_403 = {"status": 403, "body": body, "content_type": "application/problem+json", "count": None}
    sandbox.door("faults", [{"route": "/api/v4/leads/notes$", **json_403}])
    found = compare(services, mirrored)
    sandbox.door("faults", [])
    assert found["notes_leads"].held_back is not None
    assert found["notes_leads"].checked_at is None
    assert found["notes_contacts"].checked_at is not None


def test_a_comparison_goes_on_where_it_was_interrupted(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    """Stopped after every single page, as a killed worker is, it reads no page twice and finds the same."""
    client = services.client(mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        first = session.scalars(select(Lead.id).where(~Lead.is_deleted).order_by(Lead.id).limit(3)).all()
        session.execute(delete(Lead).where(Lead.id.in_(first)))
    for runs in count(1):
        assert runs < 100
        if reconcile(services.engine, client, mirrored.account_id, keep_going=lambda: False):
            break
    assert runs > len(CHECKED)
    with session_scope(services.engine, mirrored.account_id) as session:
        row = session.get_one(Reconciliation, (mirrored.account_id, "leads"))
        assert row.repaired == {"absent": 3, "behind": 0, "gone": 0}
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_nothing_is_compared_before_the_copy_is_whole(services: Services, account: Account) -> None:
    assert account.state == AccountState.BACKFILLING
    assert compare(services, account) == {}


def test_an_import_with_old_dates_is_found_even_if_its_event_is_old_too(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    old = int(now().timestamp()) - 400 * 86_400
    lead = an_open_lead(sandbox)
    sandbox.act(
        {"do": "create_lead", "name": "Из архива", "pipeline_id": lead["pipeline_id"], "price": 700,
         "created_at": old, "updated_at": old, "by": 501},
    )  # fmt: skip
    changes(services, mirrored)
    assert compare(services, mirrored)["leads"].repaired == {**NOTHING, "absent": 1}
    with session_scope(services.engine, mirrored.account_id) as session:
        assert session.scalar(select(Lead.price).where(Lead.name == "Из архива")) == 700


@given(
    account_id=st.integers(1, 10**9),
    zone=st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "America/New_York", "Europe/Lisbon"]),
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_next_night_is_a_night_and_never_this_one(account_id: int, zone: str, moment: datetime) -> None:
    found = next_night(account_id, ZoneInfo(zone), moment)
    assert 1 <= found.astimezone(ZoneInfo(zone)).hour < 5
    # A clock that is put forward or back may shift the wait by its hour.
    assert 3 * 3600 <= (found - moment).total_seconds() <= 29 * 3600
