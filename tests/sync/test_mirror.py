"""The mirror against the simulator's truth: after the first copy, after changes, after every interruption."""

from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import Sandbox, an_open_lead
from widget_backend.amocrm.limiter import Priority
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.crm.freshness import as_of
from widget_backend.crm.models import GroupMembership, Lead, Pipeline
from widget_backend.db.engine import session_scope
from widget_backend.kpi.build import rebuild
from widget_backend.kpi.models import CallFact, LeadFact, StatusVisit
from widget_backend.oauth.models import Account, AccountState
from widget_backend.sync.backfill import backfill
from widget_backend.sync.dictionaries import sync_dictionaries
from widget_backend.sync.incremental import sync_changes
from widget_backend.sync.models import SyncCursor


def changes(services: Services, account: Account) -> None:
    sync_changes(services.engine, services.client(account), account.account_id, overlap_s=600)


def facts(services: Services, account_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """All derived rows, to compare two ways of building them."""
    found = {}
    with session_scope(services.engine, account_id) as session:
        for model in (LeadFact, CallFact, StatusVisit):
            table: Any = model.__table__
            rows = session.execute(select(table).where(table.c.account_id == account_id))
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def test_the_first_copy_equals_the_truth(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    counts = assert_mirror_is_true(services, mirrored.account_id, sandbox)
    assert all(counts[name] > 0 for name in counts), counts
    account = services.account(mirrored.account_id)
    assert account.state == AccountState.ACTIVE
    assert account.timezone == "Europe/Moscow"
    with session_scope(services.engine, mirrored.account_id) as session:
        assert as_of(session, mirrored.account_id) is not None
        roles = dict(session.execute(select(Pipeline.id, Pipeline.role)).all())
        assert roles == {3100: "sales", 3200: "sales", 3300: "post_sale"}


def test_a_copy_cut_off_after_each_page_ends_equal(
    services: Services, account: Account, sandbox: Sandbox
) -> None:
    slices = count()
    while not backfill(
        services.engine, services.client(account), account.account_id, keep_going=lambda: False
    ):
        assert next(slices) < 200
    assert next(slices) > 3
    assert_mirror_is_true(services, account.account_id, sandbox)


def test_changes_without_any_hook_are_found(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    first, second, third = (an_open_lead(sandbox, n) for n in range(3))
    sandbox.act(
        {"do": "win_lead", "lead_id": first["id"], "price": 123456, "by": 502},
        {"do": "reassign", "id": second["id"], "user_id": 503, "by": 501},
        {"do": "create_lead", "name": "Новая 🚀", "pipeline_id": 3100, "price": 10, "by": 502},
        {
            "do": "create_task",
            "lead_id": second["id"],
            "complete_till": 1900000000,
            "text": "Позвонить",
            "by": 502,
        },
        {
            "do": "call",
            "id": second["id"],
            "direction": "in",
            "duration": 61,
            "phone": "+79990001122",
            "by": 502,
        },
        {"do": "delete", "id": third["id"], "by": 501},
    )
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)
    with session_scope(services.engine, mirrored.account_id) as session:
        gone = session.get_one(Lead, (mirrored.account_id, third["id"]))
        assert gone.is_deleted
        assert gone.name == third["name"], "the last good copy stays"
        fact = session.get_one(LeadFact, (mirrored.account_id, first["id"]))
        assert (fact.outcome, fact.price) == ("won", 123456)


def test_a_deleted_lead_comes_back_when_restored(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "delete", "id": lead["id"], "by": 501})
    changes(services, mirrored)
    sandbox.act({"do": "restore", "id": lead["id"], "by": 501})
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_merged_leads_count_once(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    winner, loser = an_open_lead(sandbox), an_open_lead(sandbox, 1)
    sandbox.act({"do": "merge", "main_id": winner["id"], "ids": [loser["id"]], "by": 501})
    changes(services, mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        assert session.get_one(Lead, (mirrored.account_id, loser["id"])).is_deleted
        assert session.get(LeadFact, (mirrored.account_id, loser["id"])) is None


def test_incremental_facts_equal_a_full_rebuild(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    leads = [an_open_lead(sandbox, n) for n in range(5)]
    sandbox.act(
        *({"do": "win_lead", "lead_id": lead["id"], "by": 502} for lead in leads[:2]),
        *({"do": "lose_lead", "lead_id": lead["id"], "by": 503} for lead in leads[2:4]),
        {
            "do": "call",
            "id": leads[4]["id"],
            "direction": "out",
            "duration": 5,
            "phone": "8 999 111 22 33",
            "by": 504,
        },
    )
    changes(services, mirrored)
    incremental = facts(services, mirrored.account_id)
    with session_scope(services.engine, mirrored.account_id) as session:
        rebuild(session, mirrored.account_id, None, as_of=now())
    assert facts(services, mirrored.account_id) == incremental


def test_a_second_look_changes_nothing(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    changes(services, mirrored)
    before = facts(services, mirrored.account_id)
    changes(services, mirrored)
    assert facts(services, mirrored.account_id) == before
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_filters_switched_off_are_noticed_and_done_without(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    sandbox.act({"do": "edit_account", "patch": {"is_api_filter_enabled": False}, "by": 501})
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
    with pytest.raises(Exception, match="ignores filters"):
        changes(services, mirrored)
    assert services.account(mirrored.account_id).filters_enabled is False
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_a_whole_account_is_copied_with_filters_off(
    services: Services, account: Account, sandbox: Sandbox
) -> None:
    sandbox.act({"do": "edit_account", "patch": {"is_api_filter_enabled": False}, "by": 501})
    backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
    assert_mirror_is_true(services, account.account_id, sandbox)


def test_a_killed_simulator_keeps_the_tokens_good(
    services: Services, mirrored: Account, sandbox: Sandbox, tmp_path: Any
) -> None:
    from tests.support.sandbox import running_sandbox

    sandbox.kill()
    port = int(sandbox.origin.rsplit(":", 1)[1])
    with running_sandbox(tmp_path, *sandbox.arguments, port=port) as again:
        lead = an_open_lead(again)
        again.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
        changes(services, mirrored)
        assert_mirror_is_true(services, mirrored.account_id, again)


def test_a_user_who_changes_group_leaves_a_history(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    user = next(u for u in sandbox.truth("users") if u["id"] == 503)
    group = 88 if user["rights"]["group_id"] != 88 else 0
    sandbox.act({"do": "change_rights", "user_id": 503, "rights": {"group_id": group}, "by": 501})
    client = services.client(mirrored)
    sync_dictionaries(services.engine, client, mirrored.account_id, Priority.INCREMENTAL)
    with session_scope(services.engine, mirrored.account_id) as session:
        history = session.scalars(
            select(GroupMembership.group_id)
            .where(GroupMembership.user_id == 503)
            .order_by(GroupMembership.valid_from)
        ).all()
    assert history == [user["rights"]["group_id"], group]


def test_a_cursor_never_passes_what_was_read(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    def cursors() -> dict[str, Any]:
        with session_scope(services.engine, mirrored.account_id) as session:
            return {c.stream: c.synced_to for c in session.scalars(select(SyncCursor)) if c.synced_to}

    before = cursors()
    sandbox.door("faults", [{"route": "/api/v4/leads$", "status": 400}])
    with pytest.raises(Exception, match="amoCRM"):
        changes(services, mirrored)
    after = cursors()
    assert after["leads"] == before["leads"]
