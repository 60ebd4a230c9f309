"""The panel in the emulated lead card, in Chromium: numbers, refreshing, and leaving nothing behind."""

import pytest
from playwright.sync_api import Page, expect

from tests.widget import answers, pages
from tests.widget.fakes import Backend, Crm

pytestmark = pytest.mark.browser

# Counts what a widget must take away again: timers, observers, listeners of document and window.
LEDGER = """
(() => {
  const live = {timers: new Set(), observers: new Set(), listeners: new Set()};
  window.__ledger = () => Object.keys(live).map(kind => [kind, live[kind].size]);
  const set = window.setTimeout, clear = window.clearTimeout;
  window.setTimeout = (f, ms, ...rest) => {
    if (!(ms >= 1000)) { return set(f, ms, ...rest); }
    const id = set(() => { live.timers.delete(id); f(...rest); }, ms);
    live.timers.add(id);
    return id;
  };
  window.clearTimeout = id => { live.timers.delete(id); clear(id); };
  for (const name of ['IntersectionObserver', 'ResizeObserver', 'MutationObserver']) {
    const Base = window[name];
    window[name] = class extends Base {
      observe(...rest) { live.observers.add(this); return super.observe(...rest); }
      disconnect() { live.observers.delete(this); return super.disconnect(); }
    };
  }
  for (const target of [document, window]) {
    const add = target.addEventListener.bind(target), remove = target.removeEventListener.bind(target);
    target.addEventListener = (name, f, ...rest) => {
      live.listeners.add(name);
      return add(name, f, ...rest);
    };
    target.removeEventListener = (name, f, ...rest) => {
      live.listeners.delete(name);
      return remove(name, f, ...rest);
    };
  }
})();
"""


def shown(page: Page, origin: str, lead_id: int = 7001, **view: str | int) -> None:
    """Open the card, open the panel, wait for the numbers."""
    pages.open_card(page, origin, lead_id, **{"user": 501, **view})
    pages.expand(page)
    expect(page.locator(".salesrep-metric").first).to_be_visible()


def wait_for_requests(page: Page, backend: Backend, count: int) -> None:
    """Let the page run until the backend has answered that many questions."""
    for _ in range(400):
        if len(backend.gets()) >= count and not backend.busy:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{len(backend.gets())} requests instead of {count}")


def test_a_closed_panel_asks_nothing_and_an_open_one_shows_the_numbers(
    page: Page, origin: str, backend: Backend, crm: Crm
) -> None:
    watch = pages.Watch.on(page)
    pages.open_card(page, origin, 7001, user=501, lang="ru")
    assert backend.asked == []
    assert crm.tokens == 0

    pages.expand(page)
    expect(page.locator(".salesrep-step__title")).to_have_text("Просрочена задача")
    assert pages.value_of(page, "revenue") == "845 000 ₽"
    assert [one.method for one in backend.asked] == ["OPTIONS", "GET"]
    asked = backend.gets()[0]
    assert asked.query == {"lead_id": "7001", "lang": "ru"}
    assert asked.headers["x-auth-token"] == "token-501-1"
    assert backend.asked[0].headers["access-control-request-headers"] == "x-auth-token"
    watch.assert_clean(page, origin, backend.origin)


def test_a_missing_value_is_a_dash_with_its_reason(page: Page, origin: str) -> None:
    shown(page, origin)
    none = page.locator('[data-metric="sales_cycle"] .salesrep-metric__value')
    expect(none).to_have_text("—")
    expect(none).to_have_attribute("title", str(answers.RU["reason"]))


def test_english_asks_and_says_english(page: Page, origin: str, backend: Backend) -> None:
    backend.panel = answers.panel("en")
    shown(page, origin, lang="en")
    assert backend.gets()[0].query["lang"] == "en"
    expect(page.locator(".salesrep-badge")).to_have_text("My leads")


def test_an_open_panel_follows_the_backend_with_one_token(
    page: Page, origin: str, backend: Backend, crm: Crm
) -> None:
    watch = pages.Watch.on(page)
    page.clock.install()
    shown(page, origin)
    page.clock.fast_forward(5100)
    wait_for_requests(page, backend, 2)
    assert backend.gets()[1].headers["if-none-match"]

    backend.panel["sections"][0]["metrics"][0]["text"] = "890 000 ₽"
    page.clock.fast_forward(5100)
    expect(
        page.locator('[data-section="mine"] [data-metric="revenue"] .salesrep-metric__value')
    ).to_have_text("890 000 ₽")
    expect(page.locator(".salesrep-metric_changed")).to_have_count(1)
    assert crm.tokens == 1
    assert {one.headers["x-auth-token"] for one in backend.gets()} == {"token-501-1"}
    assert backend.most_busy == 1
    watch.assert_clean(page, origin, backend.origin)


def test_an_unchanged_answer_leaves_the_page_as_it_is(page: Page, origin: str, backend: Backend) -> None:
    page.clock.install()
    shown(page, origin)
    page.evaluate("document.querySelector('.salesrep-metric').marked = true")
    page.clock.fast_forward(5100)
    wait_for_requests(page, backend, 2)
    assert page.evaluate("document.querySelector('.salesrep-metric').marked") is True


