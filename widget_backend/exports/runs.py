"""Export runs: what goes into the sheet, written down before and after, done again if it was cut off."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from widget_backend import __version__
from widget_backend.access.settings import ExportRules
from widget_backend.access.settings import load as load_settings
from widget_backend.clock import now
from widget_backend.crm.freshness import as_of
from widget_backend.crm.models import Pipeline, User
from widget_backend.db.engine import session_scope
from widget_backend.db.locks import try_lock
from widget_backend.errors import AppError, ConfigError, NotFound, SinkBusy, SinkMisconfigured
from widget_backend.exports.layouts import ExportMeta
from widget_backend.exports.models import ExportRun
from widget_backend.exports.sinks.base import SinkResult
from widget_backend.exports.sinks.sheets import SheetsSink
from widget_backend.exports.tables import Table, manager_table, pipeline_table
from widget_backend.kpi.registry import METRICS
from widget_backend.oauth.models import Account, AccountState
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
STARTED, DONE, FAILED = "STARTED", "DONE", "FAILED"


def run_export(engine: Engine, settings: Settings, account: Account, name: str) -> dict[str, Any]:
    """Write the running month to the account's spreadsheet: ``{"spreadsheet_id", "rows", "url", "notices"}``.

    Raises NotFound for an unknown run, SinkMisconfigured (no spreadsheet chosen, not shared …), ConfigError
    (no Google credentials), SinkBusy (try later, or another process is at it).
    """
    if name not in RUNS:
        raise NotFound(
            f"There is no export {name!r}.", field="--run", remedy=f"Use one of: {', '.join(RUNS)}."
        )
    account_id = account.account_id
    with try_lock(engine, f"exports.{name}", account_id) as alone:
        if not alone:
            raise SinkBusy("This export is running already.", remedy="It ends within minutes.")
        with session_scope(engine, account_id) as session:
            rules = load_settings(session, account_id).export
            target = _chosen(rules)
            run_id = _begin(session, account_id, name, target)
        try:
            result = _write(engine, settings, account, target, rules.language)
        except AppError as error:
            _end(engine, account_id, run_id, FAILED, error=error.message)
            raise
        _end(engine, account_id, run_id, DONE, rows=result.rows)
    log.info("exports.written", account_id=account_id, rows=result.rows)
    return {
        "spreadsheet_id": result.spreadsheet_id,
        "rows": result.rows,
        "url": result.url,
        "notices": list(result.notices),
    }


def _chosen(rules: ExportRules) -> str:
    if rules.spreadsheet_id is None:
        raise SinkMisconfigured(
            "No spreadsheet is chosen for this account.",
            remedy="Share one with the service account and `settings set … export.spreadsheet_id ID`.",
        )
    return rules.spreadsheet_id


def _begin(session: Session, account_id: int, name: str, target: str) -> int:
    """Note that a run began. The lock is ours, so a run still STARTED was cut off; this one does it again."""
    session.execute(
        update(ExportRun)
        .where(ExportRun.account_id == account_id, ExportRun.name == name, ExportRun.state == STARTED)
        .values(state=FAILED, finished_at=now(), error="The run was cut off.")
    )
    run = ExportRun(
        account_id=account_id, name=name, sink="sheets", target=target, state=STARTED, started_at=now()
    )
    session.add(run)
    session.flush()
    return run.id


def _write(
    engine: Engine, settings: Settings, account: Account, spreadsheet_id: str, language: str
) -> SinkResult:
    """Compute and send. The numbers of all tables are of one moment, and no transaction is open meanwhile."""
    sink = SheetsSink(credentials(settings), spreadsheet_id, settings.google_origin, language)
    with session_scope(engine, account.account_id, snapshot=True) as session:
        tables, meta = compose(session, account, language)
    return sink.write(tables, meta)


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
        complete=account.state != AccountState.BACKFILLING,
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
