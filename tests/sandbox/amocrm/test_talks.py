"""Talks, messages, letters, short messages and visits: their rows, events and what they do to each other."""

from typing import Any

import pytest

from tests.sandbox.amocrm.hooked import Queue, heads, made, one
from tests.sandbox.amocrm.support import Client, Row


def a_talk(client: Client, **more: Any) -> tuple[int, int, Row]:
    """A lead, its contact and the talk of a first message."""
    lead = made(client, "create_lead", name="Переписка")
    contact = made(client, "create_contact", name="Олег", lead_id=lead)
    client.do("chat_message", contact_id=contact, text="Здравствуйте", **more)
    (talk,) = [row for row in client.truth("talks") if row["contact_id"] == contact]
    return lead, contact, talk


def kinds(client: Client, entity_id: int) -> list[str]:
    """Types of the events about an id, oldest first, without how it came to be."""
    found = [event["type"] for event in client.events_of(entity_id)]
    return [kind for kind in found if kind not in ("lead_added", "contact_added", "entity_linked")]


def test_a_message_opens_a_talk_about_the_contacts_open_lead(shared: Client) -> None:
    lead, contact, talk = a_talk(shared)
    shown = shared.get(f"talks/{talk['talk_id']}").json()
    assert {name: shown[name] for name in talk if name not in ("created_at", "updated_at", "chat_id")} == {
        "talk_id": talk["talk_id"], "rate": 0, "contact_id": contact, "entity_id": lead,
        "entity_type": "lead", "is_in_work": True, "is_read": False, "origin": "telegram", "missed_at": None,
        "account_id": 31000001,
    }  # fmt: skip
    assert kinds(shared, lead) == ["talk_created", "incoming_chat_message"]
    created, message = shared.events_of(lead)[-2:]
    assert created["value_after"] == [{"talk": {"id": talk["talk_id"]}}]
    told = message["value_after"][0]["message"]
    assert (message["created_by"], told["origin"], told["talk_id"]) == (0, "telegram", talk["talk_id"])
    assert len(told["id"]) == 36


def test_an_answer_closing_and_a_new_talk(shared: Client, queue: Queue) -> None:
    lead, contact, talk = a_talk(shared)
    shared.do("chat_message", contact_id=contact, direction="out", text="Добрый день", by=502)
    shared.do("chat_message", contact_id=contact, direction="out", text="Чем помочь?", by=502)
    assert kinds(shared, lead)[2:] == [
        "outgoing_chat_message",
        "conversation_answered",
        "outgoing_chat_message",
    ]
    assert shared.get(f"talks/{talk['talk_id']}").json()["is_read"] is True
    queue.fresh()
    closed = shared.call("POST", f"talks/{talk['talk_id']}/close", json={"force_close": True})
    assert (closed.status_code, closed.content) == (202, b"")
    assert shared.get(f"talks/{talk['talk_id']}").json()["is_in_work"] is False
    assert kinds(shared, lead)[-1] == "talk_closed"
    assert one(queue.fresh(), "talk[update]")["is_in_work"] == "0"
    assert shared.call("POST", f"talks/{talk['talk_id']}/close").status_code == 202
    assert (heads(queue.fresh()), kinds(shared, lead)[-1]) == ([], "talk_closed")
    shared.do("chat_message", contact_id=contact, text="Ещё вопрос")
    assert len([row for row in shared.truth("talks") if row["contact_id"] == contact]) == 2


def test_each_channel_has_a_talk_of_its_own(shared: Client) -> None:
    _, contact, _ = a_talk(shared)
    shared.do("chat_message", contact_id=contact, text="и тут", origin="vk")
    shared.do("chat_message", contact_id=contact, text="и там", origin="telegram")
    assert sorted(row["origin"] for row in shared.truth("talks") if row["contact_id"] == contact) == [
        "telegram",
        "vk",
    ]


def test_without_one_open_lead_a_talk_is_about_the_contact(shared: Client, queue: Queue) -> None:
    contact = made(shared, "create_contact", name="Без сделки")
    queue.fresh()
    shared.do("chat_message", contact_id=contact, text="Алло")
    assert kinds(shared, contact) == ["talk_created", "incoming_chat_message"]
    bodies = queue.fresh()
    assert "entity_id" not in one(bodies, "talk[add]")
    assert "entity_id" not in one(bodies, "message[add]")


