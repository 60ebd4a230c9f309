"""Lists: HAL shape, paging, `with=`, filters, orders, what is left out."""

import pytest

from tests.sandbox.amocrm.support import Client


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_page_has_links_that_keep_the_query_and_next_only_when_there_is_more(client: Client) -> None:
    body = client.get("leads?with=contacts&limit=2&order[id]=asc").json()
    home = "https://demo.amocrm.ru/api/v4/leads?with=contacts&order%5Bid%5D=asc"
    assert body["_links"] == {
        "self": {"href": f"{home}&limit=2&page=1"},
        "next": {"href": f"{home}&limit=2&page=2"},
    }
    assert set(body) == {"_page", "_links", "_embedded"}
    last = client.get("leads?with=contacts&limit=2&page=2&order[id]=asc").json()
    assert "next" not in last["_links"]
    assert last["_links"]["prev"]["href"].endswith("page=1")


@pytest.mark.parametrize(
    "path", ["leads?page=9", "leads/999", "leads/7004", "leads/7005", "webhooks", "catalogs", "contacts/1"]
)
def test_nothing_found_is_204_without_body(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (204, b"")


def test_deleted_and_merged_leads_are_not_listed(client: Client) -> None:
    assert ids(client.rows("leads", "leads")) == [7001, 7002, 7003]


def test_only_deleted_shows_the_bin_with_nearly_everything_null(client: Client) -> None:
    (row,) = client.rows("leads?with=only_deleted", "leads")
    filled = {name for name, value in row.items() if value is not None} - {"_links", "_embedded"}
    assert filled == {"id", "updated_at", "updated_by", "is_deleted", "account_id"}
    assert client.get("leads/7004?with=only_deleted").json()["is_deleted"] is True


def test_with_opens_what_is_hidden_otherwise(client: Client) -> None:
    bare = client.get("leads/7001").json()
    assert set(bare["_embedded"]) == {"tags", "companies"}
    assert "source_id" not in bare
    full = client.get(
        "leads/7001?with=contacts,source_id,source,loss_reason,catalog_elements,nonsense"
    ).json()
    assert set(full["_embedded"]) == {
        "tags",
        "companies",
        "contacts",
        "source",
        "loss_reason",
        "catalog_elements",
    }
    assert full["source_id"] == 7101
    link = {"self": {"href": "https://demo.amocrm.ru/api/v4/contacts/8001"}}
    assert full["_embedded"]["contacts"] == [{"id": 8001, "is_main": True, "_links": link}]
    assert "_merged_into" not in full


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("leads?limit=250", 250),
        ("leads?limit=251", 50),
        ("leads", 50),
        ("leads?limit=0", 50),
        ("leads?limit=x", 50),
        ("events?limit=100", 100),
        ("events?limit=250", 50),
    ],
)
def test_over_the_cap_means_the_default_limit(client: Client, path: str, limit: int) -> None:
    assert f"limit={limit}&" in client.get(path).json()["_links"]["self"]["href"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[id][]=7001&filter[id][]=7003", [7001, 7003]),
        ("filter%5Bid%5D%5B0%5D=7002", [7002]),
        ("filter[id]=7001", [7001]),
        ("filter[id]=abc", []),
        ("filter[responsible_user_id][]=502&filter[responsible_user_id][]=503", [7002, 7003]),
        ("filter[statuses][0][pipeline_id]=3200&filter[statuses][0][status_id]=142", [7003]),
        ("filter[statuses][0][pipeline_id]=3100&filter[statuses][0][status_id]=142", []),
        ("filter[statuses][0][pipeline_id]=&filter[statuses][0][status_id]=142", [7003]),
        ("filter[statuses][]=142", [7001, 7002, 7003]),
        ("filter[updated_at][from]=1760007002&filter[updated_at][to]=1760007003", [7002, 7003]),
        ("filter[updated_at]=1760007002", [7002]),
        ("filter[price][from]=2000", [7002]),
        ("filter[custom_fields_values][911][]=77", [7001]),
        ("filter[custom_fields_values][911][]=78", []),
        ("filter[status_id]=142", [7001, 7002, 7003]),
        ("filter=1", [7001, 7002, 7003]),
        ("query=заказ 7002", [7002]),
        ("order[updated_at]=desc", [7003, 7002, 7001]),
        ("order[price]=desc", [7001, 7002, 7003]),
    ],
)
def test_filters_and_orders_of_leads(client: Client, query: str, expected: list[int]) -> None:
    assert ids(client.rows(f"leads?{query}", "leads")) == expected


def test_filters_do_nothing_on_cards_when_the_account_lacks_them(client: Client) -> None:
    client.door("limits", api_filter_enabled=False)
    assert ids(client.rows("leads?filter[id]=7001", "leads")) == [7001, 7002, 7003]
    assert ids(client.rows("tasks?filter[is_completed]=1", "tasks")) == [120002]
    assert client.get("account?with=is_api_filter_enabled").json()["is_api_filter_enabled"] is False


