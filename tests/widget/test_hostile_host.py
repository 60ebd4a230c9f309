"""Our widget through every misbehaviour of the host: quiet, alone, and gone without a trace afterwards."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.waiting import wait_until
from tests.widget import answers, pages
from tests.widget.fakes import Backend, Crm
from tests.widget.test_look import OVERFLOW
from tests.widget.test_panel import shown, wait_for_requests

pytestmark = pytest.mark.browser

VARIANTS: dict[str, dict[str, str | int]] = {
    "plain": {},
    "strict": {"strict": 1},
    "double": {"double": 1},
    "destroy first": {"destroy": "first"},
    "slow token": {"token_delay": 400, "double": 1},
    "hostile styles": {"hostile": 1, "width": 230, "theme": "dark"},
    "alone": {"neighbour": 0, "width": 300},
    "english": {"lang": "en", "width": 260},
    "credentials": {"credentials": 1},
}
# Every element outside the widgets' blocks with what a widget might change on it.
OUTLINE = """() => [...document.querySelectorAll('body *, body, html')]
  .filter(node => !node.closest('.card-widgets__elements'))
  .map(node => [node.tagName, node.id, node.className, node.getAttribute('style')].join('|'))"""


def leave(page: Page) -> None:
    pages.navigate(page, "/leads/list/")
    page.wait_for_function("window.__sandbox.left().length === 0 || window.__sandbox.failures.length > 0")
    assert page.evaluate("window.__sandbox.left()") == []


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_the_panel_is_quiet_single_and_leaves_nothing(
    page: Page, origin: str, backend: Backend, crm: Crm, variant: dict[str, str | int]
) -> None:
    watch = pages.Watch.on(page)
    backend.credentials = True
    backend.panel = answers.panel(str(variant.get("lang", "ru")))
    pages.open_card(page, origin, 7001, user=501, audit=1, **variant)
    assert (backend.asked, crm.tokens) == ([], 0), "a closed panel asks nothing"

    pages.expand(page)
    expect(page.locator(".salesrep-metric").first).to_be_visible()
    page.evaluate("window.__sandbox.render_again(); window.__sandbox.render_again();")
    expect(pages.panel(page)).to_have_count(1)
    expect(page.locator("#salesrep-style")).to_have_count(1)
    assert (len(backend.gets()), crm.tokens) == (1, 1)
    assert pages.panel(page).evaluate(OVERFLOW) == []
    leave(page)
    expect(page.locator('[class*="salesrep"], [id*="salesrep"]')).to_have_count(0)
    watch.assert_clean(page, origin, backend.origin)


@pytest.mark.parametrize("destroy", ["first", "last"])
@pytest.mark.parametrize("where", ["token", "backend"])
def test_leaving_in_mid_request_leaves_nothing(
    page: Page, origin: str, backend: Backend, crm: Crm, where: str, destroy: str
) -> None:
    watch = pages.Watch.on(page)
    backend.gate.clear()
    delay = 900 if where == "token" else 0
    pages.open_card(page, origin, 7001, user=501, audit=1, token_delay=delay, destroy=destroy)
    with page.expect_request("**/disposable_token" if where == "token" else "**/api/v1/panel*"):
        pages.expand(page)
    pages.navigate(page, "/leads/list/")
    page.wait_for_function("window.__sandbox.left().length === 0")
    backend.gate.set()
    wait_until(lambda: crm.tokens == 1, "the token comes, too late or not")
    asked = len(backend.gets())
    page.evaluate("() => fetch('/favicon.ico')")
    expect(page.locator('[class*="salesrep"], [id*="salesrep"]')).to_have_count(0)
    assert (watch.console, watch.errors) == ([], [])
    assert len(backend.gets()) == asked


def test_nothing_of_the_host_changes_while_the_panel_works(page: Page, origin: str, backend: Backend) -> None:
    pages.open_card(page, origin, 7001, user=501)
    page.locator(".neighbour-caption").click()
    before = page.evaluate(OUTLINE)
    pages.expand(page)
    expect(page.locator(".salesrep-metric").first).to_be_visible()
    page.locator(".salesrep-metric button").first.click()
    page.evaluate("window.__sandbox.render_again()")
    assert page.evaluate(OUTLINE) == before
    assert len(backend.gets()) == 1


@pytest.fixture(params=["Europe/Moscow", "America/Sao_Paulo", "Pacific/Kiritimati"])
def zoned(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a browser that stands in another time zone."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id=request.param)
    context.set_default_timeout(8000)
    try:
        yield context.new_page()
    finally:
        context.close()


def test_the_browsers_time_zone_changes_no_text(zoned: Page, origin: str, backend: Backend) -> None:
    watch = pages.Watch.on(zoned)
    shown(zoned, origin)
    text = pages.panel(zoned).inner_text()
    for told in ("обновлено в 19:00", "вчера, 18:00", "к 1–22 октября"):
        assert told in text
    watch.assert_clean(zoned, origin, backend.origin)


BAD_TOKENS = {401: "e401", 403: "e403"}


@pytest.mark.parametrize(("status", "kind"), BAD_TOKENS.items())
def test_a_refused_token_is_said_and_asked_again_later(
    page: Page, origin: str, backend: Backend, status: int, kind: str
) -> None:
    page.clock.install()
    backend.failure = (status, {"code": "x", "message": "", "request_id": "r"})
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    expect(page.locator(f'[data-error="{kind}"]')).to_be_visible()
    backend.failure = None
    page.clock.fast_forward(61_000)
    wait_for_requests(page, backend, 2)
    expect(page.locator("[data-error]")).to_have_count(0)


def test_a_walk_over_every_page_and_back(page: Page, origin: str, backend: Backend) -> None:
    watch = pages.Watch.on(page)
    shown(page, origin, audit=1)
    for path in ("/leads/detail/7002", "/leads/list/", "/settings/widgets/"):
        pages.navigate(page, path)
    page.locator(".js-widget-tile").click()
    page.locator(".widget-settings__modal[data-ready]").wait_for()
    expect(page.locator(".salesrep-consent")).to_be_visible()
    leave(page)
    pages.navigate(page, "/leads/detail/7001")
    expect(pages.panel(page)).to_have_count(1)
    # The column's cookie says open, with the first widget's body; ours stays closed and asks nothing more.
    assert [one.query["lead_id"] for one in backend.gets()] == ["7001"]
    watch.assert_clean(page, origin, backend.origin)


def test_the_widget_installs_saves_and_is_disabled(page: Page, origin: str) -> None:
    page.goto(f"{origin}/settings/widgets/?user=502")
    page.wait_for_function("window.__sandbox && window.__sandbox.ready")
    page.locator(".js-widget-tile").click()
    page.locator(".widget-settings__modal[data-ready] .js-widget-uninstall").click()
    expect(page.locator(".widget-settings__modal")).to_have_count(0)
    expect(page.locator('[class*="salesrep"], [id*="salesrep"]')).to_have_count(0)
    page.locator(".js-widget-tile").click()
    install = page.locator(".widget-settings__modal[data-ready] .js-widget-install")
    install.click()
    expect(page.locator(".js-modal-error")).to_be_visible()
    page.locator(".salesrep-consent input").check()
    install.click()
    expect(page.locator(".js-widget-uninstall")).to_be_visible()
    page.goto(f"{origin}/settings/widgets/?user=502")
    page.locator(".js-widget-tile").click()
    expect(page.locator(".salesrep-consent input")).to_be_checked()
    assert page.evaluate("window.__sandbox.failures") == []
