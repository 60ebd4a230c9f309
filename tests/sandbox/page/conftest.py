"""A page whose widget each test uploads anew, over a backend and a simulator that answer as told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.sandbox.page import support
from tests.widget import answers, pages
from tests.widget.fakes import Backend, Crm, served_backend, served_crm

Host = Callable[..., str]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Moscow")
    context.set_default_timeout(8000)
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture
def backend() -> Iterator[Backend]:
    """The widget's own backend on an origin of its own."""
    with served_backend(Backend(panel=answers.panel())) as served:
        yield served


@pytest.fixture
def crm() -> Iterator[Crm]:
    """The simulator's doors."""
    with served_crm(Crm()) as served:
        yield served


@pytest.fixture
def host(tmp_path: Path, crm: Crm) -> Iterator[Host]:
    """Call with script.js (and manifest, files): uploads it and gives the page's origin."""
    target = tmp_path / "widget.zip"
    support.write_archive(target, support.script())
    with pages.served_page(target, crm.origin) as origin:

        def upload(text: str, told: dict[str, Any] | None = None, files: dict[str, str] | None = None) -> str:
            support.write_archive(target, text, told, files)
            return origin

        yield upload
