"""Export runs: what goes into the sheet, written down before and after, done again if it was cut off."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from widget_backend import __version__
from widget_backend.access.settings import load as load_settings
from widget_backend.clock import now
from widget_backend.crm.freshness import as_of
from widget_backend.crm.models import Pipeline, User
from widget_backend.db.engine import session_scope
from widget_backend.errors import AppError, ConfigError, NotFound, SinkMisconfigured
from widget_backend.exports.layouts import ExportMeta
from widget_backend.exports.models import ExportRun
from widget_backend.exports.sinks.sheets import SheetsSink
from widget_backend.exports.tables import Table, manager_table, pipeline_table
from widget_backend.kpi.registry import METRICS
from widget_backend.oauth.models import Account
from widget_backend.periods import parse_period
from widget_backend.reports import report
from widget_backend.settings import Settings

log = structlog.get_logger(__name__)
# Columns of the sheet, in the order a head of sales reads them.
MANAGER_METRICS = (
    "revenue",
    "won_count",
    "average_deal",
    "lost_count",
    "win_rate",
    "leads_new",
    "conversion_cohort",
    "conversion",
    "sales_cycle",
    "pipeline_value",
    "calls_total",
    "calls_answered",
    "calls_missed",
    "call_minutes",
)
PIPELINE_METRICS = (
    "revenue",
    "won_count",
    "average_deal",
    "lost_count",
    "win_rate",
    "leads_new",
    "conversion_cohort",
    "sales_cycle",
    "pipeline_value",
)
RUNS = ("managers",)


def run_export(engine: Engine, settings: Settings, account: Account, name: str) -> dict[str, Any]:
    """Write the running month to the account's spreadsheet: ``{"spreadsheet_id", "rows", "url", "notices"}``.

    Raises NotFound for an unknown run, SinkMisconfigured (no spreadsheet chosen, not shared …), ConfigError
    (no Google credentials), SinkBusy (try later).
    """
    if name not in RUNS:
        raise NotFound(
            f"There is no export {name!r}.", field="--run", remedy=f"Use one of: {', '.join(RUNS)}."
        )
    account_id = account.account_id
    with session_scope(engine, account_id) as session:
        rules = load_settings(session, account_id).export
        if rules.spreadsheet_id is None:
            raise SinkMisconfigured(
                "No spreadsheet is chosen for this account.",
                remedy="Share one with the service account and `settings set … export.spreadsheet_id ID`.",
            )
        run = ExportRun(
            account_id=account_id,
            name=name,
            sink="sheets",
            target=rules.spreadsheet_id,
            state="STARTED",
            started_at=now(),
        )
        session.add(run)
        session.flush()
        run_id = run.id
    sink = SheetsSink(credentials(settings), rules.spreadsheet_id, settings.google_origin, rules.language)
    try:
        with session_scope(engine, account_id) as session:
            tables, meta = compose(session, account, rules.language)
        result = sink.write(tables, meta)
    except AppError as error:
        _end(engine, account_id, run_id, "FAILED", error=error.message)
        raise
    _end(engine, account_id, run_id, "DONE", rows=result.rows)
    log.info("exports.written", account_id=account_id, rows=result.rows)
    return {
        "spreadsheet_id": result.spreadsheet_id,
        "rows": result.rows,
        "url": result.url,
        "notices": list(result.notices),
    }


def _end(
    engine: Engine,
    account_id: int,
    run_id: int,
    state: str,
    *,
    rows: int | None = None,
    error: str | None = None,
) -> None:
    with session_scope(engine, account_id) as session:
        run = session.get_one(ExportRun, (account_id, run_id))
        run.state, run.finished_at, run.rows, run.error = state, now(), rows, error


def credentials(settings: Settings) -> dict[str, Any]:
    """The service account's key: a file's path or the JSON itself. Raises ConfigError."""
    given = settings.google_credentials
    if not given:
        raise ConfigError(
            "GOOGLE_CREDENTIALS is missing.", remedy="Set it to the path of a service account's JSON key."
        )
    try:
        text = given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8")
        return dict(json.loads(text))
    except (OSError, ValueError) as error:
        raise ConfigError(
            "GOOGLE_CREDENTIALS cannot be read.", remedy="It is the path of a service account's JSON key."
        ) from error


def compose(session: Session, account: Account, language: str) -> tuple[list[Table], ExportMeta]:
    """The tables of the running month with the month before beside it, and what they rest on."""
    account_id = account.account_id
    account = session.get_one(Account, account_id)
    month = parse_period("month", _today(account))
    users = _names(session, User, account_id)
    pipelines = _names(session, Pipeline, account_id)
    titles = {metric.id: getattr(metric.title, language) for metric in METRICS.values()}
    options: dict[str, Any] = {"start_on": month.start_on, "end_on": month.end_on, "compare": "previous"}
    shared: dict[str, Any] = {"titles": titles, "locale": language, "previous": True}
    tables = [
        manager_table(
            report(session, account, metrics=MANAGER_METRICS, by=("user",), **options),
            users=users,
            total=report(session, account, metrics=MANAGER_METRICS, **options),
            **shared,
        ),
        pipeline_table(
            report(session, account, metrics=PIPELINE_METRICS, by=("pipeline",), **options),
            pipelines=pipelines,
            total=report(session, account, metrics=PIPELINE_METRICS, **options),
            **shared,
        ),
    ]
    meta = ExportMeta(
        account_id=account_id,
        account=account.name or account.subdomain,
        start_on=month.start_on,
        end_on=month.end_on,
        as_of=as_of(session, account_id),
        complete=account.state == "active",
        generated_at=now(),
        timezone=account.timezone,
        formula_version=__version__,
        locale=language,
    )
    return tables, meta


def _today(account: Account) -> date:
    return now().astimezone(ZoneInfo(account.timezone)).date()


def _names(session: Session, model: type[User] | type[Pipeline], account_id: int) -> dict[int, str]:
    rows = session.execute(select(model.id, model.name).where(model.account_id == account_id))
    return {row.id: row.name or f"#{row.id}" for row in rows}
