"""The account's life: what an action changes, which events it leaves, and the same through the API."""

import pytest

from tests.sandbox.amocrm.support import ACCOUNT_ID, Client


def test_moving_a_lead_to_won_and_back(client: Client) -> None:
    client.do("move_lead", lead_id=7001, status_id=142, by=502)
    lead = client.get("leads/7001").json()
    assert (lead["status_id"], lead["updated_by"]) == (142, 502)
    assert lead["closed_at"] == lead["updated_at"] > 1760000000
    (event,) = client.events_of(7001, "lead_status_changed")
    assert event["value_before"] == [{"lead_status": {"id": 4101, "pipeline_id": 3100}}]
    assert event["value_after"] == [{"lead_status": {"id": 142, "pipeline_id": 3100}}]
    assert (event["entity_type"], event["created_by"], event["account_id"]) == ("lead", 502, ACCOUNT_ID)
    client.do("move_lead", lead_id=7001, status_id=4102)
    assert client.get("leads/7001").json()["closed_at"] is None


def test_a_price_with_kopecks_is_told_with_them(client: Client) -> None:
    for patch in ({"price_with_minor_units": 1000.5}, {"price_with_minor_units": 1000.75}, {"price": 2000}):
        client.call("PATCH", "leads/7001", json=patch)
    told = [
        (
            event["value_before"][0]["sale_field_value"]["sale"],
            event["value_after"][0]["sale_field_value"]["sale"],
        )
        for event in client.events_of(7001, "sale_field_changed")
    ]
    assert sorted(told) == [(1000, 1000.5), (1000.5, 1000.75), (1000.75, 2000)]
    lead = client.get("leads/7001").json()
    assert (lead["price"], lead["price_with_minor_units"]) == (2000, 2000)


def test_losing_a_lead_keeps_the_reason_until_it_is_reopened(client: Client) -> None:
    client.do("lose_lead", lead_id=7001, loss_reason_id=61)
    lead = client.get("leads/7001?with=loss_reason").json()
    assert (lead["loss_reason_id"], lead["_embedded"]["loss_reason"][0]["name"]) == (61, "Дорого")
    client.do("move_lead", lead_id=7001, status_id=4101)
    lead = client.get("leads/7001?with=loss_reason").json()
    assert (lead["loss_reason_id"], lead["_embedded"]["loss_reason"]) == (None, [])


def test_moving_to_another_pipeline_takes_its_first_stage(client: Client) -> None:
    client.do("move_lead", lead_id=7001, pipeline_id=3200)
    lead = client.get("leads/7001").json()
    assert (lead["pipeline_id"], lead["status_id"]) == (3200, 4201)


def test_reassigning_changes_the_group_too(client: Client) -> None:
    client.do("reassign", id=7001, user_id=502)
    lead = client.get("leads/7001").json()
    assert (lead["responsible_user_id"], lead["group_id"]) == (502, 88)
    (event,) = client.events_of(7001, "entity_responsible_changed")
    assert (event["value_before"], event["value_after"]) == (
        [{"responsible_user": {"id": 501}}],
        [{"responsible_user": {"id": 502}}],
    )


def test_each_changed_field_has_its_event_and_no_change_has_none(client: Client) -> None:
    before = client.row("leads", 7001)
    client.do("edit", id=7001, set={"name": before["name"], "price": before["price"]})
    assert client.row("leads", 7001) == before
    values = [
        {"field_id": 911, "values": [{"enum_id": 78}]},
        {"field_code": "UTM_SOURCE", "values": [{"value": "ya"}]},
    ]
    client.do(
        "edit",
        id=7001,
        set={
            "name": "Новое",
            "price": 5,
            "custom_fields_values": values,
            "tags_to_add": [{"name": "горячий"}],
            "tags_to_delete": [{"name": "vip"}],
        },
    )
    kinds = [event["type"] for event in client.events_of(7001) if event["created_at"] > 1770000000]
    assert sorted(kinds) == sorted(
        [
            "name_field_changed",
            "sale_field_changed",
            "custom_field_911_value_changed",
            "custom_field_910_value_changed",
            "entity_tag_added",
            "entity_tag_deleted",
        ]
    )
    (event,) = client.events_of(7001, "custom_field_911_value_changed")
    assert event["value_before"][0]["custom_field_value"] == {
        "field_id": 911,
        "field_type": 4,
        "enum_id": 77,
        "text": "Опт",
    }
    lead = client.get("leads/7001").json()
    assert [tag["name"] for tag in lead["_embedded"]["tags"]] == ["горячий"]
    assert [field["values"][0]["value"] for field in lead["custom_fields_values"]] == ["Розница", "ya"]
    client.do("edit", id=7001, set={"custom_fields_values": [{"field_id": 911, "values": None}]})
    assert [field["field_id"] for field in client.row("leads", 7001)["custom_fields_values"]] == [910]


