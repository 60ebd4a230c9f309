"""amochka goes through its account; tells what it read and wrote as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import requests
from amochka import AmoCRMClient, CacheConfig

given = json.load(sys.stdin)
home = f"https://{given['subdomain']}.amocrm.ru"
credentials = {name: given[name] for name in ("client_id", "client_secret", "redirect_uri")}
# This client reads a file of tokens; getting the first pair is the caller's part.
answer = requests.post(
    f"{home}/oauth2/access_token",
    json={**credentials, "grant_type": "authorization_code", "code": given["code"]},
    timeout=30,
)
answer.raise_for_status()
first = answer.json()["refresh_token"]
file = Path(tempfile.mkdtemp()) / "token.json"
file.write_text(json.dumps({**answer.json(), **credentials, "expires_at": "2020-01-01T00:00:00"}))
client = AmoCRMClient(
    base_url=home,
    token_file=str(file),
    cache_config=CacheConfig.memory_only(),
    disable_logging=True,
    rate_limit=1000,
    **credentials,
)
told = {"refreshed": json.loads(file.read_text())["refresh_token"] != first}
told["account"] = client.get_account(with_=["users_groups", "datetime_settings"])["subdomain"]
leads = client.fetch_leads(include_contacts=True, include=["loss_reason", "source_id"])
told["leads"] = [[lead["id"], lead["name"], lead["price"], lead["status_id"]] for lead in leads]
told["contacts_of_leads"] = {
    str(lead["id"]): [one["id"] for one in lead["_embedded"]["contacts"]] for lead in leads
}
pipelines = client.fetch_pipelines()
moments = sorted(lead["updated_at"] for lead in leads)
start, end = moments[len(moments) // 3], moments[2 * len(moments) // 3]
ids = [one["id"] for one in pipelines]
part = client.fetch_leads(updated_from=start, updated_to=end, pipeline_ids=ids, limit=50)
told["updated"] = {"from": start, "to": end, "ids": [lead["id"] for lead in part]}
told["users"] = [one["email"] for one in client.fetch_users()]
told["contacts"] = [[one["id"], one["name"]] for one in client.fetch_contacts()]
told["events"] = [
    [one["id"], one["entity_id"], one["value_after"][0]["lead_status"]["id"]]
    for one in client.fetch_events(entity="lead", event_type=["lead_status_changed"])
]
told["notes"] = [[one["id"], one["entity_id"], one["note_type"]] for one in client.fetch_notes("lead")]
told["tasks_count"] = len(client.fetch_tasks())
told["fields"] = sorted(client.get_custom_fields_mapping())
deal = client.get_deal_by_id(leads[0]["id"])
told["deal"] = [deal["id"], deal["name"]]
made = client.create_lead({"name": "Первая сделка клиента", "price": 150})["id"]
told["lead"] = {"id": made, "price": 250, "status_id": 142, "tags": ["из клиента"]}
client.update_lead(made, {"price": 250, "status_id": 142}, tags_to_add=["из клиента"])
phone = {"field_code": "PHONE", "values": [{"value": "8 (900) 555-00-22", "enum_code": "WORK"}]}
told["contact_id"] = client.create_contact({"name": "Анна", "custom_fields_values": [phone]})["id"]
client.link_entity("lead", made, told["contact_id"], "contact", metadata={"is_main": True})
told["linked"] = [one["to_entity_id"] for one in client.get_entity_links("leads", made)]
client.add_entity_note("lead", made, "common", {"text": "Примечание из клиента"})
told["note"] = [one["params"]["text"] for one in client.get_deal_notes(made, get_all=True)]
json.dump(told, sys.stdout)
