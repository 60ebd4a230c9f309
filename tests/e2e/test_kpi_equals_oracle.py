"""Every number of a mirrored account against a slow computation straight from the simulator's snapshot."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.generate import write_snapshot
from tests.support.databases import Database, TestServers, drop_database, make_database
from tests.support.oracle import Oracle
from tests.support.sandbox import install, make_services, running_sandbox
from widget_backend.bootstrap import Services
from widget_backend.clock import now
from widget_backend.db.engine import session_scope
from widget_backend.kpi.registry import LISTED, dimensions
from widget_backend.oauth.models import Account
from widget_backend.periods import Period, parse_period
from widget_backend.reports import metric_rows, report
from widget_backend.sync.backfill import backfill

MOSCOW = ZoneInfo("Europe/Moscow")
NONE = "none"  # how the oracle names "not assigned"


class Measured:
    """A mirrored account and the oracle on the same snapshot."""

    def __init__(self, services: Services, account: Account, oracle: Oracle):
        self.services = services
        self.account = account
        self.oracle = oracle

    def rows(self, metric: str, period: Period, by: str | None = None) -> dict[Any, dict[str, Any]]:
        with session_scope(self.services.engine, self.account.account_id) as session:
            answer = report(
                session,
                self.account,
                start_on=period.start_on,
                end_on=period.end_on,
                metrics=(metric,),
                by=(by,) if by else (),
            )
        found = {}
        for row in answer["metrics"][0]["rows"]:
            key = row["key"].get(f"{by}_id") if by else None
            found[NONE if by and key is None else key] = row
        return found

    def ids(self, metric: str, period: Period) -> list[int]:
        with session_scope(self.services.engine, self.account.account_id) as session:
            listed = metric_rows(
                session, self.account, metric, start_on=period.start_on, end_on=period.end_on
            )
        return sorted(item["id"] for item in listed["items"])


@pytest.fixture(scope="module")
def measured(
    servers: TestServers, template_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Measured]:
    directory = tmp_path_factory.mktemp("oracle")
    snapshot = directory / "snapshot"
    write_snapshot(snapshot, leads=400, seed=23, now=datetime.now(UTC))
    database = make_database(servers, "oracle", template_database.name)
    with running_sandbox(directory, "--snapshot", str(snapshot), "--rate-limit", "0") as sandbox:
        services = make_services(
            database.app_url, servers.redis_url, sandbox.origin, directory, requests_per_s=500
        )
        account = install(services, sandbox)
        backfill(services.engine, services.client(account), account.account_id, keep_going=lambda: True)
        yield Measured(services, services.account(account.account_id), Oracle(snapshot, now()))
        services.close()
    drop_database(servers, database)


def periods() -> dict[str, Period]:
    today = now().astimezone(MOSCOW).date()
    return {
        "this month": parse_period("month", today),
        "last month": parse_period("last_month", today),
        "last quarter": parse_period("last_quarter", today),
        "half a year": Period(start_on=today - timedelta(days=180), end_on=today),
        "one day": Period(start_on=today - timedelta(days=40), end_on=today - timedelta(days=40)),
        "an odd span": Period(start_on=today - timedelta(days=100), end_on=today - timedelta(days=63)),
    }


def plain(metric: str, row: dict[str, Any] | None) -> Any:
    """A row's value in the oracle's form; an absent row is nothing."""
    if row is None:
        return None
    if metric == "sales_cycle":
        spread = row["calendar"]
        return None if row["value"] is None else spread
    return row["value"]


def same(metric: str, ours: Any, theirs: Any) -> bool:
    """Equal, where nothing and zero are one (a key without facts may be absent on either side)."""
    if metric == "sales_cycle":
        return (ours or None) == (theirs or None)
    return Decimal(str(ours or 0)) == Decimal(str(theirs or 0))


@pytest.mark.parametrize("metric", LISTED)
@pytest.mark.parametrize("period", list(periods()))
def test_totals_equal(measured: Measured, metric: str, period: str) -> None:
    span = periods()[period]
    ours = plain(metric, measured.rows(metric, span)[None])
    theirs = measured.oracle.metric(metric, span.start_on, span.end_on)[None]
    assert same(metric, ours, theirs), f"ours {ours}, oracle {theirs}"


@pytest.mark.parametrize("metric", LISTED)
@pytest.mark.parametrize("by", ["user", "pipeline", "group"])
def test_parts_equal(measured: Measured, metric: str, by: str) -> None:
    if by not in dimensions(metric):
        pytest.fail(f"{metric} has no {by}: managers and pipelines are asked of every metric")
    for span in (periods()["last month"], periods()["half a year"], periods()["this month"]):
        ours = measured.rows(metric, span, by)
        theirs = measured.oracle.metric(metric, span.start_on, span.end_on, by)
        for key in sorted({*ours, *theirs}, key=str):
            our, their = plain(metric, ours.get(key)), theirs.get(key)
            assert same(metric, our, their), f"{by} {key}: ours {our}, oracle {their}"


@pytest.mark.parametrize("metric", ["won_count", "lost_count", "leads_new", "calls_total", "calls_missed"])
def test_the_records_behind_are_the_same(measured: Measured, metric: str) -> None:
    span = periods()["half a year"]
    assert measured.ids(metric, span) == sorted(measured.oracle.rows(metric, span.start_on, span.end_on))


def test_there_is_something_to_compare(measured: Measured) -> None:
    span = periods()["half a year"]
    for metric in ("won_count", "lost_count", "leads_new", "calls_answered"):
        assert measured.rows(metric, span)[None]["value"] >= 10