def test_a_missed_talk_says_when(shared: Client) -> None:
    lead, _, talk = a_talk(shared)
    shared.do("miss_talk", talk_id=talk["talk_id"])
    assert shared.get(f"talks/{talk['talk_id']}").json()["missed_at"] >= talk["created_at"]
    assert kinds(shared, lead)[-1] == "talk_missed_event"


def test_a_stranger_makes_an_incoming_lead(shared: Client) -> None:
    shared.do("chat_message", text="Сколько стоит?", name="Гость", origin="vk")
    talk = max(shared.truth("talks"), key=lambda row: int(row["talk_id"]))
    lead = shared.get(f"leads/{talk['entity_id']}").json()
    assert lead["status_id"] == 4100
    (item,) = [row for row in shared.truth("unsorted") if {"id": lead["id"]} in row["_embedded"]["leads"]]
    assert (item["category"], item["metadata"]["last_message_text"]) == ("chats", "Сколько стоит?")
    assert item["metadata"]["origin"]["chat_id"] == talk["chat_id"]


@pytest.mark.parametrize("path", ["talks/987654321/close", "talks/nobody/close"])
def test_an_unknown_talk_is_404(shared: Client, path: str) -> None:
    assert shared.call("POST", path, json={}).status_code == 404
    assert shared.get(path.removesuffix("/close")).status_code == 404


@pytest.mark.parametrize(("direction", "kind"), [("in", "incoming_mail"), ("out", "outgoing_mail")])
def test_letters(shared: Client, direction: str, kind: str) -> None:
    lead = made(shared, "create_lead", name="Письмо")
    note_id = made(shared, "mail", id=lead, subject="Счёт", text="Во вложении", direction=direction)
    (note,) = shared.rows(f"leads/{lead}/notes?filter[note_type]=amomail_message", "notes")
    assert (note["id"], note["params"]["subject"], note["params"]["income"]) == (
        note_id,
        "Счёт",
        direction == "in",
    )
    assert set(note["params"]) == {
        "thread_id", "message_id", "private", "income", "from", "to", "subject", "content_summary",
        "attach_cnt", "delivery",
    }  # fmt: skip
    (event,) = shared.events_of(lead, kind)
    assert event["value_after"] == [{"note": {"id": note_id}}]


@pytest.mark.parametrize(
    ("action", "params", "kind", "note_type"),
    [
        ("sms", {"text": "Ок", "phone": "+79990000000"}, "incoming_sms", "sms_in"),
        ("sms", {"text": "Ок", "direction": "out"}, "outgoing_sms", "sms_out"),
        ("site_visit", {"entity": "contacts"}, "site_visit_note_added", "site_visit"),
    ],
)
def test_short_messages_and_visits(
    shared: Client, action: str, params: Row, kind: str, note_type: str
) -> None:
    contact = made(shared, "create_contact", name="Посетитель")
    note_id = made(shared, action, id=contact, **params)
    (note,) = shared.rows(f"contacts/{contact}/notes", "notes")
    assert (note["id"], note["note_type"]) == (note_id, note_type)
    (event,) = shared.events_of(contact, kind)
    assert event["value_after"] == [{"note": {"id": note_id}}]


@pytest.mark.parametrize(
    "action",
    [
        {"do": "chat_message", "text": "x", "direction": "out"},
        {"do": "chat_message", "text": "x", "contact_id": 1},
        {"do": "chat_message", "text": "x", "contact_id": 8001, "direction": "up"},
        {"do": "mail", "subject": "x", "direction": "out"},
        {"do": "mail", "subject": "x", "direction": "up"},
        {"do": "sms", "id": 8001, "text": "x", "direction": "up"},
        {"do": "close_talk", "talk_id": 5_000_000},
        {"do": "add_pipeline_hook", "pipeline_id": 3100, "status_id": 5, "url": "http://x"},
        {"do": "add_pipeline_hook", "pipeline_id": 3100, "status_id": 142, "url": "http://x", "event": "z"},
        {"do": "remove_pipeline_hook", "pipeline_id": 3100, "status_id": 142, "url": "http://none"},
    ],
)
def test_an_impossible_action_leaves_nothing(shared: Client, action: Row) -> None:
    before = (shared.truth("talks"), shared.truth("events"), shared.truth("unsorted"))
    response = shared.http.post(f"{shared.url}/_sandbox/actions", json=[action])
    assert response.status_code == 400, response.text
    assert (shared.truth("talks"), shared.truth("events"), shared.truth("unsorted")) == before
