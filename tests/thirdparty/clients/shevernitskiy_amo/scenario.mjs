// @shevernitskiy/amo goes through its account; tells what it read and wrote as JSON.
import { readFileSync } from "node:fs";
import amoModule from "@shevernitskiy/amo";

const { Amo } = amoModule;
const given = JSON.parse(readFileSync(0, "utf8"));
const { client_id, client_secret, redirect_uri, code, subdomain } = given;
const host = `${subdomain}.amocrm.ru`;
const auth = { client_id, client_secret, redirect_uri };
const told = {};
let token;
const options = { request_delay: 0, on_token: (fresh) => (token = fresh) };
const fresh = new Amo(host, { ...auth, grant_type: "authorization_code", code }, options);
told.account = (await fresh.account.getAccount({ with: ["users_groups", "task_types"] })).subdomain;
const first = token;
// What a stored token of yesterday looks like: the client refreshes before the next call.
const amo = new Amo(host, { ...auth, ...first, expires_at: Date.now() - 1000 }, options);
told.users = (await amo.user.getUsers({ limit: 250 }))._embedded.users.map((one) => one.email);
told.refreshed = token.refresh_token !== first.refresh_token;

async function all(ask, key, query) {
  const rows = [];
  for (let page = 1; ; page += 1) {
    const answer = await ask({ limit: 250, ...query, page });
    rows.push(...answer._embedded[key]);
    if (!answer._links.next) return rows;
  }
}

const leads = await all((query) => amo.lead.getLeads(query), "leads", { with: ["contacts", "loss_reason"] });
told.leads = leads.map((lead) => [lead.id, lead.name, lead.price, lead.status_id]);
told.contacts_of_leads = Object.fromEntries(
  leads.map((lead) => [lead.id, lead._embedded.contacts.map((one) => one.id)]),
);
const moments = leads.map((lead) => lead.updated_at).sort((a, b) => a - b);
const third = Math.floor(moments.length / 3);
const [start, end] = [moments[third], moments[2 * third]];
const part = await all((query) => amo.lead.getLeads(query), "leads", {
  filter: (build) => build.range("updated_at", start, end),
});
told.updated = { from: start, to: end, ids: part.map((lead) => lead.id) };
told.contacts = (await all((query) => amo.contact.getContacts(query), "contacts", {})).map((one) => [one.id, one.name]);
const events = await all((query) => amo.event.getEvents({ ...query, limit: 100 }), "events", {
  filter: (build) => build.multi("type", ["lead_status_changed"]),
});
told.events = events.map((one) => [one.id, one.entity_id, one.value_after[0].lead_status.id]);
const notes = await all((query) => amo.note.getNotesByEntityType("leads", query), "notes", {});
told.notes = notes.map((note) => [note.id, note.entity_id, note.note_type]);
const [made] = (await amo.lead.addLeads([{ name: "Первая сделка клиента", price: 150 }]))._embedded.leads;
await amo.lead.updateLeadById(made.id, { price: 250, status_id: 142, tags_to_add: [{ name: "из клиента" }] });
told.lead = { id: made.id, price: 250, status_id: 142, tags: ["из клиента"] };
const phone = { field_code: "PHONE", values: [{ value: "+7 900 555-00-44", enum_code: "WORK" }] };
told.contact_id = (await amo.contact.addContacts([{ name: "Анна", custom_fields_values: [phone] }]))._embedded.contacts[0].id;
const note = [{ entity_id: made.id, note_type: "common", params: { text: "Примечание из клиента" } }];
await amo.note.addNotes("leads", note);
told.note = (await all((query) => amo.note.getNotesByEntityId(made.id, "leads", query), "notes", {})).map((one) => one.params.text);
const call = { direction: "inbound", duration: 61, source: "ats", phone: "+79005550044", uniq: "1", call_status: 4 };
told.call = (await amo.call.addCalls([call]))._embedded.calls[0];
const hook = await amo.webhook.addWebhook({ destination: given.hook, settings: ["add_lead"] });
const hooks = (await amo.webhook.getWebhooks())._embedded.webhooks;
told.hook = [201, hook.settings, hooks.map((one) => one.destination)];
told.hooked_id = (await amo.lead.addLeads([{ name: "С хуком" }]))._embedded.leads[0].id;
told.unhooked = (await amo.webhook.deleteWebhook({ destination: given.hook })) === null ? 204 : 0;
process.stdout.write(JSON.stringify(told));
