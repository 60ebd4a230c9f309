"""The page that plays amoCRM is strict: what the real host would drop or a moderator refuse fails here."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from sandbox.page import main as page_main
from tests.widget import pages
from tests.widget.fakes import CLIENT_ID, Crm, served_crm

SCRIPT = """define([%s], function () { return function () {
  var self = this;
  window.steps = window.steps || [];
  window.steps.push(['constructor', self.params === undefined]);
  this.callbacks = { %s };
  return this;
}; });"""
MANIFEST = {"widget": {"version": "1.0.0"}, "locations": ["lcard-1"], "settings": {}}
STEP = "function () { window.steps.push(['%s']); %s }"


def script(*, needs: str = "", render: str = "return true;", left_out: str = "", init: str = "") -> str:
    bodies = {"render": render, "init": init + "return true;", "bind_actions": "return true;", "destroy": ""}
    kept = {name: STEP % (name, body) for name, body in bodies.items() if name != left_out}
    return SCRIPT % (needs, ", ".join(f"{name}: {body}" for name, body in kept.items()))


@pytest.fixture
def upload(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A page whose archive a test replaces: call with script.js, get the page's origin."""
    target = tmp_path / "widget.zip"

    def put(text: str) -> None:
        draft = tmp_path / "draft"
        with zipfile.ZipFile(draft, "w") as archive:
            archive.writestr("manifest.json", json.dumps(MANIFEST))
            archive.writestr("script.js", text)
            archive.writestr("i18n/ru.json", '{"deep": {"text": "да"}}')
        draft.replace(target)

    put(script())
    with served_crm(Crm()) as crm, pages.served_page(target, crm.origin) as origin:

        def replace(text: str) -> str:
            put(text)
            return origin

        yield replace


def steps(page: Page) -> list[str]:
    return [step[0] for step in page.evaluate("window.steps || []")]


def failures(page: Page) -> str:
    return " ".join(page.evaluate("window.__sandbox.failures"))


LIVES = {
    "true": ("return true;", ["constructor", "render", "init", "bind_actions"]),
    "falsy": ("return false;", ["constructor", "render", "bind_actions"]),
    "rejecting": ("return Promise.reject();", ["constructor", "render", "bind_actions"]),
    "resolving": ("return Promise.resolve();", ["constructor", "render", "bind_actions", "init"]),
}


@pytest.mark.browser
@pytest.mark.parametrize(("render", "expected"), LIVES.values(), ids=list(LIVES))
def test_render_decides_about_init_but_not_about_bind_actions(
    page: Page, upload: Callable[[str], str], render: str, expected: list[str]
) -> None:
    pages.open_card(page, upload(script(render=render)), 7001)
    assert steps(page) == expected
    assert page.evaluate("window.steps[0][1]") is True, "params are not there yet in the constructor"
    pages.navigate(page, "/leads/list/")
    assert steps(page)[len(expected) :][0] == "destroy"


REFUSED = {
    "a callback is missing": script(left_out="bind_actions"),
    "lodash": script(needs="'lodash'"),
    "no constructor": "define([], function () { return {}; });",
    "writes APP.lang_id": script(init="APP.lang_id = 'en';"),
    "reads APP.data.secret": script(init="APP.data.secret;"),
    "reads APP.anything": script(init="window.AMOCRM.anything;"),
    "crm_post": script(init="self.crm_post('/x');"),
    "no template": script(init="self.render({ref: '/tmpl/controls/none.twig'});"),
}


@pytest.mark.browser
@pytest.mark.parametrize(("sentence", "text"), REFUSED.items(), ids=list(REFUSED))
def test_what_the_host_would_not_take_is_reported(
    page: Page, upload: Callable[[str], str], sentence: str, text: str
) -> None:
    pages.open_card(page, upload(text), 7001)
    assert sentence in failures(page)


@pytest.mark.browser
def test_documented_members_work(page: Page, upload: Callable[[str], str]) -> None:
    seen = """window.seen = {
      area: self.system().area, user: self.system().amouser_id, text: self.i18n('deep.text'),
      none: self.i18n('a.b') === undefined, twig: self.render({data: '<b>{{ n }}</b>'}, {n: 2}),
      version: self.get_version(), code: self.params.widget_code, card: APP.data.current_card.id,
      lang: AMOCRM.lang_id, ns: self.ns };"""
    pages.open_card(page, upload(script(init=seen)), 7001, user=502)
    code = page.evaluate("window.seen.code")
    assert page.evaluate("window.seen") == {
        "area": "lcard",
        "user": 502,
        "text": "да",
        "none": True,
        "twig": "<b>2</b>",
        "version": "1.0.0",
        "code": code,
        "card": 7001,
        "lang": "ru",
        "ns": f".widget:{code}",
    }


def test_a_replaced_archive_is_served_at_the_next_load(upload: Callable[[str], str]) -> None:
    origin = upload("define([], 1);")
    code = next(
        iter(
            set(
                requests.post(f"{origin}/ajax/widgets/list", data={"area": "leads_card"}, timeout=5).json()[
                    "widgets"
                ]
            )
            - {"sandbox_neighbour"}
        )
    )
    url = f"{origin}/upl/{code}/widget/script.js"
    assert requests.get(url, timeout=5).text == "define([], 1);"
    upload("define([], 2);")
    assert requests.get(url, timeout=5).text == "define([], 2);"
    assert requests.get(f"{origin}/upl/{code}/widget/none.js", timeout=5).status_code == 404


def test_the_token_is_of_the_user_whose_card_is_open(upload: Callable[[str], str]) -> None:
    origin = upload(script())
    url = f"{origin}/ajax/v2/integrations/{CLIENT_ID}/disposable_token"
    headers = {"X-Requested-With": "XMLHttpRequest", "Referer": f"{origin}/leads/detail/7001?user=502"}
    assert requests.get(url, headers=headers, timeout=5).json()["token"].startswith("token-502-")
    assert requests.get(url, timeout=5).status_code == 404


def test_the_index_lists_people_and_open_leads(upload: Callable[[str], str]) -> None:
    page = requests.get(upload(script()), timeout=5)
    assert "Анна Крылова" in page.text
    assert "/leads/detail/7001?user=501" in page.text


def test_the_command_says_where_it_listens_and_stops_on_sigterm(archive: Path, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    modules = ["--modules", str(pages.node_modules())]
    with served_crm(Crm()) as crm:
        command = [sys.executable, "-m", "sandbox", "page", "--port", "0", "--archive", str(archive)]
        command += ["--amocrm", crm.origin, "--port-file", str(port_file), *modules]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            line = process.stdout.readline()
            process.terminate()
            assert process.wait(20) == 0
    assert line == f"sandbox page on {port_file.read_text()}"


@pytest.mark.parametrize("lacking", ["archive", "simulator", "libraries"])
def test_a_start_that_cannot_be_says_why_in_one_line(
    archive: Path, tmp_path: Path, lacking: str, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = tmp_path / "none" if lacking == "libraries" else pages.node_modules()
    path = tmp_path / "none.zip" if lacking == "archive" else archive
    with served_crm(Crm()) as crm:
        amocrm = "http://127.0.0.1:9" if lacking == "simulator" else crm.origin
        options = ["--port", "0", "--archive", str(path), "--amocrm", amocrm, "--modules", str(modules)]
        assert page_main.main(options) == 1
    said = capsys.readouterr().err
    assert said.startswith("sandbox page: ")
    assert said.count("\n") == 1
