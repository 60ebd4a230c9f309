"""Customers, their purchases, catalogs and what hangs on them."""

from typing import Any

import pytest

from tests.sandbox.amocrm.support import Client, Row


@pytest.fixture
def shop(client: Client) -> Client:
    """The account with customers switched on."""
    response = client.call("PATCH", "customers/mode", json={"mode": "segments", "is_enabled": True})
    assert (response.status_code, response.json()) == (200, {"mode": "segments", "is_enabled": True})
    return client


def names(text: str) -> set[str]:
    """The words of a line."""
    return set(text.split())


def made(client: Client, path: str, key: str, *items: Row) -> list[Row]:
    """The rows that a POST answers."""
    response = client.call("POST", path, json=list(items))
    assert response.status_code in (200, 201), response.text
    return list(response.json()["_embedded"][key])


def a_customer(client: Client, **fields: Any) -> Row:
    """A new customer as GET shows it."""
    (row,) = made(client, "customers", "customers", {"name": "Ромашка", **fields})
    return dict(client.get(f"customers/{row['id']}?with=contacts,companies,catalog_elements").json())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "customers"),
        ("POST", "customers"),
        ("GET", "customers/1"),
        ("GET", "customers/notes"),
        ("GET", "customers/transactions"),
        ("POST", "customers/1/transactions"),
        ("DELETE", "customers/transactions/1"),
        ("GET", "customers/statuses"),
        ("GET", "customers/segments"),
        ("POST", "customers/1/bonus_points"),
        ("GET", "customers/1/subscriptions"),
    ],
)
def test_customers_are_off_at_first(client: Client, method: str, path: str) -> None:
    response = client.call(method, path, json=None if method == "GET" else [{"name": "x"}])
    assert (response.status_code, response.json()["status"]) == (402, 402)


def test_the_tariff_may_lack_customers(client: Client) -> None:
    client.door("limits", customers_tariff=False)
    body = {"mode": "segments", "is_enabled": True}
    assert client.call("PATCH", "customers/mode", json=body).status_code == 402
    client.door("limits", customers_tariff=True)
    wrong: Any
    for wrong in ({"mode": "dynamic", "is_enabled": True}, {"mode": "segments"}, {"is_enabled": True}, []):
        assert client.call("PATCH", "customers/mode", json=wrong).status_code == 400
    assert client.call("PATCH", "customers/mode", json=body).status_code == 200
    assert client.get("account").json()["customers_mode"] == "segments"
    assert client.call("PATCH", "customers/mode", json={**body, "is_enabled": False}).status_code == 200
    assert client.get("customers").status_code == 402


def test_a_customer_has_the_vendors_fields(shop: Client) -> None:
    row = a_customer(shop, next_price=500, next_date=1760200000)
    assert set(row) == names(
        "id name next_price next_date responsible_user_id group_id status_id periodicity "
        "created_by updated_by created_at updated_at closest_task_at is_deleted "
        "custom_fields_values ltv purchases_count average_check account_id _links _embedded"
    )
    assert row["_embedded"] == {
        "segments": [], "tags": [], "contacts": [], "companies": [], "catalog_elements": []
    }  # fmt: skip
    assert shop.rows("customers?filter[next_price][from]=400", "customers")[0]["id"] == row["id"]
    assert shop.rows("customers?filter[next_date][to]=1760199999", "customers") == []


def test_purchases_add_up(shop: Client) -> None:
    customer = a_customer(shop)
    path = f"customers/{customer['id']}/transactions"
    first, second = made(
        shop, path, "transactions", {"price": 100, "comment": "раз", "next_price": 70}, {"price": 201}
    )
    assert set(shop.get(f"customers/transactions/{first['id']}").json()) == names(
        "id price comment completed_at customer_id created_by updated_by created_at updated_at "
        "is_deleted account_id _links _embedded"
    )
    row = shop.get(f"customers/{customer['id']}").json()
    assert (row["ltv"], row["purchases_count"], row["average_check"], row["next_price"]) == (301, 2, 150, 70)
    assert [row["id"] for row in shop.rows(path, "transactions")] == [first["id"], second["id"]]
    assert shop.call("DELETE", f"{path}/{second['id']}").status_code == 204
    assert shop.call("DELETE", f"customers/transactions/{second['id']}").status_code == 404
    assert [row["id"] for row in shop.rows("customers/transactions", "transactions")] == [first["id"]]
    assert shop.get(f"customers/{customer['id']}").json()["ltv"] == 100
    kinds = [event["type"] for event in shop.events_of(customer["id"])]
    assert kinds.count("transaction_added") == 2
    (last,) = shop.events_of(customer["id"], "ltv_field_changed")[-1:]
    assert last["value_before"] == [{"ltv_field_value": {"ltv": 301}}]
    assert shop.call("POST", path, json=[{"comment": "без суммы"}]).status_code == 400
    assert shop.call("POST", "customers/999/transactions", json=[{"price": 1}]).status_code == 400


def test_bonus_points_are_earned_and_redeemed(shop: Client) -> None:
    path = f"customers/{a_customer(shop)['id']}/bonus_points"
    assert shop.call("POST", path, json={"earn": 100}).json()["bonus_points"] == 100
    assert shop.call("POST", path, json={"redeem": 30}).json()["bonus_points"] == 70
    for wrong in ({"redeem": 71}, {}, {"earn": 1, "redeem": 1}, {"earn": -5}, {"earn": "x"}):
        assert shop.call("POST", path, json=wrong).status_code == 400
    assert shop.call("POST", "customers/999/bonus_points", json={"earn": 1}).status_code == 404


