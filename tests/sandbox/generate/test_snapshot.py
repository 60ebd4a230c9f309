"""What must hold in every generated account: rows agree with their history, and the department lives."""

import datetime as dt
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from sandbox.generate import write_snapshot
from sandbox.generate.department import BY_ID, MANAGERS
from sandbox.generate.schedule import month_start
from tests.sandbox.generate.account import CARDS, NOW, PLURAL, Account, Row

IDS = (
    "leads", "contacts", "companies", "customers", "transactions", "tasks", "notes_leads", "notes_contacts",
    "notes_companies", "notes_customers", "talks", "catalog_elements",
)  # fmt: skip


def test_events_are_in_order_unique_and_not_in_the_future(any_account: Account) -> None:
    ids = [event["id"] for event in any_account.events]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", event_id) for event_id in ids)
    moments = [event["created_at"] for event in any_account.events]
    assert moments == sorted(moments)
    assert moments[-1] <= any_account.now_s


@pytest.mark.parametrize("name", IDS)
def test_ids_are_unique_and_grow_with_time(any_account: Account, name: str) -> None:
    rows = any_account.rows(name)
    ids = [row["talk_id" if name == "talks" else "id"] for row in rows]
    assert ids == sorted(set(ids))
    assert all(0 < number < 2**31 for number in ids)
    moments = [row["created_at"] for row in rows]
    assert moments == sorted(moments)


def test_the_four_lists_of_notes_share_their_ids(any_account: Account) -> None:
    ids = [note["id"] for note in any_account.notes]
    assert len(ids) == len(set(ids))


def test_nothing_is_later_than_the_present(any_account: Account) -> None:
    past = ("created_at", "updated_at", "closed_at", "completed_at", "entered_at", "left_at", "started_at",
            "ended_at", "sorted_at", "since")  # fmt: skip
    for path in any_account.directory.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            later = {name: row[name] for name in past if (row.get(name) or 0) > any_account.now_s}
            assert later == {}, path.name


def test_everything_refers_to_something_that_exists(any_account: Account) -> None:
    known = {kind: {row["id"] for row in any_account.rows(kind)} for kind in PLURAL.values()}
    users = {row["id"] for row in any_account.rows("users")} | {0}
    note_ids = {note["id"] for note in any_account.notes} | {None}
    talk_ids = {talk["talk_id"] for talk in any_account.rows("talks")} | {None}
    for event in any_account.events:
        assert event["entity_id"] in known[PLURAL[event["entity_type"]]]
        assert event["_embedded"] == {"entity": {"id": event["entity_id"]}}
        assert event["created_by"] in users
        for value in event["value_after"]:
            assert value.get("note", {}).get("id") in note_ids
            talk_id = value.get("talk", {}).get("id") or value.get("message", {}).get("talk_id")
            assert talk_id in talk_ids
    for note in any_account.notes:
        assert note["entity_id"] in known[note["_kind"]]
    about = json.loads((any_account.directory / "account.json").read_text(encoding="utf-8"))
    task_types = {row["id"] for row in about["_embedded"]["task_types"]}
    for task in any_account.tasks:
        assert task["task_type_id"] in task_types
        assert (task["entity_type"] is None) == (task["entity_id"] is None)
        assert task["entity_id"] is None or task["entity_id"] in known[task["entity_type"]]
    for talk in any_account.rows("talks"):
        assert talk["entity_id"] in known["leads"]
    groups = {row["id"]: row["rights"]["group_id"] for row in any_account.rows("users")}
    for kind in CARDS.values():
        for row in any_account.rows(kind):
            assert row["group_id"] == groups[row["responsible_user_id"]]
            assert {row["created_by"], row["updated_by"]} <= users
    for lead in any_account.leads:
        assert lead.get("_merged_into") in {None} | known["leads"]


def test_every_event_about_a_note_is_about_that_card(any_account: Account) -> None:
    notes = {note["id"]: note for note in any_account.notes}
    for event in any_account.events:
        for value in event["value_after"]:
            if "note" in value:
                note = notes[value["note"]["id"]]
                assert (CARDS[event["entity_type"]], event["entity_id"]) == (note["_kind"], note["entity_id"])
                assert (event["created_at"], event["created_by"]) == (note["created_at"], note["created_by"])


