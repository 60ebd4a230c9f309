"""aioamocrm goes through its account; tells what it read and wrote as JSON."""

import asyncio
import json
import sys

import httpx
from aioamocrm import (
    AmoCRMClient,
    Lead,
    MemoryTokenStorage,
    Note,
    NotFoundError,
    OAuth2,
    TokenSet,
    parse_webhook,
)

given = json.load(sys.stdin)


async def refreshes(auth, storage):
    """Whether an access token that the account refuses is renewed, once, by the client itself."""
    good = await storage.load()
    await storage.save(
        TokenSet(access_token="stale", refresh_token=good.refresh_token, expires_at=good.expires_at)
    )
    again = OAuth2(given["client_id"], given["client_secret"], given["redirect_uri"], storage)
    async with AmoCRMClient(auth=again, subdomain=given["subdomain"], rate_limit=None) as amo:
        await amo.account.get()
    return (await storage.load()).refresh_token != good.refresh_token, again


async def main():
    storage = MemoryTokenStorage()
    auth = OAuth2(given["client_id"], given["client_secret"], given["redirect_uri"], storage)
    async with AmoCRMClient(auth=auth, subdomain=given["subdomain"]) as amo:
        await amo.exchange_code(given["code"])
    told = {}
    told["refreshed"], auth = await refreshes(auth, storage)
    # The same account under its other name.
    async with AmoCRMClient(
        auth=auth, subdomain=given["subdomain"], domain="kommo.com", rate_limit=None
    ) as amo:
        await play(amo, told)
    json.dump(told, sys.stdout)


async def hook_read():
    """What the client reads from the hook's body; the caller's time limit ends a vain wait."""
    async with httpx.AsyncClient() as receiver:
        while (answer := await receiver.get(given["hook"])).status_code == 404:
            await asyncio.sleep(0.02)
    hook = parse_webhook(answer.content)
    [event] = hook.events
    return [hook.subdomain, hook.account_id, event.entity, event.action, event.id, event.payload["name"]]


async def play(amo, told):
    told["account"] = (await amo.account.get(with_=["users_groups", "task_types"])).subdomain
    leads = [lead async for lead in amo.leads.iterate(with_=["contacts", "loss_reason"])]
    told["leads"] = [[lead.id, lead.name, lead.price, lead.status_id] for lead in leads]
    told["contacts_of_leads"] = {
        str(lead.id): [one.id for one in lead.embedded.contacts or []] for lead in leads
    }
    moments = sorted(lead.updated_at for lead in leads)
    start, end = moments[len(moments) // 3], moments[2 * len(moments) // 3]
    told["updated"] = {
        "from": start,
        "to": end,
        "ids": [
            lead.id
            async for lead in amo.leads.iterate(
                filter={"updated_at": {"from": start, "to": end}}, order={"updated_at": "desc"}, limit=50
            )
        ],
    }
    some = [lead.id for lead in leads[:7]]
    told["by_ids"] = [some, [lead.id async for lead in amo.leads.iterate(filter={"id": some})]]
    told["users"] = [user.email async for user in amo.users.iterate(with_=["role", "group"])]
    told["contacts"] = [[one.id, one.name] async for one in amo.contacts.iterate()]
    told["companies_count"] = len([one async for one in amo.companies.iterate()])
    told["tasks_count"] = len([one async for one in amo.tasks.iterate(filter={"is_completed": 0})])
    told["fields"] = [field.id async for field in amo.leads.custom_fields.iterate()]
    pipelines = await amo.pipelines.list()
    told["pipelines"] = [one.id for one in pipelines]
    told["statuses"] = [one.id for one in await amo.pipelines.statuses(pipelines[0].id)]
    told["notes"] = [[n.id, n.entity_id, n.note_type] async for n in amo.leads.notes.iterate()]
    events, page = [], 1
    while page:
        query = {"page": page, "limit": 100, "filter": {"type": ["lead_status_changed"]}}
        answer = await amo.request("GET", "events", params=query)
        events += answer["_embedded"]["events"]
        page = page + 1 if "next" in answer["_links"] else 0
    told["events"] = [
        [one["id"], one["entity_id"], one["value_after"][0]["lead_status"]["id"]] for one in events
    ]
    [made] = await amo.leads.create([Lead(name="Первая сделка клиента", price=150)])
    told["lead"] = {"id": made.id, "price": 250, "status_id": 142, "tags": ["из клиента"]}
    patch = {"id": made.id, "price": 250, "status_id": 142, "tags_to_add": [{"name": "из клиента"}]}
    await amo.leads.update([patch])
    [contact] = await amo.contacts.create(
        [
            {
                "name": "Анна",
                "custom_fields_values": [
                    {"field_code": "PHONE", "values": [{"value": "+79005550011", "enum_code": "MOB"}]}
                ],
            }
        ]
    )
    told["contact_id"] = contact.id
    await amo.leads.link(made.id, "contacts", contact.id, metadata={"is_main": True})
    told["linked"] = [link.to_entity_id for link in await amo.leads.links(made.id)]
    await amo.leads.notes.create([Note.common(made.id, "Примечание из клиента")])
    told["note"] = [note.params["text"] async for note in amo.leads.notes.iterate(entity_id=made.id)]
    [task] = await amo.tasks.create(
        [{"text": "Позвонить", "complete_till": 1924992000, "entity_id": made.id, "entity_type": "leads"}]
    )
    await amo.tasks.complete(task.id, result="Готово")
    told["task"] = (await amo.tasks.get(task.id)).is_completed
    [whole] = await amo.leads.create_complex(
        [{"name": "Целиком", "_embedded": {"contacts": [{"name": "Ольга"}], "companies": [{"name": "ООО"}]}}]
    )
    told["complex"] = [whole.id, whole.contact_id, whole.company_id, whole.merged]
    try:
        await amo.leads.get(1)
        told["nobody"] = "somebody"
    except NotFoundError:
        told["nobody"] = {}
    call = {"direction": "outbound", "duration": 5, "source": "ats", "phone": "+79005550011", "uniq": "1"}
    told["call"] = (await amo.request("POST", "calls", json=[call]))["_embedded"]["calls"][0]
    hook = {"destination": given["hook"], "settings": ["add_lead"]}
    made = await amo.request("POST", "webhooks", json=hook)
    listed = await amo.request("GET", "webhooks")
    told["hook"] = [201, made["settings"], [one["destination"] for one in listed["_embedded"]["webhooks"]]]
    [hooked] = await amo.leads.create([Lead(name="С хуком")])
    told["hooked_id"] = hooked.id
    told["hook_read"] = await hook_read()
    gone = await amo.request("DELETE", "webhooks", json={"destination": given["hook"]})
    told["unhooked"] = 204 if gone is None else 0


asyncio.run(main())
