"""How the month stands: the viewer's own numbers, those of the group or account, and the running total."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from widget_backend.clock import now
from widget_backend.crm.models import User
from widget_backend.errors import StillLoading
from widget_backend.kpi.kinds import Better, Unit
from widget_backend.kpi.query import Scope
from widget_backend.kpi.registry import METRICS
from widget_backend.money import format_value, round_half_up
from widget_backend.oauth.models import Account, AccountState
from widget_backend.periods import Period, parse_period
from widget_backend.reports import report
from widget_backend.screens.texts import WORDS, day_range, month_title, updated

MINE = (
    "revenue",
    "won_count",
    "average_deal",
    "conversion_cohort",
    "leads_new",
    "calls_total",
    "pipeline_value",
)
WIDER = ("revenue", "won_count", "average_deal", "conversion_cohort", "leads_new", "pipeline_value")
SMALL_SAMPLE = 5
WIDER_TITLE = {"A": "team", "G": "group"}


def month_blocks(
    session: Session, account: Account, viewer: User, scope: Scope, right: str, lang: str
) -> dict[str, Any]:
    """``as_of``, ``period``, ``sections``, ``chart`` of the panel. Without rights the sections are empty."""
    zone, moment = ZoneInfo(account.timezone), now()
    month = parse_period("month", moment.astimezone(zone).date())
    blocks: dict[str, Any] = {
        "as_of": None,
        "as_of_text": None,
        "complete": account.state != AccountState.BACKFILLING,
        "progress_text": WORDS[lang]["loading"] if account.state == AccountState.BACKFILLING else None,
        "period": {
            "start_on": month.start_on.isoformat(),
            "end_on": month.end_on.isoformat(),
            "title": month_title(month.start_on, lang),
            "compared_text": None,
        },
        "sections": [],
        "chart": None,
    }
    try:
        mine = _month(session, account, month, MINE, scope, {"user": [viewer.id]})
        wider = _month(session, account, month, WIDER, scope, {}) if right in WIDER_TITLE else None
    except StillLoading:
        # Not even the leads are there yet; the progress text says so.
        return blocks
    as_of = datetime.fromisoformat(mine["as_of"])
    compared = mine["compare"]
    seen_until = datetime.fromisoformat(compared["as_of"]).date()
    last = min(date.fromisoformat(compared["end_on"]), seen_until)
    blocks |= {"as_of": mine["as_of"], "as_of_text": updated(as_of, moment, zone, lang)}
    blocks["period"]["compared_text"] = WORDS[lang]["compared"].format(
        days=day_range(date.fromisoformat(compared["start_on"]), last, lang)
    )
    if right == "D":
        return blocks
    blocks["sections"] = [_section("mine", WORDS[lang]["mine"], mine, lang)]
    if wider is not None:
        blocks["sections"].append(_section("team", WORDS[lang][WIDER_TITLE[right]], wider, lang))
    blocks["chart"] = _chart(session, account, month, scope, moment.astimezone(zone).date(), lang)
    return blocks


def _month(
    session: Session,
    account: Account,
    month: Period,
    metrics: tuple[str, ...],
    scope: Scope,
    where: dict[str, list[int | None]],
) -> dict[str, Any]:
    return report(
        session,
        account,
        start_on=month.start_on,
        end_on=month.end_on,
        metrics=metrics,
        compare="previous",
        where=where,
        scope=scope,
    )


def _section(name: str, title: str, answer: dict[str, Any], lang: str) -> dict[str, Any]:
    metrics = [_tile(metric, metric["rows"][0], lang) for metric in answer["metrics"]]
    return {"id": name, "title": title, "metrics": metrics}


def _tile(answer: dict[str, Any], row: dict[str, Any], lang: str) -> dict[str, Any]:
    """One number as the panel shows it. A missing one keeps its reason; the widget shows a dash."""
    metric = METRICS[answer["id"]]
    unit, currency = answer["unit"], answer["currency"]
    text, trend = change(unit, row["value"], row["previous"], metric.better, lang)
    return {
        "id": metric.id,
        "title": metric.title.in_language(lang),
        "unit": unit,
        "value": row["value"],
        "text": format_value(unit, row["value"], currency, lang) if row["value"] is not None else None,
        "previous_text": (
            format_value(unit, row["previous"], currency, lang) if row["previous"] is not None else None
        ),
        "change_text": text,
        "trend": trend,
        "hint": metric.formula.in_language(lang),
        "reason_text": WORDS[lang].get(row["reason"]) if row["reason"] else None,
        "small": "denominator" in row and row["n"] < SMALL_SAMPLE,
    }


def change(
    unit: str, value: int | str | None, previous: int | str | None, better: Better, lang: str
) -> tuple[str | None, str]:
    """The difference as text and what it means: («+9,8 %», good). Percentages differ by points.

    (None, none) where there is nothing to compare; a change from zero has no percentage. What shows as zero
    is no change.
    """
    if value is None or previous is None:
        return None, "none"
    before = Decimal(previous)
    difference = Decimal(value) - before
    if unit == Unit.PERCENT:
        difference = round_half_up(difference, 1)
        number = format_value("ratio", str(abs(difference)), None, lang)
        text: str | None = f"{_sign(difference)}{number}\u00a0{WORDS[lang]['points']}"
    elif before == 0:
        text = None if difference else format_value("percent", "0", None, lang)
    else:
        difference = round_half_up(difference / abs(before) * 100, 1)
        text = _sign(difference) + format_value("percent", str(abs(difference)), None, lang)
    if difference == 0:
        return text, "flat"
    if better == Better.NEITHER:
        return text, "none"
    return text, "good" if (difference > 0) == (better == Better.UP) else "bad"


def _sign(difference: Decimal) -> str:
    return "+" if difference > 0 else "\u2212" if difference < 0 else ""


def _chart(
    session: Session, account: Account, month: Period, scope: Scope, today: date, lang: str
) -> dict[str, Any]:
    """Revenue of this month and the one before, day by day, summed up; null for days to come."""
    before = parse_period("last_month", today)
    series = []
    for period in (month, before):
        answer = report(
            session,
            account,
            start_on=period.start_on,
            end_on=period.end_on,
            metrics=("revenue",),
            bucket="day",
            scope=scope,
        )
        total, values = Decimal(0), []
        for row in answer["metrics"][0]["rows"]:
            total += Decimal(row["value"] or 0)
            values.append(float(total) if date.fromisoformat(row["bucket"]) <= today else None)
        series.append({"title": month_title(period.start_on, lang), "values": values})
    longest = max(len(one["values"]) for one in series)
    return {
        "title": WORDS[lang]["chart"],
        "unit": str(Unit.MONEY),
        "labels": [str(day) for day in range(1, longest + 1)],
        "series": series,
    }
