"""The integrations page: tile, window, install, save, disable, and what is stored of each field."""

from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import failures, manifest, script, steps
from tests.widget import pages

pytestmark = pytest.mark.browser

CONSENT = {"consent": {"name": "fields.consent", "type": "custom", "required": True}}
NOTES = """$(document).on('widget:installed widget:removed', function (event, code) {
  step(event.type + ' ' + (code === self.params.widget_code)); }); return true;"""
KEEPS = "window.kept = JSON.parse(JSON.stringify(told)); told.fields.added = 7; return true;"


def open_window(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/widgets/?user=502")
    page.wait_for_function("window.__sandbox && window.__sandbox.ready")
    page.locator(".js-widget-tile").click()
    page.locator(".widget-settings__modal[data-ready]").wait_for()


def state(origin: str) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(f"{origin}/_sandbox/widget", timeout=5).json()
    return {name: answer[name] for name in ("active", "settings")}


def put_state(origin: str, **told: Any) -> None:
    assert requests.post(f"{origin}/_sandbox/widget", json=told, timeout=5).ok


def fill(page: Page, name: str, value: str) -> None:
    """As a widget does with its hidden field."""
    page.evaluate(
        "([name, value]) => jQuery('[name=' + name + ']').val(value).trigger('change')", [name, value]
    )


def test_an_install_asks_for_the_required_and_stores_what_on_save_leaves(page: Page, host: Host) -> None:
    origin = host(script(init=NOTES, settings="", onSave=KEEPS, onInstall=""), manifest(settings=CONSENT))
    put_state(origin, active="N")
    open_window(page, origin)
    expect(page.locator(".js-widget-tile small")).to_have_text("Не установлено")
    page.locator(".js-widget-install").click()
    expect(page.locator(".js-modal-error")).to_have_text("Согласие")
    assert "onSave" not in steps(page)

    fill(page, "consent", "1")
    page.locator(".js-widget-install").click()
    expect(page.locator(".js-widget-uninstall")).to_be_visible()
    assert steps(page)[4:] == ["settings", "onSave", "onInstall", "widget:installed true"]
    assert page.evaluate("window.kept") == {"active": "Y", "fields": {"consent": "1"}}
    assert state(origin) == {"active": "Y", "settings": {"consent": "1", "added": 7}}
    assert failures(page) == []

    pages.open_card(page, origin, 7001)
    params = "APP.widgets.list[APP.widgets.list && Object.keys(APP.widgets.list)[1]].params"
    assert page.evaluate(f"[{params}.consent, {params}.added, {params}.widget_active]") == ["1", 7, "Y"]


def test_disabling_asks_first_destroys_and_keeps_the_widget_off_the_pages(page: Page, host: Host) -> None:
    origin = host(script(init=NOTES, onSave="window.kept = told.active; return false;"))
    open_window(page, origin)
    page.locator(".js-widget-uninstall").click()
    expect(page.locator(".widget-settings__modal")).to_have_count(0)
    expect(page.locator(".js-widget-tile small")).to_have_text("Не установлено")
    assert page.evaluate("window.kept") == "N"
    assert steps(page)[-3:] == ["onSave", "destroy", "widget:removed true"]
    assert state(origin)["active"] == "N"
    page.locator(".js-widget-tile").click()
    page.locator(".js-widget-install").click()
    page.wait_for_function("window.kept === 'Y'")
    assert steps(page)[-5:] == ["constructor", "render", "init", "bind_actions", "onSave"]

    pages.open_card(page, origin, 7001)
    assert steps(page) == []


def test_save_waits_for_a_change_or_for_the_widgets_word(page: Page, host: Host) -> None:
    fields = {"key": {"name": "fields.key", "type": "text", "required": False}}
    origin = host(script(onSave="return true;"), manifest(settings=fields))
    open_window(page, origin)
    save = page.locator(".js-widget-save")
    save.click()
    assert "onSave" not in steps(page)
    page.evaluate("jQuery('.js-widget-save').trigger('button:save:enable')")
    save.click()
    page.wait_for_function("window.steps.includes('onSave')")
    page.locator("[name=key]").fill("abc")
    save.click()
    page.wait_for_function("window.steps.filter(name => name === 'onSave').length === 2")
    assert state(origin)["settings"] == {"key": "abc"}


@pytest.mark.parametrize("answer", ["return false;", "return Promise.reject();"])
def test_a_refusing_on_save_keeps_the_window_and_stores_nothing(page: Page, host: Host, answer: str) -> None:
    origin = host(script(onSave=answer))
    open_window(page, origin)
    page.evaluate("jQuery('.js-widget-save').trigger('button:save:enable')")
    page.locator(".js-widget-save").click()
    expect(page.locator(".js-widget-save.button-input-error")).to_be_visible()
    assert state(origin)["settings"] == {}


def test_the_window_closes_after_saving_where_the_widget_asked_for_it(page: Page, host: Host) -> None:
    asks = (
        "told.find('.js-widget-save').attr('data-onsave-destroy-modal', true).trigger('button:save:enable');"
    )
    origin = host(script(settings=asks, onSave="return Promise.resolve();"))
    open_window(page, origin)
    page.locator(".js-widget-save").click()
    expect(page.locator(".widget-settings__modal")).to_have_count(0)


def test_each_type_of_field_is_stored_in_its_shape(page: Page, host: Host) -> None:
    kinds = {"key": "pass", "people": "users", "logins": "users_lp", "consent": "custom"}
    fields = {name: {"name": f"fields.{name}", "type": kind} for name, kind in kinds.items()}
    origin = host(script(onSave="return true;"), manifest(settings=fields))
    open_window(page, origin)
    page.locator("[name=key]").fill("secret")
    page.locator("[name=people][data-user='501']").fill("12")
    page.locator("[name=logins][data-user='502'][data-part=login]").fill("igor")
    fill(page, "consent", "a plain string is lost")
    page.locator(".js-widget-save").click()
    page.wait_for_function("window.steps.includes('onSave')")
    pair = {"login": "", "password": ""}
    assert state(origin)["settings"] == {
        "key": "secret",
        "people": {"501": "12", "502": ""},
        "logins": {"501": pair, "502": {**pair, "login": "igor"}},
        "consent": "",
    }
    page.locator(".js-modal-close").click()
    page.locator(".js-widget-tile").click()
    expect(page.locator("[name=logins][data-user='502'][data-part=login]")).to_have_value("igor")
    expect(page.locator("[name=key]")).to_have_value("secret")


def test_a_widget_that_eats_the_save_button_is_reported(page: Page, host: Host) -> None:
    origin = host(script(settings="told.find('.widget_settings_block').html('mine');"))
    open_window(page, origin)
    page.wait_for_function("window.__sandbox.failures.length > 0")
    assert "removed the Save button" in failures(page)[0]


def test_a_widget_that_cannot_load_is_a_stub(page: Page, host: Host) -> None:
    origin = host(script(needs=("lodash",)))
    open_window(page, origin)
    expect(page.locator(".modal__stub")).to_be_visible()
    assert "lodash" in " ".join(failures(page))