def test_the_running_month_lives_for_every_manager(account: Account) -> None:
    begin = month_start(account.now_s)
    sales = {lead["id"]: lead for lead in account.leads if lead["pipeline_id"] != 3300}
    for status in (142, 143):
        closers = {
            lead["responsible_user_id"]
            for lead in sales.values()
            if lead["status_id"] == status and lead["closed_at"] >= begin
        }
        assert closers >= {person.id for person in MANAGERS}
    creators = {lead["created_by"] for lead in sales.values() if lead["created_at"] >= begin}
    callers = {note["responsible_user_id"] for note in account.notes if note["created_at"] >= begin}
    assert min(len(creators - {0}), len(callers)) >= len(MANAGERS) - 1


def test_the_volume_per_lead_is_that_of_a_real_department(account: Account) -> None:
    count = len(account.leads)
    assert count == 2000
    assert 7 <= len(account.events) / count <= 15
    assert 2 <= len(account.notes) / count <= 4
    assert 1.4 <= len(account.tasks) / count <= 2


def test_the_department_holds_everything_that_makes_reports_hard(account: Account) -> None:
    leads = account.leads
    kinds = Counter(event["type"] for event in account.events)
    calls = [note for note in account.notes if note["note_type"] in ("call_in", "call_out")]
    uniqs = Counter(note["params"]["uniq"] for note in calls if note["params"]["uniq"])
    moves = [event for event in account.events if event["type"] == "lead_status_changed"]
    with_tasks = {task["entity_id"] for task in account.tasks if task["entity_type"] == "leads"}
    till = [task["complete_till"] for task in account.tasks if not task["is_completed"]]
    found = {
        "deleted": any(lead["is_deleted"] for lead in leads),
        "kopecks": any((lead["price_with_minor_units"] or 0) % 1 for lead in leads),
        "null minor units": any(lead["price_with_minor_units"] is None and lead["price"] for lead in leads),
        "zero price won": any(lead["price"] == 0 and lead["status_id"] == 142 for lead in leads),
        "null fields": any(lead["custom_fields_values"] is None for lead in leads),
        "empty fields": any(lead["custom_fields_values"] == [] for lead in leads),
        "no contact": any(not lead["_embedded"]["contacts"] for lead in leads),
        "production": any(lead["pipeline_id"] == 3300 for lead in leads),
        "owner dismissed": any(not BY_ID[lead["responsible_user_id"]].is_active for lead in leads),
        "reopened": any(_reopened(account, lead) for lead in leads),
        "won, open, won": any(_entries(account, lead, 142) > 1 for lead in leads),
        "backward": any(_went_back(account, lead) for lead in leads),
        "same second": any(_same_second(account, lead) for lead in leads),
        "robot moves": any(event["created_by"] == 0 for event in moves),
        "zero calls": any(note["params"]["duration"] == 0 for note in calls),
        "ringing call": any(
            note["params"]["duration"] and note["params"].get("call_status") in (1, 3, 6, 7) for note in calls
        ),
        "no call_status": any("call_status" not in note["params"] for note in calls),
        "text responsible": any(isinstance(note["params"].get("call_responsible"), str) for note in calls),
        "repeated uniq": uniqs.most_common(1)[0][1] > 1,
        "call on company": any(note["_kind"] == "companies" for note in calls),
        "call on contact": any(note["_kind"] == "contacts" for note in calls),
        "overdue": min(till) < account.now_s,
        "future task": max(till) > account.now_s,
        "no result": any(task["result"] == [] for task in account.tasks if task["is_completed"]),
        "unattached": any(task["entity_id"] is None for task in account.tasks),
        "emoji": any("🔥" in lead["name"] for lead in leads),
        "html": any("<b>" in lead["name"] for lead in leads),
        "weekend or night": any(_hour(lead) not in range(9, 20) for lead in leads),
        "deadline moved": kinds["task_deadline_changed"] > 0,
        "restored": any(_types(account, lead) >= {"lead_deleted", "lead_restored"} for lead in leads),
        "contact deleted": any(row["is_deleted"] for row in account.rows("contacts")),
        "contact merged": any("_merged_into" in row for row in account.rows("contacts")),
        "never answered": any(not _types(account, lead) & ANSWERS for lead in leads),
        "no tasks": any(lead["id"] not in with_tasks for lead in leads),
        "script tag": any("<script>" in note["params"].get("text", "") for note in account.notes),
        "right to left": any("\u202e" in note["params"].get("text", "") for note in account.notes),
        "zero width": any("\u200b" in note["params"].get("text", "") for note in account.notes),
        "hostile name": any("DROP TABLE" in lead["name"] or "{{" in lead["name"] for lead in leads),
        "mails and sms": min(kinds[f"{way}_{what}"] for way in ("incoming", "outgoing")
                             for what in ("mail", "sms")) > 0,
        "talks": min(kinds[f"{what}"] for what in ("talk_created", "talk_closed",
                                                   "conversation_answered")) > 0,
        "customers": bool(account.rows("customers")) and bool(account.rows("transactions")),
        "invoices": any(row["catalog_id"] == 2002 for row in account.rows("catalog_elements")),
        "products": any(lead["_embedded"]["catalog_elements"] for lead in leads),
        "tag taken away": kinds["entity_tag_deleted"] > 0,
        "chats": min(kinds["incoming_chat_message"], kinds["outgoing_chat_message"]) > 0,
    }  # fmt: skip
    assert [name for name, there in found.items() if not there] == []