def test_tasks_drive_closest_task_at_without_touching_the_lead(client: Client) -> None:
    before = client.row("leads", 7001)
    task = client.do("create_task", lead_id=7001, text="Раньше", complete_till=1760000500)
    assert client.row("leads", 7001) == {**before, "closest_task_at": 1760000500}
    client.do("complete_task", task_id=task["id"], result="Дозвонился")
    assert client.row("leads", 7001) == before
    done = client.get(f"tasks/{task['id']}").json()
    assert (done["is_completed"], done["result"]) == (True, {"text": "Дозвонился"})
    assert [e["type"] for e in client.events_of(task["id"])] == [
        "task_added",
        "task_completed",
        "task_result_added",
    ]
    client.do("delete_task", task_id=120001)
    assert client.row("leads", 7001)["closest_task_at"] is None
    assert client.get("tasks/120001").status_code == 204


def test_calls_on_leads_and_contacts(client: Client) -> None:
    on_lead = client.do("call", id=7001, direction="out", duration=73, call_status=4, by=502)
    on_contact = client.do("call", id=8001, entity="contacts", direction="in", duration=0)
    (note,) = client.rows("leads/notes?filter[note_type][]=call_out", "notes")
    assert note["id"] == on_lead["id"]
    assert (note["params"]["duration"], note["params"]["call_status"], note["created_by"]) == (73, 4, 502)
    (event,) = client.events_of(7001, "outgoing_call")
    assert event["value_after"] == [{"note": {"id": on_lead["id"]}}]
    (event,) = client.events_of(8001, "incoming_call")
    assert event["entity_type"] == "contact"
    (note,) = client.rows("contacts/8001/notes", "notes")
    assert note["id"] == on_contact["id"] > on_lead["id"]
    assert "call_status" not in note["params"]


def test_delete_restore_purge(client: Client) -> None:
    client.do("delete", id=7001)
    assert client.get("leads/7001").status_code == 204
    assert client.row("leads", 7001)["is_deleted"] is True
    client.do("restore", id=7001)
    assert client.get("leads/7001").json()["name"] == "Заказ 7001"
    kinds = [event["type"] for event in client.events_of(7001)][-2:]
    assert kinds == ["lead_deleted", "lead_restored"]
    client.do("delete", id=7001)
    client.do("purge", id=7001)
    assert all(lead["id"] != 7001 for lead in client.truth("leads"))


def test_merge_moves_everything_to_the_winner(client: Client) -> None:
    client.do("merge", main_id=7002, ids=[7001])
    assert client.get("leads/7001").status_code == 204
    assert client.row("leads", 7001)["_merged_into"] == 7002
    assert client.row("notes_leads", 660001)["entity_id"] == 7002
    assert client.row("tasks", 120001)["entity_id"] == 7002
    winner = client.get("leads/7002?with=contacts").json()
    assert [contact["id"] for contact in winner["_embedded"]["contacts"]] == [8001]
    assert client.row("contacts", 8001)["_embedded"]["leads"] == [{"id": 7002}]
    assert [event["type"] for event in client.events_of(7002)][-1] == "entity_merged"


def test_new_lead_with_contact_is_linked_both_ways(client: Client) -> None:
    made = client.do("create_lead", name="Новый", price=10, contact_id=8002, by=502)
    lead = client.get(f"leads/{made['id']}?with=contacts").json()
    assert (lead["status_id"], lead["pipeline_id"], lead["responsible_user_id"], lead["group_id"]) == (
        4101,
        3100,
        502,
        88,
    )
    assert client.row("contacts", 8002)["_embedded"]["leads"] == [{"id": made["id"]}]
    assert [event["type"] for event in client.events_of(made["id"])] == ["lead_added", "entity_linked"]


def test_stages_users_and_rights(client: Client) -> None:
    client.do("rename_stage", pipeline_id=3100, status_id=4101, name="Свежая")
    assert client.get("leads/pipelines/3100/statuses/4101").json()["name"] == "Свежая"
    client.do("delete_stage", pipeline_id=3100, status_id=4101, move_to=4102)
    assert client.get("leads/pipelines/3100/statuses/4101").status_code == 204
    assert client.get("leads/7001").json()["status_id"] == 4102
    client.do("change_rights", user_id=502, rights={"leads": {"view": "D"}})
    assert client.row("users", 502)["rights"]["leads"]["view"] == "D"
    client.do("dismiss_user", user_id=502, transfer_to=501)
    assert client.row("users", 502)["rights"]["is_active"] is False
    assert client.get("leads/7002").json()["responsible_user_id"] == 501


@pytest.mark.parametrize(
    "action",
    [
        {"do": "fly"},
        {"do": "move_lead"},
        {"do": "move_lead", "lead_id": 7001, "status_id": 5},
        {"do": "move_lead", "lead_id": 7004, "status_id": 142},
        {"do": "move_lead", "lead_id": 1, "status_id": 142},
        {"do": "reassign", "id": 7001, "user_id": 9},
        {"do": "purge", "id": 7001},
        {"do": "create_task", "lead_id": 5, "text": "x", "complete_till": 1},
        {},
    ],
)
def test_an_impossible_action_changes_nothing(client: Client, action: dict[str, object]) -> None:
    before = (client.truth("leads"), client.truth("events"), client.truth("tasks"))
    response = client.http.post(f"{client.url}/_sandbox/actions", json=[action])
    assert response.status_code == 400
    assert response.json()["error"]
    assert (client.truth("leads"), client.truth("events"), client.truth("tasks")) == before