def test_customers_walk_through_statuses_and_segments(shop: Client) -> None:
    first = shop.rows("customers/statuses", "statuses")[0]
    assert set(first) == {
        "id",
        "name",
        "sort",
        "account_id",
        "is_default",
        "conditions",
        "color",
        "type",
        "_links",
    }
    (status,) = made(shop, "customers/statuses", "statuses", {"name": "Постоянный", "sort": 40})
    (segment,) = made(shop, "customers/segments", "segments", {"name": "VIP", "color": "10599D"})
    customer = a_customer(shop)
    assert customer["status_id"] == first["id"]
    patch = {"status_id": status["id"], "_embedded": {"segments": [{"id": segment["id"]}]}}
    assert shop.call("PATCH", f"customers/{customer['id']}", json=patch).status_code == 200
    assert shop.get(f"customers/{customer['id']}").json()["_embedded"]["segments"] == [{"id": segment["id"]}]
    (event,) = shop.events_of(customer["id"], "customer_status_changed")
    pair = f"filter[value_after][customers_statuses][0][status_id]={status['id']}"
    assert [row["id"] for row in shop.rows(f"events?{pair}", "events")] == [event["id"]]
    assert shop.rows(f"customers?filter[status_id]={status['id']}", "customers")[0]["id"] == customer["id"]
    assert shop.call("DELETE", f"customers/statuses/{status['id']}").status_code == 400
    assert shop.call("DELETE", f"customers/segments/{segment['id']}").status_code == 204
    assert shop.get(f"customers/{customer['id']}").json()["_embedded"]["segments"] == []
    assert shop.call("PATCH", f"customers/{customer['id']}", json={"status_id": 999}).status_code == 400
    made(shop, "customers/segments/custom_fields", "custom_fields", {"name": "Скидка", "type": "numeric"})
    assert shop.rows("customers/segments/custom_fields", "custom_fields")[0]["entity_type"] == "segments"


def test_a_catalog_its_fields_and_its_elements(client: Client) -> None:
    (catalog,) = made(client, "catalogs", "catalogs", {"name": "Товары", "type": "products"})
    assert {
        "can_add_elements",
        "can_link_multiple",
        "can_show_in_cards",
        "sdk_widget_code",
        "can_be_deleted",
    } <= set(catalog)
    home = f"catalogs/{catalog['id']}"
    (field,) = made(
        client, f"{home}/custom_fields", "custom_fields", {"name": "SKU", "type": "text", "code": "SKU"}
    )
    item = {"name": "Стол", "custom_fields_values": [{"field_id": field["id"], "values": [{"value": "A-1"}]}]}
    table, chair = made(client, f"{home}/elements", "elements", item, {"name": "Стул"})
    shown = client.get(f"{home}/elements/{table['id']}").json()
    assert shown["_links"]["self"]["href"].endswith(f"/api/v4/{home}/elements/{table['id']}")
    assert shown["custom_fields_values"][0]["field_code"] == "SKU"
    assert client.call("PATCH", f"{home}/elements/{chair['id']}", json={"name": "Кресло"}).status_code == 200
    assert [row["name"] for row in client.rows(f"{home}/elements?query=крес", "elements")] == ["Кресло"]
    assert [row["id"] for row in client.rows(f"{home}/elements?filter[id][]={table['id']}", "elements")] == [
        table["id"]
    ]
    assert client.get(f"catalogs/999/elements/{table['id']}").status_code == 204
    assert client.call("PATCH", f"catalogs/999/elements/{table['id']}", json={"name": "x"}).status_code == 404
    assert client.call("POST", "catalogs", json=[{"name": "x", "type": "products"}]).status_code == 400
    made(client, "catalogs", "catalogs", *[{"name": f"Список {n}"} for n in range(9)])
    assert client.call("POST", "catalogs", json=[{"name": "одиннадцатый"}]).status_code == 400


def test_elements_are_linked_with_quantities(client: Client) -> None:
    (catalog,) = made(client, "catalogs", "catalogs", {"name": "Товары", "type": "products"})
    (table,) = made(client, f"catalogs/{catalog['id']}/elements", "elements", {"name": "Стол"})
    metadata = {"quantity": 3, "catalog_id": catalog["id"]}
    item = {"to_entity_id": table["id"], "to_entity_type": "catalog_elements", "metadata": metadata}
    assert client.call("POST", "leads/7001/link", json=[item]).status_code == 200
    (shown,) = client.get("leads/7001?with=catalog_elements").json()["_embedded"]["catalog_elements"]
    assert shown["id"] == table["id"]
    assert {key: shown["metadata"][key] for key in metadata} == metadata
    assert "catalog_elements" not in client.get("leads/7001").json()["_embedded"]
    (link,) = client.rows(f"leads/7001/links?filter[to_catalog_id]={catalog['id']}", "links")
    assert (link["to_entity_type"], link["metadata"]["quantity"]) == ("catalog_elements", 3)
    assert client.rows("leads/7001/links?filter[to_catalog_id]=999", "links") == []


def test_whoever_is_responsible_hears_of_a_card(client: Client) -> None:
    assert client.rows("leads/7001/subscriptions", "subscriptions") == [
        {"subscriber_id": 501, "type": "user"}
    ]
    assert client.get("leads/999/subscriptions").status_code == 204
    assert client.get("contacts/8001/subscriptions").status_code == 404