ANSWERS = {"outgoing_call", "outgoing_chat_message", "outgoing_mail", "outgoing_sms"}


def _types(account: Account, lead: Row) -> set[str]:
    return {event["type"] for event in account.history[("lead", lead["id"])]}


def _moves(account: Account, lead: Row) -> list[tuple[Row, Row]]:
    return [(b["lead_status"], a["lead_status"]) for _, b, a in account.of(lead, "lead_status_changed")]


def _reopened(account: Account, lead: Row) -> bool:
    return any(before["id"] == 143 and after["id"] < 5000 and after["id"] not in (142, 143)
               for before, after in _moves(account, lead))  # fmt: skip


def _entries(account: Account, lead: Row, status_id: int) -> int:
    return sum(
        after["id"] == status_id and after["pipeline_id"] != 3300 for _, after in _moves(account, lead)
    )


def _went_back(account: Account, lead: Row) -> bool:
    return any(143 < after["id"] < before["id"] and after["pipeline_id"] == before["pipeline_id"]
               for before, after in _moves(account, lead))  # fmt: skip


def _same_second(account: Account, lead: Row) -> bool:
    closings = {
        at for at, _, after in account.of(lead, "lead_status_changed") if after["lead_status"]["id"] == 142
    }
    return bool(closings & {at for at, _, _ in account.of(lead, "entity_responsible_changed")})


def _hour(lead: Row) -> int:
    return (dt.datetime.fromtimestamp(lead["created_at"], tz=dt.UTC) + dt.timedelta(hours=3)).hour


def test_the_account_is_described(account: Account) -> None:
    about = json.loads((account.directory / "account.json").read_text(encoding="utf-8"))
    users = {row["id"]: row for row in account.rows("users")}
    assert about["_embedded"]["datetime_settings"]["timezone"] == "Europe/Moscow"
    assert about["currency"] == "RUB"
    assert users[about["current_user_id"]]["rights"]["is_admin"]
    assert {group["id"] for group in about["_embedded"]["users_groups"]} == {0, 88}
    assert {row["rights"]["leads"]["view"] for row in users.values()} == {"A", "G", "M", "D"}
    assert [row["rights"]["is_active"] for row in users.values()].count(False) == 2
    for pipeline in account.rows("pipelines"):
        statuses = {row["id"]: row["type"] for row in pipeline["_embedded"]["statuses"]}
        assert statuses.keys() >= {142, 143}
        assert list(statuses.values()).count(1) == 1


@pytest.mark.parametrize("leads", [0, 1, 3, 10, 37])
@pytest.mark.parametrize(
    "now", ["2026-11-01T00:00:00+03:00", "2024-03-01T00:00:01+03:00", "2026-02-28T23:59:59Z"]
)
def test_any_number_of_leads_at_any_moment(tmp_path: Path, leads: int, now: str) -> None:
    moment = dt.datetime.fromisoformat(now)
    write_snapshot(tmp_path / "few", leads=leads, seed=5, now=moment, account_id=77)
    account = Account(tmp_path / "few", moment)
    assert [lead["id"] for lead in account.leads] == list(range(7001, 7001 + leads))
    assert all(lead["account_id"] == 77 and lead["created_at"] <= account.now_s for lead in account.leads)


def test_a_directory_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not empty"):
        write_snapshot(tmp_path, leads=1, seed=1, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_what_a_killed_run_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "account.part" / ".events").mkdir(parents=True)
    (tmp_path / "account").mkdir()
    write_snapshot(tmp_path / "account", leads=1, seed=1, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["account"]
    assert not [path.name for path in (tmp_path / "account").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("leads", "now"),
    [(1, dt.datetime(2026, 1, 1)), (-1, NOW), (1, NOW.replace(year=2014))],  # noqa: DTZ001
)
def test_a_wrong_moment_or_count_is_refused(tmp_path: Path, leads: int, now: dt.datetime) -> None:
    with pytest.raises(ValueError, match="now"):
        write_snapshot(tmp_path / "none", leads=leads, seed=1, now=now)
    assert list(tmp_path.iterdir()) == []
