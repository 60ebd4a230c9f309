"""A row is the end of its history: events folded from the beginning give what the row shows."""

from collections import Counter
from typing import Any

from tests.sandbox.generate.account import CARDS, Account, Row

CLOSED = (142, 143)
# What happens around a card without changing its own columns.
AROUND = ("_chat_message", "_call", "_mail", "_sms", "_note_added", "_linked", "talk_created", "talk_closed",
          "conversation_answered", "transaction_added")  # fmt: skip


def _is_change(event: Row) -> bool:
    return not event["type"].endswith(AROUND)


def _folded(history: list[Row], kind: str, read: Any, start: Any) -> Any:
    """The value that the events of one kind leave behind; each must begin where the last one ended."""
    value = start
    for event in history:
        if event["type"] == kind:
            before, after = read(event["value_before"][0]), read(event["value_after"][0])
            assert before == value, event
            assert before != after, event
            value = after
    return value


def _start(history: list[Row], kind: str, read: Any, present: Any) -> Any:
    """Where the fold begins: before the first change, or at the present if nothing ever changed."""
    first = next((event for event in history if event["type"] == kind), None)
    return read(first["value_before"][0]) if first else present


def _check(history: list[Row], kind: str, read: Any, present: Any) -> None:
    assert _folded(history, kind, read, _start(history, kind, read, present)) == present


def test_a_lead_is_the_end_of_its_history(any_account: Account) -> None:
    for lead in any_account.leads:
        history = any_account.history[("lead", lead["id"])]
        assert [event["created_at"] for event in history if event["type"] == "lead_added"] == [
            lead["created_at"]
        ]
        assert history[0]["created_at"] == lead["created_at"]
        exact = lead["price_with_minor_units"]
        place = {"id": lead["status_id"], "pipeline_id": lead["pipeline_id"]}
        _check(history, "lead_status_changed", lambda value: value["lead_status"], place)
        _check(history, "entity_responsible_changed", lambda value: value["responsible_user"]["id"],
               lead["responsible_user_id"])  # fmt: skip
        _check(history, "sale_field_changed", lambda value: value["sale_field_value"]["sale"],
               lead["price"] if exact is None else exact)  # fmt: skip
        _check(history, "name_field_changed", lambda value: value["name_field_value"]["name"], lead["name"])
        assert exact is None or lead["price"] == int(exact)


def test_closing_and_reopening_stand_in_the_row(any_account: Account) -> None:
    for lead in any_account.leads:
        closed_at = None
        for at, _, after in any_account.of(lead, "lead_status_changed"):
            closed_at = at if after["lead_status"]["id"] in CLOSED else None
        assert lead["closed_at"] == closed_at
        assert lead["loss_reason_id"] is None or lead["status_id"] == 143
        reasons = [reason["id"] for reason in lead["_embedded"]["loss_reason"]]
        assert reasons == ([] if lead["loss_reason_id"] is None else [lead["loss_reason_id"]])


def test_tags_are_those_added_and_not_taken_away(any_account: Account) -> None:
    for kind, table in CARDS.items():
        for row in any_account.rows(table):
            tags: Counter[str] = Counter()
            for event in any_account.history[(kind, row["id"])]:
                if event["type"] == "entity_tag_added":
                    tags[event["value_after"][0]["tag"]["name"]] += 1
                elif event["type"] == "entity_tag_deleted":
                    tags[event["value_before"][0]["tag"]["name"]] -= 1
            shown = Counter(tag["name"] for tag in row["_embedded"]["tags"])
            assert shown == +tags
            assert set(tags.values()) <= {0, 1}


def test_deleted_restored_and_merged_rows_say_what_their_events_say(any_account: Account) -> None:
    merged = {
        (event["entity_type"], value["merge"]["entity"]["id"]): event["entity_id"]
        for event in any_account.events
        if event["type"] == "entity_merged"
        for value in event["value_before"]
    }
    for kind, table in CARDS.items():
        for row in any_account.rows(table):
            is_deleted = False
            for event in any_account.history[(kind, row["id"])]:
                if event["type"] == f"{kind}_deleted":
                    assert not is_deleted
                    is_deleted = True
                elif event["type"] == f"{kind}_restored":
                    assert is_deleted
                    is_deleted = False
            assert row["is_deleted"] == is_deleted
            assert row.get("_merged_into") == merged.pop((kind, row["id"]), None)
    assert merged == {}


def test_the_kind_of_a_lead_is_what_was_chosen_last(any_account: Account) -> None:
    for lead in any_account.leads:
        rows = {row["field_id"]: row for row in lead["custom_fields_values"] or []}
        shown = rows[911]["values"][0]["enum_id"] if 911 in rows else None
        told = None
        for event in any_account.history[("lead", lead["id"])]:
            if event["type"] == "custom_field_911_value_changed":
                before = [value["custom_field_value"]["enum_id"] for value in event["value_before"]]
                assert told is None or before == [told]
                told = event["value_after"][0]["custom_field_value"]["enum_id"]
        assert told in (None, shown)


def test_updated_at_is_the_last_change_of_the_card_itself(any_account: Account) -> None:
    for kind, table in CARDS.items():
        if table == "customers":
            continue  # transactions change the sums on the card and leave only events of their own
        for row in any_account.rows(table):
            if table == "leads" and "_merged_into" in row:
                continue  # the merge is told by the winner
            changes = [event for event in any_account.history[(kind, row["id"])] if _is_change(event)]
            last = max(changes, key=lambda event: event["created_at"])
            assert row["updated_at"] == last["created_at"], row["id"]
            assert row["updated_at"] >= row["created_at"]


def test_tasks_agree_with_their_events(any_account: Account) -> None:
    deadlines: dict[tuple[str, int], list[int]] = {}
    for task in any_account.tasks:
        history = {event["type"]: event for event in any_account.history[("task", task["id"])]}
        assert history["task_added"]["created_at"] == task["created_at"]
        assert history["task_added"]["created_by"] == task["created_by"]
        assert task["is_completed"] == ("task_completed" in history)
        assert task["result"] == [] or task["is_completed"]
        assert task["updated_at"] == max(event["created_at"] for event in history.values())
        if "task_deadline_changed" in history:
            value = history["task_deadline_changed"]["value_after"][0]
            assert value["task_deadline"]["timestamp"] == task["complete_till"]
        if not task["is_completed"] and task["entity_id"]:
            deadlines.setdefault((task["entity_type"], task["entity_id"]), []).append(task["complete_till"])
    for table in CARDS.values():
        for row in any_account.rows(table):
            assert row["closest_task_at"] == min(deadlines.get((table, row["id"]), []), default=None)


def test_customers_sum_up_their_transactions(any_account: Account) -> None:
    paid: dict[int, list[float]] = {}
    for row in any_account.rows("transactions"):
        assert row["_embedded"]["customer"] == {"id": row["customer_id"]}
        if not row["is_deleted"]:
            paid.setdefault(row["customer_id"], []).append(row["price"])
    segments = Counter(
        each["id"] for row in any_account.rows("customers") for each in row["_embedded"]["segments"]
    )
    assert segments == Counter({row["id"]: row["customers_count"] for row in any_account.rows("segments")})
    statuses = {row["id"] for row in any_account.rows("customers_statuses")}
    for customer in any_account.rows("customers"):
        assert customer["status_id"] in statuses
        prices = paid.get(customer["id"], [])
        assert customer["purchases_count"] == len(prices)
        assert round(customer["ltv"] * 100) == round(sum(prices) * 100)
        added = any_account.history[("customer", customer["id"])][0]
        assert (added["type"], added["created_at"]) == ("customer_added", customer["created_at"])