def test_api_writes_take_the_same_path(client: Client) -> None:
    response = client.call("PATCH", "leads", json=[{"id": 7001, "status_id": 142, "request_id": "a"}])
    (thin,) = response.json()["_embedded"]["leads"]
    assert (response.status_code, set(thin)) == (200, {"id", "updated_at", "request_id", "_links"})
    assert thin["request_id"] == "a"
    assert client.events_of(7001, "lead_status_changed")[0]["created_by"] == 501
    made = client.call(
        "POST", "leads", json=[{"name": "Из API", "created_at": 1700000000, "created_by": 0}]
    ).json()
    lead = client.get(f"leads/{made['_embedded']['leads'][0]['id']}").json()
    assert (lead["created_at"], lead["created_by"], lead["name"]) == (1700000000, 0, "Из API")
    single = client.call("PATCH", "leads/7002", json={"price": 7})
    assert (single.status_code, single.json()["id"]) == (200, 7002)
    task = client.call(
        "POST", "tasks", json=[{"text": "x", "complete_till": 5, "entity_id": 7001, "entity_type": "leads"}]
    ).json()["_embedded"]["tasks"][0]
    client.call("PATCH", f"tasks/{task['id']}", json={"is_completed": True, "result": {"text": "да"}})
    assert client.get(f"tasks/{task['id']}").json()["result"] == {"text": "да"}
    note = client.call(
        "POST", "leads/7001/notes", json=[{"note_type": "common", "params": {"text": "привет"}}]
    )
    assert note.json()["_embedded"]["notes"][0]["entity_id"] == 7001
    assert len(client.rows("leads/7001/notes", "notes")) == 2


def test_complex_lead_makes_its_contact_and_company(client: Client) -> None:
    body = [
        {
            "name": "Сложный",
            "price": 3,
            "_embedded": {
                "contacts": [
                    {
                        "first_name": "Анна",
                        "custom_fields_values": [
                            {"field_code": "PHONE", "values": [{"value": "+79990000001", "enum_code": "MOB"}]}
                        ],
                    }
                ],
                "companies": [{"name": "АО"}],
            },
        }
    ]
    (made,) = client.call("POST", "leads/complex", json=body).json()
    assert (made["merged"], made["request_id"]) == (False, ["0"])
    contact = client.row("contacts", made["contact_id"])
    assert contact["custom_fields_values"][0]["values"] == [
        {"value": "+79990000001", "enum_id": 715, "enum_code": "MOB"}
    ]
    assert contact["_embedded"]["companies"] == [{"id": made["company_id"]}]
    assert client.row("leads", made["id"])["_embedded"]["contacts"] == [
        {"id": made["contact_id"], "is_main": True}
    ]


@pytest.mark.parametrize(
    ("path", "item", "where"),
    [
        ("leads", {"status_id": 5}, "status_id"),
        ("leads", {"price": "много"}, "price"),
        (
            "leads",
            {"custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}]},
            "custom_fields_values.0.field_id",
        ),
        ("leads", {"responsible_user_id": 77}, "responsible_user_id"),
        ("tasks", {"text": "x"}, "complete_till"),
        ("leads/notes", {"entity_id": 7001, "note_type": "common", "params": {}}, "params.text"),
        ("leads/notes", {"entity_id": 1, "note_type": "common", "params": {"text": "x"}}, "entity_id"),
        ("leads/notes", {"entity_id": 7001, "note_type": "nonsense"}, "note_type"),
    ],
)
def test_bad_field_refuses_the_whole_batch(
    client: Client, path: str, item: dict[str, object], where: str
) -> None:
    good: dict[str, object] = {
        "name": "x",
        "text": "x",
        "complete_till": 5,
        "entity_id": 7001,
        "entity_type": "leads",
        "note_type": "common",
        "params": {"text": "x"},
    }
    before = len(client.truth("leads")), len(client.truth("events"))
    response = client.call("POST", path, json=[good, {**item, "request_id": "q"}])
    body = response.json()
    assert (response.status_code, body["title"], body["status"]) == (400, "Bad Request", 400)
    error = body["validation-errors"][0]
    assert (error["request_id"], error["errors"][0]["path"]) == ("q", where)
    assert (len(client.truth("leads")), len(client.truth("events"))) == before


def test_event_ids_are_unique_strings_and_grow_with_time(client: Client) -> None:
    client.do("bulk_edit", ids=[7001, 7002, 7003], set={"price": 9})
    ids = [event["id"] for event in client.truth("events") if event["type"] == "sale_field_changed"]
    assert len(set(ids)) == 3
    assert all(isinstance(event_id, str) and len(event_id) == 26 for event_id in ids)
