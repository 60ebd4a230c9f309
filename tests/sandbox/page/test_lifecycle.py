"""When the host calls a widget: loading, area changes with `init_once` both ways, and its end."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import LEFT_OUT, failures, manifest, script, steps
from tests.widget import pages
from tests.widget.fakes import Backend

pytestmark = pytest.mark.browser

EVERYWHERE = ("lcard-1", "llist-0", "settings", "advanced_settings")
LOADED = "$(document).on('widget:' + self.params.widget_code + ':loaded', function () { step('loaded'); });"
FIRST = ["constructor", "render", "init", "bind_actions"]
ANSWERS = {
    "falsy": ("return 0;", ["render", "bind_actions"]),
    "truthy": ("return 'yes';", ["render", "loaded", "init", "bind_actions"]),
    "resolving": ("return Promise.resolve();", ["render", "bind_actions", "loaded", "init"]),
    "rejecting": ("return Promise.reject(new Error('no'));", ["render", "bind_actions"]),
    "jquery": ("return $.Deferred().resolve();", ["render", "loaded", "init", "bind_actions"]),
}


def code_of(origin: str) -> str:
    return str(requests.get(f"{origin}/_sandbox/widget", timeout=5).json()["code"])


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=list(ANSWERS))
def test_what_render_answers_decides_about_init_only(
    page: Page, host: Host, answer: str, expected: list[str]
) -> None:
    watch = pages.Watch.on(page)
    pages.open_card(page, host(script(render=LOADED + answer)), 7001)
    page.wait_for_function("n => window.steps.length === n", arg=len(expected) + 1)
    assert steps(page) == ["constructor", *expected]
    assert (watch.console, watch.errors) == ([], [])


def test_the_constructor_reads_nothing_yet_and_callbacks_read_all(page: Page, host: Host) -> None:
    early = "window.early = [self.params, self.langs, self.get_settings(), self.i18n('deep.text') || null];"
    late = "window.late = [typeof self.params.path, self.i18n('deep.text'), self.ns, self.init_once];"
    origin = host(script(constructor=early, render=late))
    pages.open_card(page, origin, 7001)
    assert page.evaluate("window.early") == [None, None, {}, None]
    assert page.evaluate("window.late") == ["string", "да", f".widget:{code_of(origin)}", False]


@pytest.mark.parametrize("name", ["render", "init", "bind_actions"])
def test_a_widget_without_one_of_three_callbacks_is_dropped(page: Page, host: Host, name: str) -> None:
    pages.open_card(page, host(script(**{name: LEFT_OUT})), 7001)
    assert steps(page) == ["constructor"]
    assert "a callback is missing" in " ".join(failures(page))
    assert page.evaluate("Object.keys(APP.widgets.list)") == ["sandbox_neighbour"]


def test_only_what_the_page_calls_for_is_loaded(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(), manifest("llist-0")), 7001)
    assert steps(page) == []
    pages.navigate(page, "/leads/list/")
    assert steps(page) == FIRST


AREAS = ("/leads/detail/7002", "/leads/list/", "/settings/widgets/", "/settings/widgets/{code}/")
ROUNDS = {
    False: [FIRST, FIRST, FIRST, [], [*FIRST, "advancedSettings"], FIRST],
    True: [FIRST, ["render"], ["render"], [], ["render", "advancedSettings"], ["render"]],
}


@pytest.mark.parametrize("init_once", [False, True])
def test_a_walk_through_the_crm_destroys_all_but_kept_widgets(
    page: Page, host: Host, init_once: bool
) -> None:
    told = manifest(*EVERYWHERE, init_once=init_once, advanced={"title": "advanced.title"})
    origin = host(script(advancedSettings=""), told)
    pages.open_card(page, origin, 7001)
    rounds = [steps(page)]
    for path in (*AREAS, "/leads/detail/7001"):
        page.evaluate("window.steps = []")
        pages.navigate(page, path.format(code=code_of(origin)))
        rounds.append(steps(page))
    # What has been loaded is destroyed first; nothing is loaded on the integrations page before a click.
    ended = [[], ["destroy"], ["destroy"], ["destroy"], [], ["destroy"]]
    expected = ROUNDS[init_once]
    assert rounds == (expected if init_once else [e + r for e, r in zip(ended, expected, strict=True)])
    assert failures(page) == []


def test_leaving_ends_handlers_of_the_widgets_namespace_and_nothing_else(page: Page, host: Host) -> None:
    bound = """$(document).on('click' + self.ns, function () { step('own'); });
      $(document).on('click.other', function () { step('other'); }); return true;"""
    pages.open_card(page, host(script(bind_actions=bound)), 7001)
    pages.navigate(page, "/leads/list/")
    page.evaluate("window.steps = []; document.body.click()")
    assert steps(page) == ["other"]


@pytest.mark.parametrize(("when", "stands"), [("last", False), ("first", True)])
def test_the_old_page_is_gone_before_destroy_or_still_there(
    page: Page, host: Host, when: str, stands: bool
) -> None:
    look = "window.stands = document.getElementById('card_holder') !== null;"
    notes = "$(document).on('page:changed widgets:load', function (event) { step(event.type); });"
    pages.open_card(page, host(script(destroy=look, init=notes)), 7001, destroy=when)
    page.evaluate("window.steps = []")
    pages.navigate(page, "/leads/list/")
    assert page.evaluate("window.stands") is stands
    events = ["page:changed", "widgets:load"]
    assert steps(page) == ([*events, "destroy"] if when == "last" else ["destroy", *events])


def test_double_makes_every_first_render_two(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001, double=1)
    assert steps(page) == [*FIRST, "render"]


def test_what_a_widget_throws_is_printed_and_the_others_live(page: Page, host: Host) -> None:
    watch = pages.Watch.on(page)
    pages.open_card(page, host(script(init="throw new Error('broken');")), 7001)
    assert "broken" in " ".join(failures(page))
    assert len(watch.console) == 1
    expect(page.locator(".neighbour")).to_have_count(1)


@pytest.mark.parametrize(("user", "off"), [(501, 0), (502, 0), (502, 1)])
def test_administrators_with_widgets_off_get_none(page: Page, host: Host, user: int, off: int) -> None:
    pages.open_card(page, host(script()), 7001, user=user, widgets_off=off)
    assert steps(page) == ([] if off else FIRST)
    assert page.evaluate("APP.constant('user_rights').is_admin") is (user == 502)


def test_a_new_card_has_the_id_zero(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 0)
    card = "[APP.data.current_card.id, APP.data.current_card.new_card, APP.isCard()]"
    assert page.evaluate(card) == [0, True, True]


@pytest.mark.parametrize("late", [0, 500])
def test_the_work_area_stands_or_comes_after_the_callback(page: Page, host: Host, late: int) -> None:
    look = "window.stood = document.getElementById('work-area-' + self.params.widget_code) !== null;"
    told = manifest("advanced_settings", advanced={"title": "advanced.title"})
    origin = host(script(advancedSettings=look), told)
    page.goto(f"{origin}/settings/widgets/{code_of(origin)}/?late={late}")
    page.wait_for_function("window.__sandbox && window.__sandbox.ready")
    assert page.evaluate("window.stood") is (late == 0)
    page.locator(f"#work-area-{code_of(origin)}").wait_for(state="attached")
    expect(page.locator("h1")).to_have_text("Своя страница")
    assert page.evaluate("APP.getWidgetsArea()") == f"advanced-settings:{code_of(origin)}"


def test_a_menu_page_names_its_item(page: Page, host: Host) -> None:
    origin = host(script(initMenuPage="window.told = told;"), manifest("widget_page"))
    page.goto(f"{origin}/widget_page/{code_of(origin)}/kpi/plans/")
    page.wait_for_function("window.told")
    item = {"location": "widget_page", "item_code": "kpi", "subitem_code": "plans"}
    assert page.evaluate("window.told") == item


ASKS = "self.xhr = $.ajax({{ url: '{url}/slow' }});"


def test_destroy_in_mid_request_is_judged_by_what_stays(page: Page, host: Host, backend: Backend) -> None:
    backend.gate.clear()
    asks = ASKS.format(url=backend.origin)
    tidy = script(init=asks, destroy="self.xhr.abort();")
    pages.open_card(page, host(tidy), 7001, audit=1)
    pages.navigate(page, "/leads/list/")
    assert page.evaluate("window.__sandbox.left()") == []

    careless = """setInterval(function () {}, 5000); window.addEventListener('resize', function () {});
      $('<style>.careless {}</style>').appendTo('head'); window.careless = 1;
      new MutationObserver(function () {}).observe(document.body, {childList: true}); """
    pages.open_card(page, host(script(init=careless + asks)), 7001, audit=1)
    pages.navigate(page, "/leads/list/")
    left = " ".join(page.evaluate("window.__sandbox.left()"))
    for what in (
        "setInterval 5000",
        "listener resize on window",
        "<style>.careless",
        "global careless",
        "MutationObserver",
    ):
        assert what in left
    assert "request" in left
    backend.gate.set()


WATCH = """window.seen = [];
setInterval(function () {
  var page = window.__sandbox;
  if (page && Object.keys(page.entries).length) { window.seen = window.seen.concat(page.left()); }
}, 1);"""


def test_the_loaders_own_timers_are_not_the_widgets(page: Page, host: Host) -> None:
    page.add_init_script(WATCH)
    pages.open_card(page, host(script()), 7001, audit=1)
    seen = page.evaluate("window.seen")
    assert [what for what in seen if what.startswith("setTimeout")] == []
