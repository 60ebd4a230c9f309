"""What a client sees: nothing overflows, everything is readable, a hostile host changes nothing."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.widget import answers, pages
from tests.widget.fakes import Backend
from tests.widget.test_panel import shown

pytestmark = pytest.mark.browser

SHOWN = """
const shown = root => [root, ...root.querySelectorAll('*')]
  .filter(node => node.offsetParent && !node.classList.contains('salesrep-sr'));
"""
OVERFLOW = (
    "root => {"
    + SHOWN
    + """
  const edge = root.getBoundingClientRect().right + 1;
  const wide = node => getComputedStyle(node).display !== 'inline' && node.scrollWidth > node.clientWidth + 1;
  return shown(root).filter(node => wide(node) || node.getBoundingClientRect().right > edge)
    .map(node => `${node.className} ${node.scrollWidth} > ${node.clientWidth}`);
}
"""
)
CONTRAST = (
    "root => {"
    + SHOWN
    + """
  const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const alpha = colour => (colour[3] === undefined ? 1 : colour[3]);
  const over = (top, under) => [0, 1, 2].map(i => top[i] * alpha(top) + under[i] * (1 - alpha(top)));
  const ground = node => {
    const own = parse(getComputedStyle(node).backgroundColor);
    const under = node.parentElement && alpha(own) < 1 ? ground(node.parentElement) : [255, 255, 255];
    return over(own, under);
  };
  const linear = v => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ratio = node => {
    const back = ground(node);
    const ink = over(parse(getComputedStyle(node).color), back);
    const [high, low] = [light(back), light(ink)].sort((a, b) => b - a);
    return (high + .05) / (low + .05);
  };
  const text = node => [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
  return shown(root).filter(text).filter(node => ratio(node) < 4.5)
    .map(node => `${node.className} ${ratio(node).toFixed(2)}`);
}
"""
)
LOOK = (
    "root => {"
    + SHOWN
    + """
  const kept = ['color', 'backgroundColor', 'fontFamily', 'fontSize', 'fontWeight', 'fontStyle',
    'textTransform', 'letterSpacing', 'textAlign', 'listStyleType', 'borderTopWidth',
    'borderTopColor', 'float'];
  const edge = root.getBoundingClientRect();
  const box = node => {
    const own = node.getBoundingClientRect();
    return [own.left - edge.left, own.top - edge.top, own.width, own.height].map(Math.round);
  };
  const pseudo = node => ['::before', '::after'].map(name => getComputedStyle(node, name).content);
  return shown(root).map(node => [
    node.className, ...box(node), ...kept.map(name => getComputedStyle(node)[name]), ...pseudo(node)
  ].join('|'));
}
"""
)
INK = """() => {
  const canvas = document.querySelector('.salesrep-chart__canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return data.reduce((sum, value) => (sum * 31 + value) % 1000003, 0);
}"""


def many_states() -> dict[str, Any]:
    """A panel with every kind of block: account notice, progress, all levels of change, a missing value."""
    changed = answers.panel("ru", progress_text="Загружаем историю: 45 %")
    changed["account"]["state"] = "reauth_required"
    return changed


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["ru", "en"])
def test_nothing_overflows_and_everything_is_readable(
    page: Page, origin: str, backend: Backend, lang: str, theme: str
) -> None:
    backend.panel = many_states() if lang == "ru" else answers.panel("en")
    shown(page, origin, lang=lang, theme=theme)
    root = pages.panel(page)
    page.locator(".salesrep-metric button").nth(1).click()
    for width in (230, 260, 300):
        page.evaluate("width => document.body.style.setProperty('--column-width', width + 'px')", width)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert root.evaluate(OVERFLOW) == []
    assert root.evaluate(CONTRAST) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("status", [409, 429])
def test_errors_are_readable_too(page: Page, origin: str, backend: Backend, theme: str, status: int) -> None:
    remedy = {
        "code": "not_connected",
        "remedy_url": "https://reports.example.com/install",
        "request_id": "r" * 60,
    }
    backend.failure = (status, remedy)
    pages.open_card(page, origin, 7001, user=501, theme=theme, width=230)
    root = pages.expand(page)
    page.locator("[data-error]").wait_for()
    assert root.evaluate(OVERFLOW) == []
    assert root.evaluate(CONTRAST) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_hostile_host_style_sheet_changes_nothing(
    page: Page, origin: str, backend: Backend, theme: str
) -> None:
    looks = []
    for hostile in (0, 1):
        shown(page, origin, theme=theme, hostile=hostile)
        page.evaluate("document.fonts.ready.then(() => null)")
        # Until it is drawn, the canvas has the size that every empty one has.
        page.wait_for_function(f"() => ({INK})() > 0")
        looks.append(pages.panel(page).evaluate(LOOK))
        page.context.clear_cookies()
    assert looks[1] == looks[0]


def test_the_chart_is_drawn_and_follows_theme_and_width(page: Page, origin: str) -> None:
    watch = pages.Watch.on(page)
    shown(page, origin)
    page.wait_for_function(f"() => ({INK})() > 0")
    light = page.evaluate(INK)
    page.evaluate("document.documentElement.setAttribute('data-color-scheme', 'dark')")
    page.wait_for_function(f"before => ({INK})() !== before", arg=light)
    page.evaluate("document.body.style.setProperty('--column-width', '230px')")
    page.wait_for_function("() => document.querySelector('.salesrep-chart__canvas').offsetWidth === 209")
    assert watch.errors == []
