"""Links of cards and goods, and notes of every type, through API v4."""

from typing import Any

import pytest

from sandbox.amocrm.vocabulary import NOTE_PARAMS
from tests.sandbox.amocrm.hooked import Queue, heads, made
from tests.sandbox.amocrm.support import Client, Row


def to(entity_id: int, kind: str = "contacts", **metadata: Any) -> Row:
    """One item of a link call."""
    return {"to_entity_id": entity_id, "to_entity_type": kind, **({"metadata": metadata} if metadata else {})}


def test_linking_changes_both_sides_and_tells_both(shared: Client, queue: Queue) -> None:
    lead, contact = made(shared, "create_lead", name="A"), made(shared, "create_contact", name="B")
    before = {
        name: shared.row(name, row_id)["updated_at"]
        for name, row_id in (("leads", lead), ("contacts", contact))
    }
    queue.fresh()
    response = shared.call("POST", f"leads/{lead}/link", json=[to(contact, is_main=True, updated_by=502)])
    body = response.json()
    assert (response.status_code, body["_total_items"]) == (200, 1)
    assert body["_embedded"]["links"] == [
        {"entity_id": lead, "entity_type": "leads", "to_entity_id": contact, "to_entity_type": "contacts",
         "metadata": {"main_contact": True}}
    ]  # fmt: skip
    assert heads(queue.fresh()) == ["contacts[update]", "leads[update]"]
    (event,) = shared.events_of(lead, "entity_linked")
    assert (event["created_by"], event["value_after"]) == (
        502,
        [{"link": {"entity": {"type": "contact", "id": contact}}}],
    )
    (event,) = shared.events_of(contact, "entity_linked")
    assert event["value_after"] == [{"link": {"entity": {"type": "lead", "id": lead}}}]
    assert {
        name: shared.row(name, row_id)["updated_at"]
        for name, row_id in (("leads", lead), ("contacts", contact))
    } == before
    again = shared.call("POST", f"leads/{lead}/link", json=[to(contact)])
    assert (again.status_code, heads(queue.fresh())) == (200, [])
    gone = shared.call("POST", f"leads/{lead}/unlink", json=[to(contact)])
    assert (gone.status_code, heads(queue.fresh())) == (204, ["contacts[update]", "leads[update]"])
    (event,) = shared.events_of(lead, "entity_unlinked")
    assert event["value_before"] == [{"link": {"entity": {"type": "contact", "id": contact}}}]
    assert shared.rows(f"leads/{lead}/links", "links") == []
    assert shared.call("POST", f"leads/{lead}/unlink", json=[to(contact)]).status_code == 204


def test_one_contact_is_the_main_one(shared: Client) -> None:
    lead = made(shared, "create_lead", name="A")
    first, second, third = (made(shared, "create_contact", name=name) for name in "БВГ")
    shared.call("POST", f"leads/{lead}/link", json=[to(first), to(second), to(third, main_contact=True)])

    def mains() -> dict[int, bool]:
        rows = shared.rows(f"leads/{lead}/links", "links")
        return {row["to_entity_id"]: row["metadata"]["main_contact"] for row in rows}

    assert mains() == {first: False, second: False, third: True}
    shared.call("POST", f"leads/{lead}/link", json=[to(first, is_main=True)])
    assert mains() == {first: True, second: False, third: False}
    shared.call("POST", f"contacts/{first}/unlink", json=[to(lead, "leads")])
    assert mains() == {second: True, third: False}


def test_a_lead_has_one_company(shared: Client) -> None:
    lead = made(shared, "create_lead", name="A")
    old, new = (made(shared, "create_company", name=name) for name in ("Старая", "Новая"))
    for company in (old, new):
        shared.call("POST", f"leads/{lead}/link", json=[to(company, "companies")])
    assert [row["id"] for row in shared.get(f"leads/{lead}").json()["_embedded"]["companies"]] == [new]
    assert shared.row("companies", old)["_embedded"]["leads"] == []


