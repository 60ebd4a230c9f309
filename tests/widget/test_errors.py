"""Every failure has its own words, the panel backs off, and earlier numbers stay."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.widget import pages
from tests.widget.fakes import Backend, Crm
from tests.widget.test_panel import shown, wait_for_requests

pytestmark = pytest.mark.browser

TEXTS: dict[str, Any] = {
    lang: json.loads((Path("widget_frontend/i18n") / f"{lang}.json").read_text()) for lang in ("ru", "en")
}
STATUSES = {
    400: "e400",
    401: "e401",
    403: "e403",
    404: "e404",
    409: "e409",
    429: "e429",
    500: "e5xx",
    503: "e5xx",
}


def error(code: str = "x", **more: str) -> dict[str, Any]:
    return {
        "code": code,
        "message": "Сообщение сервера.",
        "field": None,
        "remedy": "",
        "request_id": "r-17",
        **more,
    }


@pytest.mark.parametrize("lang", ["ru", "en"])
def test_each_status_has_its_own_words(page: Page, origin: str, backend: Backend, lang: str) -> None:
    watch = pages.Watch.on(page)
    backend.failure = (500, error())
    pages.open_card(page, origin, 7001, user=501, lang=lang)
    pages.expand(page)
    for status, kind in STATUSES.items():
        backend.failure = (status, error())
        page.locator('[data-key="retry"]').click()
        notice = page.locator(f'[data-error="{kind}"]')
        expect(notice).to_contain_text(TEXTS[lang]["errors"][kind]["title"])
        expect(notice).to_contain_text(TEXTS[lang]["errors"][kind]["text"])
        expect(notice).to_contain_text("r-17")
        expect(notice).to_contain_text("Сообщение сервера.")
    assert watch.errors == []


def test_an_account_that_lost_its_tokens_gets_a_way_back(page: Page, origin: str, backend: Backend) -> None:
    backend.failure = (409, error("not_connected", remedy_url="https://reports.example.com/install"))
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    link = page.locator('[data-error="e409"] a')
    expect(link).to_have_attribute("href", "https://reports.example.com/install")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_a_remedy_that_is_no_web_address_is_not_offered(page: Page, origin: str, backend: Backend) -> None:
    backend.failure = (409, error("not_connected", remedy_url="javascript:alert(1)"))
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    expect(page.locator('[data-error="e409"]')).to_be_visible()
    expect(page.locator('[data-error="e409"] a')).to_have_count(0)


@pytest.mark.parametrize(
    ("how", "kind"), [("cut", "network"), ("html", "unexpected"), ("token", "e5xx"), ("silence", "timeout")]
)
def test_other_ways_to_fail(page: Page, origin: str, backend: Backend, crm: Crm, how: str, kind: str) -> None:
    page.clock.install()
    if how == "cut":
        page.route("**/api/v1/panel*", lambda route: route.abort())
    if how == "html":
        backend.raw = b"<html>Bad gateway</html>"
    if how == "token":
        crm.token_status = 500
    if how == "silence":
        backend.gate.clear()
    pages.open_card(page, origin, 7001, user=501)
    with page.expect_request("**/disposable_token" if how == "token" else "**/api/v1/panel*"):
        pages.expand(page)
    if how == "silence":
        page.clock.fast_forward(26_000)
    expect(page.locator(f'[data-error="{kind}"]')).to_be_visible()


def test_numbers_stay_and_the_error_goes_when_the_backend_returns(
    page: Page, origin: str, backend: Backend
) -> None:
    page.clock.install()
    shown(page, origin)
    backend.failure = (503, error())
    page.clock.fast_forward(5100)
    expect(page.locator('[data-error="e5xx"]')).to_contain_text(TEXTS["ru"]["panel"]["stale"])
    assert pages.value_of(page, "revenue") == "845 000 ₽"
    backend.failure = None
    page.locator('[data-key="retry"]').click()
    expect(page.locator("[data-error]")).to_have_count(0)
    assert backend.gets()[-1].headers.get("if-none-match")


def test_errors_slow_the_asking_down(page: Page, origin: str, backend: Backend) -> None:
    page.clock.install()
    backend.failure = (500, error(message="Ответ 1."))
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    waits = (5_000, 10_000, 20_000, 40_000, 60_000, 60_000)
    for done, wait in enumerate(waits, start=1):
        expect(page.locator("[data-error]")).to_contain_text(f"Ответ {done}.")
        backend.failure = (500, error(message=f"Ответ {done + 1}."))
        page.clock.fast_forward(wait - 3_000)
        page.evaluate("() => fetch('/favicon.ico')")
        assert len(backend.gets()) == done
        page.clock.fast_forward(3_100)
    wait_for_requests(page, backend, len(waits) + 1)


def test_too_many_requests_waits_as_long_as_it_is_told(page: Page, origin: str, backend: Backend) -> None:
    page.clock.install()
    backend.failure, backend.headers = (429, error()), {"Retry-After": "90"}
    pages.open_card(page, origin, 7001, user=501)
    pages.expand(page)
    page.locator('[data-error="e429"]').wait_for()
    page.clock.fast_forward(85_000)
    page.evaluate("() => fetch('/favicon.ico')")
    assert len(backend.gets()) == 1
    page.clock.fast_forward(6_000)
    wait_for_requests(page, backend, 2)
