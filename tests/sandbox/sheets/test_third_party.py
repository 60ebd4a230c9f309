"""Third-party Sheets clients, unmodified, in an environment of their own, at work on the simulator."""

import json
import subprocess
from typing import Any

import pytest
import requests

from sandbox.sheets.server import SheetsServer
from tests.thirdparty.conftest import missing
from tests.thirdparty.environments import EnvironmentMissing, make_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def told(running_server: SheetsServer) -> dict[str, Any]:
    """What both clients saw; they run once."""
    try:
        command = make_environment("google_sheets")
    except EnvironmentMissing as err:
        missing(f"the environment of Google's Python client cannot be made: {err}")
    url = f"{running_server.url}/_sandbox"
    limits = {"service_accounts_may_create": True, "quotas": False}
    requests.post(f"{url}/limits", json=limits, timeout=10).raise_for_status()
    key = requests.post(f"{url}/service_accounts", json={"name": "clients"}, timeout=10).json()
    given = json.dumps({"url": running_server.url, "key": key})
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return dict(json.loads(done.stdout))


def test_googles_python_client_cannot_tell(told: dict[str, Any]) -> None:
    google = told["google"]
    assert (google["ranges"], google["shown"]) == (400, [["1,5", "3", "01.02.2026", "79991234567"]])
    assert google["refused"] == [400, "Unable to parse range: Нет!A1"]
    assert google["title"] == {"properties": {"title": "План"}}
    assert (google["listed"], google["csv"]) == (["План"], '"1,5",3,01.02.2026,79991234567')


def test_pygsheets_cannot_tell(told: dict[str, Any]) -> None:
    seen = told["pygsheets"]
    assert seen["values"] == [["name", "sum"], ["вставка"], ["а", "1"], ["б", "2.5"], ["всего", "3.5"]]
    assert (seen["bold"], seen["shape"]) == (True, [1002, 26, 1])
    assert (seen["protected"], seen["charts"]) == (["A1:B1"], ["Итоги"])
    assert (seen["shared"], seen["metadata"]) == ([["reader", "boss@example.com"]], ["kpi"])
    assert seen["csv"].splitlines()[0] == "name,sum"
    assert (seen["tabs"], seen["left"]) == (["Sheet1", "Копия"], [])
