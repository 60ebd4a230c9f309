"""What must hold in every generated account: rows agree with their history, and the department lives."""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.generate import write_snapshot
from sandbox.generate.department import BY_ID, MANAGERS, PIPELINES
from sandbox.generate.files import SortedFile
from sandbox.generate.main import main
from sandbox.generate.schedule import month_start

Row = dict[str, Any]
NOW = dt.datetime.fromisoformat("2026-11-17T15:30:00+03:00")
FIRST_OF_MONTH = dt.datetime.fromisoformat("2026-11-01T00:20:00+03:00")
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies"}


class Account:
    """A generated snapshot, read back."""

    def __init__(self, directory: Path, now: dt.datetime) -> None:
        self.directory, self.now_s = directory, int(now.timestamp())
        self.leads = self.rows("leads")
        self.events = self.rows("events")
        self.tasks = self.rows("tasks")
        self.notes = [
            row | {"_kind": kind} for kind in PLURAL.values() for row in self.rows(f"notes_{kind}")
        ]  # fmt: skip
        self.history: dict[tuple[str, int], list[Row]] = {}
        for event in self.events:
            self.history.setdefault((event["entity_type"], event["entity_id"]), []).append(event)

    def rows(self, name: str) -> list[Row]:
        lines = (self.directory / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def of(self, lead: Row, kind: str) -> Iterator[tuple[int, Row, Row]]:
        """(moment, value before, value after) of the lead's events of one kind."""
        for event in self.history[("lead", lead["id"])]:
            if event["type"] == kind:
                yield event["created_at"], event["value_before"][0], event["value_after"][0]


@pytest.fixture(scope="module", params=[(NOW, 7), (FIRST_OF_MONTH, 11)], ids=["mid-month", "first-of-month"])
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    now, seed = request.param
    target = tmp_path_factory.mktemp("generated") / "account"
    write_snapshot(target, leads=2000, seed=seed, now=now)
    return Account(target, now)


def test_events_are_in_order_unique_and_not_in_the_future(account: Account) -> None:
    ids = [event["id"] for event in account.events]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{26}", event_id) for event_id in ids)
    moments = [event["created_at"] for event in account.events]
    assert moments == sorted(moments)
    assert moments[-1] <= account.now_s


def test_ids_are_unique_and_rows_are_sorted_by_them(account: Account) -> None:
    for name in ("leads", "contacts", "companies", "tasks"):
        ids = [row["id"] for row in account.rows(name)]
        assert ids == sorted(set(ids)), name
    note_ids = [note["id"] for note in account.notes]
    assert len(note_ids) == len(set(note_ids))


def test_a_lead_is_the_end_of_its_history(account: Account) -> None:
    for lead in account.leads:
        history = account.history[("lead", lead["id"])]
        added = [event for event in history if event["type"] == "lead_added"]
        assert [event["created_at"] for event in added] == [lead["created_at"]]
        assert history[0]["created_at"] == lead["created_at"]
        _check_status(account, lead)
        _check_chain(
            account, lead, "entity_responsible_changed", "responsible_user", "id", "responsible_user_id"
        )
        _check_price(account, lead)
        if "_merged_into" not in lead:
            assert lead["updated_at"] == max(event["created_at"] for event in history if _is_change(event))
        assert lead["is_deleted"] == any(event["type"] == "lead_deleted" for event in history)


def _is_change(event: Row) -> bool:
    outside = ("_chat_message", "_call", "_mail", "_sms", "_note_added", "entity_linked")
    return not event["type"].endswith(outside)


def _check_status(account: Account, lead: Row) -> None:
    place, closed_at = None, None
    for at, before, after in account.of(lead, "lead_status_changed"):
        assert place in (None, before["lead_status"])
        assert before != after
        place = after["lead_status"]
        closed_at = at if place["id"] in (142, 143) else None
    assert place in (None, {"id": lead["status_id"], "pipeline_id": lead["pipeline_id"]})
    assert lead["closed_at"] == closed_at
    assert (lead["loss_reason_id"] is None) or lead["status_id"] == 143


def _check_chain(account: Account, lead: Row, kind: str, name: str, key: str, column: str) -> None:
    value = None
    for _, before, after in account.of(lead, kind):
        assert value in (None, before[name][key])
        assert before != after
        value = after[name][key]
    assert value in (None, lead[column])


def _check_price(account: Account, lead: Row) -> None:
    exact = lead["price_with_minor_units"]
    if exact is not None:
        assert lead["price"] == int(exact)
    price = None
    for _, before, after in account.of(lead, "sale_field_changed"):
        assert price in (None, before["sale_field_value"]["sale"])
        price = after["sale_field_value"]["sale"]
    assert price in (None, lead["price"] if exact is None else exact)


def test_everything_refers_to_something_that_exists(account: Account) -> None:
    known = {kind: {row["id"] for row in account.rows(kind)} for kind in PLURAL.values()}
    known["tasks"] = {row["id"] for row in account.tasks}
    users = {row["id"] for row in account.rows("users")} | {0}
    note_ids = {note["id"] for note in account.notes}
    for event in account.events:
        assert event["entity_id"] in known[PLURAL.get(event["entity_type"], "tasks")]
        assert event["created_by"] in users
        assert all(value["note"]["id"] in note_ids for value in event["value_after"] if "note" in value)
    for note in account.notes:
        assert note["entity_id"] in known[note["_kind"]]
        assert note["created_at"] <= account.now_s
    for task in account.tasks:
        assert (task["entity_type"] is None) == (task["entity_id"] is None)
        assert task["entity_id"] is None or task["entity_id"] in known[task["entity_type"]]
    for lead in account.leads:
        assert lead["responsible_user_id"] in users - {0}
        for kind in ("contacts", "companies"):
            assert {each["id"] for each in lead["_embedded"][kind]} <= known[kind]
        assert lead.get("_merged_into") in {None} | known["leads"]


def test_links_are_the_same_from_every_side(account: Account) -> None:
    shown = [lead for lead in account.leads if not lead["is_deleted"] and "_merged_into" not in lead]
    for kind in ("contacts", "companies"):
        from_leads = {(each["id"], lead["id"]) for lead in shown for each in lead["_embedded"][kind]}
        from_cards = {
            (row["id"], each["id"]) for row in account.rows(kind) for each in row["_embedded"]["leads"]
        }
        links = {
            (row["to_entity_id"], row["entity_id"])
            for row in account.rows("links")
            if (row["entity_type"], row["to_entity_type"]) == ("leads", kind)
        }
        assert from_leads == from_cards == links


def test_tasks_agree_with_their_events(account: Account) -> None:
    deadlines: dict[tuple[str, int], list[int]] = {}
    for task in account.tasks:
        history = {event["type"]: event for event in account.history[("task", task["id"])]}
        assert history["task_added"]["created_at"] == task["created_at"]
        assert task["is_completed"] == ("task_completed" in history)
        assert task["result"] == [] or task["is_completed"]
        assert task["updated_at"] == max(event["created_at"] for event in history.values())
        if "task_deadline_changed" in history:
            value = history["task_deadline_changed"]["value_after"][0]
            assert value["task_deadline"]["timestamp"] == task["complete_till"]
        if not task["is_completed"] and task["entity_id"]:
            deadlines.setdefault((task["entity_type"], task["entity_id"]), []).append(task["complete_till"])
    for kind in PLURAL.values():
        for row in account.rows(kind):
            assert row["closest_task_at"] == min(deadlines.get((kind, row["id"]), []), default=None)


def test_unsorted_items_are_the_leads_in_the_unsorted_status(account: Account) -> None:
    statuses = {pipeline.unsorted_id for pipeline in PIPELINES.values()}
    waiting = {
        lead["id"]
        for lead in account.leads
        if lead["status_id"] in statuses and not lead["is_deleted"] and "_merged_into" not in lead
    }
    assert waiting == {row["_embedded"]["leads"][0]["id"] for row in account.rows("unsorted")}
    assert waiting


def test_merged_leads_are_told_by_their_winners(account: Account) -> None:
    merged = {lead["id"]: lead["_merged_into"] for lead in account.leads if "_merged_into" in lead}
    told = {
        event["value_before"][0]["merge"]["entity"]["id"]: event["entity_id"]
        for event in account.events
        if event["type"] == "entity_merged"
    }
    assert merged == told
    assert merged


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
    assert 7 <= len(account.events) / count <= 13
    assert 2 <= len(account.notes) / count <= 4
    assert 1.4 <= len(account.tasks) / count <= 2


def test_the_department_holds_everything_that_makes_reports_hard(account: Account) -> None:
    leads = account.leads
    kinds = Counter(event["type"] for event in account.events)
    calls = [note for note in account.notes if note["note_type"] in ("call_in", "call_out")]
    uniqs = Counter(note["params"]["uniq"] for note in calls if note["params"]["uniq"])
    moves = [event for event in account.events if event["type"] == "lead_status_changed"]
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
        "chats": min(kinds["incoming_chat_message"], kinds["outgoing_chat_message"]) > 0,
    }  # fmt: skip
    assert [name for name, there in found.items() if not there] == []


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
    assert [row["rights"]["is_active"] for row in users.values()].count(False) == 1
    for pipeline in account.rows("pipelines"):
        statuses = {row["id"]: row["type"] for row in pipeline["_embedded"]["statuses"]}
        assert statuses.keys() >= {142, 143}
        assert list(statuses.values()).count(1) == 1


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        write_snapshot(tmp_path / name, leads=60, seed=seed, now=NOW, subdomain="same")
    one, two, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two", "other")
    )
    assert one == two
    assert one["leads.jsonl"] != other["leads.jsonl"]


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


def test_the_command_writes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["--out", str(out), "--leads", "5", "--now", "2026-11-17T15:30:00+03:00"]) == 0
    assert capsys.readouterr().out == f"{out}: 5 leads, history up to 2026-11-17T12:30:00+00:00\n"
    assert main(["--out", str(out), "--leads", "5"]) == 1
    assert capsys.readouterr().err.startswith("generate: ")
    assert main(["--leads", "five"]) == 2
    assert "invalid int value" in capsys.readouterr().err


def test_rows_out_of_order_are_sorted_over_buckets(tmp_path: Path) -> None:
    rows = SortedFile(tmp_path / "sort", low=10, high=50, buckets=3)
    for key, tie in ((50, "a"), (12, "b"), (9, "z"), (12, "a"), (33, "я"), (300, "")):
        rows.add(key, tie, f"{key}{tie}")
    rows.write(tmp_path / "sorted")
    assert (tmp_path / "sorted").read_text(encoding="utf-8").split() == [
        "9z",
        "12a",
        "12b",
        "33я",
        "50a",
        "300",
    ]