def test_the_mass_forms(shared: Client) -> None:
    leads = [made(shared, "create_lead", name=name) for name in ("A", "B")]
    contact = made(shared, "create_contact", name="Общий")
    items = [{"entity_id": lead, **to(contact)} for lead in leads]
    assert shared.call("POST", "leads/link", json=items).json()["_total_items"] == 2
    query = "&".join(f"filter[entity_id][]={lead}" for lead in leads)
    rows = shared.rows(f"leads/links?{query}", "links")
    assert [(row["entity_id"], row["to_entity_id"]) for row in rows] == [(lead, contact) for lead in leads]
    rows = shared.rows(f"contacts/links?filter[entity_id]={contact}&filter[to_entity_type]=leads", "links")
    assert [row["to_entity_id"] for row in rows] == leads
    assert shared.call("POST", "leads/unlink", json=items[:1]).status_code == 204
    assert [row["entity_id"] for row in shared.rows(f"leads/links?{query}", "links")] == leads[1:]
    assert shared.call("POST", "leads/link", json=[to(contact)]).status_code == 400


def test_goods_are_linked_with_a_quantity(shared: Client, queue: Queue) -> None:
    lead = made(shared, "create_lead", name="A")
    queue.fresh()
    item = to(42, "catalog_elements", quantity=2.5, catalog_id=41, price_id=7)
    (linked,) = shared.call("POST", f"leads/{lead}/link", json=[item]).json()["_embedded"]["links"]
    assert linked["metadata"] == {"quantity": 2.5, "catalog_id": 41, "price_id": 7}
    shown = shared.get(f"leads/{lead}?with=catalog_elements").json()["_embedded"]["catalog_elements"]
    assert [(row["id"], row["metadata"]["quantity"]) for row in shown] == [(42, 2.5)]
    (event,) = shared.events_of(lead, "entity_linked")
    assert event["value_after"] == [{"link": {"entity": {"type": "catalog_41", "id": 42}}}]
    shared.call("POST", f"leads/{lead}/link", json=[to(42, "catalog_elements", quantity=4, catalog_id=41)])
    (row,) = shared.rows(f"leads/{lead}/links?filter[to_entity_type]=catalog_elements", "links")
    assert row["metadata"] == {"quantity": 4, "catalog_id": 41}
    assert heads(queue.fresh()) == ["leads[update]", "leads[update]"]
    assert shared.call("POST", f"leads/{lead}/unlink", json=[to(42, "catalog_elements")]).status_code == 204
    assert shared.rows(f"leads/{lead}/links", "links") == []
    assert len(shared.events_of(lead, "entity_unlinked")) == 1


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"to_entity_id": 1, "to_entity_type": "users"}, "to_entity_type"),
        ({"to_entity_type": "contacts"}, "to_entity_id"),
        (to(999_999), "to_entity_id"),
        (to(42, "catalog_elements", catalog_id=5), "to_entity_id"),
    ],
)
def test_what_cannot_be_linked(shared: Client, item: Row, path: str) -> None:
    response = shared.call("POST", "leads/7001/link", json=[item])
    assert response.status_code == 400
    assert response.json()["validation-errors"][0]["errors"][0]["path"] == path


PARAMS: dict[str, tuple[Row, str]] = {
    "common": ({"text": "Перезвонить"}, "common_note_added"),
    "call_in": ({"uniq": "1", "duration": 60, "source": "АТС", "phone": "+7999"}, "incoming_call"),
    "call_out": ({"uniq": "2", "duration": 0, "source": "АТС", "phone": "+7999", "call_status": 6},
                 "outgoing_call"),
    "service_message": ({"service": "Сервис", "text": "Готово"}, "service_note_added"),
    "extended_service_message": ({"service": "Сервис", "text": "Готово"}, "service_note_added"),
    "message_cashier": ({"status": "created", "text": "К оплате"}, "message_to_cashier_note_added"),
    "geolocation": ({"text": "Тут", "address": "Москва", "longitude": "53.7", "latitude": "87.1"},
                    "geo_note_added"),
    "sms_in": ({"text": "Да", "phone": "+7999"}, "incoming_sms"),
    "sms_out": ({"text": "Да", "phone": "+7999"}, "outgoing_sms"),
    "attachment": ({"version_uuid": "v", "file_uuid": "f", "file_name": "a.pdf"}, "attachment_note_added"),
    "invoice_paid": ({"text": "Оплачено", "service": "Банк"}, "service_note_added"),
}  # fmt: skip


