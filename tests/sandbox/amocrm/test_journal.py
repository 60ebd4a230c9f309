"""The journal: every accepted change has its line, whoever made it; what was refused has none."""

import ast
import json
from pathlib import Path

from sandbox.amocrm import live
from sandbox.amocrm.main import Simulator
from tests.sandbox.amocrm.support import Client, Row

ROOT = Path(__file__).parents[3]


def journal(client: Client, query: str = "") -> list[Row]:
    response = client.http.get(f"{client.url}/_sandbox/journal?subdomain=demo{query}")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def test_actions_and_api_writes_have_their_lines(client: Client) -> None:
    client.do("move_lead", lead_id=7001, status_id=142, by=502)
    client.call("PATCH", "leads", json=[{"id": 7002, "price": 5}])
    assert client.call("PATCH", "leads", json=[{"id": 7002, "status_id": 5}]).status_code == 400
    client.http.post(f"{client.url}/_sandbox/actions", json=[{"do": "move_lead", "lead_id": 1}])
    moved, patched = journal(client)
    assert {name: moved[name] for name in ("account", "by", "source", "name", "params")} == {
        "account": 31000001,
        "by": 502,
        "source": "action",
        "name": "move_lead",
        "params": {"lead_id": 7001, "status_id": 142},
    }
    assert moved["at"] == client.row("leads", 7001)["updated_at"]
    assert (patched["source"], patched["name"]) == ("api", "PATCH /api/v4/leads")
    assert (patched["by"], patched["params"]) == (501, [{"id": 7002, "price": 5}])
    assert patched["client"] == client.integration["client_id"]
    assert journal(client, f"&after={moved['id']}") == [patched]
    assert journal(client, "&since=4000000000") == []


def test_live_traffic_is_written_down(simulator: Simulator, client: Client) -> None:
    acting = live.Live(simulator.world)
    done = [name for name in (acting.act() for _ in range(40)) if name]
    assert len(journal(client)) == len(done) > 20


def test_every_api_write_goes_through_the_journal() -> None:
    for path in (ROOT / "sandbox" / "amocrm" / "api").glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        direct = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "changing"]
        assert len(direct) == (1 if path.name == "writes.py" else 0), f"{path.name}: use writes.writing(call)"
