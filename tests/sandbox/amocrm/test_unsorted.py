"""Incoming leads: created, listed, accepted, declined, tied to a lead, counted."""

from typing import Any

import pytest

from sandbox.amocrm.main import Simulator
from tests.sandbox.amocrm.hooked import Queue, heads, made, one, unsorted_uid
from tests.sandbox.amocrm.support import Client, Row

FORM = {"form_id": 123, "form_name": "Заявка", "form_page": "https://shop.test/", "ip": "10.0.0.1"}


def a_form(**more: Any) -> Row:
    """One item of POST /leads/unsorted/forms."""
    embedded = {
        "leads": [{"name": "Обратный звонок", "price": 5000}],
        "contacts": [{"name": "Мария", "custom_fields_values": [
            {"field_code": "PHONE", "values": [{"value": "+79995550000", "enum_code": "WORK"}]}]}],
        "companies": [{"name": "ООО Лес"}],
    }  # fmt: skip
    return {"source_uid": "a1fee7c0fc436088e64ba2e8822ba2b3", "source_name": "Сайт", "metadata": FORM,
            "_embedded": embedded, **more}  # fmt: skip


def create(client: Client, category: str = "forms", **more: Any) -> Row:
    """A created item as the answer shows it."""
    response = client.call("POST", f"leads/unsorted/{category}", json=[a_form(**more)])
    assert response.status_code == 200, response.text
    (item,) = response.json()["_embedded"]["unsorted"]
    return dict(item)


def test_a_form_becomes_a_lead_in_the_unsorted_column(shared: Client) -> None:
    item = create(shared, request_id="q")
    assert (item["request_id"], item["account_id"]) == ("q", 31000001)
    assert set(item) == {"uid", "account_id", "request_id", "_links", "_embedded"}
    ids = {table: item["_embedded"][table][0]["id"] for table in ("leads", "contacts", "companies")}
    lead = shared.get(f"leads/{ids['leads']}?with=contacts").json()
    assert (lead["status_id"], lead["pipeline_id"], lead["price"]) == (4100, 3100, 5000)
    assert lead["_embedded"]["contacts"][0]["id"] == ids["contacts"]
    assert lead["_embedded"]["companies"][0]["id"] == ids["companies"]
    assert shared.get(f"contacts/{ids['contacts']}").json()["is_unsorted"] is True
    shown = shared.get(f"leads/unsorted/{item['uid']}").json()
    assert {name: shown[name] for name in ("uid", "category", "source_name", "pipeline_id", "metadata")} == {
        "uid": item["uid"], "category": "forms", "source_name": "Сайт", "pipeline_id": 3100, "metadata": FORM,
    }  # fmt: skip
    assert len(item["uid"]) == 48
    listed = shared.rows(f"leads/unsorted?filter[uid]={item['uid']}&filter[category][]=forms", "unsorted")
    assert [row["uid"] for row in listed] == [item["uid"]]


def test_accepting_keeps_the_leads_id_and_gives_it_an_owner(shared: Client, queue: Queue) -> None:
    item = create(shared)
    lead_id = item["_embedded"]["leads"][0]["id"]
    contact_id = item["_embedded"]["contacts"][0]["id"]
    queue.fresh()
    wanted = {"user_id": 502, "status_id": 4102}
    answer = shared.call("POST", f"leads/unsorted/{item['uid']}/accept", json=wanted)
    body = answer.json()
    assert (answer.status_code, body["uid"], body["category"]) == (200, item["uid"], "forms")
    assert (body["pipeline_id"], body["_embedded"]["leads"][0]["id"]) == (3100, lead_id)
    lead = shared.get(f"leads/{lead_id}").json()
    assert (lead["status_id"], lead["responsible_user_id"], lead["group_id"]) == (4102, 502, 88)
    contact = shared.get(f"contacts/{contact_id}").json()
    assert (contact["is_unsorted"], contact["responsible_user_id"]) == (False, 502)
    (event,) = shared.events_of(lead_id, "lead_status_changed")
    assert event["value_before"] == [{"lead_status": {"id": 4100, "pipeline_id": 3100}}]
    assert event["value_after"] == [{"lead_status": {"id": 4102, "pipeline_id": 3100}}]
    assert event["created_by"] == 502
    bodies = queue.fresh()
    assert heads(bodies) == sorted(
        ["contacts[responsible]", "contacts[responsible]", "contacts[update]", "contacts[update]",
         "leads[responsible]", "leads[status]", "leads[update]", "unsorted[delete]"]
    )  # fmt: skip
    assert one(bodies, "unsorted[delete]")["modified_user_id"] == "502"
    assert shared.get(f"leads/unsorted/{item['uid']}").status_code == 404
    again = shared.call("POST", f"leads/unsorted/{item['uid']}/accept", json={})
    assert again.status_code == 404


