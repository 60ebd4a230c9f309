"""What a widget finds on itself: settings, texts, templates, selection; the rest throws loudly."""

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import failures, manifest, script, steps
from tests.widget import pages
from tests.widget.fakes import CLIENT_ID

pytestmark = pytest.mark.browser

EXPOSE = "window.own = self; return true;"
CONTROLS = {
    "button": "button.button-input",
    "cancel_button": ".button-cancel",
    "delete_button": ".button-delete",
    "input": "input.text-input",
    "textarea": "textarea.text-input",
    "select": ".control--select option[selected]",
    "multiselect": ".multisuggest option",
    "radio": ".control-radio input:checked",
    "checkbox": ".control-checkbox input",
    "switcher": ".switcher input",
    "date_field": "input.date_field",
    "suggest": ".control--suggest li",
    "file": "input[type=file]",
    "checkboxes_dropdown/values_title": ".checkboxes_dropdown input",
}


def opened(page: Page, host: Host, text: str | None = None, **files: str) -> str:
    origin = host(
        text or script(init=EXPOSE), files={name.replace("__", "/"): b for name, b in files.items()}
    )
    pages.open_card(page, origin, 7001, user=502, lang="en")
    return origin


def test_settings_hold_what_the_host_knows_of_the_widget(page: Page, host: Host) -> None:
    opened(page, host)
    params = page.evaluate("window.own.params")
    path = f"/upl/{params['widget_code']}/widget"
    assert params == {
        "id": 1,
        "status": "private",
        "widget_code": params["widget_code"],
        "path": path,
        "images_path": f"{path}/images",
        "version": "1.0.0",
        "oauth_client_uuid": CLIENT_ID,
        "widget_active": "Y",
        "support": {"link": "https://example.com", "email": "help@example.com"},
    }
    merged = "own.set_settings({mine: 1}), [own.get_settings().mine, own.params.mine]"
    assert page.evaluate(merged) == [1, 1]
    page.evaluate("own.get_settings().mine = 2")
    assert page.evaluate("own.params.mine") == 1
    assert page.evaluate("own.get_version()") == "1.0.0"


def test_texts_come_by_dotted_paths_in_the_sessions_language(page: Page, host: Host) -> None:
    opened(page, host)
    told = "[own.i18n('deep.text'), own.i18n('deep'), own.i18n('a.b.c') || null]"
    assert page.evaluate(told) == ["yes", {"text": "yes"}, None]
    assert page.evaluate("own.langs.deep.text") == "yes"


def test_system_tells_where_and_who(page: Page, host: Host) -> None:
    opened(page, host)
    assert page.evaluate("own.system()") == {
        "area": "lcard",
        "amouser_id": 502,
        "amouser": "igor@example.com",
        "amohash": "",
        "subdomain": "demo",
        "domain": "amocrm.ru",
        "server": "https://demo.amocrm.ru",
        "displayed_count": 2,
        "displayed_count_by_area": {"leads_card": 2, "everywhere": 0},
    }
    assert page.evaluate("own.system() === own.system()") is False


def test_install_status_is_what_the_widget_sets(page: Page, host: Host) -> None:
    opened(page, host)
    seen = [page.evaluate("own.get_install_status()")]
    for status in ("install", "not_configured", "error", "installed"):
        page.evaluate("status => own.set_status(status)", status)
        seen.append(page.evaluate("own.get_install_status()"))
    assert seen == ["installed", "install", "not_configured", "error", "installed"]
    assert page.evaluate("(() => { try { own.set_status('x'); } catch (e) { return true; } })()")


def test_every_control_of_the_host_is_drawn(page: Page, host: Host) -> None:
    opened(page, host)
    params = {
        "name": "field",
        "id": "mine",
        "class_name": "own-class",
        "text": "<i>Текст</i>",
        "value": '"v"',
        "selected": 2,
        "items": [{"id": 1, "option": "<i>Раз</i>"}, {"id": 2, "option": "Два"}],
    }
    drawn = """([name, params, selector]) => {
      const html = window.own.render({ref: '/tmpl/controls/' + name + '.twig'}, params);
      const box = jQuery('<div>').append(html);
      return [box.find(selector).length > 0, box.find('.own-class').length > 0, box.find('i').length];
    }"""
    found = {name: page.evaluate(drawn, [name, params, selector]) for name, selector in CONTROLS.items()}
    assert found == {name: [True, True, 0] for name in CONTROLS}
    assert failures(page) == []


