"""`truth/` agrees with rows and events, and no client can read more out of them than it says."""

from collections import Counter

from sandbox.generate.department import PIPELINES
from tests.sandbox.generate.account import Account, Row

UNSORTED = {pipeline.unsorted_id for pipeline in PIPELINES.values()}


def _by_lead(account: Account, name: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in account.rows(f"truth/{name}"):
        found.setdefault(row["lead_id"], []).append(row)
    return found


def test_stage_visits_are_the_moves_in_the_log(any_account: Account) -> None:
    visits = _by_lead(any_account, "stage_visits")
    assert visits.keys() == {lead["id"] for lead in any_account.leads}
    for lead in any_account.leads:
        moves = [
            event for event in any_account.history[("lead", lead["id"])]
            if event["type"] == "lead_status_changed"
        ]  # fmt: skip
        told = visits[lead["id"]]
        assert [(row["pipeline_id"], row["status_id"]) for row in told[1:]] == [
            (status["pipeline_id"], status["id"])
            for status in (event["value_after"][0]["lead_status"] for event in moves)
        ]
        assert [row["entered_at"] for row in told] == [lead["created_at"], *(e["created_at"] for e in moves)]
        assert [row["entered_by"] for row in told] == [lead["created_by"], *(e["created_by"] for e in moves)]
        assert [row["left_at"] for row in told] == [*(row["entered_at"] for row in told[1:]), None]
        assert (told[-1]["pipeline_id"], told[-1]["status_id"]) == (lead["pipeline_id"], lead["status_id"])


def test_owner_intervals_are_the_changes_of_owner_in_the_log(any_account: Account) -> None:
    owners = _by_lead(any_account, "owner_intervals")
    assert owners.keys() == {lead["id"] for lead in any_account.leads}
    for lead in any_account.leads:
        changes = [
            (at, after["responsible_user"]["id"])
            for at, _, after in any_account.of(lead, "entity_responsible_changed")
        ]
        told = owners[lead["id"]]
        assert [(row["started_at"], row["user_id"]) for row in told[1:]] == changes
        assert told[0]["started_at"] == lead["created_at"]
        assert told[-1]["user_id"] == lead["responsible_user_id"]
        assert [row["ended_at"] for row in told] == [*(row["started_at"] for row in told[1:]), None]


def test_a_visit_names_who_was_responsible_just_before(any_account: Account) -> None:
    owners = _by_lead(any_account, "owner_intervals")
    for visit in any_account.rows("truth/stage_visits"):
        told = owners[visit["lead_id"]]
        before = [row["user_id"] for row in told if row["started_at"] < visit["entered_at"]]
        assert visit["responsible_user_id"] == (before[-1] if before else told[0]["user_id"])


def test_incoming_leads_wait_or_were_sorted(any_account: Account) -> None:
    told = {row["lead_id"]: row for row in any_account.rows("truth/unsorted")}
    visits = _by_lead(any_account, "stage_visits")
    came_in = {lead_id for lead_id, rows in visits.items() if rows[0]["status_id"] in UNSORTED}
    assert told.keys() == came_in
    waiting = {row["uid"] for row in any_account.rows("unsorted")}
    leads = {lead["id"]: lead for lead in any_account.leads}
    for lead_id, row in told.items():
        lead = leads[lead_id]
        assert lead["created_at"] == row["created_at"]
        if row["result"] == "declined":
            assert lead["is_deleted"]
            assert (lead["updated_at"], lead["updated_by"]) == (row["sorted_at"], row["user_id"])
        elif row["result"] == "accepted" and "_merged_into" not in lead:
            assert visits[lead_id][1]["entered_at"] == row["sorted_at"]
        is_shown = not lead["is_deleted"] and "_merged_into" not in lead
        assert (row["uid"] in waiting) == (lead["status_id"] in UNSORTED and is_shown)
    assert len({row["uid"] for row in told.values()}) == len(told)


def test_all_categories_and_ends_of_incoming_leads_occur(account: Account) -> None:
    told = account.rows("truth/unsorted")
    ends = Counter((row["category"], row["result"]) for row in told)
    assert len(ends) == 4 * 3
    assert {row["category"] for row in account.rows("unsorted")} == {"sip", "mail", "forms", "chats"}
    sources = {lead["source_id"] for lead in account.leads}
    assert sources == {None, 7101, 7102, 7103, 7104}
