"""Roles by name, the registry, the generated page, and questions that cannot be answered."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.kpi.asking import a_request, build, rows_of
from tests.support.builders import ACCOUNT, NEW, a_group, a_lead, a_pipeline, a_user, an_account
from widget_backend.crm.stage_roles import PipelineRole, guess_pipeline_role
from widget_backend.errors import InputError
from widget_backend.kpi.docs import render
from widget_backend.kpi.drilldown import rows
from widget_backend.kpi.kinds import Better, Change, Duration, Measure, Metric, Ratio, Text, Unit
from widget_backend.kpi.query import answer
from widget_backend.kpi.registry import LISTED, METRICS, collect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kpi.md"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Продажи", "sales"),
        ("", "sales"),
        ("Воронка", "sales"),
        ("Производство", "post_sale"),
        ("ДОСТАВКА и монтаж", "post_sale"),
        ("Post-sale", "post_sale"),
        ("Сервис", "service"),
        ("Гарантийное обслуживание", "service"),
        ("Поддержка и доставка", "post_sale"),  # the first rule that fits
        ("Квалификация", "pre_sale"),
        ("SDR", "pre_sale"),
        ("Первичные обращения", "pre_sale"),
        ("Вакансии", "ignored"),
        ("Подбор персонала", "ignored"),
        ("HR", "ignored"),
        ("Тест", "ignored"),
        ("Тестирование гипотез", "sales"),  # whole words only
        ("Three", "sales"),
        ("Архив доставки", "ignored"),
    ],
)
def test_pipeline_roles_are_guessed_by_name(name: str, role: str) -> None:
    assert guess_pipeline_role(name) is PipelineRole(role)


def entry(kind: type[Metric], **fields: Any) -> Metric:
    base = {
        "id": "x",
        "title": Text(ru="ы", en="x"),
        "formula": Text(ru="ы", en="x"),
        "unit": Unit.COUNT,
        "better": Better.UP,
    }
    return kind(**{**base, **fields})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Measure, {"fact": "calls", "id": "Calls"}),
        (Measure, {"fact": "calls", "title": Text(ru="", en="x")}),
        (Measure, {"fact": "calls", "unit": Unit.MONEY}),
        (Measure, {"fact": "calls", "amount": lambda f: f.c.seconds}),
        (Ratio, {"top": "a", "bottom": "a", "unit": Unit.PERCENT}),
        (Ratio, {"top": "a", "bottom": "b"}),
        (Change, {"of": "a"}),
        (Duration, {"fact": "calls", "start": None, "end": None}),
    ],
)
def test_a_bad_entry_fails_when_built_and_names_itself(kind: type[Metric], fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"metric {fields.get('id', 'x')}: "):
        entry(kind, **fields)


def test_a_registry_with_a_hole_fails_and_names_the_metric() -> None:
    good = entry(Measure, fact="calls")
    for bad in (
        [good, good],
        [entry(Measure, fact="nothing")],
        [entry(Ratio, top="x", bottom="y", unit=Unit.RATIO, id="z"), good],
        [entry(Change, of="none", unit=Unit.PERCENT)],
    ):
        with pytest.raises(ValueError, match=r"metric [xz]: "):
            collect([bad])
    assert list(collect([[good]])) == ["x"]


def test_the_first_metrics_are_there() -> None:
    for metric in (
        *("revenue", "revenue_growth", "won_count", "lost_count", "average_deal", "leads_new"),
        *("calls_in", "calls_out", "calls_total", "calls_answered", "calls_missed", "calls_effective"),
        *("call_minutes", "call_avg_duration", "conversion", "conversion_cohort", "win_rate"),
        *("sales_cycle", "pipeline_value", "pipeline_count"),
    ):
        assert metric in LISTED


def test_the_page_of_metrics_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m widget_backend kpi-docs"


def test_unlisted_metrics_are_parts_of_listed_ones() -> None:
    parts = {part for metric in METRICS.values() for part in metric.parts}
    assert {metric.id for metric in METRICS.values() if not metric.listed} <= parts


@pytest.fixture
def account(session: Session) -> Session:
    an_account(session)
    a_pipeline(session)
    a_group(session)
    a_user(session)
    a_lead(session, 1, status=NEW)
    build(session)
    return session


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"metrics": ("profit",)}, "metric"),
        ({"metrics": ("closed_count",)}, "metric"),
        ({"by": ("manager",)}, "by"),
        ({"by": ("user", "group", "source")}, "by"),
        ({"by": ("user", "user")}, "by"),
        ({"by": ("status",)}, "by"),
        ({"bucket": "hour"}, "bucket"),
        ({"compare": "last"}, "compare"),
        ({"attribution": "best"}, "attribution"),
        ({"where": {"manager": (1,)}}, "where"),
        ({"where": {"user": (999,)}}, "where"),
        ({"where": {"group": (999,)}}, "where"),
        ({"where": {"pipeline": (999,)}}, "where"),
    ],
)
def test_what_cannot_be_answered_names_its_field(
    account: Session, fields: dict[str, Any], named: str
) -> None:
    request = replace(a_request("revenue"), **fields)
    with pytest.raises(InputError) as caught:
        answer(account, ACCOUNT, request)
    assert caught.value.field == named
    assert caught.value.remedy


def test_a_period_that_ends_before_it_starts_is_refused(account: Session) -> None:
    with pytest.raises(InputError) as caught:
        answer(account, ACCOUNT, a_request(start="2026-02-01", end="2026-01-01"))
    assert caught.value.field == "start"


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [("0001-01-01", "2026-01-01", "start"), ("2026-01-01", "9999-12-31", "end")],
)
def test_a_period_beyond_every_calendar_is_refused(
    account: Session, start: str, end: str, named: str
) -> None:
    with pytest.raises(InputError) as caught:
        answer(account, ACCOUNT, a_request(start=start, end=end))
    assert caught.value.field == named


@pytest.mark.parametrize(
    ("cursor", "limit", "named"),
    [("?", 50, "cursor"), ("W10=", 50, "cursor"), (None, 0, "limit"), (None, 501, "limit")],
)
def test_a_list_refuses_a_broken_cursor_and_limit(
    account: Session, cursor: str | None, limit: int, named: str
) -> None:
    with pytest.raises(InputError) as caught:
        rows(account, ACCOUNT, "leads_new", a_request("leads_new"), cursor, limit)
    assert caught.value.field == named


def test_a_row_of_a_list(account: Session) -> None:
    items, cursor, total = rows(account, ACCOUNT, "leads_new", a_request("leads_new"), None, 50)
    assert (cursor, total) == (None, 1)
    assert items == [
        {
            "entity": "leads",
            "id": 1,
            "name": "Сделка 1",
            "amount": "1000.00",
            "seconds": None,
            "at": "2026-01-10T10:00:00+03:00",
            "user_id": 501,
            "pipeline_id": 3100,
            "url": "/leads/detail/1",
            "part": None,
        }
    ]


def test_a_week_is_labelled_with_its_monday_and_compared_by_place(account: Session) -> None:
    found = rows_of(
        account, "leads_new", start="2026-01-07", end="2026-01-14", bucket="week", compare="previous"
    )
    assert [(row["bucket"], row["value"], row["previous"]) for row in found] == [
        ("2026-01-05", 1, 0),
        ("2026-01-12", 0, 0),
    ]


def test_an_answer_whole(account: Session) -> None:
    request = a_request("revenue", compare="year", account="demo", complete=False)
    assert answer(account, ACCOUNT, request) == {
        "account": "demo",
        "start_on": "2026-01-01",
        "end_on": "2026-01-31",
        "as_of": "2026-02-20T12:00:00+03:00",
        "complete": False,
        "working_days": 22,
        "compare": {
            "kind": "year",
            "start_on": "2025-01-01",
            "end_on": "2025-01-31",
            "as_of": "2025-02-20T12:00:00+03:00",
            "working_days": 23,
        },
        "metrics": [
            {
                "id": "revenue",
                "unit": "money",
                "currency": "RUB",
                "covered_from": None,
                "rows": [
                    {
                        "key": {},
                        "bucket": None,
                        "value": "0.00",
                        "n": 0,
                        "state": "partial",
                        "previous": "0.00",
                        "reason": None,
                    }
                ],
            }
        ],
    }
