"""The host's globals: APP as documented and read-only, notifications, windows, foreign libraries."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import failures, script
from tests.widget import pages

pytestmark = pytest.mark.browser

THROWS = "code => { try { (0, eval)(code); return null; } catch (error) { return error.message; } }"


def test_app_and_its_old_name_are_one_object_of_documented_members(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001, user=502, lang="en")
    assert page.evaluate("APP === AMOCRM") is True
    told = """[APP.lang_id, APP.getBaseEntity(), APP.getWidgetsArea(), APP.isCard(), APP.data.is_card,
      APP.data.current_entity, APP.data.current_card.id, APP.data.current_card.element_type,
      APP.data.current_card.main_user, APP.data.current_card.new_card, typeof APP.data.current_view.$el.find,
      Object.keys(APP.widgets.list).length, APP.widgets.system.displayed_count]"""
    assert page.evaluate(told) == [
        *("en", "leads", "leads_card", True, True, "leads", 7001, 2, 501, False, "function", 2, 2)
    ]
    assert "APP.data.current_card.id" in page.evaluate("window.__sandbox.reads")
    assert failures(page) == []
    pages.navigate(page, "/leads/list/")
    told = "[APP.data.current_card, APP.isCard(), APP.getWidgetsArea(), APP.data.current_list.length]"
    assert page.evaluate(told) == [False, False, "leads", 2]


def test_constants_tell_of_people_groups_and_the_account(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001, user=502)
    names = ["user", "user_rights", "account", "managers", "groups", "task_types"]
    told: dict[str, Any] = page.evaluate(
        "names => Object.fromEntries(names.map(n => [n, APP.constant(n)]))", names
    )
    assert (told["user"]["id"], told["user"]["login"], told["user"]["api_key"]) == (
        502,
        "igor@example.com",
        "",
    )
    assert told["user_rights"] == {"is_admin": True, "is_free_user": False}
    assert (told["account"]["id"], told["account"]["timezone"]) == (31000001, "Europe/Moscow")
    one = told["managers"]["501"]
    assert (one["title"], one["active"], one["is_admin"], one["group"]) == (
        "Анна Крылова",
        True,
        "N",
        "group_0",
    )
    assert told["groups"] == {"group_0": "Отдел продаж", "group_88": "Опт"}
    assert told["task_types"]["1"]["name"] == "Связаться"


UNDOCUMENTED = {
    "APP.lang_id = 'en'": "writes APP.lang_id",
    "delete APP.data": "deletes APP.data",
    "APP.router": "reads APP.router",
    "APP.data.secret": "reads APP.data.secret",
    "APP.data.current_card.id = 1": "writes APP.data.current_card.id",
    "APP.constant('user', {})": "sets APP.constant('user')",
    "APP.constant('secret')": "reads APP.constant('secret')",
    "Object.defineProperty(APP, 'mine', {value: 1})": "defines APP.mine",
    "APP.notifications.alert": "reads APP.notifications.alert",
}


def test_what_is_not_documented_throws_and_is_reported(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    messages = [f"the widget {sentence}, which is not documented" for sentence in UNDOCUMENTED.values()]
    assert [page.evaluate(THROWS, code) for code in UNDOCUMENTED] == messages
    assert failures(page) == messages


def test_a_widgets_list_cannot_be_changed(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    page.evaluate("APP.widgets.list.other = 1")
    assert page.evaluate("Object.keys(APP.widgets.list).length") == 2


def test_the_cards_model_holds_unsaved_edits(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    page.evaluate("APP.data.current_card.model.set('lead[PRICE]', 5)")
    assert page.evaluate("APP.data.current_card.model.get('lead[PRICE]')") == 5
    pages.navigate(page, "/leads/detail/7002")
    assert page.evaluate("APP.data.current_card.model.get('lead[PRICE]')") == 38000


def test_notifications_are_written_down(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    names = ["show_message", "show_message_error", "show_notification", "add_error", "add_call"]
    for name in names:
        page.evaluate("name => APP.notifications[name]({header: 'h', text: 't'})", name)
    said = page.evaluate("window.__sandbox.notifications")
    assert said == [[name, {"header": "h", "text": "t"}] for name in names]


def test_a_window_is_asked_for_but_not_opened(page: Page, host: Host) -> None:
    pages.open_card(page, host(script()), 7001)
    asked = """() => {
      const opened = window.open('https://x.example/oauth', 'o', 'width=750');
      opened.close();
      return [opened.closed, typeof opened.postMessage];
    }"""
    assert page.evaluate(asked) == [True, "function"]
    assert page.evaluate("window.__sandbox.opened") == [
        {"url": "https://x.example/oauth", "name": "o", "features": "width=750"}
    ]
    assert len(page.context.pages) == 1


@pytest.mark.parametrize("name", ["$", "jQuery", "_", "Backbone", "twig"])
def test_strict_allows_no_library_that_is_only_a_global(page: Page, host: Host, name: str) -> None:
    origin = host(script(needs=(), render=f"return Boolean(window.{name});"))
    pages.open_card(page, origin, 7001)
    assert failures(page) == []
    assert page.evaluate("window.steps.includes('init')") is True
    pages.open_card(page, origin, 7001, strict=1)
    assert failures(page) == [f"the widget uses the global {name} instead of a dependency"]


OPENS = """window.modal = new dep1({class_name: 'mine', init: function ($body) {
    $body.trigger('modal:loaded')
      .html('<b>inside</b><a class="button-cancel">no</a><a class="js-modal-accept">yes</a>')
      .trigger('modal:centrify');
    $body.on('click', '.js-modal-accept', function () { step('accepted'); });
  }, destroy: function () { step('closing'); return window.may_close !== false; }%s }); return true;"""


def modal_open(page: Page, host: Host, options: str = "") -> None:
    needs = ("jquery", "lib/components/base/modal")
    pages.open_card(page, host(script(needs=needs, init=OPENS % options)), 7001)
    expect(page.locator(".modal.mine .modal-body b")).to_have_text("inside")
    expect(page.locator(".modal-body_loading")).to_have_count(0)


def test_a_modal_closes_unless_its_destroy_says_no(page: Page, host: Host) -> None:
    modal_open(page, host)
    page.evaluate("window.may_close = false")
    assert page.evaluate("window.modal.destroy()") is False
    expect(page.locator(".modal.mine")).to_have_count(1)
    page.evaluate("window.may_close = true")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator(".modal.mine")).to_have_count(0)
    assert page.evaluate("window.steps").count("accepted") == 1
    assert page.evaluate("window.__sandbox.modals.length") == 0


@pytest.mark.parametrize("way", [".button-cancel", ".modal-scroller"])
def test_a_modal_closes_by_cancel_and_overlay_unless_disabled(page: Page, host: Host, way: str) -> None:
    modal_open(page, host, ", disable_cancel_click: true, disable_overlay_click: true")
    page.locator(f".mine {way}").click(position={"x": 3, "y": 3})
    expect(page.locator(".modal.mine")).to_have_count(1)
    modal_open(page, host)
    page.locator(f".mine {way}").click(position={"x": 3, "y": 3})
    expect(page.locator(".modal.mine")).to_have_count(0)


def test_a_modal_says_how_it_went(page: Page, host: Host) -> None:
    modal_open(page, host)
    page.evaluate("window.modal.showError('плохо')")
    expect(page.locator(".modal.mine .modal-body__error")).to_have_text("плохо")
    page.evaluate("window.modal.showSuccess('хорошо', function () { window.done = true; }, 1)")
    page.wait_for_function("window.done")
    expect(page.locator(".modal.mine")).to_have_count(0)


def test_an_unknown_option_of_a_modal_is_reported(page: Page, host: Host) -> None:
    modal_open(page, host, ", disable_everything: true")
    assert failures(page) == ["Modal: no option is called disable_everything"]