def test_accepting_without_a_body_takes_the_first_column(shared: Client) -> None:
    item = create(shared)
    assert shared.call("POST", f"leads/unsorted/{item['uid']}/accept").status_code == 200
    lead = shared.get(f"leads/{item['_embedded']['leads'][0]['id']}").json()
    assert (lead["status_id"], lead["responsible_user_id"]) == (4101, 501)


def test_declining_is_a_delete_with_a_body(shared: Client, queue: Queue) -> None:
    item = create(shared)
    lead_id, contact_id = (item["_embedded"][table][0]["id"] for table in ("leads", "contacts"))
    queue.fresh()
    answer = shared.call("DELETE", f"leads/unsorted/{item['uid']}/decline", json={"user_id": 502})
    assert (answer.status_code, answer.json()["uid"]) == (200, item["uid"])
    assert shared.get(f"leads/{lead_id}").status_code == 204
    assert shared.get(f"contacts/{contact_id}").status_code == 204
    assert shared.row("leads", lead_id)["is_deleted"] is True
    assert [event["type"] for event in shared.events_of(lead_id)][-1] == "lead_deleted"
    gone = one(queue.fresh(), "unsorted[delete]")
    assert (gone["action"], gone["decline_result.leads.0"]) == ("decline", str(lead_id))


def test_a_declined_lead_may_leave_no_trace(shared: Client) -> None:
    item = create(shared)
    shared.door("limits", decline_lead="gone")
    try:
        shared.do("decline_unsorted", uid=item["uid"])
    finally:
        shared.door("limits", decline_lead=None)
    lead_id = item["_embedded"]["leads"][0]["id"]
    assert all(row["id"] != lead_id for row in shared.truth("leads"))


def test_only_chats_and_mail_are_tied_to_a_lead(shared: Client, queue: Queue) -> None:
    target = made(shared, "create_lead", name="Давняя")
    form = create(shared)
    link = {"link": {"entity_type": "leads", "entity_id": target}}
    assert shared.call("POST", f"leads/unsorted/{form['uid']}/link", json=link).status_code == 400
    talk_id = made_talk(shared)
    incoming = shared.get(f"talks/{talk_id}").json()["entity_id"]
    uid = unsorted_uid(shared, incoming)
    queue.fresh()
    answer = shared.call("POST", f"leads/unsorted/{uid}/link", json={**link, "user_id": 502})
    assert (answer.status_code, answer.json()["_embedded"]["leads"][0]["id"]) == (200, target)
    assert shared.get(f"leads/{incoming}").status_code == 204
    assert shared.row("leads", incoming)["_merged_into"] == target
    assert shared.get(f"talks/{talk_id}").json()["entity_id"] == target
    assert [event["type"] for event in shared.events_of(target)][-1] == "entity_merged"
    bodies = queue.fresh()
    assert one(bodies, "unsorted[delete]")["accept_result.leads.0"] == str(target)
    missing = {"link": {"entity_type": "leads", "entity_id": 999_999_999}}
    shared.do("mail", subject="Ещё")
    other = next(row["uid"] for row in shared.truth("unsorted") if row["category"] == "mail")
    assert shared.call("POST", f"leads/unsorted/{other}/link", json=missing).status_code == 400


def made_talk(client: Client) -> int:
    """The talk of a stranger."""
    client.do("chat_message", text="Есть кто?", name="Незнакомец")
    return int(max(row["talk_id"] for row in client.truth("talks")))


