"""The card's right column: closed at first, one opened widget, remembered, and its document events."""

import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.page.conftest import Host
from tests.sandbox.page.support import manifest, script
from tests.widget import pages

pytestmark = pytest.mark.browser

DRAWS = """self.render_template(
    {caption: {class_name: 'mine'}, body: '<p class="mine-body">b</p>', render: ''});
  return true;"""
HEARS = """window.heard = [];
  $(document).on('toggleWidgetPanel widgets-in-card:show click', function (event) {
    window.heard.push(event.type); });
  $(document).on('widgets_body:change_state', function (event, told) {
    window.heard.push('body ' + told.state + ' ' + told.$el.length); });"""


def test_the_column_is_closed_and_its_top_opens_only_the_first_widget(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(render=DRAWS)), 7001)
    expect(page.locator(".mine-body")).to_be_hidden()
    expect(page.locator(".card-widgets__widget__caption__logo_min")).to_have_count(2)
    page.locator(".card-widgets__top").click()
    expect(page.locator("#card_holder.js-widgets-active #widgets_block.js-widgets-active")).to_be_visible()
    expect(page.locator(".neighbour")).to_be_visible()
    expect(page.locator(".mine-body")).to_be_hidden()
    page.locator(".card-widgets__top").click()
    expect(page.locator("#widgets_block.js-widgets-active")).to_have_count(0)
    expect(page.locator(".neighbour")).to_be_hidden()


def test_a_caption_opens_the_column_with_its_widget_and_then_toggles_it(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(render=DRAWS)), 7001)
    page.locator(".mine").click()
    expect(page.locator(".mine-body")).to_be_visible()
    expect(page.locator(".neighbour")).to_be_hidden()
    expect(page.locator(".mine .widgets__widget__caption__arrow_top")).to_be_visible()
    expect(page.locator(".card-widgets__widget__body.js-body-hide .mine-body")).to_have_count(1)
    page.locator(".mine").click()
    expect(page.locator(".mine-body")).to_be_hidden()
    expect(page.locator("#widgets_block.js-widgets-active")).to_be_visible()


def test_the_state_is_remembered_for_the_next_card(page: Page, host: Host) -> None:
    origin = host(script(render=DRAWS))
    pages.open_card(page, origin, 7001)
    page.locator(".mine").click()
    assert {c["name"]: c["value"] for c in page.context.cookies()} == {"leads_crd_wdgt": "1"}
    pages.open_card(page, origin, 7002)
    expect(page.locator("#widgets_block.js-widgets-active")).to_be_visible()
    expect(page.locator(".neighbour")).to_be_visible()
    expect(page.locator(".mine-body")).to_be_hidden()


def test_the_document_hears_of_the_column_but_not_of_a_captions_click(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(render=HEARS + DRAWS)), 7001)
    page.evaluate("window.heard = []")
    page.locator(".mine").click()
    page.locator(".mine").click()
    page.locator(".card-widgets__top").click()
    assert page.evaluate("window.heard") == [
        *("toggleWidgetPanel", "body true 1", "body false 1", "body false 2", "toggleWidgetPanel")
    ]


def test_a_widget_may_ask_for_an_open_column(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(render=DRAWS, init="$(document).trigger('openWidgetPanel');")), 7001)
    expect(page.locator("#widgets_block.js-widgets-active")).to_be_visible()


def test_alone_the_widget_is_the_first(page: Page, host: Host) -> None:
    pages.open_card(page, host(script(render=DRAWS)), 7001, neighbour=0)
    page.locator(".card-widgets__top").click()
    expect(page.locator(".mine-body")).to_be_visible()


@pytest.mark.parametrize(("location", "neighbour"), [("lcard-0", 0), ("lcard-0", 1), ("lcard", 0)])
def test_the_column_is_there_only_for_widgets_that_draw(
    page: Page, host: Host, location: str, neighbour: int
) -> None:
    origin = host(script(render=DRAWS), manifest(location))
    pages.open_card(page, origin, 7001, neighbour=neighbour)
    nobody = location == "lcard-0" and not neighbour
    expect(page.locator("#card_holder.js-widgets-hidden")).to_have_count(int(nobody))
    expect(page.locator("._with-widgets")).to_have_count(int(not nobody))
    expect(page.locator("#widgets_block")).to_be_hidden() if nobody else None


def test_in_a_small_window_the_column_lies_over_the_card(page: Page, host: Host) -> None:
    page.set_viewport_size({"width": 900, "height": 700})
    pages.open_card(page, host(script(render=DRAWS)), 7001)
    page.locator(".mine").click()
    expect(page.locator("#widgets_block.with_overlay")).to_be_visible()
    page.locator("#card_widgets_overlay").click(position={"x": 200, "y": 300})
    expect(page.locator("#card_widgets_overlay")).to_be_hidden()
    expect(page.locator(".mine-body")).to_be_hidden()


@pytest.mark.parametrize("width", [230, 260, 300])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_width_and_colours_are_the_addresss(page: Page, host: Host, width: int, theme: str) -> None:
    pages.open_card(page, host(script(render=DRAWS)), 7001, width=width, theme=theme, hostile=1)
    page.locator(".mine").click()
    shown = """() => [document.documentElement.getAttribute('data-color-scheme'),
      document.getElementById('widgets_block').offsetWidth,
      getComputedStyle(document.documentElement).getPropertyValue('--palette-background-primary').trim(),
      getComputedStyle(document.querySelector('.rail__logo')).textTransform]"""
    colour = {"light": "#fff", "dark": "#153043"}[theme]
    assert page.evaluate(shown) == [theme, width, colour, "uppercase"]
