"""Filters, `with=` and the delayed index: what each list finds, and when."""

from collections.abc import Iterator

import pytest

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from tests.sandbox.amocrm.support import Client, Row, account_json, small_account, write_account

WON = "filter[value_after][leads_statuses][0]"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of one simulator for all tests that only read."""
    home = tmp_path_factory.mktemp("read")
    (home / "state").mkdir()
    source = Source(snapshots=(write_account(home / "snapshot", account_json(), small_account()),))
    running = Simulator(home / "state", source)
    running.world.switches.change({"rate_limit": 0})
    running.start()
    made = Client(running.url)
    yield made
    made.http.close()
    running.close()


def ids(rows: list[Row]) -> list[object]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[name]=Заказ 7002", [7002]),
        ("filter[name][]=Заказ 7002&filter[name][]=Заказ 7003", [7002, 7003]),
        ("filter[price]=1000", [7001, 7003]),
        ("filter[price][from]=1000&filter[price][to]=1000", [7001, 7003]),
        ("filter[pipeline_id]=3200", [7003]),
        ("filter[pipeline_id][]=3200&filter[pipeline_id][]=3100", [7001, 7002, 7003]),
        ("filter[created_by]=0", [7001, 7002, 7003]),
        ("filter[updated_by]=502", []),
        ("filter[created_at][from]=1760007002", [7002, 7003]),
        ("filter[created_at]=1760007002", [7002]),
        ("filter[closed_at][from]=1760100000&filter[closed_at][to]=1760100000", [7003]),
        ("filter[closed_at][from]=1760100001", []),
        ("filter[closest_task_at][to]=1760086400", [7001]),
        ("filter[statuses][0][pipeline_id]=null&filter[statuses][0][status_id]=142", [7003]),
        ("filter[statuses][0][status_id]=142", [7001, 7002, 7003]),
        (
            "filter[statuses][0][pipeline_id]=3100&filter[statuses][0][status_id]=4101"
            "&filter[statuses][1][pipeline_id]=3200&filter[statuses][1][status_id]=142",
            [7001, 7002, 7003],
        ),
        ("filter[custom_fields_values][911]=77", [7001]),
        ("filter[custom_fields_values][911][]=Опт", [7001]),
        ("filter[id][]=99999999999999999999999", []),
        ("filter[nonsense]=1", [7001, 7002, 7003]),
        ("order[created_at]=desc", [7003, 7002, 7001]),
        ("order[id]=desc", [7003, 7002, 7001]),
    ],
)
def test_filters_of_leads(reader: Client, query: str, expected: list[int]) -> None:
    assert ids(reader.rows(f"leads?{query}", "leads")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[is_completed]=0", [120001]),
        ("filter[is_completed][]=0&filter[is_completed][]=1", [120001, 120002]),
        ("filter[task_type]=1", [120001, 120002]),
        ("filter[task_type_id][]=2", []),
        ("filter[entity_type]=leads", [120001]),
        ("filter[entity_type]=leads&filter[entity_id][]=7001", [120001]),
        ("filter[responsible_user_id]=502", []),
        ("filter[created_by]=501", [120001, 120002]),
        ("filter[updated_at]=1760000001", []),
        ("filter[lead_statuses][0][pipeline_id]=3100&filter[lead_statuses][0][status_id]=4101", [120001]),
        ("filter[lead_statuses][0][pipeline_id]=3100&filter[lead_statuses][0][status_id]=142", []),
        ("filter[complete_till][from]=1", [120001, 120002]),  # there is no such filter
        ("order[complete_till]=desc&filter[id]=120001", [120001]),
    ],
)
def test_filters_of_tasks(reader: Client, query: str, expected: list[int]) -> None:
    assert ids(reader.rows(f"tasks?{query}", "tasks")) == expected


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("filter[note_type]=common", 2),
        ("filter[note_type][]=call_in&filter[note_type][]=call_out", 1),
        ("filter[entity_id][]=7002", 1),
        ("filter[updated_at][to]=1760000100", 1),
        ("filter[id]=660001", 1),
    ],
)
def test_filters_of_notes(client: Client, query: str, count: int) -> None:
    client.do("call", id=7001, direction="in")
    client.do("add_note", id=7002, text="x")
    assert len(client.rows(f"leads/notes?{query}", "notes")) == count


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filter[entity]=lead&filter[entity_id]=1,2,3,4,5,6,7,8,9,10", 204),
        ("filter[entity]=lead&filter[entity_id]=1,2,3,4,5,6,7,8,9,10,11", 400),
        ("filter[entity]=lead,contact&filter[entity_id]=7001", 400),
        ("filter[created_by]=1,2,3,4,5,6,7,8,9,10,11", 400),
        ("filter[id]=" + ",".join("x" * 101), 400),
        ("filter[value_after][custom_field_values]=77", 400),
        ("filter[type]=lead_added,lead_deleted&filter[value_after][custom_field_values]=77", 400),
        ("filter[type]=lead_added&filter[value_after][custom_field_values]=77", 204),
        ("filter[entity]=lead,contact", 200),
        ("filter[created_by]=501,502", 200),
        ("filter[created_at]=1760000003,1760000003", 200),
    ],
)
def test_what_filters_of_events_take(reader: Client, query: str, status: int) -> None:
    assert reader.get(f"events?{query}").status_code == status


def test_events_are_found_by_either_value(client: Client) -> None:
    client.do("move_lead", lead_id=7001, status_id=142)
    client.do("reassign", id=7002, user_id=503)
    client.do("edit", id=7002, set={"price": 155, "name": "Другое"})
    choice = [{"field_id": 911, "values": [{"enum_id": 78}]}]
    client.do("edit", id=7001, set={"custom_fields_values": choice})

    def found(query: str) -> list[tuple[str, int]]:
        rows = client.rows(f"events?limit=100&{query}", "events")
        return [(row["type"], row["entity_id"]) for row in rows]

    moved = [("lead_status_changed", 7001)]
    assert found(f"{WON}[pipeline_id]=3100&{WON}[status_id]=142") == moved
    assert found(f"{WON}[pipeline_id]=&{WON}[status_id]=142") == moved
    before = WON.replace("after", "before")
    assert found(f"{before}[pipeline_id]=3100&{before}[status_id]=4101") == moved
    assert found(f"{before}[pipeline_id]=3100&{before}[status_id]=142") == []
    handed = [("entity_responsible_changed", 7002)]
    assert found("filter[value_after][responsible_user_id]=503") == handed
    assert found("filter[value_before][responsible_user_id]=502") == handed
    assert found("filter[value_after][value]=155") == [("sale_field_changed", 7002)]
    assert found("filter[value_before][value]=2500") == [("sale_field_changed", 7002)]
    assert found("filter[value_after][value]=Другое") == [("name_field_changed", 7002)]
    chosen = [("custom_field_911_value_changed", 7001)]
    kind = "filter[type]=custom_field_911_value_changed"
    assert found(f"{kind}&filter[value_after][custom_field_values]=78") == chosen
    assert found(f"{kind}&filter[value_before][custom_field_values]=77") == chosen


def test_events_name_what_they_are_about(client: Client) -> None:
    client.do("add_note", id=7001, text="текст")
    client.do("edit", id=8001, entity="contacts", set={"name": "Иван Петров"})

    def first(query: str) -> Row:
        return client.rows(f"events?limit=1&{query}", "events")[0]

    lead = "filter[entity]=lead&filter[entity_id]=7001"
    assert set(first(lead)["_embedded"]["entity"]) == {"id", "_links"}
    assert first(f"{lead}&with=lead_name")["_embedded"]["entity"]["name"] == "Заказ 7001"
    assert "name" not in first(f"{lead}&with=contact_name")["_embedded"]["entity"]
    assert first("filter[entity]=contact&with=contact_name")["_embedded"]["entity"]["name"] == "Иван Петров"
    bare = first(f"{lead}&filter[type]=common_note_added")["value_after"][0]["note"]
    assert set(bare) == {"id"}
    noted = first(f"{lead}&filter[type]=common_note_added&with=note")
    assert noted["value_after"][0]["note"]["params"] == {"text": "текст"}
    one = client.get(f"events/{noted['id']}?with=lead_name,note").json()
    assert one["_embedded"]["entity"]["name"] == "Заказ 7001"
    assert set(one) == {"id", "type", "entity_id", "entity_type", "created_by", "created_at", "value_after",
                        "value_before", "account_id", "_links", "_embedded"}  # fmt: skip


def test_notes_say_on_demand_whether_they_are_pinned(client: Client) -> None:
    assert "is_pinned" not in client.get("leads/notes/660001").json()
    assert client.get("leads/notes/660001?with=is_pinned").json()["is_pinned"] is False
    assert client.call("POST", "leads/notes/660001/pin").status_code == 204
    assert [row["is_pinned"] for row in client.rows("leads/notes?with=is_pinned", "notes")] == [True]
    assert "is_pinned" not in client.get("leads/notes/660001").json()


def test_shapes_of_rows(reader: Client) -> None:
    rows = reader.rows("tasks", "tasks")
    assert [row["result"] for row in rows] == [[], {"text": "Готово"}]
    assert [(row["entity_id"], row["entity_type"]) for row in rows] == [(7001, "leads"), (None, None)]
    leads = reader.rows("leads?with=loss_reason", "leads")
    assert [row["custom_fields_values"] for row in leads][1:] == [[], None]
    assert leads[0]["_embedded"]["loss_reason"] == []
    event = reader.rows("events?limit=1", "events")[0]
    assert (type(event["id"]), event["value_before"]) == (str, [])
    assert "companies" not in reader.rows("companies", "companies")[0]["_embedded"]
    assert set(reader.rows("contacts", "contacts")[0]["_embedded"]) == {"tags", "companies"}


def test_concurrent_writes_shift_pages(client: Client) -> None:
    def page(number: int) -> list[object]:
        return ids(client.rows(f"leads?limit=2&page={number}&order[updated_at]=asc", "leads"))

    first = page(1)
    client.do("edit", id=7001, set={"price": 7})  # goes to the end
    assert (first, page(2)) == ([7001, 7002], [7001])
    assert page(1) == [7002, 7003]


def test_filtered_lists_see_fresh_rows_late(client: Client) -> None:
    client.door("limits", visibility_delay_s=120)
    new = client.do("create_lead", name="Свежий", pipeline_id=3100)["id"]
    client.do("edit", id=7001, set={"price": 7})
    now = client.row("leads", 7001)["updated_at"]
    window = f"leads?filter[updated_at][from]={now - 60}"
    assert ids(client.rows("leads", "leads")) == [7001, 7002, 7003, new]
    assert client.get(f"leads/{new}").status_code == 200
    assert client.rows(window, "leads") == []
    assert ids(client.rows(f"leads?filter[id][]=7001&filter[id][]={new}", "leads")) == [7001]
    assert client.rows(f"events?filter[created_at][from]={now - 60}", "events") == []
    client.door("clock", advance_s=121)
    assert ids(client.rows(window, "leads")) == [7001, new]
    assert client.rows(f"events?filter[created_at][from]={now - 60}", "events") != []
