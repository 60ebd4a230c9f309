"""What people do with many cards at once: imports, merges, bulk deletions, robots, dismissals."""

import pytest

from sandbox.amocrm.life.actions import ACTIONS
from tests.sandbox.amocrm.hooked import Queue, fields_of, head_of, heads, made
from tests.sandbox.amocrm.support import Client, Row


def test_an_import_may_lie_in_the_past(shared: Client, queue: Queue) -> None:
    old = {"created_at": 1500000000, "updated_at": 1500000500, "created_by": 502}
    rows = [
        {"name": "Открытая", **old},
        {"name": "Проданная", "status_id": 142, "closed_at": 1500000400, **old},
    ]
    queue.fresh()
    ids = shared.do("import_rows", rows=rows)["ids"]
    open_lead, won = (shared.get(f"leads/{row_id}").json() for row_id in ids)
    names = ("created_at", "updated_at", "created_by", "closed_at")
    assert [open_lead[name] for name in names] == [1500000000, 1500000500, 502, None]
    assert [won[name] for name in names] == [1500000000, 1500000500, 502, 1500000400]
    (body,) = queue.fresh()
    assert [fields_of(body, n)["updated_at"] for n in range(2)] == ["1500000500"] * 2
    (contact,) = shared.do("import_rows", entity="contacts", rows=[{"name": "Ян", **old}])["ids"]
    (task,) = shared.do(
        "import_rows",
        entity="tasks",
        rows=[
            {
                "text": "Старая",
                "complete_till": 1500000900,
                "entity_type": "leads",
                "entity_id": ids[0],
                **old,
            }
        ],
    )["ids"]
    (note,) = shared.do("import_rows", entity="notes_leads", rows=[
        {"entity_id": ids[0], "note_type": "common", "params": {"text": "x"}, **old}])["ids"]  # fmt: skip
    assert shared.row("contacts", contact)["updated_at"] == 1500000500
    assert (shared.row("tasks", task)["created_at"], shared.row("tasks", task)["updated_at"]) == (
        1500000000,
        1500000500,
    )
    assert shared.row("notes_leads", note)["created_at"] == 1500000000
    assert shared.row("leads", ids[0])["updated_at"] == 1500000500
    assert shared.row("leads", ids[0])["closest_task_at"] == 1500000900


def belongings(client: Client, lead: int) -> tuple[int, int, int]:
    """A contact, a task and a note of a lead, all from long ago."""
    old = {"created_at": 1500000000, "updated_at": 1500000000}
    contact = made(client, "create_contact", name="Ян", lead_id=lead)
    task = made(client, "create_task", lead_id=lead, text="x", complete_till=1500009000, **old)
    note = made(client, "add_note", id=lead, text="x", **old)
    return contact, task, note


def test_a_merge_moves_everything_without_a_new_updated_at(shared: Client, queue: Queue) -> None:
    winner, loser, third = (made(shared, "create_lead", name=name, price=5) for name in "АБВ")
    contact, task, note = belongings(shared, loser)
    shared.do("link", id=loser, to_id=42, to_entity="catalog_elements", quantity=2)
    company = made(shared, "create_company", name="АО")
    shared.do("link", id=third, to_id=company, to_entity="companies")
    shared.do("chat_message", contact_id=contact, text="?")
    queue.fresh()
    shared.do("merge", main_id=winner, ids=[loser, third, winner], set={"price": 50}, by=502)
    lead = shared.get(f"leads/{winner}?with=contacts,catalog_elements").json()
    assert (lead["price"], lead["updated_by"], lead["closest_task_at"]) == (50, 502, 1500009000)
    assert [(item["id"], item["is_main"]) for item in lead["_embedded"]["contacts"]] == [(contact, True)]
    assert [item["id"] for item in lead["_embedded"]["companies"]] == [company]
    assert [item["id"] for item in lead["_embedded"]["catalog_elements"]] == [42]
    moved_task, moved_note = shared.row("tasks", task), shared.row("notes_leads", note)
    assert (moved_task["entity_id"], moved_task["updated_at"]) == (winner, 1500000000)
    assert (moved_note["entity_id"], moved_note["updated_at"]) == (winner, 1500000000)
    assert [row["entity_id"] for row in shared.truth("talks") if row["contact_id"] == contact] == [winner]
    assert shared.row("contacts", contact)["_embedded"]["leads"] == [{"id": winner}]
    assert shared.row("companies", company)["_embedded"]["leads"] == [{"id": winner}]
    for gone in (loser, third):
        assert shared.get(f"leads/{gone}").status_code == 204
        assert shared.row("leads", gone)["_merged_into"] == winner
    (event,) = shared.events_of(winner, "entity_merged")
    assert [item["merge"]["entity"]["id"] for item in event["value_before"]] == [loser, third]
    assert heads(queue.fresh()) == ["leads[update]"]


