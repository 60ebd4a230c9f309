"""Small widgets made for one rule of the host each, and reading what they wrote down."""

import json
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from widget_frontend.pack import SOURCE as OUR_WIDGET

LEFT_OUT = "left out"
IMAGES = ("logo.png", "logo_main.png", "logo_medium.png", "logo_min.png", "logo_small.png")
MODULE = """define([%(needs)s], function (%(names)s) {
  return function () {
    var self = this;
    if (!window.steps) { Object.defineProperty(window, 'steps', { value: [], writable: true }); }
    function step(name) { window.steps.push(name); }
    %(constructor)s
    step('constructor');
    this.callbacks = {
%(callbacks)s
    };
    return this;
  };
});
"""
RU = {
    "widget": {"name": "Пробный", "short_description": "кратко", "description": "подробно"},
    "fields": {"consent": "Согласие", "key": "Ключ", "people": "Люди", "logins": "Входы"},
    "advanced": {"title": "Своя страница"},
    "deep": {"text": "да"},
}
EN = {**RU, "deep": {"text": "yes"}}


def script(
    *, needs: tuple[str, ...] = ("jquery",), constructor: str = "", more: str = "", **bodies: str
) -> str:
    """script.js with all four usual callbacks, each of which writes its name down before its body.

    `needs` are AMD names (jquery is `$`, the others by their place `dep1`, `dep2` …), `bodies` callbacks
    by name (LEFT_OUT leaves one out), `constructor` and `more` further text of the constructor and callbacks.
    """
    names = ["$" if name == "jquery" else f"dep{at}" for at, name in enumerate(needs)]
    usual = {"render": "return true;", "init": "return true;", "bind_actions": "return true;", "destroy": ""}
    lines = [
        f"      {name}: function (told) {{ step('{name}'); {body} }}"
        for name, body in {**usual, **bodies}.items()
        if body != LEFT_OUT
    ]
    return MODULE % {
        "needs": ", ".join(f"'{name}'" for name in needs),
        "names": ", ".join(names),
        "constructor": constructor,
        "callbacks": ",\n".join([*lines, *([more] if more else [])]),
    }


def manifest(
    *locations: str, init_once: bool = False, settings: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A manifest with these locations (the lead card and the settings window unless named)."""
    widget = {
        "name": "widget.name",
        "description": "widget.description",
        "short_description": "widget.short_description",
        "version": "1.0.0",
        "interface_version": 2,
        "init_once": init_once,
        "locale": ["ru", "en"],
        "installation": True,
        "support": {"link": "https://example.com", "email": "help@example.com"},
    }
    named = list(locations) or ["lcard-1", "settings"]
    return {"widget": widget, "locations": named, "settings": settings or {}, **more}


def write_archive(
    target: Path, text: str, told: dict[str, Any] | None = None, files: dict[str, str] | None = None
) -> None:
    """Put widget.zip in its place at once, as an upload does."""
    draft = target.with_suffix(".draft")
    with zipfile.ZipFile(draft, "w") as archive:
        archive.writestr("manifest.json", json.dumps(told or manifest()))
        archive.writestr("script.js", text)
        archive.writestr("i18n/ru.json", json.dumps(RU))
        archive.writestr("i18n/en.json", json.dumps(EN))
        for name, body in (files or {}).items():
            archive.writestr(name, body)
        for image in IMAGES:
            archive.write(OUR_WIDGET / "images" / image, f"images/{image}")
    draft.replace(target)


def steps(page: Page) -> list[str]:
    """What the widget has written down so far."""
    found: list[str] = page.evaluate("window.steps || []")
    return found


def failures(page: Page) -> list[str]:
    """What the page holds against the widget."""
    found: list[str] = page.evaluate("window.__sandbox.failures")
    return found
