"""The oracle's wins, losses, money and whose they are, on tables small enough to check by eye."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.oracle import guess_role, percentile, round_half_up
from tests.support.oracle_tables import LOST, NEW, PRODUCING, PRODUCTION, REPEAT, SALES, WON, WORK, Tables

MAY = (date(2026, 5, 1), date(2026, 5, 31))
APRIL = (date(2026, 4, 1), date(2026, 4, 30))


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path / "snapshot")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Продажи", "sales"), ("", "sales"), ("Повторные продажи", "sales"), ("ПРОИЗВОДСТВО", "post_sale"),
        ("Исполнение заказов", "post_sale"), ("Сервисный центр", "service"), ("Customer support", "service"),
        ("Первичная квалификация", "pre_sale"), ("SDR", "pre_sale"), ("HR", "ignored"), ("Chromium", "sales"),
        ("Тест", "ignored"), ("Тестомесы опт", "sales"), ("latest", "sales"),
        ("Архив производства", "ignored"),
        ("Доставка и сервис", "post_sale"), ("Поддержка, первичная", "service"),
        ("Подбор персонала", "ignored"),
    ],
)  # fmt: skip
def test_a_pipeline_gets_its_role_by_name_in_the_agreed_order(name: str, role: str) -> None:
    assert guess_role(name) == role


def test_wins_count_where_and_when_the_lead_closed(tables: Tables) -> None:
    # included
    tables.lead(1, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", price=100)
    tables.lead(
        2, "2026-04-01T10:00", WON, price=100, price_with_minor_units=100.35
    )  # closed_at empty: the event
    tables.move(2, "2026-05-11T10:00", NEW, WON)
    tables.lead(3, "2026-04-01T10:00", WON, updated_at=1_778_500_000)  # neither: updated_at, 11 May 2026
    tables.lead(4, "2026-04-01T10:00", PRODUCING, price=7)  # won, then moved to production
    tables.move(4, "2026-05-12T10:00", NEW, WON)
    tables.move(4, "2026-05-12T10:05", WON, PRODUCING)
    tables.lead(
        5, "2026-04-01T10:00", (PRODUCTION, 142), closed="2026-06-12T10:00"
    )  # produced in June, won in May
    tables.move(5, "2026-05-12T10:00", NEW, WON)
    tables.move(5, "2026-05-12T10:05", WON, PRODUCING)
    tables.move(5, "2026-06-12T10:00", PRODUCING, (PRODUCTION, 142))
    # excluded
    tables.lead(11, "2026-04-01T10:00", WON, closed="2026-05-31T21:00", price=1)  # June in Moscow
    tables.lead(12, "2026-04-01T10:00", WON, closed="2026-04-30T20:59:59", price=1)  # April in Moscow
    tables.lead(13, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", is_deleted=True)
    tables.lead(14, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", _merged_into=1)
    tables.lead(15, "2026-04-01T10:00", (3400, 142), closed="2026-05-10T10:00")  # 142 of pre-sale is no sale
    tables.lead(16, "2026-04-01T10:00", NEW)  # reopened
    tables.move(16, "2026-05-10T10:00", NEW, WON)
    tables.move(16, "2026-05-11T10:00", WON, NEW)
    tables.lead(17, "2026-04-01T10:00", PRODUCING)  # reopened in sales, then moved over unsold
    tables.move(17, "2026-05-10T10:00", NEW, WON)
    tables.move(17, "2026-05-11T10:00", WON, WORK)
    tables.move(17, "2026-05-12T10:00", WORK, PRODUCING)
    tables.lead(18, "2026-04-01T10:00", (PRODUCTION, 143), closed="2026-05-15T10:00")  # returned
    tables.move(18, "2026-05-10T10:00", NEW, WON)
    tables.move(18, "2026-05-11T10:00", WON, (PRODUCTION, 143))
    tables.lead(19, "2026-04-01T10:00", PRODUCING)  # never won
    tables.move(19, "2026-05-10T10:00", NEW, PRODUCING)
    oracle = tables.oracle()
    assert oracle.rows("won_count", *MAY) == [1, 2, 3, 4, 5]
    assert oracle.metric("won_count", *MAY) == {None: 5}
    assert oracle.metric("revenue", *MAY) == {None: "207.35"}
    assert oracle.metric("average_deal", *MAY) == {None: "41.47"}
    assert oracle.metric("lost_count", *MAY) == {None: 0}
    assert oracle.metric("won_count", *MAY, by="pipeline") == {SALES: 5}


def test_losses_mirror_wins(tables: Tables) -> None:
    # included
    tables.lead(1, "2026-04-01T10:00", LOST, closed="2026-05-10T10:00")
    tables.lead(2, "2026-04-01T10:00", PRODUCING)
    tables.move(2, "2026-05-10T10:00", NEW, LOST)
    tables.move(2, "2026-05-11T10:00", LOST, PRODUCING)
    # excluded
    tables.lead(11, "2026-04-01T10:00", PRODUCING)  # lost, then won after all
    tables.move(11, "2026-05-10T10:00", NEW, LOST)
    tables.move(11, "2026-05-11T10:00", LOST, WON)
    tables.move(11, "2026-05-12T10:00", WON, PRODUCING)
    tables.lead(12, "2026-04-01T10:00", PRODUCING)  # worked on again
    tables.move(12, "2026-05-10T10:00", NEW, LOST)
    tables.move(12, "2026-05-11T10:00", LOST, WORK)
    tables.move(12, "2026-05-12T10:00", WORK, PRODUCING)
    tables.lead(13, "2026-04-01T10:00", (3500, 143), closed="2026-05-10T10:00")
    oracle = tables.oracle()
    assert oracle.rows("lost_count", *MAY) == [1, 2]
    assert oracle.rows("won_count", *MAY) == [11]
    assert oracle.metric("win_rate", *MAY) == {None: "33.3333"}
    assert oracle.rows("win_rate", *MAY) == [1, 2, 11]


def test_a_lead_closed_in_another_sales_pipeline_counts_there(tables: Tables) -> None:
    tables.lead(1, "2026-04-01T10:00", (REPEAT, 142), closed="2026-05-10T10:00", responsible_user_id=502)
    tables.move(1, "2026-05-02T10:00", NEW, WON)
    tables.owner(1, "2026-05-05T10:00", 501, 502)
    tables.move(1, "2026-05-10T10:00", WON, (REPEAT, 142))
    oracle = tables.oracle()
    assert oracle.metric("won_count", *MAY, by="pipeline") == {REPEAT: 1}
    assert oracle.metric("won_count", *MAY, by="user") == {502: 1}


def test_a_role_set_by_a_person_beats_the_guess(tables: Tables) -> None:
    tables.lead(1, "2026-05-01T10:00", WON, closed="2026-05-10T10:00")
    oracle = tables.oracle(settings={"pipeline_roles": {str(SALES): "ignored"}})
    assert oracle.metric("won_count", *MAY) == {None: 0}
    assert oracle.metric("leads_new", *MAY) == {None: 0}


def test_the_winner_is_the_owner_just_before_the_event(tables: Tables) -> None:
    tables.lead(1, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", responsible_user_id=503)
    tables.owner(1, "2026-05-09T10:00", 501, 502)
    tables.owner(1, "2026-05-10T10:00", 502, 503)  # the same second: after the win, though first in the log
    tables.move(1, "2026-05-10T10:00", NEW, WON)
    # The chain is broken: somebody was between 502 and the present 503.
    tables.lead(2, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", responsible_user_id=503, price=3)
    tables.move(2, "2026-05-10T10:00", NEW, WON)
    tables.owner(2, "2026-05-11T10:00", 501, 502)
    # Known back to the broken link.
    tables.lead(3, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", responsible_user_id=503)
    tables.owner(3, "2026-05-08T10:00", 501, 502)
    tables.move(3, "2026-05-10T10:00", NEW, WON)
    tables.lead(
        4, "2026-04-01T10:00", WON, closed="2026-05-10T10:00", responsible_user_id=999
    )  # nobody we know
    oracle = tables.oracle()
    assert oracle.metric("won_count", *MAY, by="user") == {502: 1, "none": 1, 503: 1, 999: 1}
    assert oracle.metric("won_count", *MAY, by="group") == {88: 2, "none": 2}
    assert oracle.metric("revenue", *MAY, by="user") == {
        502: "0.00",
        "none": "3.00",
        503: "0.00",
        999: "0.00",
    }


def test_growth_compares_with_the_previous_calendar_month(tables: Tables) -> None:
    tables.lead(1, "2026-03-01T10:00", WON, closed="2026-04-30T10:00", price=300)
    tables.lead(2, "2026-03-01T10:00", WON, closed="2026-05-10T10:00", price=200, responsible_user_id=502)
    oracle = tables.oracle()
    assert oracle.metric("revenue_growth", *MAY) == {None: "-33.3333"}
    assert oracle.metric("revenue_growth", *MAY, by="user") == {501: "-100.0000", 502: None}
    assert oracle.metric("revenue_growth", *APRIL) == {None: None}
    assert oracle.rows("revenue_growth", *MAY) == [2]


def test_a_running_month_is_compared_up_to_the_same_day_and_time(tables: Tables) -> None:
    tables.lead(1, "2026-03-01T10:00", WON, closed="2026-05-02T12:00:00+03:00", price=100)
    tables.lead(2, "2026-03-01T10:00", WON, closed="2026-04-02T12:00:00+03:00", price=80)
    tables.lead(3, "2026-03-01T10:00", WON, closed="2026-04-02T12:00:01+03:00", price=999)
    oracle = tables.oracle("2026-05-02T12:00:00+03:00")
    assert oracle.metric("revenue_growth", *MAY) == {None: "25.0000"}
    odd = (date(2026, 4, 30), date(2026, 5, 3))  # four days against the four before, cut alike
    assert tables.oracle("2026-05-02T12:00:00+03:00").metric("revenue_growth", *odd) == {None: None}


def test_a_counterpart_shorter_than_the_running_month_ends_with_its_last_day(tables: Tables) -> None:
    tables.lead(1, "2026-01-01T10:00", WON, closed="2026-02-28T23:59:59+03:00", price=50)
    tables.lead(2, "2026-01-01T10:00", WON, closed="2026-03-01T00:00:00+03:00", price=100)
    oracle = tables.oracle("2026-03-31T10:00:00+03:00")
    assert oracle.metric("revenue_growth", date(2026, 3, 1), date(2026, 3, 31)) == {None: "100.0000"}


def test_the_sales_cycle_interpolates(tables: Tables) -> None:
    for lead_id, days in enumerate((1, 2, 3, 10), start=1):
        tables.lead(lead_id, "2026-05-01T00:00", WON, closed=f"2026-05-{1 + days:02d}T00:00")
    day = 86_400
    expected = {"mean_s": 4 * day, "median_s": day * 5 // 2, "p90_s": round(7.9 * day)}
    oracle = tables.oracle()
    assert oracle.metric("sales_cycle", *MAY) == {None: expected}
    assert oracle.metric("sales_cycle", *APRIL) == {None: None}


def test_a_half_is_rounded_up_and_away_from_zero() -> None:
    assert round_half_up(Fraction(1, 8), 2) == "0.13"
    assert round_half_up(Fraction(-1, 8), 2) == "-0.13"
    assert round_half_up(Fraction(-1, 1000), 2) == "0.00"
    assert round_half_up(Fraction(200), 4) == "200.0000"
    assert round_half_up(Fraction(5, 2), 0) == "3"
    assert percentile([7], Fraction(9, 10)) == 7