def test_a_second_message_updates_what_still_waits(shared: Client, queue: Queue) -> None:
    talk_id = made_talk(shared)
    talk = shared.get(f"talks/{talk_id}").json()
    queue.fresh()
    shared.do("chat_message", contact_id=talk["contact_id"], text="Ау")
    fields = one(queue.fresh(), "unsorted[update]")
    assert (fields["source_data.data.0.text"], fields["lead_id"]) == ("Ау", str(talk["entity_id"]))
    item = shared.get(f"leads/unsorted/{unsorted_uid(shared, talk['entity_id'])}").json()
    assert item["metadata"]["last_message_text"] == "Ау"


def test_a_sip_call_is_noted_when_asked_for(shared: Client) -> None:
    metadata = {"from": "+79990001122", "phone": "+74950001122", "called_at": 1760000000, "duration": 35,
                "link": "https://calls.test/1.mp3", "service_code": "sip1", "uniq": "u1",
                "is_call_event_needed": True}  # fmt: skip
    item = create(shared, "sip", metadata=metadata)
    lead_id = item["_embedded"]["leads"][0]["id"]
    (note,) = shared.rows(f"leads/{lead_id}/notes", "notes")
    assert (note["note_type"], note["params"]["duration"], note["params"]["uniq"]) == ("call_in", 35, "u1")
    assert "is_call_event_needed" not in shared.get(f"leads/unsorted/{item['uid']}").json()["metadata"]


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"source_uid": None}, "source_uid"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"form_id": 1}}, "metadata.form_name"),
        ({"pipeline_id": 3200}, "pipeline_id"),
        ({"pipeline_id": 5}, "pipeline_id"),
        ({"_embedded": {"leads": [{"id": 7001}]}}, "_embedded.leads.0.id"),
    ],
)
def test_a_bad_item_refuses_the_batch(shared: Client, more: Row, path: str) -> None:
    before = [len(shared.truth(name)) for name in ("unsorted", "leads", "contacts")]
    response = shared.call("POST", "leads/unsorted/forms", json=[a_form(), a_form(**more)])
    assert response.status_code == 400
    assert response.json()["validation-errors"][0]["errors"][0]["path"] == path
    assert [len(shared.truth(name)) for name in ("unsorted", "leads", "contacts")] == before


def test_chats_and_mail_cannot_be_created(shared: Client) -> None:
    assert shared.call("POST", "leads/unsorted/chats", json=[a_form()]).status_code in (404, 405)
    assert shared.call("POST", "leads/unsorted/nonsense/accept", json={}).status_code == 404
    uid = create(shared)["uid"]
    assert shared.call("POST", f"leads/unsorted/{uid}/accept", json={"user_id": 77}).status_code == 400
    assert shared.call("POST", f"leads/unsorted/{uid}/accept", json={"status_id": 4100}).status_code == 400


def test_the_summary_counts_what_was_sorted(client: Client, simulator: Simulator) -> None:
    uids = [create(client)["uid"] for _ in range(4)]
    client.do("create_unsorted", category="chats")
    client.door("clock", advance_s=120)
    client.call("POST", f"leads/unsorted/{uids[0]}/accept", json={})
    client.door("clock", advance_s=120)
    client.call("DELETE", f"leads/unsorted/{uids[1]}/decline", json={})
    summary = client.get("leads/unsorted/summary").json()
    assert (summary["total"], summary["accepted"], summary["declined"]) == (3, 1, 1)
    assert 179 <= summary["average_sort_time"] <= 190
    assert summary["categories"] == {
        "sip": {"total": 0}, "mail": {"total": 0}, "forms": {"total": 2}, "chats": {"total": 1},
    }  # fmt: skip
    later = client.get("leads/unsorted/summary?filter[created_at][from]=4000000000").json()
    assert (later["total"], later["accepted"], later["average_sort_time"]) == (0, 0, 0)
    other = client.get("leads/unsorted/summary?filter[pipeline_id]=3200").json()
    assert (other["total"], other["declined"]) == (0, 0)


def test_hooks_of_the_lead_may_wait_until_it_is_accepted(shared: Client, queue: Queue) -> None:
    shared.door("limits", unsorted_hooks="unsorted_only")
    try:
        item = create(shared)
        assert heads(queue.fresh()) == ["unsorted[add]"]
        shared.do("accept_unsorted", uid=item["uid"])
        assert {"leads[add]", "contacts[add]", "unsorted[delete]"} <= set(heads(queue.fresh()))
    finally:
        shared.door("limits", unsorted_hooks=None)
