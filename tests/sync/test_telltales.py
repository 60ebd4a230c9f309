"""What no list tells: deletions, links, merges; and what happens when the process dies in between."""

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.support.mirror import assert_mirror_is_true
from tests.support.sandbox import Sandbox, an_open_lead
from tests.sync.test_mirror import changes, facts
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.crm.models import CustomField, Lead, LossReason, Note, Status, User
from widget_backend.db.engine import session_scope
from widget_backend.errors import AmoForbidden
from widget_backend.kpi.build import rebuild
from widget_backend.oauth.models import Account, AccountState
from widget_backend.sync import incremental
from widget_backend.sync.backfill import backfill
from widget_backend.sync.models import SyncCursor

JSON_403 = {
    "status": 403,
    "body": '{"title":"Forbidden","status":403}',
    "content_type": "application/problem+json",
    "count": None,
}


def test_a_kill_between_the_event_and_the_second_look_loses_nothing(
    services: Services, mirrored: Account, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "delete", "id": lead["id"], "by": 501})

    def power_cut(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    for step in ("follow", "_advance"):
        with monkeypatch.context() as patched:
            patched.setattr(incremental, step, power_cut)
            with pytest.raises(RuntimeError, match="power cut"):
                changes(services, mirrored)
    changes(services, mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        assert session.get_one(Lead, (mirrored.account_id, lead["id"])).is_deleted
    assert_mirror_is_true(services, mirrored.account_id, sandbox)


def test_a_merge_moves_notes_tasks_and_calls(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    winner, loser = an_open_lead(sandbox), an_open_lead(sandbox, 1)
    sandbox.act(
        {
            "do": "call",
            "id": loser["id"],
            "direction": "in",
            "duration": 70,
            "phone": "+79990001122",
            "by": 502,
        },
        {"do": "create_task", "lead_id": loser["id"], "complete_till": 1900000000, "text": "КП", "by": 502},
    )
    changes(services, mirrored)
    sandbox.act({"do": "merge", "main_id": winner["id"], "ids": [loser["id"]], "by": 501})
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)
    assert_facts_are_those_of_a_rebuild(services, mirrored.account_id)


@pytest.mark.parametrize("entity", ["contacts", "companies"])
def test_merged_people_leave_their_leads_to_the_winner(
    services: Services, mirrored: Account, sandbox: Sandbox, entity: str
) -> None:
    linked = [
        item["id"]
        for row in sandbox.truth("leads")
        if not row.get("is_deleted") and not row.get("_merged_into")
        for item in (row.get("_embedded") or {}).get(entity) or ()
    ]
    winner, loser = list(dict.fromkeys(linked))[:2]
    sandbox.act(
        {
            "do": "call",
            "id": loser,
            "entity": entity,
            "direction": "out",
            "duration": 70,
            "phone": "+79990001133",
            "by": 502,
        }
    )
    changes(services, mirrored)
    sandbox.act({"do": "merge", "entity": entity, "main_id": winner, "ids": [loser], "by": 501})
    changes(services, mirrored)
    assert_mirror_is_true(services, mirrored.account_id, sandbox)
    assert_facts_are_those_of_a_rebuild(services, mirrored.account_id)


def assert_facts_are_those_of_a_rebuild(services: Services, account_id: int) -> None:
    incremental_ = facts(services, account_id)
    with session_scope(services.engine, account_id) as session:
        rebuild(session, account_id, None, as_of=now())
    assert facts(services, account_id) == incremental_


def test_a_refused_stream_does_not_hold_up_the_others(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    def cursor(stream: str) -> Any:
        with session_scope(services.engine, mirrored.account_id) as session:
            return session.get_one(SyncCursor, (mirrored.account_id, stream)).synced_to

    before = {name: cursor(name) for name in ("tasks", "events")}
    sandbox.door("faults", [{"route": "/api/v4/tasks$", **JSON_403}])
    lead = an_open_lead(sandbox)
    sandbox.act({"do": "win_lead", "lead_id": lead["id"], "by": 502})
    with pytest.raises(AmoForbidden):
        changes(services, mirrored)
    assert cursor("tasks") == before["tasks"], "and as_of says so"
    assert cursor("events") > before["events"]
    assert_facts_are_those_of_a_rebuild(services, mirrored.account_id)


def test_a_refused_stream_leaves_the_copy_open_but_the_rest_copied(
    services: Services, account: Account, sandbox: Sandbox
) -> None:
    sandbox.door("faults", [{"route": "/api/v4/tasks$", **JSON_403}])
    with pytest.raises(AmoForbidden):
        backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
    assert services.account(account.account_id).state == AccountState.BACKFILLING
    with session_scope(services.engine, account.account_id) as session:
        open_ones = session.scalars(select(SyncCursor.stream).where(SyncCursor.backfilled_at.is_(None))).all()
    assert set(open_ones) == {"tasks", "facts"}
    sandbox.door("faults", [])
    assert backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
    assert_mirror_is_true(services, account.account_id, sandbox)


@pytest.mark.parametrize(
    ("route", "model"),
    [
        ("/api/v4/leads/pipelines", Status),
        ("/api/v4/leads/loss_reasons", LossReason),
        ("/api/v4/contacts/custom_fields", CustomField),
        ("/api/v4/users", User),
    ],
)
@pytest.mark.parametrize("answer", [JSON_403, {"status": 204, "body": "", "count": None}])
def test_dictionaries_that_cannot_be_read_keep_what_is_known(
    services: Services,
    mirrored: Account,
    sandbox: Sandbox,
    route: str,
    model: Any,
    answer: dict[str, Any],
) -> None:
    from widget_backend.amocrm.limiter import Priority
    from widget_backend.sync.dictionaries import sync_dictionaries

    alive = model.is_active.is_(True) if model is User else model.is_deleted.is_(False)

    def known() -> int:
        with session_scope(services.engine, mirrored.account_id) as session:
            return session.scalar(select(func.count()).select_from(model).where(alive)) or 0

    before = known()
    assert before > 0
    sandbox.door("faults", [{"route": f"{route}$", **answer}])
    sync_dictionaries(services.engine, services.client(mirrored), mirrored.account_id, Priority.INCREMENTAL)
    believed = answer["status"] == 204 and model in (LossReason, CustomField)
    assert (known() < before) is believed, "an empty list is an answer, where there may be none"


def test_an_unpaid_account_stops_at_the_first_refusal(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    unpaid = {"status": 402, "body": '{"status":402}', "content_type": "application/json", "count": None}
    sandbox.door("faults", [{"route": "/api/v4/", **unpaid}])
    client = services.client(mirrored)
    with pytest.raises(AmoForbidden):
        incremental.sync_changes(services.engine, client, mirrored.account_id, 600)
    assert sum(client.requests.values()) == 1


def test_a_resumed_account_that_is_complete_asks_for_nothing(
    services: Services, mirrored: Account, sandbox: Sandbox
) -> None:
    with session_scope(services.engine) as session:
        session.get_one(Account, mirrored.account_id).state = "backfilling"
    client = services.client(mirrored)
    assert backfill(services.engine, client, mirrored.account_id, keep_going=lambda: True)
    assert sum(client.requests.values()) == 0
    assert services.account(mirrored.account_id).state == AccountState.ACTIVE


def test_an_interrupted_copy_reads_the_dictionaries_once(
    services: Services, account: Account, sandbox: Sandbox
) -> None:
    client = services.client(account)
    while not backfill(services.engine, client, account.account_id, keep_going=lambda: False):
        pass
    paths = [r["path"] for r in sandbox.door("requests")["requests"]]
    assert paths.count("/api/v4/leads/pipelines") == 1


def test_a_note_that_moved_is_one_note(services: Services, mirrored: Account, sandbox: Sandbox) -> None:
    winner, loser = an_open_lead(sandbox), an_open_lead(sandbox, 1)
    sandbox.act({"do": "add_note", "id": loser["id"], "text": "важно", "by": 502})
    changes(services, mirrored)
    sandbox.act({"do": "merge", "main_id": winner["id"], "ids": [loser["id"]], "by": 501})
    changes(services, mirrored)
    with session_scope(services.engine, mirrored.account_id) as session:
        left = session.scalar(select(func.count()).select_from(Note).where(Note.entity_id == loser["id"]))
    assert left == 0
