"""Third-party clients, unmodified, read and write an account over HTTPS and cannot tell it from amoCRM's.

What each has read is compared with the simulator's own rows; what it has written is looked up there.
"""

import json
import urllib.parse
import uuid
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.thirdparty.conftest import CLIENTS, Played, Stage, play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# amochka knows neither calls nor webhooks, amocrm-api-wrapper 0.0.20 no calls.
WITH_CALLS = sorted(set(CLIENTS) - {"amochka", "amocrm_api_wrapper"})
WITH_HOOKS = sorted(set(CLIENTS) - {"amochka"})

_played: dict[str, Played] = {}


@pytest.fixture
def played(stage: Stage, client: str) -> Played:
    """The client's finished scenario, gone through once for a worker."""
    if client not in _played:
        _played[client] = play(stage, client)
    return _played[client]


def listed(played: Played, entity: str) -> list[dict[str, Any]]:
    """The rows a list shows: neither deleted nor merged ones, and none that the client has made."""
    own = made_by(played)
    rows = [row for row in played.truth(entity) if not row.get("is_deleted") and "_merged_into" not in row]
    return [row for row in rows if row["id"] not in own and row.get("entity_id") not in own]


def made_by(played: Played) -> set[int]:
    """Ids at and after the first record the client made."""
    told = played.told
    leads = {row["id"] for row in played.truth("leads") if row["id"] >= told["lead"]["id"]}
    known = {row[0] for row in told["contacts"]}
    return leads | {row["id"] for row in played.truth("contacts") if row["id"] not in known}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_code_becomes_tokens_and_tokens_are_refreshed(played: Played) -> None:
    assert played.told["account"] == played.subdomain
    assert played.told["refreshed"] is True
    asked = [row for row in played.requests() if row["path"] == "/oauth2/access_token"]
    assert [row["status"] for row in asked] == [200, 200]


@pytest.mark.parametrize("client", CLIENTS)
def test_all_leads_are_read_page_by_page(played: Played) -> None:
    rows = {row["id"]: row for row in listed(played, "leads")}
    told = {row[0]: row[1:] for row in played.told["leads"]}
    assert len(played.told["leads"]) == len(told), "a lead came twice"
    assert told == {lead_id: [row["name"], row["price"], row["status_id"]] for lead_id, row in rows.items()}
    pages = [row for row in played.requests() if row["path"] == "/api/v4/leads" and row["method"] == "GET"]
    assert len(pages) >= 2


@pytest.mark.parametrize("client", CLIENTS)
def test_contacts_come_with_the_leads_that_asked_for_them(played: Played) -> None:
    told = {int(lead_id): sorted(ids) for lead_id, ids in played.told["contacts_of_leads"].items()}
    assert told == {
        row["id"]: sorted(one["id"] for one in row["_embedded"]["contacts"])
        for row in listed(played, "leads")
    }
    assert any(told.values())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_filter_by_moment_gives_exactly_its_leads(played: Played) -> None:
    told = played.told["updated"]
    expected = [
        row["id"] for row in listed(played, "leads") if told["from"] <= row["updated_at"] <= told["to"]
    ]
    assert sorted(told["ids"]) == sorted(expected)
    assert 0 < len(expected) < len(played.told["leads"])


@pytest.mark.parametrize("client", ["aioamocrm", "amocrm_api_wrapper", "amocrm_js"])
def test_a_filter_by_ids_gives_exactly_its_leads(played: Played) -> None:
    asked, got = played.told["by_ids"]
    assert sorted(got) == sorted(asked)


@pytest.mark.parametrize("client", ["amocrm_api"])
def test_a_filter_by_pipeline_and_status_gives_exactly_its_leads(played: Played) -> None:
    told = played.told["won"]
    expected = [
        row["id"]
        for row in listed(played, "leads")
        if (row["pipeline_id"], row["status_id"]) == (told["pipeline_id"], 142)
    ]
    assert sorted(told["ids"]) == sorted(expected) != []


@pytest.mark.parametrize("client", ["amocrm_js"])
def test_an_order_is_kept_over_all_pages(played: Played) -> None:
    assert played.told["order"] == sorted(played.told["order"], reverse=True)


