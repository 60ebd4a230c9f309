"""One archive, one page server and one browser for all widget tests; a fresh backend for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.widget import answers, pages
from tests.widget.fakes import Backend, Crm, served_backend, served_crm
from widget_frontend.pack import build


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Crm, str]]:
    crm = Crm()
    with served_backend(Backend()) as backend, served_crm(crm):
        archive = build(tmp_path_factory.mktemp("widget"), backend_url=backend.origin)
        with pages.served_page(archive, crm.origin) as origin:
            yield backend, crm, origin


@pytest.fixture
def backend(_servers: tuple[Backend, Crm, str]) -> Backend:
    """The panel's backend, answering a Russian panel until told otherwise."""
    served = _servers[0]
    fresh = Backend(origin=served.origin, panel=answers.panel())
    served.__dict__.update(fresh.__dict__)
    return served


@pytest.fixture
def crm(_servers: tuple[Backend, Crm, str]) -> Crm:
    """The simulator's doors."""
    crm = _servers[1]
    crm.tokens, crm.token_status = 0, 200
    return crm


@pytest.fixture
def origin(_servers: tuple[Backend, Crm, str], backend: Backend, crm: Crm) -> str:
    """The emulated page's origin, with both servers behind it."""
    return _servers[2]


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
def archive(tmp_path: Path) -> Path:
    """An archive for a public backend."""
    return build(tmp_path, backend_url="https://reports.example.com")