def test_phone_is_found_by_its_digits(client: Client) -> None:
    assert ids(client.rows("contacts?query=9991234567", "contacts")) == [8001, 8002]
    assert client.rows("contacts?query=0000000", "contacts") == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 12),
        ("filter[created_at]=1760000010", 2),
        ("filter[created_at]=1760000003,1760000004", 2),
        ("filter[created_at][from]=1760000003&filter[created_at][to]=1760000004", 2),
        ("filter[type]=lead_added,lead_deleted", 12),
        ("filter[type][]=lead_deleted", 0),
        ("filter[entity]=lead&filter[entity_id][]=7001", 4),
        ("filter[created_by]=502", 0),
    ],
)
def test_filters_of_events(client: Client, query: str, count: int) -> None:
    assert len(client.rows(f"events?limit=100&{query}", "events")) == count


@pytest.mark.parametrize(
    "query",
    ["filter[entity_id]=7001", "filter[entity]=lead&filter[entity_id]=" + ",".join(map(str, range(11)))],
)
def test_events_refuse_ids_without_one_entity_and_more_than_ten(client: Client, query: str) -> None:
    assert client.get(f"events?{query}").status_code == 400


def test_events_by_value(client: Client) -> None:
    client.do("move_lead", lead_id=7001, status_id=142)
    client.do("edit", id=7001, set={"price": 4321})
    pair = "filter[value_after][leads_statuses][0]"
    found = client.rows(f"events?{pair}[pipeline_id]=3100&{pair}[status_id]=142", "events")
    assert [event["type"] for event in found] == ["lead_status_changed"]
    found = client.rows("events?filter[type]=sale_field_changed&filter[value_after][value]=4321", "events")
    assert [event["entity_id"] for event in found] == [7001]
    assert found[0]["_embedded"]["entity"]["_links"]["self"]["href"].endswith("/api/v4/leads/7001")


def test_events_come_newest_first_and_order_is_ignored_unless_switched(client: Client) -> None:
    newest = client.rows("events?limit=1&order[created_at]=asc", "events")[0]["created_at"]
    client.door("limits", events_order="honoured")
    oldest = client.rows("events?limit=1&order[created_at]=asc", "events")[0]["created_at"]
    assert (newest, oldest) == (1760000011, 1760000000)


def test_totals_only_where_the_vendor_gives_them(client: Client) -> None:
    assert client.get("users").json()["_total_items"] == 3
    assert client.get("users?limit=2").json()["_page_count"] == 2
    assert client.get("leads/pipelines").json()["_total_items"] == 2
    assert client.get("leads/custom_fields").json()["_total_items"] == 2
    for path in ("leads", "contacts", "companies", "tasks", "leads/notes", "events"):
        assert "_total_items" not in client.get(path).json()


def test_account_shows_what_with_asks_for(client: Client) -> None:
    bare = client.get("account").json()
    assert bare["current_user_id"] == 501
    assert "_embedded" not in bare
    assert "drive_url" not in bare
    full = client.get("account?with=users_groups,task_types,datetime_settings,drive_url,amojo_id").json()
    assert set(full["_embedded"]) == {"users_groups", "task_types", "datetime_settings"}
    assert full["drive_url"] == "https://drive-b.amocrm.ru"


def test_pipelines_carry_their_statuses(client: Client) -> None:
    (first, _) = client.rows("leads/pipelines", "pipelines")
    assert [status["id"] for status in first["_embedded"]["statuses"]] == [4100, 4101, 4102, 142, 143]
    assert client.get("leads/pipelines/3100").json()["id"] == 3100
    assert client.get("leads/pipelines/3100/statuses/142").json()["name"] == "Успешно"
    assert client.get("leads/pipelines/1").status_code == 204


def test_links_come_from_the_card(client: Client) -> None:
    rows = client.rows("leads/7001/links", "links")
    assert {(row["to_entity_type"], row["to_entity_id"]) for row in rows} == {
        ("contacts", 8001),
        ("companies", 9001),
    }
    (row,) = client.rows("leads/links?filter[entity_id][]=7001&filter[to_entity_type]=contacts", "links")
    assert row["metadata"] == {"main_contact": True}


def test_a_users_rights_limit_his_lists(client: Client) -> None:
    own = Client(client.url, user_id=502)
    group = Client(client.url, user_id=503)
    assert ids(own.rows("leads", "leads")) == [7002]
    assert ids(group.rows("leads", "leads")) == [7002, 7003]
    assert own.get("leads/7001").status_code == 204
    for path in ("users", "webhooks", "roles"):
        assert own.get(path).status_code == 403
    limited = client.call("GET", "leads", headers={"X-Context-User-ID": "502"}).json()
    assert ids(limited["_embedded"]["leads"]) == [7002]
    own.http.close()
    group.http.close()


def test_what_only_the_snapshot_holds_is_served(client: Client) -> None:
    assert client.rows("sources", "sources")[0]["external_id"] == "site"
    assert client.rows("roles?with=users", "roles")[0]["_embedded"] == {"users": [502]}
    assert client.rows("leads/loss_reasons", "loss_reasons")[0]["name"] == "Дорого"
    assert client.rows("contacts/tags", "tags")[0]["name"] == "vip"
    assert client.rows("leads/unsorted", "unsorted") == []
    assert client.get("leads/unsorted/summary").json()["total"] == 0
    assert client.get("leads/unsorted/abc").status_code == 404
    assert client.get("talks/1").status_code == 404
    assert client.get("customers").status_code == 402
    assert {"key": "lead_added", "type": 1, "lang": "Lead added"} in client.rows(
        "events/types", "events_types"
    )
    (user, *_) = client.rows("users?with=group", "users")
    assert set(user["_embedded"]) == {"groups"}
    assert "uuid" not in user
