"""Switches that stand for a reading of their own and are turned nowhere else."""

import pytest

from tests.sandbox.amocrm.support import Client

BUMPS = {
    "a note": {"do": "add_note", "id": 7001, "text": "Примечание"},
    "a task": {"do": "create_task", "lead_id": 7001, "text": "Позвонить", "complete_till": 1900000000},
    "a link": {"do": "unlink", "id": 7001, "to_id": 8001},
}


@pytest.mark.parametrize("action", BUMPS.values(), ids=list(BUMPS))
@pytest.mark.parametrize("bumps", [False, True])
def test_notes_tasks_and_links_may_change_the_cards_updated_at(
    client: Client, action: dict[str, object], *, bumps: bool
) -> None:
    client.door("limits", bump_on_notes=bumps)
    before = client.row("leads", 7001)["updated_at"]
    client.do(str(action["do"]), **{name: value for name, value in action.items() if name != "do"})
    assert (client.row("leads", 7001)["updated_at"] > before) is bumps


def test_hooks_may_outlive_their_integration(client: Client) -> None:
    client.door("limits", uninstall_removes_hooks=False)
    hook = {"destination": "http://127.0.0.1:9/kept", "settings": ["add_lead"]}
    assert client.call("POST", "webhooks", json=hook).status_code == 201
    client.do("uninstall", client_id=client.integration["client_id"])
    other = Client(client.url)
    with other.http:
        assert [one["destination"] for one in other.rows("webhooks", "webhooks")] == [hook["destination"]]


def test_pages_of_events_may_have_another_cap(client: Client) -> None:
    for number in range(4):
        client.do("edit_lead", lead_id=7001, set={"name": f"Имя {number}"})
    client.door("limits", events_cap=3)
    assert len(client.rows("events?limit=3", "events")) == 3
    assert len(client.rows("events?limit=4", "events")) > 3, "over the cap means the default"


def test_codes_and_refresh_tokens_live_as_long_as_the_switches_say(client: Client) -> None:
    client.door("limits", code_ttl_s=5, refresh_ttl_s=50)
    code = client.door("codes", client_id=client.integration["client_id"])["code"]
    late = client.door("codes", client_id=client.integration["client_id"])["code"]
    tokens = client.token(grant_type="authorization_code", code=code).json()
    client.door("clock", advance_s=6)
    assert client.token(grant_type="authorization_code", code=late).status_code == 400
    client.door("clock", advance_s=60)
    refused = client.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refused.status_code in (400, 401)


def test_null_sets_a_switch_back(client: Client) -> None:
    assert client.door("limits", widget_token_ttl_s=60)["widget_token_ttl_s"] == 60
    assert client.door("limits", widget_token_ttl_s=None)["widget_token_ttl_s"] == 1800
