"""sync, kpi, kpi-docs, export: what the product is for."""

import time
from datetime import date
from pathlib import Path
from typing import Any

import click

from widget_backend.api.schemas import filters
from widget_backend.cli.common import (
    account_option,
    as_json,
    compact,
    find_account,
    print_json,
    print_table,
    say,
    services,
)
from widget_backend.db.engine import session_scope
from widget_backend.errors import InputError
from widget_backend.kpi import docs
from widget_backend.reports import metric_rows, report
from widget_backend.sync.backfill import backfill
from widget_backend.sync.from_hooks import process_hooks
from widget_backend.sync.incremental import sync_changes

DOCS = Path(__file__).resolve().parents[2] / "docs" / "kpi.md"
# Wide enough for imported history and plans; beyond them, comparisons leave the calendar.
FIRST_YEAR, LAST_YEAR = 1970, 2199
Day = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@account_option
def sync(account_name: str) -> None:
    """Bring an account's copy up to date now, in this process."""
    with services() as made:
        with session_scope(made.engine) as session:
            account = find_account(session, account_name)
        client = made.client(account)
        started = time.monotonic()
        backfill(made.engine, client, account.account_id, keep_going=lambda: True)
        while process_hooks(made.engine, client, account.account_id):
            pass
        sync_changes(made.engine, client, account.account_id, made.settings.sync_overlap_s)
        for entity, count in sorted(client.requests.items()):
            say(f"{entity}: {count} requests")
        say(f"Up to date after {time.monotonic() - started:.1f} s.")


@click.command()
@account_option
@click.option("--start", type=Day, required=True, help="First local day, YYYY-MM-DD.")
@click.option("--end", type=Day, required=True, help="Last local day, inclusive.")
@click.option("--metric", "metrics", multiple=True, help="Metric id; repeat for several. All by default.")
@click.option("--by", multiple=True, help="user, group, pipeline, status or source; repeat for pairs.")
@click.option("--bucket", type=click.Choice(["day", "week", "month"]), help="One row per bucket.")
@click.option("--compare", type=click.Choice(["previous", "year"]), help="Put the earlier value beside.")
@click.option("--where", multiple=True, help="Filter, such as user=501 or pipeline=3100.")
@click.option("--rows", is_flag=True, help="The records behind one metric instead of its value.")
@as_json
def kpi(
    account_name: str,
    start: Any,
    end: Any,
    metrics: tuple[str, ...],
    by: tuple[str, ...],
    bucket: str | None,
    compare: str | None,
    where: tuple[str, ...],
    rows: bool,
    json_: bool,
) -> None:
    """Compute metrics of an account over local days."""
    first, last = _days(start, end)
    if rows and len(metrics) != 1:
        raise InputError("The rows of which metric?", field="--metric", remedy="Name exactly one.")
    with services() as made:
        with session_scope(made.engine) as session:
            account = find_account(session, account_name)
        with session_scope(made.engine, account.account_id) as session:
            arguments: dict[str, Any] = {
                "start_on": first,
                "end_on": last,
                "where": filters(list(where)),
            }
            if rows:
                answer = metric_rows(session, account, metrics[0], **arguments)
            else:
                answer = report(
                    session, account, metrics=metrics, by=by, bucket=bucket, compare=compare, **arguments
                )
    if json_:
        print_json(answer)
    elif rows:
        _print_records(answer)
    else:
        _print_metrics(answer)


def _days(start: Any, end: Any) -> tuple[date, date]:
    for field, day in (("--start", start), ("--end", end)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise InputError(
                f"{day.date()} is no day of an amoCRM account.",
                field=field,
                remedy=f"Give one of the years {FIRST_YEAR} to {LAST_YEAR}.",
            )
    if end < start:
        raise InputError("The period ends before it starts.", field="--end", remedy="Swap the two days.")
    return start.date(), end.date()


def _print_metrics(answer: dict[str, Any]) -> None:
    lines = [
        (
            metric["id"],
            compact(row["key"]),
            row.get("bucket"),
            row["value"] if row["value"] is not None else f"— ({row['reason']})",
            row.get("previous"),
            row["n"],
        )
        for metric in answer["metrics"]
        for row in metric["rows"]
    ]
    print_table(("metric", "of", "bucket", "value", "previous", "n"), lines)
    say(f"As of {answer['as_of']}{'' if answer['complete'] else ', the history is still loading'}.")


def _print_records(answer: dict[str, Any]) -> None:
    items = answer["items"]
    if items:
        print_table(items[0].keys(), (item.values() for item in items))
    say(f"{answer['total']} records.")


@click.command(name="kpi-docs")
@click.option("--check", is_flag=True, help="Only say whether docs/kpi.md is current.")
def kpi_docs(check: bool) -> None:
    """Write docs/kpi.md from the declarations."""
    text = docs.render()
    if check:
        if not DOCS.exists() or DOCS.read_text(encoding="utf-8") != text:
            raise InputError("docs/kpi.md is out of date.", remedy="Run `python -m widget_backend kpi-docs`.")
        return
    DOCS.write_text(text, encoding="utf-8")
    say(f"Wrote {DOCS.name}.")


@click.command()
@account_option
@click.option("--run", "run_name", default="managers", help="Which export.")
@as_json
def export(account_name: str, run_name: str, json_: bool) -> None:
    """Write an account's numbers to its Google sheet now."""
    from widget_backend.exports.runs import run_export

    with services() as made:
        with session_scope(made.engine) as session:
            account = find_account(session, account_name)
        result = run_export(made.engine, made.settings, account, run_name)
    if json_:
        print_json(result)
    else:
        click.echo(f"{result['rows']} rows in {result['url']}")
