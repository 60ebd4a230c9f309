"""amocrm-api goes through its account; tells what it read and wrote as JSON on standard output."""

import datetime
import json
import sys

import jwt
from amocrm.v2 import Call, Contact, Event, Lead, Pipeline, Task, User, filters, tokens
from amocrm.v2.account import AccountInteraction
from amocrm.v2.interaction import GenericInteraction

given = json.load(sys.stdin)
storage = tokens.MemoryTokensStorage()
manager = tokens.default_token_manager
manager(
    client_id=given["client_id"],
    client_secret=given["client_secret"],
    subdomain=given["subdomain"],
    redirect_url=given["redirect_uri"],
    storage=storage,
)
manager.init(code=given["code"])
first = storage.get_refresh_token()
# What a store of yesterday would hold: the client sees that it has expired, and refreshes.
storage.save_tokens(jwt.encode({"exp": 1}, "an old key of thirty-two characters"), first)
told = {"account": AccountInteraction().get()["subdomain"], "refreshed": storage.get_refresh_token() != first}

leads = list(Lead.objects.all())
told["leads"] = [[lead.id, lead.name, lead.price, lead._data["status_id"]] for lead in leads]
told["contacts_of_leads"] = {
    str(lead.id): [one["id"] for one in lead._data["_embedded"]["contacts"]] for lead in leads
}
middle = sorted(lead.updated_at for lead in leads)[len(leads) // 2].replace(tzinfo=datetime.UTC)
late = middle + datetime.timedelta(days=20)
told["updated"] = {
    "from": int(middle.timestamp()),
    "to": int(late.timestamp()),
    "ids": [
        lead.id for lead in Lead.objects.filter(filters=[filters.DateRangeFilter("updated_at")(middle, late)])
    ],
}
pipeline = next(iter(Pipeline.objects.all()))
told["won"] = {
    "pipeline_id": pipeline.id,
    "ids": [
        lead.id
        for lead in Lead.objects.filter(
            filters=[filters.FiltersByPipelineAndStatus("statuses")(pipeline.id, 142)]
        )
    ],
}
told["users"] = [user.email for user in User.objects.all()]
told["contacts"] = [[one.id, one.name] for one in Contact.objects.all()]
told["events"] = [
    [event._data["id"], event.entity_id, event.value_after["id"]]
    for event in Event.objects.filter(filters=[filters.SingleFilter("type")("lead_status_changed")])
]
# Every kind of event has the value that this client looks for.
told["events_read"] = [bool(event.value_after or event.value_before) for event in Event.objects.all()]
told["notes"] = [
    [note["id"], note["entity_id"], note["note_type"]]
    for note in GenericInteraction(path="leads/notes", field="notes").get_all()
]

contact = Contact.objects.create(name="Анна «Тест» 😀", first_name="Анна")
lead = Lead.objects.create(name="Сделка <b>из</b> клиента", price=150, pipeline_id=pipeline.id)
lead = Lead.objects.get(lead.id)
lead.contacts.append(contact, main=True)
lead.price = 250
lead.status = next(one.name for one in pipeline.statuses if one.id == 142)
lead.tags.append("из клиента")
lead.save()
lead.notes(text="Примечание из клиента").save()
told["note"] = [note.text for note in lead.notes.objects.all() if note.note_type == "common"]
Task(
    text="Перезвонить",
    entity_id=lead.id,
    entity_type="leads",
    complete_till=datetime.datetime(2031, 1, 1, tzinfo=datetime.UTC),
).create()
told["tasks"] = [task.text for task in lead.tasks]
phones = [
    (value["value"], one.id)
    for one in Contact.objects.all()
    for field in one._data["custom_fields_values"] or []
    if field["field_code"] == "PHONE"
    for value in field["values"]
]
call = Call().create(
    direction="inbound", phone=phones[0][0], source="ats", duration=61, uniq="klient-1", status=4
)
again = Lead.objects.get(lead.id)
told["lead"] = {
    "id": again.id,
    "price": again.price,
    "status_id": again.status.id,
    "tags": [tag.name for tag in again.tags],
    "contacts": [one.id for one in again.contacts],
}
told["contact_id"], told["call"] = contact.id, call
hooks = GenericInteraction(path="webhooks", field="webhooks")
made, status = hooks.request(
    "post", "webhooks", data={"destination": given["hook"], "settings": ["add_lead"]}
)
told["hook"] = [status, made["settings"], [one["destination"] for one in hooks.get_all()]]
told["hooked_id"] = Lead.objects.create(name="С хуком").id
told["unhooked"] = hooks.request("delete", "webhooks", data={"destination": given["hook"]})[1]
json.dump(told, sys.stdout)
