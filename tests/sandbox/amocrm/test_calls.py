"""POST /calls: where a call known by its phone number is noted, and what is said when nobody has it."""

from typing import Any

import pytest

from tests.sandbox.amocrm.hooked import Queue, heads, made
from tests.sandbox.amocrm.support import Client, Row


def a_call(phone: str, **more: Any) -> Row:
    """One item."""
    return {"direction": "inbound", "duration": 60, "source": "АТС", "phone": phone, "uniq": "u-1", **more}


def place(client: Client, phone: str, **more: Any) -> Row:
    """The placed call, whole answer checked."""
    response = client.call("POST", "calls", json=[a_call(phone, **more)])
    body = response.json()
    assert (response.status_code, body["_total_items"], body["errors"]) == (200, 1, [])
    (call,) = body["_embedded"]["calls"]
    assert set(call) == {"id", "entity_id", "entity_type", "account_id", "request_id", "_embedded"}
    assert call["_embedded"] == {"entity": {"id": call["entity_id"]}}
    return dict(call)


def test_one_open_lead_takes_the_call(shared: Client, queue: Queue) -> None:
    lead = made(shared, "create_lead", name="Открытая")
    closed = made(shared, "create_lead", name="Проданная", status_id=142)
    contact = made(shared, "create_contact", name="Ян", phone="8 (901) 111-22-33", lead_id=lead)
    shared.do("link", id=closed, to_id=contact)
    queue.fresh()
    call = place(shared, "+7 901 111 22 33", call_status=4, call_result="Ок", link="https://c.test/1.mp3")
    assert (call["entity_type"], call["entity_id"], call["request_id"]) == ("lead", lead, "0")
    (note,) = shared.rows(f"leads/{lead}/notes", "notes")
    assert (note["id"], note["note_type"], note["created_by"]) == (call["id"], "call_in", 0)
    assert note["params"] == {
        "uniq": "u-1", "duration": 60, "source": "АТС", "link": "https://c.test/1.mp3",
        "phone": "+7 901 111 22 33", "call_result": "Ок", "call_status": 4, "call_responsible": 0,
    }  # fmt: skip
    (event,) = shared.events_of(lead, "incoming_call")
    assert (event["created_by"], event["value_after"]) == (0, [{"note": {"id": call["id"]}}])
    assert heads(queue.fresh()) == ["leads[note]"]


def test_several_open_leads_or_none_leave_it_on_the_contact(shared: Client) -> None:
    contact = made(shared, "create_contact", name="Два", phone="+79022222233")
    assert place(shared, "89022222233")["entity_type"] == "contact"
    for _ in range(2):
        made(shared, "create_lead", contact_id=contact)
    call = place(shared, "89022222233", direction="outbound", responsible_user_id=502, created_by=502)
    assert (call["entity_type"], call["entity_id"]) == ("contact", contact)
    notes = shared.rows(f"contacts/{contact}/notes", "notes")
    note = next(note for note in notes if note["id"] == call["id"])
    assert (note["note_type"], note["responsible_user_id"], note["created_by"]) == ("call_out", 502, 502)
    assert note["params"]["call_responsible"] == 502


def test_one_customer_and_no_open_lead_take_it_to_the_customer(shared: Client) -> None:
    contact = made(shared, "create_contact", name="Три", phone="+79033333333")
    customer = made(shared, "create_customer", name="Клуб", contact_id=contact)
    call = place(shared, "9033333333")
    assert (call["entity_type"], call["entity_id"]) == ("customer", customer)
    lead = made(shared, "create_lead", contact_id=contact)
    assert place(shared, "9033333333")["entity_id"] == lead


def test_a_companys_number(shared: Client) -> None:
    phone = [{"field_code": "PHONE", "values": [{"value": "+7 495 444-44-44", "enum_code": "WORK"}]}]
    company = made(shared, "create_company", name="АО", custom_fields_values=phone)
    call = place(shared, "84954444444", call_responsible="Менеджер АТС")
    assert (call["entity_type"], call["entity_id"]) == ("company", company)
    (note,) = shared.rows(f"companies/{company}/notes", "notes")
    assert note["params"]["call_responsible"] == "Менеджер АТС"


def test_old_calls_keep_their_moment(shared: Client) -> None:
    contact = made(shared, "create_contact", name="Пять", phone="+79055555555")
    place(shared, "+79055555555", created_at=1600000000, updated_at=1600000001)
    (note,) = shared.rows(f"contacts/{contact}/notes", "notes")
    assert (note["created_at"], note["updated_at"]) == (1600000000, 1600000001)


def test_each_item_fails_alone(shared: Client) -> None:
    made(shared, "create_contact", name="Шесть", phone="+79066666666")
    items = [a_call("+79066666666", request_id="good"), a_call("+70000000001", request_id="bad"),
             a_call("12", request_id="short")]  # fmt: skip
    body = shared.call("POST", "calls", json=items).json()
    assert [call["request_id"] for call in body["_embedded"]["calls"]] == ["good"]
    assert [(error["request_id"], error["title"], error["status"]) for error in body["errors"]] == [
        ("bad", "Entity not found", 263),
        ("short", "Entity not found", 263),
    ]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"phone": "1", "duration": 1, "source": "x"}, "direction"),
        (a_call("1", direction="sideways"), "direction"),
        (a_call("1", duration=-1), "duration"),
        (a_call("1", duration="long"), "duration"),
        (a_call("1", call_status=9), "call_status"),
        ({"direction": "inbound", "phone": "1", "source": "x"}, "duration"),
    ],
)
def test_a_malformed_item_refuses_all(shared: Client, item: Row, path: str) -> None:
    before = len(shared.truth("events"))
    response = shared.call("POST", "calls", json=[a_call("+79991234567"), {**item, "request_id": "q"}])
    assert response.status_code == 400
    (error,) = response.json()["validation-errors"]
    assert (error["request_id"], error["errors"][0]["path"]) == ("q", path)
    assert len(shared.truth("events")) == before