def test_an_opened_formula_and_the_focus_stay_over_a_change(
    page: Page, origin: str, backend: Backend
) -> None:
    page.clock.install()
    shown(page, origin)
    name = page.locator('[data-section="mine"] [data-metric="won_count"] button')
    name.focus()
    page.keyboard.press("Enter")
    about = page.locator('[data-section="mine"] [data-metric="won_count"] .salesrep-metric__hint')
    expect(about).to_have_text(answers.RU["hint"])
    expect(about).to_be_visible()
    backend.panel["sections"][0]["metrics"][1]["text"] = "15"
    page.clock.fast_forward(5100)
    value = page.locator('[data-section="mine"] [data-metric="won_count"] .salesrep-metric__value')
    expect(value).to_have_text("15")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-expanded", "true")


@pytest.mark.parametrize("hide", ["fold", "other tab"])
def test_a_panel_out_of_sight_asks_nothing(page: Page, origin: str, backend: Backend, hide: str) -> None:
    page.clock.install()
    shown(page, origin)
    if hide == "fold":
        pages.expand(page)
        expect(pages.panel(page)).to_be_hidden()
    else:
        turn_tab(page, hidden=True)
    # The observer tells the panel on the next frames.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.clock.fast_forward(60_000)
    page.evaluate("() => fetch('/favicon.ico')")
    assert len(backend.gets()) == 1

    if hide == "fold":
        pages.expand(page)
    else:
        turn_tab(page, hidden=False)
    wait_for_requests(page, backend, 2)


def turn_tab(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_rendering_twice_keeps_one_panel(page: Page, origin: str, backend: Backend) -> None:
    shown(page, origin)
    page.evaluate("window.__sandbox.render_again(); window.__sandbox.render_again();")
    expect(pages.panel(page)).to_have_count(1)
    expect(page.locator("#salesrep-style")).to_have_count(1)
    assert len(backend.gets()) == 1


def test_walking_through_the_crm_leaves_nothing_behind(page: Page, origin: str, backend: Backend) -> None:
    page.add_init_script(LEDGER)
    watch = pages.Watch.on(page)
    pages.open_card(page, origin, 7001, user=501)
    before = page.evaluate("Object.keys(window).sort()")
    pages.navigate(page, "/leads/list/?user=501")
    clean = page.evaluate("window.__ledger()")

    for lead_id in (7001, 7002):
        pages.navigate(page, f"/leads/detail/{lead_id}?user=501")
        expect(pages.panel(page)).to_have_count(1)
        # The second time the column is open already, with the first widget's body shown: ours opens too.
        pages.expand(page)
        expect(page.locator(".salesrep-metric").first).to_be_visible()
        assert backend.gets()[-1].query["lead_id"] == str(lead_id)
    pages.navigate(page, "/leads/list/?user=501")

    expect(page.locator('[class*="salesrep"], [id*="salesrep"]')).to_have_count(0)
    assert page.evaluate("window.__ledger()") == clean
    assert page.evaluate("Object.keys(window).sort()") == before
    assert len(backend.gets()) == 2
    watch.assert_clean(page, origin, backend.origin)


def test_leaving_in_the_middle_of_a_request_is_quiet(page: Page, origin: str, backend: Backend) -> None:
    watch = pages.Watch.on(page)
    backend.gate.clear()
    pages.open_card(page, origin, 7001, user=501)
    with page.expect_request("**/api/v1/panel*"):
        pages.expand(page)
    expect(page.locator(".salesrep-bone").first).to_be_visible()
    pages.navigate(page, "/leads/list/?user=501")
    backend.gate.set()
    pages.navigate(page, "/leads/detail/7002?user=501")
    pages.expand(page)
    expect(page.locator(".salesrep-metric").first).to_be_visible()
    expect(pages.panel(page)).to_have_count(1)
    assert (watch.console, watch.errors) == ([], [])


def test_a_new_card_shows_the_month_and_says_to_save(page: Page, origin: str, backend: Backend) -> None:
    backend.panel = answers.panel(lead=None)
    shown(page, origin, lead_id=0)
    assert backend.gets()[0].query == {"lang": "ru"}
    expect(page.get_by_text("Сохраните сделку")).to_be_visible()


def test_no_right_to_see_leads_is_said_plainly(page: Page, origin: str, backend: Backend) -> None:
    viewer = {"user_id": 501, "name": "Анна", "scope": "D"}
    backend.panel = answers.panel(lead=None, sections=[], chart=None, viewer=viewer)
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    expect(page.get_by_text("Ваши права в аккаунте скрывают сделки")).to_be_visible()


def test_names_of_people_and_leads_are_text_not_markup(page: Page, origin: str, backend: Backend) -> None:
    watch = pages.Watch.on(page)
    evil = "<img src=x onerror=window.hurt=1>{{ 7 * 7 }}"
    backend.panel["lead"]["next"]["text"] = evil
    backend.panel["sections"][0]["metrics"][0]["title"] = evil
    shown(page, origin)
    expect(page.locator(".salesrep-step__text")).to_have_text(evil)
    expect(pages.panel(page).locator("img")).to_have_count(0)
    watch.assert_clean(page, origin, backend.origin)


def test_the_settings_window_asks_for_consent(page: Page, origin: str, backend: Backend) -> None:
    watch = pages.Watch.on(page)
    page.goto(f"{origin}/settings/widgets/?user=502")
    page.locator(".js-widget-tile").click()
    box = page.locator(".salesrep-consent input[type=checkbox]")
    value = page.locator("input[name=consent]")
    box.check()
    expect(value).to_have_value("1")
    box.uncheck()
    expect(value).to_have_value("")
    expect(page.locator(".js-widget-save")).to_be_visible()
    watch.assert_clean(page, origin, backend.origin)
