// amocrm-js goes through its account; tells what it read and wrote as JSON.
import { readFileSync } from "node:fs";
import amocrm from "amocrm-js";

const given = JSON.parse(readFileSync(0, "utf8"));
const { client_id, client_secret, redirect_uri, code, subdomain } = given;
const client = new amocrm.Client({
  domain: subdomain,
  auth: { client_id, client_secret, redirect_uri, code },
});
const told = {};
const get = async (path, query) => (await client.request.get(path, query)).data;
told.account = (await get("/api/v4/account")).subdomain;
const first = client.token.getValue().refresh_token;
// What a stored token of yesterday looks like: the client refreshes before the next call.
client.token.setValue({ ...client.token.getValue(), expires_at: Date.now() - 1000 });
told.users = (await get("/api/v4/users", { limit: 250 }))._embedded.users.map((one) => one.email);
told.refreshed = client.token.getValue().refresh_token !== first;

async function all(factory, criteria) {
  const pagination = await factory.get(criteria);
  const rows = [...pagination.getData()];
  while (pagination.hasNext()) {
    await pagination.next();
    rows.push(...pagination.getData());
  }
  return rows.map((row) => row.getAttributes());
}

// Small pages: this client joins the pieces of an answer as texts, which breaks letters between two pieces.
const leads = await all(client.leads, { limit: 10, with: ["contacts"], order: { updated_at: "desc" } });
told.leads = leads.map((lead) => [lead.id, lead.name, lead.price, lead.status_id]);
told.order = leads.map((lead) => lead.updated_at);
told.contacts_of_leads = Object.fromEntries(
  leads.map((lead) => [lead.id, lead._embedded.contacts.map((one) => one.id)]),
);
const third = Math.floor(leads.length / 3);
const [start, end] = [leads[2 * third].updated_at, leads[third].updated_at];
const part = await all(client.leads, { limit: 50, filter: { updated_at: { from: start, to: end } } });
told.updated = { from: start, to: end, ids: part.map((lead) => lead.id) };
const some = leads.slice(0, 7).map((lead) => lead.id);
told.by_ids = [some, (await all(client.leads, { filter: { id: some } })).map((lead) => lead.id)];
told.contacts = (await all(client.contacts, { limit: 25 })).map((one) => [one.id, one.name]);
told.tasks_count = (await all(client.tasks, { limit: 50 })).length;

const list = async (path, key, query) => {
  const rows = [];
  for (let page = 1; ; page += 1) {
    const answer = await get(path, { ...query, page });
    rows.push(...(answer._embedded?.[key] ?? []));
    if (!answer._links?.next) return rows;
  }
};
const events = await list("/api/v4/events", "events", { limit: 100, filter: { type: ["lead_status_changed"] } });
told.events = events.map((one) => [one.id, one.entity_id, one.value_after[0].lead_status.id]);
const notes = await list("/api/v4/leads/notes", "notes", { limit: 250 });
told.notes = notes.map((note) => [note.id, note.entity_id, note.note_type]);

const [lead] = await client.leads.create([{ name: "Первая сделка клиента", price: 150 }]);
lead.price = 250;
lead.status_id = 142;
await lead.save();
await client.request.patch(`/api/v4/leads/${lead.id}`, { tags_to_add: [{ name: "из клиента" }] });
told.lead = { id: lead.id, price: 250, status_id: 142, tags: ["из клиента"] };
const phone = { field_code: "PHONE", values: [{ value: "+7 900 555-00-33", enum_code: "WORK" }] };
const [contact] = await client.contacts.create([{ name: "Анна", custom_fields_values: [phone] }]);
told.contact_id = contact.id;
const text = "Примечание из клиента";
const note = [{ note_type: "common", params: { text } }];
await client.request.post(`/api/v4/leads/${lead.id}/notes`, note);
told.note = (await list(`/api/v4/leads/${lead.id}/notes`, "notes", {})).map((one) => one.params.text);
const call = { direction: "inbound", duration: 61, source: "ats", phone: "+79005550033", uniq: "1", call_status: 4 };
told.call = (await client.request.post("/api/v4/calls", [call])).data._embedded.calls[0];
const made = await client.request.post("/api/v4/webhooks", { destination: given.hook, settings: ["add_lead"] });
const hooks = (await get("/api/v4/webhooks"))._embedded.webhooks;
told.hook = [made.response.statusCode, made.data.settings, hooks.map((one) => one.destination)];
told.hooked_id = (await client.leads.create([{ name: "С хуком" }]))[0].id;
// Node writes a DELETE's body without saying how long it is, unless a header announces it.
const chunked = { headers: { "Transfer-Encoding": "chunked" } };
const gone = await client.request.delete("/api/v4/webhooks", { destination: given.hook }, chunked);
told.unhooked = gone.response.statusCode;
process.stdout.write(JSON.stringify(told));