@pytest.mark.parametrize("entity", ["leads", "contacts", "companies", "customers"])
def test_notes_of_every_writable_type(shared: Client, entity: str) -> None:
    assert set(PARAMS) == set(NOTE_PARAMS)
    one = {"leads": "lead", "contacts": "contact", "companies": "company", "customers": "customer"}[entity]
    card = made(shared, f"create_{one}", name="Карточка")
    items = [{"note_type": kind, "params": params} for kind, (params, _) in PARAMS.items()]
    response = shared.call("POST", f"{entity}/{card}/notes", json=items)
    assert response.status_code == 200, response.text
    rows = shared.rows(f"{entity}/{card}/notes?limit=250", "notes")
    assert [(row["note_type"], row["params"]) for row in rows] == [
        (kind, p) for kind, (p, _) in PARAMS.items()
    ]
    told = [event["type"] for event in shared.events_of(card) if event["entity_type"] == one][1:]
    assert told == [kind for _, kind in PARAMS.values()]
    mass = shared.call(
        "POST", f"{entity}/notes", json=[{"entity_id": card, "note_type": "common", "params": {"text": "x"}}]
    )
    assert mass.json()["_embedded"]["notes"][0]["entity_id"] == card


@pytest.mark.parametrize("kind", sorted(NOTE_PARAMS))
def test_each_missing_param_is_named(shared: Client, kind: str) -> None:
    params = PARAMS[kind][0]
    for name in NOTE_PARAMS[kind]:
        item = {"note_type": kind, "params": {key: value for key, value in params.items() if key != name}}
        response = shared.call("POST", "leads/7001/notes", json=[item])
        assert response.status_code == 400
        (error,) = response.json()["validation-errors"][0]["errors"]
        assert (error["path"], error["code"]) == (f"params.{name}", "FieldMissing")


@pytest.mark.parametrize("kind", ["amomail_message", "chat", "site_visit", "zoom_meeting", "nonsense", None])
def test_other_types_cannot_be_written(shared: Client, kind: str | None) -> None:
    response = shared.call("POST", "leads/7001/notes", json=[{"note_type": kind, "params": {"text": "x"}}])
    assert response.json()["validation-errors"][0]["errors"][0]["path"] == "note_type"


@pytest.mark.parametrize(
    ("kind", "wrong", "path"),
    [
        ("call_in", {"duration": "долго"}, "params.duration"),
        ("call_in", {"duration": -5}, "params.duration"),
        ("call_in", {"call_status": 9}, "params.call_status"),
        ("call_in", {"phone": 7999}, "params.phone"),
        ("common", {"text": 5}, "params.text"),
        ("geolocation", {"longitude": "восток"}, "params.longitude"),
    ],
)
def test_params_of_a_wrong_kind(shared: Client, kind: str, wrong: Row, path: str) -> None:
    item = {"note_type": kind, "params": {**PARAMS[kind][0], **wrong}}
    response = shared.call("POST", "leads/7001/notes", json=[item])
    assert response.json()["validation-errors"][0]["errors"][0]["path"] == path


def test_editing_pinning_and_deleting_a_note(shared: Client) -> None:
    lead = made(shared, "create_lead", name="A")
    note = made(shared, "add_note", id=lead, text="Было")
    patched = shared.call("PATCH", f"leads/notes/{note}", json={"params": {"text": "Стало"}}).json()
    assert (patched["id"], patched["entity_id"]) == (note, lead)
    shared.call("PATCH", f"leads/{lead}/notes", json=[{"id": note, "params": {"text": "Стало так"}}])
    assert shared.get(f"leads/{lead}/notes/{note}").json()["params"] == {"text": "Стало так"}
    assert (
        shared.call("PATCH", f"leads/{lead}/notes/{note}", json={"note_type": "call_in"}).status_code == 400
    )
    assert shared.call("PATCH", f"leads/7001/notes/{note}", json={"params": {"text": "x"}}).status_code == 404
    assert shared.call("PATCH", "leads/notes/1", json={"params": {"text": "x"}}).status_code == 404
    before = len(shared.truth("events"))
    assert shared.call("POST", f"leads/notes/{note}/pin").status_code == 204
    assert shared.row("notes_leads", note)["is_pinned"] is True
    assert shared.call("POST", f"leads/{lead}/notes/{note}/unpin").status_code == 204
    assert shared.row("notes_leads", note)["is_pinned"] is False
    assert shared.call("POST", "leads/notes/1/pin").status_code == 404
    assert len(shared.truth("events")) == before
    shared.do("delete_note", note_id=note)
    assert shared.get(f"leads/notes/{note}").status_code in (204, 404)
    (event,) = shared.events_of(lead, "common_note_deleted")
    assert event["value_before"] == [{"note": {"id": note}}]
