"""The oracle on a whole generated department: parts make the total, rows make the number."""

import datetime as dt
from decimal import Decimal

import pytest

from sandbox.generate import write_snapshot
from tests.support.oracle import Oracle

NOW = dt.datetime.fromisoformat("2026-11-01T10:00:00+03:00")
OCTOBER = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
THIS_MONTH = (dt.date(2026, 11, 1), dt.date(2026, 11, 30))
ALL = (dt.date(2025, 9, 1), dt.date(2026, 11, 30))
COUNTS = ("won_count", "lost_count", "leads_new", "pipeline_count", "calls_in", "calls_out", "calls_total")
TALKS = ("calls_answered", "calls_missed", "calls_effective")
SUMS = (*COUNTS, *TALKS, "revenue", "pipeline_value")
OTHERS = ("revenue_growth", "average_deal", "conversion", "conversion_cohort", "win_rate", "sales_cycle")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    target = tmp_path_factory.mktemp("oracle") / "account"
    write_snapshot(target, leads=800, seed=3, now=NOW)
    return Oracle(target, NOW)


@pytest.mark.parametrize("period", [OCTOBER, THIS_MONTH, ALL], ids=["october", "running", "all"])
@pytest.mark.parametrize("by", ["user", "group", "pipeline"])
@pytest.mark.parametrize("metric", SUMS)
def test_parts_make_the_total(oracle: Oracle, metric: str, by: str, period: tuple[dt.date, dt.date]) -> None:
    total = oracle.metric(metric, *period)[None]
    assert sum(Decimal(value) for value in oracle.metric(metric, *period, by=by).values()) == Decimal(total)


@pytest.mark.parametrize("metric", [*COUNTS, *TALKS])
def test_rows_make_the_number(oracle: Oracle, metric: str) -> None:
    assert len(oracle.rows(metric, *OCTOBER)) == oracle.metric(metric, *OCTOBER)[None] > 0


@pytest.mark.parametrize("metric", ["won_count", "leads_new", "calls_total"])
@pytest.mark.parametrize("bucket", ["day", "week", "month"])
def test_buckets_make_the_total(oracle: Oracle, metric: str, bucket: str) -> None:
    assert sum(oracle.buckets(metric, *ALL, bucket).values()) == oracle.metric(metric, *ALL)[None]


@pytest.mark.parametrize("metric", [*SUMS, *OTHERS, "call_minutes", "call_avg_duration"])
def test_every_metric_answers_for_the_month_gone(oracle: Oracle, metric: str) -> None:
    assert oracle.metric(metric, *OCTOBER)[None] is not None


def test_calls_split_by_direction_and_by_talk(oracle: Oracle) -> None:
    rows = {metric: set(oracle.rows(metric, *ALL)) for metric in (*COUNTS, *TALKS)}
    assert rows["calls_in"] | rows["calls_out"] == rows["calls_total"]
    assert not rows["calls_in"] & rows["calls_out"]
    assert rows["calls_missed"] == rows["calls_in"] - rows["calls_answered"]
    assert rows["calls_effective"] <= rows["calls_answered"]


def test_an_unknown_metric_is_an_error(oracle: Oracle) -> None:
    with pytest.raises(KeyError):
        oracle.metric("profit", *OCTOBER)
