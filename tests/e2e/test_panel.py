"""The whole way in a real browser: a deal is won in the CRM, and the number in the card's panel moves."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import RunningDemo
from tests.support.waiting import wait_until
from tests.widget.pages import Watch, expand, navigate, open_card, value_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    yield opened
    opened.close()


def open_leads(demo: RunningDemo, user_id: int) -> list[dict[str, Any]]:
    """Open leads of one user in the sales pipelines."""
    return [
        row
        for row in demo.truth("leads")
        if not row.get("is_deleted")
        and not row.get("_merged_into")
        and row["responsible_user_id"] == user_id
        and row["pipeline_id"] in (3100, 3200)
        and row["status_id"] not in (142, 143)
    ]


def a_manager(demo: RunningDemo) -> tuple[int, list[dict[str, Any]]]:
    """A manager who sees own leads and has one to win (made for the purpose if need be)."""
    user_id = 503
    demo.act(
        *(
            {
                "do": "create_lead",
                "name": f"Шкаф {n}",
                "pipeline_id": 3100,
                "price": 10_000 * n,
                "responsible_user_id": user_id,
                "by": user_id,
            }
            for n in (1, 2)
        )
    )
    return user_id, open_leads(demo, user_id)


def test_a_won_deal_moves_the_number_in_the_panel(demo: RunningDemo, page: Page) -> None:
    user_id, leads = a_manager(demo)
    lead, other = leads[-1], leads[-2]
    watch = Watch.on(page)
    open_card(page, demo.origin("page"), other["id"], user=user_id, lang="ru", theme="light", width=260)
    expand(page)
    page.wait_for_selector('[data-section="mine"] [data-metric="won_count"]')
    before = int(value_of(page, "won_count"))
    demo.act({"do": "win_lead", "lead_id": lead["id"], "price": 54_321, "by": user_id})
    wait_until(lambda: int(value_of(page, "won_count")) == before + 1, "the number moves")
    assert value_of(page, "revenue") != "—"
    watch.assert_clean(page, demo.origin("page"), demo.origin("web"))


def test_the_panel_says_what_to_do_next(demo: RunningDemo, page: Page) -> None:
    user_id, leads = a_manager(demo)
    watch = Watch.on(page)
    open_card(page, demo.origin("page"), leads[-1]["id"], user=user_id, lang="en", theme="dark", width=230)
    panel = expand(page)
    page.wait_for_selector('[data-section="mine"] [data-metric="won_count"]')
    wait_until(lambda: "No task" in panel.inner_text(), "the lead reaches the panel")
    demo.act(
        {
            "do": "create_task",
            "lead_id": leads[-1]["id"],
            "complete_till": 1_700_000_000,
            "text": "Отправить КП",
            "responsible_user_id": user_id,
            "by": user_id,
        }
    )
    wait_until(lambda: "Task overdue" in panel.inner_text(), "the task reaches the panel")
    assert "Отправить КП" in panel.inner_text()
    navigate(page, f"/leads/detail/{leads[-2]['id']}")
    watch.assert_clean(page, demo.origin("page"), demo.origin("web"))


def test_a_head_sees_the_team_and_a_stranger_sees_why_not(demo: RunningDemo, page: Page) -> None:
    lead_id = open_leads(demo, a_manager(demo)[0])[0]["id"]
    open_card(page, demo.origin("page"), lead_id, user=501, lang="ru", width=300)
    expand(page)
    page.wait_for_selector('[data-section="team"] [data-metric="revenue"]')
    open_card(page, demo.origin("page"), lead_id, user=508, lang="ru", width=300)
    panel = expand(page)
    wait_until(lambda: "прав" in panel.inner_text().lower(), "the reason is shown")
    assert page.locator('[data-section="team"]').count() == 0


SHOWN = ".salesrep-metric"
UNKNOWN, ELSEWHERE = '[data-error="e401"]', '[data-error="e409"]'
TOKENS = {
    **dict.fromkeys(("good", "ahead", "behind", "no_is_admin"), SHOWN),
    **dict.fromkeys(("expired", "wrong_aud", "wrong_secret", "unknown_client"), UNKNOWN),
    "other_account": ELSEWHERE,  # honestly signed, for an account that never installed us
}


@pytest.mark.parametrize(("kind", "seen"), TOKENS.items(), ids=list(TOKENS))
def test_numbers_come_for_an_honest_token_only(demo: RunningDemo, page: Page, kind: str, seen: str) -> None:
    user_id, leads = a_manager(demo)
    open_card(page, demo.origin("page"), leads[-1]["id"], user=user_id, token=kind, credentials=1)
    expand(page)
    page.wait_for_selector(seen)
    assert (page.locator(SHOWN).count() > 0) is (seen == SHOWN)
