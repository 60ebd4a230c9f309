"""Takes the pictures of README from a running demo: `script/python -m script.screenshots [OUT]`.

Start the demo first, in the same APP_HOME, without live traffic: `script/demo --speed 0`. Needs Chromium
(CHROMIUM, or chromium on PATH) and Playwright, which `script/test` installs.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from widget_backend.settings import app_home

ROOT = Path(__file__).resolve().parent.parent
CLOSED = (142, 143)
QUIET = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
# Sees only her own leads, and has sold enough to show; sees his group.
MANAGER, TEAM_LEAD = 507, 506


def main(arguments: list[str]) -> int:
    out = Path(arguments[0]) if arguments else ROOT / "docs" / "screenshots"
    state = app_home(os.environ) / "demo.json"
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not state.exists() or chromium is None:
        print("Start `script/demo --speed 0` with this APP_HOME, and have Chromium on PATH.", file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    demo = json.loads(state.read_text(encoding="utf-8"))
    at = {name: f"http://127.0.0.1:{port}" for name, port in demo["ports"].items()}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        mine, group = a_lead(at["amocrm"], MANAGER), a_lead(at["amocrm"], TEAM_LEAD)
        take_panel(browser, at["page"], mine, out / "panel-ru-light.png", user=MANAGER, lang="ru")
        take_panel(
            browser, at["page"], group, out / "panel-en-dark.png", user=TEAM_LEAD, lang="en", theme="dark"
        )
        card = opened(browser, at["page"], mine, 900, 1, user=MANAGER, lang="ru", width=300)
        card.screenshot(path=out / "card.png")
        sheet = browser.new_page(viewport={"width": 1280, "height": 420})
        sheet.goto(f"{at['sheets']}/spreadsheets/d/{demo['spreadsheet_id']}")
        sheet.screenshot(path=out / "sheet.png")
        browser.close()
    for path in sorted(out.glob("*.png")):
        print(f"{path.name}  {path.stat().st_size // 1024} KB")
    return 0


def a_lead(amocrm: str, user_id: int) -> int:
    """An open lead of this user with a price, if possible one whose next task is not late."""
    leads = [
        row
        for row in truth(amocrm, "leads")
        if row["responsible_user_id"] == user_id
        and row["status_id"] not in CLOSED
        and row.get("price")
        and not row.get("is_deleted")
    ]
    due = {
        row["entity_id"]: row["complete_till"]
        for row in truth(amocrm, "tasks")
        if row["entity_type"] == "leads" and not row["is_completed"]
    }
    return int(max(leads, key=lambda row: (due.get(row["id"], 0), row["price"]))["id"])


def truth(amocrm: str, entity: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{amocrm}/_sandbox/truth/{entity}", timeout=30)
    answer.raise_for_status()
    return [json.loads(line) for line in answer.text.splitlines() if line]


def opened(browser: Browser, origin: str, lead_id: int, height: int, scale: float, **view: str | int) -> Page:
    """The lead's card with our panel open and filled."""
    page = browser.new_page(viewport={"width": 1280, "height": height}, device_scale_factor=scale)
    page.goto(f"{origin}/leads/detail/{lead_id}?{urlencode(view)}")
    page.wait_for_function("window.__sandbox && window.__sandbox.ready === true")
    page.locator(".salesrep-caption").click()
    page.wait_for_selector(".salesrep-panel canvas")
    page.wait_for_load_state("networkidle")
    return page


def take_panel(browser: Browser, origin: str, lead_id: int, path: Path, **view: str | int) -> None:
    """The widget alone, at twice its size."""
    page = opened(browser, origin, lead_id, 1800, 2, width=280, **view)
    page.locator(".card-widgets__widget", has=page.locator(".salesrep-panel")).screenshot(path=path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