def test_own_templates_are_loaded_from_the_archive(page: Page, host: Host) -> None:
    opened(page, host, templates__own__twig="")
    told = """own.render({href: '/templates/own.twig', base_path: own.params.path, v: '1.0.0',
      load: function (template) { window.drawn = template.render({n: 3}); }}, {})"""
    with page.expect_response("**/templates/own.twig?v=1.0.0") as missing:
        page.evaluate(told)
    assert missing.value.status == 404
    host(script(init=EXPOSE), files={"templates/own.twig": "<b>{{ n }}</b>"})
    page.evaluate(told)
    page.wait_for_function("window.drawn === '<b>3</b>'")
    promised = "own.render({href: '/templates/own.twig', base_path: own.params.path, promised: true})"
    assert page.evaluate(f"{promised}.then(template => template.render({{n: 4}}))") == "<b>4</b>"


def test_plugins_and_modules_of_the_archive_resolve_beside_the_script(page: Page, host: Host) -> None:
    needs = (
        "jquery",
        "./lib/one.js",
        "text!./templates/t.twig",
        "json!./data/d.json",
        "optional!./lib/two.js",
    )
    told = "window.got = [dep1.n, dep2, dep3.n, dep4 === undefined]; return true;"
    files = {
        "lib/one.js": "define([], function () { return {n: 1}; });",
        "templates/t.twig": "<i>{{ x }}</i>",
        "data/d.json": '{"n": 3}',
    }
    pages.open_card(page, host(script(needs=needs, init=told), files=files), 7001)
    page.wait_for_function("window.got")
    assert page.evaluate("window.got") == [1, "<i>{{ x }}</i>", 3, True]


LIBRARIES = {
    "jquery": ("$.fn.jquery", "2.1.3"),
    "underscore": ("dep1.VERSION", "1.9.1"),
    "backbone": ("dep2.VERSION", "1.1.2"),
    "moment": ("dep3.version", "2.24.0"),
    "twigjs": ("dep4.VERSION", "0.8.9"),
    "chartjs": ("typeof dep5.helpers", "object"),
    "lib/components/base/modal": ("typeof dep6", "function"),
}


def test_libraries_have_the_hosts_names_and_versions(page: Page, host: Host) -> None:
    told = ", ".join(told for told, _ in LIBRARIES.values())
    pages.open_card(page, host(script(needs=tuple(LIBRARIES), init=f"window.got = [{told}];")), 7001)
    assert page.evaluate("window.got") == [version for _, version in LIBRARIES.values()]


def test_a_block_is_drawn_from_html_or_from_a_twig(page: Page, host: Host) -> None:
    twig = """self.render_template(
      {caption: {class_name: 'mine'}, body: '', render: '<p class="one">{{ n }}</p>'}, {n: 5});"""
    html = (
        "self.render_template({caption: {class_name: 'other'}, body: '<p class=\"two\">6</p>', render: ''});"
    )
    origin = opened(page, host, script(render=f"{twig} {html} return true;"))
    code = page.evaluate("Object.keys(APP.widgets.list)[1]")
    block = page.locator(
        f"#widgets_block .card-widgets__elements .card-widgets__widget-{code}[data-code='{code}']"
    )
    expect(block).to_have_count(2)
    expect(block.nth(0).locator(".js-widget-caption-block.mine")).to_have_count(1)
    expect(block.nth(0).locator(".card-widgets__widget__body .one")).to_have_text("5")
    expect(block.nth(1).locator(".card-widgets__widget__body .two")).to_have_text("6")
    assert origin


def test_ticked_rows_reach_the_widget_from_the_list(page: Page, host: Host) -> None:
    more = "leads: { selected: function () { step('selected'); window.got = self.list_selected(); } }"
    pages.open_card(page, host(script(more=more), manifest("lcard-1", "llist-0")), 7001)
    pages.navigate(page, "/leads/list/")
    page.locator(".js-list-check[value='7002']").check()
    page.locator(".js-list-widget").click()
    assert steps(page)[-1] == "selected"
    row = {"id": 7002, "type": "lead", "emails": [], "phones": []}
    assert page.evaluate("window.got") == {
        "selected": [row],
        "summary": {"items": 1, "emails": 0, "phones": 0},
    }
    checked = {one["id"]: one["checked"] for one in page.evaluate("APP.data.current_list")}
    assert checked == {7001: False, 7002: True}


MISSING = ("crm_post", "widgetsOverlay", "add_action", "add_source", "get_pipeline_id", "setSdkCatalogId")


def test_members_that_are_not_played_throw(page: Page, host: Host) -> None:
    opened(page, host)
    for name in MISSING:
        call = "name => { try { window.own[name](); } catch (error) { return error.message; } }"
        assert page.evaluate(call, name) == f"the page does not play {name}"
    assert failures(page) == [f"not played: {name}" for name in MISSING]
