"""Opening the emulated page in Chromium: reusable with the real backend and simulator."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, sync_playwright

from sandbox.page import libraries
from sandbox.page.main import start

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def require(condition: bool, what: str) -> None:
    """Skip by name where something is missing, but fail under CI, where it must be there."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def chromium() -> str:
    """The browser's path, from CHROMIUM or PATH; skips (fails under CI) without one."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    require(bool(found), "browser tests need Chromium: set CHROMIUM or put `chromium` on PATH")
    return str(found)


@contextmanager
def launched() -> Iterator[Browser]:
    """Headless Chromium for a whole session."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def node_modules() -> Path:
    """Where the page's libraries lie; skips (fails under CI) when npm has not been run."""
    modules = Path(os.environ.get("SANDBOX_NODE_MODULES") or libraries.NODE_MODULES)
    try:
        libraries.check(modules)
    except libraries.LibrariesMissing as error:
        require(False, str(error))
    return modules


@contextmanager
def served_page(archive: Path, amocrm: str, *, client_id: str | None = None) -> Iterator[str]:
    """The page in this process on a free port; gives its origin. `amocrm` is a simulator's address."""
    server = start(0, archive, amocrm, client_id=client_id, modules=node_modules())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def card_url(origin: str, lead_id: int, **view: str | int) -> str:
    """The card's address; `view` takes user, lang, theme, width, hostile."""
    return f"{origin}/leads/detail/{lead_id}?{urlencode(view)}"


def open_card(page: Page, origin: str, lead_id: int, **view: str | int) -> None:
    """Go to the card and wait until the page has loaded its widgets; the column stays closed."""
    page.goto(card_url(origin, lead_id, **view))
    page.wait_for_function("window.__sandbox && window.__sandbox.ready === true")


def navigate(page: Page, path: str) -> None:
    """Change the area as a click inside the CRM does, without a reload."""
    page.evaluate("path => { window.__sandbox.navigate(path); }", path)
    page.wait_for_function("window.__sandbox.ready === true")


def panel(page: Page) -> Locator:
    """The widget's root."""
    return page.locator(".salesrep-panel")


def expand(page: Page) -> Locator:
    """Press the widget's caption: opens the column with our panel, or folds it again."""
    page.locator(".salesrep-caption").click()
    return panel(page)


def value_of(page: Page, metric_id: str, section: str = "mine") -> str:
    """The shown text of one metric."""
    found = page.locator(f'[data-section="{section}"] [data-metric="{metric_id}"] .salesrep-metric__value')
    return found.inner_text()


@dataclass(kw_only=True)
class Watch:
    """Collects what must not happen on a page: console output, errors, failed requests, foreign origins."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)

    @classmethod
    def on(cls, page: Page) -> "Watch":
        """Start watching."""
        watch = cls()

        def said(message: ConsoleMessage) -> None:
            watch.console.append(message.text)

        def asked(request: Request) -> None:
            parts = urlsplit(request.url)
            watch.origins.add(f"{parts.scheme}://{parts.netloc}")

        def failed(request: Request) -> None:
            watch.failed.append(f"{request.url} {request.failure}")

        def answered(response: Response) -> None:
            if response.status >= 400:
                watch.refused.append(f"{response.status} {response.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: watch.errors.append(str(error)))
        page.on("request", asked)
        page.on("requestfailed", failed)
        page.on("response", answered)
        return watch

    def assert_clean(self, page: Page, *origins: str) -> None:
        """Nothing said, nothing failed, nobody else asked, nothing undocumented touched."""
        assert (self.console, self.errors, self.failed, self.refused) == ([], [], [], [])
        assert self.origins <= set(origins)
        assert page.evaluate("window.__sandbox.failures") == []
