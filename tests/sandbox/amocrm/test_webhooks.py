"""Webhooks: subscriptions, bodies, retries, switch-off, faults."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest

from sandbox.amocrm.hooks.delivery import retry_delay_s
from tests.sandbox.amocrm.receiver import Receiver
from tests.sandbox.amocrm.support import Client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def subscribe(client: Client, destination: str, *names: str) -> dict[str, object]:
    response = client.call(
        "POST", "webhooks", json={"destination": destination, "settings": list(names), "sort": 10}
    )
    assert response.status_code == 201, response.text
    return dict(response.json())


def test_subscriptions_are_kept_by_destination(client: Client) -> None:
    first = subscribe(client, "https://app.example/h/1", "add_lead")
    again = subscribe(client, "https://app.example/h/1", "status_lead", "update_lead")
    assert (again["id"], again["settings"], again["disabled"]) == (
        first["id"],
        ["status_lead", "update_lead"],
        False,
    )
    subscribe(client, "https://app.example/h/2", "add_task")
    listed = client.get("webhooks").json()
    assert listed["_total_items"] == 2
    (one,) = client.rows("webhooks?filter[destination]=https://app.example/h/2", "webhooks")
    assert one["settings"] == ["add_task"]
    gone = {"destination": "https://app.example/h/1"}
    assert client.call("DELETE", "webhooks", json=gone).status_code == 204
    assert client.call("DELETE", "webhooks", json=gone).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"destination": "nowhere", "settings": ["add_lead"]},
        {"destination": "https://a.example/", "settings": []},
        {"destination": "https://a.example/", "settings": ["add_dog"]},
        {"settings": ["add_lead"]},
        [],
    ],
)
def test_a_bad_subscription_is_400(client: Client, body: object) -> None:
    assert client.call("POST", "webhooks", json=body).status_code == 400


def test_no_webhooks_on_a_low_tariff(client: Client) -> None:
    client.door("limits", webhooks_allowed=False)
    assert client.get("webhooks").status_code == 402


def test_a_move_fires_update_and_status(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead", "status_lead", "responsible_lead")
    client.do("move_lead", lead_id=7001, status_id=142, by=502)
    bodies = receiver.wait(2)
    status = next(body for body in bodies if "leads[status][0][id]" in body)
    lead = client.row("leads", 7001)
    expected = {
        "id": "7001",
        "name": "Заказ 7001",
        "status_id": "142",
        "old_status_id": "4101",
        "price": "1000",
        "responsible_user_id": "501",
        "last_modified": str(lead["updated_at"]),
        "modified_user_id": "502",
        "created_user_id": "0",
        "date_create": str(lead["created_at"]),
        "pipeline_id": "3100",
        "account_id": "31000001",
        "tags][0][id": "5",
        "tags][0][name": "vip",
        "custom_fields][0][id": "911",
        "custom_fields][0][name": "Тип",
        "custom_fields][0][values][0][value": "Опт",
        "custom_fields][0][values][0][enum": "77",
        "created_at": str(lead["created_at"]),
        "updated_at": str(lead["updated_at"]),
    }
    account = {
        "account[subdomain]": "demo",
        "account[id]": "31000001",
        "account[_links][self]": "https://demo.amocrm.ru",
    }
    assert status == {f"leads[status][0][{name}]": value for name, value in expected.items()} | account
    assert any("leads[update][0][id]" in body for body in bodies)
    assert b"leads%5Bstatus%5D%5B0%5D%5Bid%5D=7001" in b"".join(receiver.raw)


def test_owner_task_note_contact_company_and_delete_hooks(client: Client, receiver: Receiver) -> None:
    names = (
        "responsible_lead",
        "add_task",
        "update_task",
        "note_lead",
        "update_contact",
        "update_company",
        "delete_lead",
        "add_lead",
        "restore_lead",
    )
    subscribe(client, receiver.url, *names)
    client.do("reassign", id=7002, user_id=501)
    task = client.do("create_task", lead_id=7001, text="Позвонить", complete_till=1760129940)
    client.do("complete_task", task_id=task["id"], result="Да")
    client.do("add_note", id=7001, text="Перезвонить")
    client.do("edit", id=8001, entity="contacts", set={"name": "Анна"})
    client.do("edit", id=9001, entity="companies", set={"name": "АО"})
    client.do("delete", id=7003)
    client.do("restore", id=7003)
    client.do("create_lead", name="")
    merged: dict[str, str] = {}
    for body in receiver.wait(9):
        merged |= body
    assert merged["leads[responsible][0][old_responsible_user_id]"] == "502"
    assert merged["task[add][0][element_type]"] == "2"
    assert merged["task[add][0][complete_till]"] == "2025-10-10 23:59:00"
    assert merged["task[add][0][complete_before]"] == "1760129940"
    assert (merged["task[update][0][status]"], merged["task[update][0][action_close]"]) == ("1", "1")
    assert merged["task[update][0][result][text]"] == "Да"
    assert (merged["leads[note][0][note][note_type]"], merged["leads[note][0][note][text]"]) == (
        "4",
        "Перезвонить",
    )
    assert merged["leads[note][0][note][element_id]"] == "7001"
    kinds = {
        body["contacts[update][0][type]"] for body in receiver.wait(9) if "contacts[update][0][type]" in body
    }
    assert kinds == {"contact", "company"}
    assert merged["contacts[update][0][linked_leads_id][7001][ID]"] == "7001"
    assert {name for name in merged if name.startswith("leads[delete]")} == {
        "leads[delete][0][id]",
        "leads[delete][0][status_id]",
        "leads[delete][0][pipeline_id]",
    }
    assert merged["leads[restore][0][id]"] == "7003"
    assert merged["leads[add][0][price]"] == "0"


def test_a_bulk_edit_shares_one_body_and_api_writes_echo(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead")
    client.do("bulk_edit", ids=[7001, 7002, 7003], set={"price": 9})
    (body,) = receiver.wait(1)
    assert [body[f"leads[update][{n}][id]"] for n in range(3)] == ["7001", "7002", "7003"]
    client.call("PATCH", "leads/7001", json={"price": 10})
    assert receiver.wait(2)[1]["leads[update][0][price]"] == "10"


@pytest.mark.parametrize(
    ("attempts", "status", "delay"),
    [
        (1, 404, 300),
        (2, 404, 900),
        (3, 404, None),
        (1, 499, 300),
        (2, 500, 900),
        (3, 503, 900),
        (4, 599, 3600),
        (5, 500, None),
        (1, 301, 300),
        (3, 301, None),
    ],
)
def test_retry_plan(attempts: int, status: int, delay: float | None) -> None:
    assert retry_delay_s(attempts, status) == delay


def test_a_bad_answer_is_retried_with_the_same_body_when_its_time_comes(
    client: Client, receiver: Receiver
) -> None:
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [500, 302]
    client.do("edit", id=7001, set={"price": 1})
    receiver.wait(1)
    wait_for_attempts(client, 1)
    client.door("clock", advance_s=301)
    receiver.wait(2)
    wait_for_attempts(client, 2)
    client.door("clock", advance_s=901)
    receiver.wait(3)
    assert receiver.raw[0] == receiver.raw[1] == receiver.raw[2]
    assert receiver.paths == ["/hook"] * 3


def wait_for_attempts(client: Client, attempts: int) -> None:
    """Until the sandbox has written down that a try failed."""
    for _ in range(3000):
        last = client.http.get(f"{client.url}/_sandbox/deliveries").json()["last"]
        if last and last[0]["attempts"] >= attempts:
            return
    raise AssertionError("the delivery was never written down")


def test_too_many_bad_answers_disable_the_subscription(client: Client, receiver: Receiver) -> None:
    client.door("limits", hook_disable_after=2)
    subscribe(client, receiver.url, "update_lead")
    receiver.statuses = [500] * 20
    for price in range(3):
        client.do("edit", id=7001, set={"price": price})
    receiver.wait(3)
    for _ in range(3000):
        (webhook,) = client.rows("webhooks", "webhooks")
        if webhook["disabled"]:
            break
    assert webhook["disabled"] is True
    states = client.http.get(f"{client.url}/_sandbox/deliveries").json()["states"]
    assert "pending" not in states
    receiver.statuses = []
    subscribe(client, receiver.url, "update_lead")
    client.do("edit", id=7001, set={"price": 77})
    assert receiver.wait(4)[-1]["leads[update][0][price]"] == "77"


def test_drop_and_duplicate(client: Client, receiver: Receiver) -> None:
    subscribe(client, receiver.url, "update_lead")
    client.door("limits", hook_drop_pct=100)
    client.do("edit", id=7001, set={"price": 1})
    for _ in range(3000):
        if client.http.get(f"{client.url}/_sandbox/deliveries").json()["states"] == {"dropped": 1}:
            break
    client.door("limits", hook_drop_pct=0, hook_duplicate_pct=100)
    client.do("edit", id=7001, set={"price": 2})
    bodies = receiver.wait(2)
    assert [body["leads[update][0][price]"] for body in bodies] == ["2", "2"]


def test_disconnect_hook_is_signed(client: Client, receiver: Receiver) -> None:
    own = client.integration
    client.door(
        "integrations",
        client_id=own["client_id"],
        redirect_uri=own["redirect_uri"],
        disconnect_uri=receiver.url,
    )
    client.do("uninstall", client_id=own["client_id"])
    receiver.wait(1)
    path, _, query = receiver.paths[0].partition("?")
    sent = dict(parse_qsl(query))
    assert path == "/hook"
    assert (sent["account_id"], sent["client_uuid"], len(sent["signature"])) == (
        "31000001",
        own["client_id"],
        64,
    )


def test_settings_are_stored_as_given(client: Client) -> None:
    subscribe(client, "https://app.example/h", "status_lead", "add_lead")
    assert json.loads(client.get("webhooks").text)["_embedded"]["webhooks"][0]["settings"] == [
        "status_lead",
        "add_lead",
    ]
