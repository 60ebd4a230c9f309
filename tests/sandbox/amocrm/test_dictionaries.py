"""Pipelines, statuses, loss reasons, tags, sources and field definitions: written by administrators."""

from typing import Any

import pytest

from tests.sandbox.amocrm.support import Client, Row


def send(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and decoded body (None when there is none)."""
    response = client.call(method, path, json=body) if body is not None else client.call(method, path)
    return response.status_code, response.json() if response.content else None


def names(text: str) -> set[str]:
    """The words of a line."""
    return set(text.split())


def made(client: Client, path: str, key: str, *items: Row, status: int = 200) -> list[Row]:
    """The rows that a POST answers."""
    code, body = send(client, "POST", path, list(items))
    assert code == status, body
    return list(body["_embedded"][key])


def test_a_new_pipeline_has_the_system_statuses_around_its_own(client: Client) -> None:
    asked = [
        {"name": "Проба", "color": "#ff8f92", "sort": 30},
        {"id": 142, "name": "Куплено", "color": "#fffeb2"},
    ]
    item = {"name": "Опт", "request_id": "mine", "_embedded": {"statuses": asked}}
    (row,) = made(client, "leads/pipelines", "pipelines", item)
    assert row["request_id"] == "mine"
    assert (row["is_main"], row["is_unsorted_on"], row["is_archive"]) == (False, True, False)
    shown = client.get(f"leads/pipelines/{row['id']}").json()
    assert set(shown) == names("id name sort is_main is_unsorted_on is_archive account_id _links _embedded")
    statuses = shown["_embedded"]["statuses"]
    assert [(s["name"], s["type"], s["sort"], s["is_editable"], s["color"]) for s in statuses] == [
        ("Неразобранное", 1, 10, False, "#c1c1c1"),
        ("Проба", 0, 30, True, "#ff8f92"),
        ("Куплено", 0, 10000, False, "#fffeb2"),
        ("Закрыто и не реализовано", 0, 11000, False, "#D5D8DB"),
    ]
    assert [s["id"] for s in statuses][2:] == [142, 143]
    assert set(statuses[1]) == names("id name sort is_editable pipeline_id color type account_id _links")
    lead = client.do("create_lead", name="x", pipeline_id=row["id"])
    assert client.row("leads", lead["id"])["status_id"] == statuses[1]["id"]


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("date", "2026-01-01T00:00:00+03:00", 1767214800),
        ("date_time", "2026-01-01T00:00:00Z", 1767225600),
        ("birthday", 641592000, 641592000),
        ("numeric", 1.5, "1.5"),
        ("text", 5, "5"),
        ("checkbox", 1, True),
    ],
)
def test_a_value_is_read_in_its_fields_own_way(client: Client, kind: str, written: Any, read: Any) -> None:
    (field,) = made(client, "leads/custom_fields", "custom_fields", {"name": "X", "type": kind}, status=201)
    values = [{"field_id": field["id"], "values": [{"value": written}]}]
    assert send(client, "PATCH", "leads/7002", {"custom_fields_values": values})[0] == 200
    (shown,) = client.get("leads/7002").json()["custom_fields_values"]
    assert (shown["field_type"], shown["values"]) == (kind, [{"value": read}])


def test_a_date_that_is_none_is_refused(client: Client) -> None:
    (field,) = made(client, "leads/custom_fields", "custom_fields", {"name": "X", "type": "date"}, status=201)
    values = [{"field_id": field["id"], "values": [{"value": "soon"}]}]
    code, body = send(client, "PATCH", "leads/7002", {"custom_fields_values": values})
    assert code == 400
    assert body["validation-errors"][0]["errors"][0]["path"] == "custom_fields_values.0.values.0.value"


def test_the_main_mark_moves(client: Client) -> None:
    assert send(client, "PATCH", "leads/pipelines/3200", {"is_main": True, "name": "Главная"})[0] == 200
    rows = client.rows("leads/pipelines", "pipelines")
    assert [(row["id"], row["is_main"]) for row in rows] == [(3100, False), (3200, True)]
    assert send(client, "DELETE", "leads/pipelines/3200")[0] == 400  # it has leads
    client.do("delete_pipeline", pipeline_id=3200, move_to=3100)
    assert client.rows("leads/pipelines", "pipelines")[0]["is_main"] is True


def test_pipelines_with_leads_and_the_last_one_stay(client: Client) -> None:
    assert send(client, "DELETE", "leads/pipelines/3100")[0] == 400
    (row,) = made(client, "leads/pipelines", "pipelines", {"name": "Пустая"})
    assert send(client, "DELETE", f"leads/pipelines/{row['id']}") == (200, {})
    assert send(client, "DELETE", f"leads/pipelines/{row['id']}")[0] == 404
    client.do("delete_pipeline", pipeline_id=3200, move_to=3100)
    (moved,) = client.events_of(7003, "lead_status_changed")
    assert moved["value_before"] == [{"lead_status": {"id": 142, "pipeline_id": 3200}}]
    assert send(client, "DELETE", "leads/pipelines/3100")[0] == 400


def test_there_are_at_most_fifty_pipelines_and_a_hundred_statuses(client: Client) -> None:
    items = [{"name": f"Воронка {n}"} for n in range(48)]
    assert len(made(client, "leads/pipelines", "pipelines", *items)) == 48
    code, body = send(client, "POST", "leads/pipelines", [{"name": "лишняя"}])
    assert (code, body["validation-errors"][0]["errors"][0]["code"]) == (400, "LimitExceeded")
    many = [{"name": f"Этап {n}"} for n in range(97)]
    assert send(client, "POST", "leads/pipelines/3200/statuses", [*many, {"name": "98"}])[0] == 400
    assert len(made(client, "leads/pipelines/3200/statuses", "statuses", *many)) == 97
    assert send(client, "POST", "leads/pipelines/3200/statuses", [{"name": "лишний"}])[0] == 400


def test_a_status_is_made_changed_and_deleted(client: Client) -> None:
    home = "leads/pipelines/3100/statuses"
    (row,) = made(client, home, "statuses", {"name": "Договор", "color": "#deff81", "sort": 25})
    assert row["id"] not in (4100, 4101, 4102, 4201, 142, 143)
    described = [{"level": "newbie", "description": "Что делать"}]
    code, body = send(client, "PATCH", f"{home}/{row['id']}", {"name": "Оплата", "descriptions": described})
    assert (code, body["name"]) == (200, "Оплата")
    assert "descriptions" not in client.get(f"{home}/{row['id']}").json()
    shown = client.get(f"{home}/{row['id']}?with=descriptions").json()["descriptions"]
    assert shown == [{"id": 1, "level": "newbie", "description": "Что делать"}]
    inside = client.rows("leads/pipelines?with=descriptions", "pipelines")[0]["_embedded"]["statuses"]
    assert [status["descriptions"] for status in inside if status["id"] == row["id"]] == [shown]
    assert [status["id"] for status in client.get(home).json()["_embedded"]["statuses"]][1:3] == [
        4101,
        row["id"],
    ]
    assert send(client, "DELETE", f"{home}/{row['id']}") == (204, None)
    assert send(client, "DELETE", f"{home}/4101")[0] == 400  # leads stand in it


@pytest.mark.parametrize(
    ("method", "status_id", "body", "expected"),
    [
        ("PATCH", 142, {"name": "Ура", "color": "#fff000"}, 200),
        ("PATCH", 142, {"sort": 5}, 400),
        ("PATCH", 4100, {"name": "Новое имя"}, 400),
        ("PATCH", 4101, {"color": "#123456"}, 400),
        ("PATCH", 4101, {"descriptions": [{"level": "guru", "description": ""}]}, 400),
        ("PATCH", 4101, {"descriptions": [{"level": "master", "description": "я" * 1001}]}, 400),
        ("PATCH", 4101, {"sort": "много"}, 400),
        ("PATCH", 999, {"name": "x"}, 404),
        ("DELETE", 142, None, 400),
        ("DELETE", 143, None, 400),
        ("DELETE", 4100, None, 400),
        ("DELETE", 999, None, 404),
    ],
)
def test_what_may_be_done_to_a_status(
    client: Client, method: str, status_id: int, body: Any, expected: int
) -> None:
    before = client.truth("pipelines")
    assert send(client, method, f"leads/pipelines/3100/statuses/{status_id}", body)[0] == expected
    assert (client.truth("pipelines") == before) == (expected != 200)


def test_people_arrange_the_board(client: Client) -> None:
    pipeline = client.do("add_pipeline", name="Новая")["id"]
    client.do("rename_pipeline", pipeline_id=pipeline, name="Другая")
    stage = client.do("add_stage", pipeline_id=pipeline, name="Первый")["id"]
    client.do("edit_stage", pipeline_id=pipeline, status_id=stage, color="#eb93ff")
    lead = client.do("create_lead", name="x", pipeline_id=pipeline)["id"]
    other = client.do("add_stage", pipeline_id=pipeline, name="Второй")["id"]
    client.do("delete_stage", pipeline_id=pipeline, status_id=stage, move_to=other)
    assert client.row("leads", lead)["status_id"] == other
    client.do("edit_pipeline", pipeline_id=pipeline, is_archive=True)
    row = client.row("pipelines", pipeline)
    assert (row["name"], row["is_archive"]) == ("Другая", True)


def test_incoming_leads_are_switched_per_pipeline(client: Client) -> None:
    code, body = send(client, "PATCH", "leads/pipelines/3100", {"is_unsorted_on": False})
    assert (code, [s["type"] for s in body["_embedded"]["statuses"]]) == (200, [0, 0, 0, 0])
    code, body = send(client, "PATCH", "leads/pipelines/3100", {"is_unsorted_on": True})
    assert [s["type"] for s in body["_embedded"]["statuses"]] == [1, 0, 0, 0, 0]


def test_loss_reasons_come_and_go(client: Client) -> None:
    rows = made(
        client, "leads/loss_reasons", "loss_reasons", {"name": "Передумал"}, {"name": "Нет денег", "sort": 5}
    )
    assert set(client.get(f"leads/loss_reasons/{rows[0]['id']}").json()) == {
        "id", "name", "sort", "created_at", "updated_at", "_links"
    }  # fmt: skip
    client.do("lose_lead", lead_id=7001, loss_reason_id=rows[0]["id"])
    assert send(client, "DELETE", f"leads/loss_reasons/{rows[0]['id']}") == (204, None)
    assert send(client, "DELETE", f"leads/loss_reasons/{rows[0]['id']}")[0] == 404
    assert client.get("leads/7001").json()["loss_reason_id"] == rows[0]["id"]
    lost = client.do("lose_lead", lead_id=7002, loss_reason_id=rows[1]["id"])
    (reason,) = client.get(f"leads/{lost['id']}?with=loss_reason").json()["_embedded"]["loss_reason"]
    assert reason["name"] == "Нет денег"


def test_tags_are_one_per_name_and_kind(client: Client) -> None:
    first, again = made(
        client, "leads/tags", "tags", {"name": "срочно", "color": "EBEBEB"}, {"name": "срочно"}
    )
    assert first["id"] == again["id"]
    assert {key: first[key] for key in ("name", "color")} == {"name": "срочно", "color": "EBEBEB"}
    assert send(client, "POST", "leads/tags", [{"name": "x", "color": "#fffeb2"}])[0] == 400
    rows = client.rows("leads/tags?filter[name]=срочно", "tags")
    assert rows == [{"id": first["id"], "name": "срочно", "color": "EBEBEB"}]
    assert client.rows(f"leads/tags?filter[id][]={first['id']}", "tags") == rows
    assert client.rows("leads/tags?query=СРОЧ", "tags") == rows
    assert client.rows("contacts/tags?query=срочно", "tags") == []
    client.call("PATCH", "leads/7001", json={"_embedded": {"tags": [{"name": "срочно"}]}})
    assert client.row("leads", 7001)["_embedded"]["tags"][0]["id"] == first["id"]


def test_an_integration_has_its_own_sources(client: Client) -> None:
    item = {"name": "Виджет", "external_id": "w1", "pipeline_id": 3100, "default": True}
    (mine,) = made(client, "sources", "sources", item)
    assert set(mine) - {"request_id", "_links"} == {
        "id", "name", "pipeline_id", "external_id", "default", "origin_code", "services"
    }  # fmt: skip
    assert send(client, "POST", "sources", [item])[0] == 400
    (second,) = made(client, "sources", "sources", {**item, "external_id": "w2"})
    assert [row["default"] for row in client.rows("sources?filter[external_id]=w1", "sources")] == [False]
    stranger = Client(client.url)
    assert [row["external_id"] for row in stranger.rows("sources", "sources")] == ["site"]
    assert send(stranger, "DELETE", f"sources/{mine['id']}")[0] == 404
    assert stranger.get(f"sources/{mine['id']}").status_code == 204
    assert send(client, "PATCH", f"sources/{mine['id']}", {"name": "Новое"})[1]["name"] == "Новое"
    assert send(client, "PATCH", f"sources/{mine['id']}", {"pipeline_id": 1})[0] == 400
    assert send(client, "DELETE", "sources", [{"id": mine["id"]}]) == (204, None)
    (again,) = made(client, "sources", "sources", item)
    assert (again["id"], second["id"] != again["id"]) == (mine["id"], True)
    assert send(client, "DELETE", "sources", [{"name": "no id"}])[0] == 400
    others = [{"name": "x", "external_id": f"n{n}"} for n in range(48)]
    made(client, "sources", "sources", *others)
    assert send(client, "POST", "sources", [{"name": "x", "external_id": "one too many"}])[0] == 400
    stranger.http.close()


def test_a_field_is_defined_used_renamed_and_deleted(client: Client) -> None:
    choice = {
        "name": "Канал",
        "type": "select",
        "code": "CHANNEL",
        "enums": [{"value": "Сайт"}, {"value": "Звонок"}],
    }
    (field,) = made(client, "leads/custom_fields", "custom_fields", {**choice, "group_id": 7}, status=201)
    assert names(
        "id name code type sort account_id entity_type group_id is_api_only is_predefined "
        "is_deletable is_visible is_required required_statuses hidden_statuses enums nested "
        "currency remind tracking_callback search_in settings chained_lists"
    ) <= set(field)
    assert (field["group_id"], field["entity_type"]) == ("7", "leads")
    assert [set(enum) for enum in field["enums"]] == [{"id", "value", "sort", "code"}] * 2
    value = {"field_code": "CHANNEL", "values": [{"value": "Звонок"}]}
    assert send(client, "PATCH", "leads/7002", {"custom_fields_values": [value]})[0] == 200
    touched = client.row("leads", 7002)["updated_at"]
    enums = [field["enums"][0], {**field["enums"][1], "value": "Телефон"}]
    send(client, "PATCH", f"leads/custom_fields/{field['id']}", {"name": "Откуда", "enums": enums})
    (shown,) = client.get("leads/7002").json()["custom_fields_values"]
    assert (shown["field_name"], shown["values"][0]["value"]) == ("Откуда", "Телефон")
    assert client.row("leads", 7002)["updated_at"] == touched
    assert send(client, "DELETE", f"leads/custom_fields/{field['id']}") == (204, None)
    assert client.get("leads/7002").json()["custom_fields_values"] is None
    assert client.get(f"leads/custom_fields/{field['id']}").status_code == 204


@pytest.mark.parametrize(
    "item",
    [
        {"name": "без типа"},
        {"type": "text"},
        {"name": "x", "type": "hologram"},
        {"name": "x", "type": "select"},
        {"name": "x", "type": "text", "code": "UTM_SOURCE"},
        {"name": "x", "type": "select", "enums": [{"value": 5}]},
        {"name": "x", "type": "text", "sort": "y"},
    ],
)
def test_fields_that_cannot_be(client: Client, item: Row) -> None:
    code, body = send(client, "POST", "leads/custom_fields", [item])
    assert (code, "validation-errors" in body) == (400, True)


def test_fields_live_in_groups(client: Client) -> None:
    home = "leads/custom_fields/groups"
    assert [row["id"] for row in client.rows(home, "custom_field_groups")] == ["default", "statistic"]
    (group,) = made(client, home, "custom_field_groups", {"name": "Закупка", "fields": [911]})
    assert isinstance(group["id"], str)
    assert client.get(f"{home}/{group['id']}").json()["fields"] == [911]
    assert client.get("leads/custom_fields/911").json()["group_id"] == group["id"]
    assert send(client, "PATCH", f"{home}/{group['id']}", {"name": "Склад"})[1]["name"] == "Склад"
    assert send(client, "DELETE", f"{home}/default")[0] == 400
    assert send(client, "DELETE", f"{home}/{group['id']}") == (204, None)
    assert client.get("leads/custom_fields/911").json()["group_id"] is None


@pytest.mark.parametrize("query", ["filter[type]=select", "filter[type][]=select", "filter[id][]=911"])
def test_filters_of_fields(client: Client, query: str) -> None:
    assert [row["id"] for row in client.rows(f"leads/custom_fields?{query}", "custom_fields")] == [911]


def test_long_lists_of_fields_link_to_their_last_page(client: Client) -> None:
    body = client.get("leads/custom_fields?limit=1&page=1").json()
    assert (body["_total_items"], body["_page"], body["_page_count"]) == (2, 1, 2)
    assert body["_links"]["last"]["href"].endswith("limit=1&page=2")
    assert "prev" not in body["_links"]


def test_account_shows_every_part_on_demand_only(client: Client) -> None:
    inside = ("amojo_rights", "users_groups", "task_types", "entity_names", "datetime_settings")
    outside = ("amojo_id", "uuid", "version", "drive_url", "is_api_filter_enabled", "invoices_settings")
    bare = client.get("account").json()
    assert set(bare) == names(
        "id name subdomain created_at created_by updated_at updated_by current_user_id country "
        "currency currency_symbol customers_mode is_unsorted_on is_loss_reason_enabled "
        "is_helpbot_enabled is_technical_account contact_name_display_order "
        "mobile_feature_version _links"
    )
    for name in inside:
        assert set(client.get(f"account?with={name}").json()["_embedded"]) == {name}
    for name in outside:
        body = client.get(f"account?with={name}").json()
        assert set(body) == set(bare) | {name}
    assert client.get("account?with=nonsense").json().keys() == bare.keys()
