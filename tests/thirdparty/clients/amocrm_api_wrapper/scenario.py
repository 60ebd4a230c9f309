"""amocrm-api-wrapper 0.0.20 goes through its account; tells what it read and wrote as JSON."""

import json
import sys

import requests
from amocrm_api import AmoOAuthClient

given = json.load(sys.stdin)
home = f"https://{given['subdomain']}.amocrm.ru"
credentials = {name: given[name] for name in ("client_id", "client_secret", "redirect_uri")}
# This client refreshes but does not exchange codes: its documentation leaves that to the caller.
answer = requests.post(
    f"{home}/oauth2/access_token",
    data={**credentials, "grant_type": "authorization_code", "code": given["code"]},
    timeout=30,
)
answer.raise_for_status()
first = answer.json()
client = AmoOAuthClient(
    access_token=first["access_token"],
    refresh_token=first["refresh_token"],
    crm_url=home + "/",
    **credentials,
)
client.update_tokens()
told = {"refreshed": client.refresh_token != first["refresh_token"]}
told["account"] = client.get_account_info(with_users_groups=True, with_task_types=True)["subdomain"]


def pages(call, key, **more):
    rows, page = [], 1
    while True:
        answer = call(page=page, **more)
        if not answer:
            return rows
        rows += answer["_embedded"][key]
        if "next" not in answer["_links"]:
            return rows
        page += 1


leads = pages(client.get_leads, "leads", with_params=["contacts", "loss_reason"], order={"id": "asc"})
told["leads"] = [[lead["id"], lead["name"], lead["price"], lead["status_id"]] for lead in leads]
told["contacts_of_leads"] = {
    str(lead["id"]): [one["id"] for one in lead["_embedded"]["contacts"]] for lead in leads
}
moments = sorted(lead["updated_at"] for lead in leads)
start, end = moments[len(moments) // 3], moments[2 * len(moments) // 3]


def between(page):
    """A page of the leads changed in the middle; the client empties the dictionary it is given."""
    return client.get_leads(page=page, limit=50, filters={"updated_at__from": start, "updated_at__to": end})


part = pages(between, "leads")
told["updated"] = {"from": start, "to": end, "ids": [lead["id"] for lead in part]}
some = [lead["id"] for lead in leads[:7]]
told["by_ids"] = [some, [lead["id"] for lead in client.get_leads(filter_ids=some)["_embedded"]["leads"]]]
told["nobody"] = client.get_leads(filter_ids=[1])
told["users"] = [one["email"] for one in client.get_users()["_embedded"]["users"]]
told["contacts"] = [[one["id"], one["name"]] for one in pages(client.get_contacts, "contacts")]
events = pages(client.get_events, "events", limit=100, filter_by_type="lead_status_changed")
told["events"] = [[one["id"], one["entity_id"], one["value_after"][0]["lead_status"]["id"]] for one in events]
notes, page = [], 1
while answer := client.get_notes_by_entity_type("leads", page=page):
    notes += answer["_embedded"]["notes"]
    page += 1
told["notes"] = [[note["id"], note["entity_id"], note["note_type"]] for note in notes]
told["tasks_count"] = len(pages(client.get_tasks, "tasks"))
pipelines = client.get_pipelines()["_embedded"]["pipelines"]
told["pipelines"] = [one["id"] for one in pipelines]
status_id = pipelines[0]["_embedded"]["statuses"][1]["id"]
made = client.create_leads(
    [
        {"name": "Первая сделка клиента", "price": 150, "request_id": "первая"},
        {"name": "Вторая", "pipeline_id": pipelines[0]["id"], "status_id": status_id},
    ]
)["_embedded"]["leads"]
told["request_ids"] = [one["request_id"] for one in made]
told["lead"] = {"id": made[0]["id"], "price": 250, "status_id": 142, "tags": ["из клиента"]}
patch = {"id": made[0]["id"], "price": 250, "status_id": 142, "tags_to_add": [{"name": "из клиента"}]}
told["patched"] = [one["id"] for one in client.update_leads([patch])["_embedded"]["leads"]]
contact = client.create_contacts(
    [
        {
            "first_name": "Пётр",
            "last_name": "Клиентов",
            "custom_fields_values": [
                {"field_code": "PHONE", "values": [{"value": "+7 (900) 000-11-22", "enum_code": "WORK"}]}
            ],
        }
    ]
)["_embedded"]["contacts"][0]["id"]
client.link_leads_entity(
    made[0]["id"], [{"to_entity_id": contact, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
)
told["contact_id"] = contact
told["linked"] = [one["to_entity_id"] for one in client.get_leads_links(made[0]["id"])["_embedded"]["links"]]
common = {"note_type": "common", "params": {"text": "Примечание из клиента"}}
call = {
    "note_type": "call_in",
    "params": {
        "uniq": "8f52d38a-5fb3-406d-93a3-a4832dc28f8b",
        "duration": 60,
        "source": "onlinePBX",
        "link": "https://example.test/record.mp3",
        "phone": "+79000001122",
    },
}
client.create_entity_note("leads", [common, call], entity_id=made[0]["id"])
rows = client.get_notes_by_entity_type_and_entity_id("leads", made[0]["id"])["_embedded"]["notes"]
told["note"] = [note["params"]["text"] for note in rows if note["note_type"] == "common"]
told["call_duration"] = [note["params"]["duration"] for note in rows if note["note_type"] == "call_in"]
task = {
    "text": "Перезвонить",
    "complete_till": 1924992000,
    "entity_id": made[0]["id"],
    "entity_type": "leads",
}
task_id = client.add_tasks([task])["_embedded"]["tasks"][0]["id"]
client.execution_task(task_id, True, "Готово")
told["task"] = client.get_task(task_id)["result"]
hook = client.subscribe_webhook(given["hook"], ["add_lead"])
told["hook"] = [
    201,
    hook["settings"],
    [one["destination"] for one in client.get_webhooks()["_embedded"]["webhooks"]],
]
told["hooked_id"] = client.create_leads([{"name": "С хуком"}])["_embedded"]["leads"][0]["id"]
# Its own `unsubscribe_webhook` sends no destination, and its session is the way it leaves open.
told["unhooked"] = client._session.delete(
    f"{home}/api/v4/webhooks", json={"destination": given["hook"]}, timeout=30
).status_code
json.dump(told, sys.stdout)
