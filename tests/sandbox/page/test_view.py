"""The page's address and its doors, without a browser."""

import zipfile
from pathlib import Path

import pytest
import requests

from sandbox.page import records
from sandbox.page.view import View, parse, parse_address
from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import manifest, script
from tests.support.repository import ROOT
from tests.widget import fakes

ODD = {
    "width": ("9999", 280),
    "theme": ("green", "light"),
    "lang": ("de", "ru"),
    "late": ("-5", 0),
    "token_delay": ("99999999", 30_000),
    "token": ("golden", "good"),
    "destroy": ("never", "last"),
    "user": ("x", 7),
    "strict": ("yes", False),
}


@pytest.mark.parametrize(("name", "told"), ODD.items(), ids=list(ODD))
def test_a_value_that_is_none_means_the_default(name: str, told: tuple[str, object]) -> None:
    assert getattr(parse({name: told[0]}, 7), name) == told[1]


def test_an_address_gives_back_the_view_it_was_made_of() -> None:
    view = View(
        user=502, lang="en", hostile=True, neighbour=False, late=500, token="expired", destroy="first"
    )
    assert parse_address(f"http://127.0.0.1/leads/list/{view.query()}", 1) == view
    assert View(user=1).query() == "?user=1&lang=ru&theme=light&width=280"


@pytest.mark.parametrize(
    ("locations", "area", "expected"),
    [
        (["lcard-1"], "leads_card", True),
        (["lcard-0"], "leads_card", True),
        (["llist-1"], "leads_card", False),
        (["settings"], "widgetsSettings", True),
        (["advanced_settings"], "advanced-settings:w1", True),
        (["everywhere"], "leads_card", False),
        (["everywhere"], "dashboard", True),
        ([], "leads", False),
    ],
)
def test_locations_decide_where_a_widget_is_listed(locations: list[str], area: str, expected: bool) -> None:
    assert records.located({"locations": locations}, area) is expected


def test_a_language_without_texts_falls_back_to_the_first_of_the_manifest(host: Host) -> None:
    origin = host(script(), manifest())
    told = {"area": "leads_card", "lang": "de"}
    listed = requests.post(f"{origin}/ajax/widgets/list", data=told, timeout=5).json()["widgets"]
    code = requests.get(f"{origin}/_sandbox/widget", timeout=5).json()["code"]
    assert listed[code]["lang"].endswith("/i18n/ru.json")


def test_doors_say_what_can_be_turned(host: Host) -> None:
    origin = host(script())
    told = requests.get(f"{origin}/_sandbox/", timeout=5).json()
    documented = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documented for name in told["switches"])
    assert (told["switches"]["hostile"], told["switches"]["width"]) == (["0", "1"], "a number")
    assert told["widget"] == {"code": told["widget"]["code"], "active": "Y", "settings": {}}


@pytest.mark.parametrize("body", ["[]", "x", '{"active": "yes"}', '{"settings": 1}', '{"other": 1}'])
def test_a_door_refuses_what_it_does_not_know(host: Host, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(f"{host(script())}/_sandbox/widget", data=body, headers=headers, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/leads/detail/999",
        "/settings/widgets/other/",
        "/widget_page/other/",
        "/upl/x/widget/script.js",
        "/lib/none.js",
        "/static/%2e%2e/main.py",
        "/upl/sandbox_neighbour/widget/..%2f..%2fhost.css",
    ],
)
def test_what_is_not_there_is_404(host: Host, path: str) -> None:
    assert requests.get(host(script()) + path, timeout=5).status_code == 404


def test_a_foreign_code_cannot_be_saved(host: Host) -> None:
    told = {"code": "other", "active": "N", "fields": {}}
    assert requests.post(f"{host(script())}/ajax/widgets/edit", json=told, timeout=5).status_code == 404


def test_a_door_takes_json_whatever_its_content_type(host: Host) -> None:
    answer = requests.post(f"{host(script())}/_sandbox/widget", data='{"active": "N"}', timeout=5)
    assert answer.json()["active"] == "N"


def test_leads_that_are_gone_are_in_no_list(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    deleted, merged = ({**fakes.TRUTH["leads"][0], "id": lead_id} for lead_id in (7003, 7004))
    rows = [{**deleted, "is_deleted": True}, {**merged, "_merged_into": 7001}]
    monkeypatch.setitem(fakes.TRUTH, "leads", [*fakes.TRUTH["leads"], *rows])
    listed = requests.get(f"{host(script())}/leads/list/", timeout=5).text
    assert [f'value="{lead_id}"' in listed for lead_id in (7001, 7002, 7003, 7004)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("files", [{}, {"manifest.json": "{"}], ids=["no manifest", "no JSON"])
def test_an_archive_without_a_manifest_is_told(host: Host, tmp_path: Path, files: dict[str, str]) -> None:
    origin = host(script())
    with zipfile.ZipFile(tmp_path / "widget.zip", "w") as archive:
        for name, body in {"script.js": "", **files}.items():
            archive.writestr(name, body)
    answer = requests.get(f"{origin}/settings/widgets/", timeout=5)
    assert answer.status_code == 500
    assert "manifest.json" in answer.json()["error"]
