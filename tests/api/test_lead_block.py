"""The open lead in the panel: odd leads, tasks, and other people's."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.api.callers import Caller
from tests.api.conftest import OTHER
from tests.support.builders import ACCOUNT, SALES, TALKS, a_lead, in_account
from widget_backend.bootstrap import Services
from widget_backend.db.engine import session_scope


def lead_of(call: Caller, user_id: int, lead_id: int, lang: str = "ru", **more: Any) -> Any:
    answer = call.get("panel", user_id, lead_id=lead_id, lang=lang, **more)
    assert answer.status_code == 200, answer.text
    return answer.json["lead"]  # type: ignore[index]


def add_lead(services: Services, lead_id: int, account_id: int = ACCOUNT, **columns: Any) -> None:
    with session_scope(services.engine, account_id) as session:
        in_account(session, account_id)
        a_lead(session, lead_id, **columns)


def put(services: Services, lead_id: int, assignments: str) -> None:
    with session_scope(services.engine, ACCOUNT) as session:
        session.execute(text(f"UPDATE leads SET {assignments} WHERE id = :id"), {"id": lead_id})  # noqa: S608


@pytest.mark.parametrize(
    "assignments",
    [
        "responsible_user_id = NULL",
        "responsible_user_id = 4711",
        "pipeline_id = NULL, status_id = NULL",
        "pipeline_id = 99, status_id = 98",
        "price = NULL, closed_at = NULL",
        "name = ''",
    ],
)
def test_a_lead_with_gaps_is_shown_as_far_as_it_goes(
    call: Caller, filled: Services, assignments: str
) -> None:
    put(filled, 7001, assignments)
    for lang in ("ru", "en"):
        lead = lead_of(call, 501, 7001, lang)
        assert lead["id"] == 7001
        assert all(lead[name] for name in ("status", "pipeline", "price_text", "in_status_text"))
    assert lead_of(call, 502, 7001) is None or "responsible" not in assignments
    assert lead_of(call, 503, 7001) is None


@pytest.mark.parametrize("assignments", ["is_deleted = true", "merged_into = 7002"])
def test_a_lead_that_is_gone_is_not_shown(call: Caller, filled: Services, assignments: str) -> None:
    put(filled, 7001, assignments)
    assert lead_of(call, 501, 7001) is None


def test_a_lead_of_another_account_does_not_exist(call: Caller, filled: Services) -> None:
    add_lead(filled, 9001, OTHER, user=501, status=TALKS)
    assert lead_of(call, 501, 9001) is None
    assert lead_of(call, 501, 9001, account_id=OTHER)["id"] == 9001


def add_task(services: Services, task_id: int, lead_id: int, till: str | None, **columns: Any) -> None:
    values = {
        "account_id": ACCOUNT,
        "id": task_id,
        "entity_type": "leads",
        "entity_id": lead_id,
        "text": f"задача {task_id}",
        "is_completed": False,
        "is_deleted": False,
        "complete_till": till,
        **columns,
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    with session_scope(services.engine, ACCOUNT) as session:
        session.execute(
            text(
                f"INSERT INTO tasks ({names}, created_at, updated_at, payload, synced_at)"  # noqa: S608
                f" VALUES ({marks}, now(), now(), '{{}}', now())"
            ),
            values,
        )


def test_what_to_do_next(call: Caller, filled: Services) -> None:
    add_lead(filled, 8001, user=503, status=TALKS, pipeline=SALES)
    assert lead_of(call, 503, 8001)["next"]["kind"] == "no_task"
    assert lead_of(call, 503, 7004)["next"]["kind"] == "won"
    add_task(filled, 1, 8001, "2099-01-01T10:00:00+03:00")
    planned = lead_of(call, 503, 8001)["next"]
    assert (planned["kind"], planned["level"], planned["text"]) == ("task", "ok", "задача 1")
    add_task(filled, 2, 8001, "2026-01-01T10:00:00+03:00")
    add_task(filled, 3, 8001, "2025-01-01T10:00:00+03:00", is_completed=True)
    add_task(filled, 4, 8001, "2025-01-01T10:00:00+03:00", is_deleted=True)
    add_task(filled, 5, 8001, "2025-01-01T10:00:00+03:00", entity_type="contacts")
    add_task(filled, 6, 8001, None)
    late = lead_of(call, 503, 8001)["next"]
    assert (late["kind"], late["level"], late["text"]) == ("task_overdue", "bad", "задача 2")
    assert lead_of(call, 502, 8001) is None, "not even through its tasks"


def test_sections_say_what_the_api_says(call: Caller) -> None:
    panel = call.get("panel", 502, lang="en").json
    assert panel is not None
    period = {"start": panel["period"]["start_on"], "end": panel["period"]["end_on"]}
    for section, where in (("mine", {"where": "user=502"}), ("team", {})):
        shown = next(one for one in panel["sections"] if one["id"] == section)
        for tile in shown["metrics"]:
            answer = call.get("kpis", 502, metric=tile["id"], compare="previous", **period, **where).json
            assert answer is not None
            [row] = answer["metrics"][0]["rows"]
            assert tile["value"] == row["value"]
