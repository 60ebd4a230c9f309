"""POST /leads/complex: a lead with contact and company, as an incoming lead, and joined to a known one."""

from typing import Any

import pytest

from tests.sandbox.amocrm.hooked import Queue, heads, made
from tests.sandbox.amocrm.support import Client, Row


def phone(value: str) -> list[Row]:
    """Custom fields with one phone."""
    return [{"field_code": "PHONE", "values": [{"value": value, "enum_code": "WORK"}]}]


def send(client: Client, *items: Row) -> list[Row]:
    """The bare list of the answer."""
    response = client.call("POST", "leads/complex", json=list(items))
    assert response.status_code == 200, response.text
    answers = response.json()
    assert isinstance(answers, list)
    return answers


def test_known_partners_goods_and_tags_are_taken(shared: Client) -> None:
    contact, company = made(shared, "create_contact", name="Ян"), made(shared, "create_company", name="АО")
    embedded = {"contacts": [{"id": contact}], "companies": [{"id": company}], "tags": [{"name": "сайт"}],
                "catalog_elements": [{"id": 42, "metadata": {"quantity": 3, "catalog_id": 41}}]}  # fmt: skip
    (answer,) = send(shared, {"name": "A", "price": 10, "request_id": "r1", "_embedded": embedded})
    assert answer == {
        "id": answer["id"], "contact_id": contact, "company_id": company, "request_id": ["r1"],
        "merged": False,
    }  # fmt: skip
    lead = shared.get(f"leads/{answer['id']}?with=contacts,catalog_elements").json()
    assert [item["id"] for item in lead["_embedded"]["contacts"]] == [contact]
    assert [tag["name"] for tag in lead["_embedded"]["tags"]] == ["сайт"]
    assert lead["_embedded"]["catalog_elements"][0]["metadata"]["quantity"] == 3
    assert shared.row("contacts", contact)["_embedded"]["companies"] == [{"id": company}]


def test_a_lead_alone_has_null_partners(shared: Client) -> None:
    (answer,) = send(shared, {"name": "Одна"})
    assert (answer["contact_id"], answer["company_id"], answer["request_id"]) == (None, None, ["0"])


def test_with_metadata_the_lead_is_unsorted(shared: Client, queue: Queue) -> None:
    metadata = {"category": "forms", "form_id": 1, "form_name": "Форма", "form_page": "https://shop.test/"}
    embedded = {"contacts": [{"first_name": "Ева", "custom_fields_values": phone("+79111111111")}],
                "metadata": metadata, "source": {"external_id": "site-1", "type": "widget"}}  # fmt: skip
    (answer,) = send(shared, {"name": "Заявка", "price": 70, "_embedded": embedded})
    lead = shared.get(f"leads/{answer['id']}").json()
    assert (lead["status_id"], lead["price"], lead["name"]) == (4100, 70, "Заявка")
    assert shared.get(f"contacts/{answer['contact_id']}").json()["is_unsorted"] is True
    item = next(row for row in shared.truth("unsorted") if {"id": answer["id"]} in row["_embedded"]["leads"])
    assert (item["category"], item["source_name"], item["source_uid"]) == ("forms", "Форма", "site-1")
    assert "unsorted[add]" in heads(queue.fresh())


def test_duplicates_are_made_as_external_integrations_make_them(shared: Client) -> None:
    item = {
        "name": "A",
        "_embedded": {"contacts": [{"name": "Дубль", "custom_fields_values": phone("+79122222222")}]},
    }
    first, second = send(shared, item)[0], send(shared, item)[0]
    assert first["contact_id"] != second["contact_id"]
    assert (first["merged"], second["merged"]) == (False, False)


def test_duplicate_control_joins_the_open_lead_of_a_known_phone(shared: Client) -> None:
    lead = made(shared, "create_lead", name="Давняя")
    contact = made(shared, "create_contact", name="Ян", phone="8 913 333-33-33", lead_id=lead)
    embedded = {"contacts": [{"name": "Ян", "custom_fields_values": phone("+79133333333")}],
                "tags": [{"name": "повтор"}]}  # fmt: skip
    fresh = {
        "name": "B",
        "_embedded": {"contacts": [{"name": "Ж", "custom_fields_values": phone("+79144444444")}]},
    }
    shared.door("limits", complex_duplicate_control=True)
    try:
        joined, new, again = send(shared, {"name": "A", "_embedded": embedded}, fresh, fresh)
        shared.do("win_lead", lead_id=lead)
        (after,) = send(shared, {"name": "A", "_embedded": embedded})
    finally:
        shared.door("limits", complex_duplicate_control=None)
    assert (joined["merged"], joined["id"], joined["contact_id"]) == (True, lead, contact)
    assert "повтор" in [tag["name"] for tag in shared.get(f"leads/{lead}").json()["_embedded"]["tags"]]
    assert (new["merged"], again["merged"]) == (False, False)
    assert new["contact_id"] != again["contact_id"]
    assert (after["merged"], after["contact_id"]) == (False, contact)
    assert after["id"] != lead


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"_embedded": {"contacts": [{"id": 999_999}]}}, "id"),
        ({"_embedded": {"contacts": [{"name": "a"}, {"name": "b"}]}}, "_embedded.contacts"),
        ({"_embedded": {"contacts": "x"}}, "_embedded.contacts"),
        ({"_embedded": {"metadata": {"category": "chats"}}}, "_embedded.metadata.category"),
        ({"custom_fields_values": [{"field_id": 911, "values": None}] * 41}, "custom_fields_values"),
        ({"status_id": 5}, "status_id"),
    ],
)
def test_a_bad_item_refuses_all(shared: Client, item: dict[str, Any], path: str) -> None:
    before = [len(shared.truth(name)) for name in ("leads", "contacts", "events")]
    response = shared.call(
        "POST", "leads/complex", json=[{"name": "x", "_embedded": {"contacts": [{"name": "x"}]}}, item]
    )
    assert response.status_code == 400
    assert response.json()["validation-errors"][0]["errors"][0]["path"] == path
    assert [len(shared.truth(name)) for name in ("leads", "contacts", "events")] == before


def test_fifty_one_are_too_many(shared: Client) -> None:
    assert shared.call("POST", "leads/complex", json=[{"name": "x"}] * 51).status_code == 400