@pytest.mark.parametrize(("entity", "one"), [("contacts", "contact"), ("companies", "company")])
def test_contacts_and_companies_merge_too(shared: Client, queue: Queue, entity: str, one: str) -> None:
    winner, loser = (made(shared, f"create_{one}", name=name) for name in "АБ")
    lead = made(shared, "create_lead", name="A")
    other = made(shared, "create_contact", name="Главный")
    if entity == "contacts":
        shared.do("link", id=lead, to_id=loser)
        shared.do("link", id=lead, to_id=other)
    else:
        shared.do("link", id=lead, to_id=loser, to_entity=entity)
    note = made(shared, "call", id=loser, entity=entity)
    queue.fresh()
    shared.do("merge", entity=entity, main_id=winner, ids=[loser])
    assert shared.get(f"{entity}/{loser}").status_code == 204
    assert [item["id"] for item in shared.row(entity, winner)["_embedded"]["leads"]] == [lead]
    assert shared.row(f"notes_{entity}", note)["entity_id"] == winner
    shown = shared.row("leads", lead)["_embedded"][entity]
    assert winner in [item["id"] for item in shown]
    assert loser not in [item["id"] for item in shown]
    if entity == "contacts":
        assert {item["id"]: item["is_main"] for item in shown} == {winner: True, other: False}
    (event,) = shared.events_of(winner, "entity_merged")
    assert event["entity_type"] == one
    assert heads(queue.fresh()) == ["contacts[update]"]


def test_a_merge_may_send_deletions(shared: Client, queue: Queue) -> None:
    winner, loser = made(shared, "create_lead", name="А"), made(shared, "create_lead", name="Б")
    queue.fresh()
    shared.door("limits", merge_hooks="delete_and_update")
    try:
        shared.do("merge", main_id=winner, ids=[loser])
    finally:
        shared.door("limits", merge_hooks=None)
    bodies = queue.fresh()
    assert heads(bodies) == ["leads[delete]", "leads[update]"]
    (body,) = [body for body in bodies if head_of(body) == "leads[delete]"]
    assert fields_of(body)["id"] == str(loser)


def test_a_robot_moves_in_nobodys_name(shared: Client) -> None:
    lead = made(shared, "create_lead", name="A")
    shared.do("robot_move", lead_id=lead, status_id=4102, by=502)
    (event,) = shared.events_of(lead, "lead_status_changed")
    assert (event["created_by"], shared.row("leads", lead)["updated_by"]) == (0, 0)


def test_bulk_deletions_share_a_body(shared: Client, queue: Queue) -> None:
    ids = [made(shared, "create_lead", name=name) for name in "АБ"]
    queue.fresh()
    shared.do("bulk_delete", ids=ids)
    (body,) = queue.fresh()
    assert [fields_of(body, n)["id"] for n in range(2)] == [str(row_id) for row_id in ids]


def test_a_dismissed_users_leads_are_handed_over(shared: Client, queue: Queue) -> None:
    lead = made(shared, "create_lead", name="A", responsible_user_id=503)
    queue.fresh()
    shared.do("dismiss_user", user_id=503, transfer_to=501)
    assert shared.get(f"leads/{lead}").json()["responsible_user_id"] == 501
    assert heads(queue.fresh()) == ["leads[responsible]", "leads[update]"]
    (event,) = shared.events_of(lead, "entity_responsible_changed")
    assert event["value_before"] == [{"responsible_user": {"id": 503}}]


def test_a_contacts_name_follows_its_parts(shared: Client) -> None:
    contact = made(shared, "create_contact", first_name="Анна", last_name="Ким")
    assert shared.get(f"contacts/{contact}").json()["name"] == "Анна Ким"
    shared.call("PATCH", f"contacts/{contact}", json={"last_name": "Ли"})
    assert shared.get(f"contacts/{contact}").json()["name"] == "Анна Ли"
    assert len(shared.events_of(contact, "name_field_changed")) == 1


@pytest.mark.parametrize(
    "action",
    [
        {"do": "merge", "main_id": 7001, "ids": [7001]},
        {"do": "merge", "main_id": 7001, "ids": [1]},
        {"do": "bulk_delete", "ids": [7001, 1]},
        {"do": "import_rows", "rows": [{"name": "x"}, {"status_id": 5}]},
        {"do": "import_rows", "entity": "dogs", "rows": [{}]},
        {"do": "link", "id": 7001, "to_id": 1},
        {"do": "delete_note", "note_id": 1},
        {"do": "accept_unsorted", "uid": "nobody"},
    ],
)
def test_an_impossible_action_changes_nothing(shared: Client, action: Row) -> None:
    before = [shared.truth(name) for name in ("leads", "contacts", "events", "notes_leads")]
    response = shared.http.post(f"{shared.url}/_sandbox/actions", json=[action])
    assert response.status_code == 400, response.text
    assert [shared.truth(name) for name in ("leads", "contacts", "events", "notes_leads")] == before


def test_every_action_says_what_it_does() -> None:
    assert [name for name, action in ACTIONS.items() if not action.__doc__] == []