@pytest.mark.parametrize("client", CLIENTS)
def test_users_and_contacts_are_those_of_the_account(played: Played) -> None:
    assert sorted(played.told["users"]) == sorted(row["email"] for row in played.truth("users"))
    assert sorted(played.told["contacts"]) == sorted(
        [row["id"], row["name"]] for row in listed(played, "contacts")
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_status_changes_are_read_from_the_events(played: Played) -> None:
    expected = sorted(
        [row["id"], row["entity_id"], row["value_after"][0]["lead_status"]["id"]]
        for row in listed(played, "events")
        if row["type"] == "lead_status_changed"
    )
    assert sorted(played.told["events"]) == expected
    assert len(expected) > 100, "more than a page"


@pytest.mark.parametrize("client", CLIENTS)
def test_notes_are_read_page_by_page(played: Played) -> None:
    rows = [[row["id"], row["entity_id"], row["note_type"]] for row in listed(played, "notes_leads")]
    assert sorted(played.told["notes"]) == sorted(rows)
    assert len(rows) > 250, "more than a page"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_lead_is_created_patched_tagged_and_noted(played: Played) -> None:
    told = played.told["lead"]
    row = played.row("leads", told["id"])
    assert {"price": row["price"], "status_id": row["status_id"]} == {"price": 250, "status_id": 142}
    assert [tag["name"] for tag in row["_embedded"]["tags"]] == told["tags"] == ["из клиента"]
    assert row["closed_at"] is not None
    notes = [note for note in played.truth("notes_leads") if note["entity_id"] == told["id"]]
    assert played.told["note"] == ["Примечание из клиента"]
    assert "Примечание из клиента" in [note["params"].get("text") for note in notes]
    kinds = [one["type"] for one in played.truth("events") if one["entity_id"] == told["id"]]
    assert {"lead_added", "lead_status_changed", "common_note_added"} <= set(kinds)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_contact_is_created(played: Played) -> None:
    row = played.row("contacts", played.told["contact_id"])
    assert row["name"]
    if "linked" in played.told:
        assert played.told["linked"] == [played.told["contact_id"]]
        assert [one["id"] for one in row["_embedded"]["leads"]] == [played.told["lead"]["id"]]


@pytest.mark.parametrize("client", ["aioamocrm"])
def test_a_lead_is_created_whole_with_its_contact_and_company(played: Played) -> None:
    lead_id, contact_id, company_id, merged = played.told["complex"]
    row = played.row("leads", lead_id)["_embedded"]
    assert [one["id"] for one in row["contacts"]] == [contact_id]
    assert [one["id"] for one in row["companies"]] == [company_id]
    assert merged is False


@pytest.mark.parametrize("client", ["aioamocrm", "amocrm_api_wrapper"])
def test_somebody_who_is_not_there_is_no_error(played: Played) -> None:
    assert played.told["nobody"] == {}


@pytest.mark.parametrize("client", WITH_CALLS)
def test_a_call_finds_its_card_by_the_phone(played: Played) -> None:
    call = played.told["call"]
    notes = played.truth(f"notes_{call['entity_type']}s")
    [note] = [one for one in notes if one["id"] == call["id"]]
    assert note["entity_id"] == call["entity_id"]
    assert note["note_type"] in ("call_in", "call_out")


@pytest.mark.parametrize("client", WITH_HOOKS)
def test_a_hook_is_subscribed_delivered_and_unsubscribed(played: Played) -> None:
    status, settings, destinations = played.told["hook"]
    address = f"{played.stage.hooks}/{played.subdomain}"
    assert (status, settings, destinations) == (201, ["add_lead"], [address])
    wait_until(lambda: len(played.hooks()) > 0, "the hook arrives")
    hooks = played.hooks()
    assert {hook["content_type"].partition(";")[0] for hook in hooks} == {"application/x-www-form-urlencoded"}
    assert {hook["agent"] for hook in hooks} == {"amoCRM-Webhooks/3.0"}
    assert all(uuid.UUID(hook["request_id"]) for hook in hooks)
    fields = dict(urllib.parse.parse_qsl(hooks[0]["body"]))
    assert fields["leads[add][0][id]"] == str(played.told["hooked_id"])
    assert fields["account[subdomain]"] == played.subdomain
    assert played.told["unhooked"] == 204
    listed_now = [row for row in played.requests() if row["path"] == "/api/v4/webhooks"]
    assert [row["method"] for row in listed_now][-1] == "DELETE"


@pytest.mark.parametrize("client", ["aioamocrm"])
def test_a_hook_is_read_by_a_client_that_knows_hooks(played: Played) -> None:
    account = json.loads(played.stage.door(f"truth/account?subdomain={played.subdomain}"))
    expected = [played.subdomain, account["id"], "leads", "add", played.told["hooked_id"], "С хуком"]
    assert played.told["hook_read"] == expected


@pytest.mark.parametrize("client", ["amocrm_api"])
def test_every_event_has_the_values_that_the_client_looks_for(played: Played) -> None:
    assert len(played.told["events_read"]) > 1000
    assert any(played.told["events_read"])


@pytest.mark.parametrize("client", ["aioamocrm"])
def test_generated_invoices_have_the_values_that_the_vendors_client_can_take(played: Played) -> None:
    """amocrm-api-php takes a payer's type for a text, and wants the id of a supplier."""
    values: dict[str, list[dict[str, Any]]] = {"payer": [], "supplier": []}
    for row in played.truth("catalog_elements"):
        for field in row["custom_fields_values"] or []:
            values.get(field["field_type"], []).extend(one["value"] for one in field["values"])
    assert {type(value["type"]) for value in values["payer"]} == {str}
    assert {type(value["entity_id"]) for value in values["supplier"]} == {int}
