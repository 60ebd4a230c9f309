"""The leads and calls behind a number; their sum or count is the number."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from widget_backend.crm.models import Company, Contact, Lead
from widget_backend.errors import InputError
from widget_backend.kpi.cells import condition_of, facts_in, seconds_between
from widget_backend.kpi.compare import Compare, Span, counterpart
from widget_backend.kpi.histories import table_of
from widget_backend.kpi.kinds import Change, Duration, Metric, Ratio, Source
from widget_backend.kpi.registry import METRICS, metric, sources
from widget_backend.kpi.request import KpiRequest, check
from widget_backend.money import as_output

MAX_LIMIT = 500
PATHS: Mapping[str, str] = {"leads": "leads", "contacts": "contacts", "companies": "companies"}
NAMED: Mapping[str, Any] = {"leads": Lead, "contacts": Contact, "companies": Company}
# Position in the list: part, moment, subject type of calls, id.
Cursor = tuple[int, datetime, str, int]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One list of facts: of the number itself, or of one side of a ratio or comparison."""

    name: str | None
    metric: Metric
    span: Span


def rows(
    session: Session, account_id: int, metric_id: str, request: KpiRequest, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None, int]:
    """What a metric's number over the whole period is made of: (items, next cursor, total number of items).

    Items have entity (leads, calls), id, name, amount (money) of leads, seconds of calls and durations, at,
    user_id, pipeline_id, url (a path of the account) and part: numerator, denominator, current or previous;
    null where the number has one part. ``request.by``, ``bucket`` and ``compare`` do not matter; a cell of a
    table is asked for by ``where``. Nothing is listed where the number is null for lack of history or access.
    Raises InputError for an unknown metric, a broken cursor or a limit out of 1–500.
    """
    found = metric(metric_id)
    asked = _plain(request, metric_id)
    check(session, account_id, asked)
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"{limit} is out of range.", field="limit", remedy=f"Use 1 to {MAX_LIMIT}.")
    after = _read_cursor(cursor)
    parts = [] if _is_hidden(found, asked) else list(_parts(found, asked))
    lists = [_listed(account_id, part, asked) for part in parts]
    total = sum(_count(session, listed) for listed in lists)
    items: list[tuple[Cursor, dict[str, Any]]] = []
    for index, (part, listed) in enumerate(zip(parts, lists, strict=True)):
        if len(items) > limit or (after is not None and index < after[0]):
            continue
        wanted = _page(listed, after if after is not None and after[0] == index else None)
        for row in session.execute(wanted.limit(limit + 1 - len(items))).mappings():
            place = (index, row["at"], row["sort_type"], row["entity_id"])
            items.append((place, _item(part, dict(row), asked)))
    shown = items[:limit]
    _add_names(session, account_id, [item for _, item in shown])
    return [item for _, item in shown], _write_cursor(shown[-1][0]) if len(items) > limit else None, total


def _plain(request: KpiRequest, metric_id: str) -> KpiRequest:
    values = {name: getattr(request, name) for name in KpiRequest.__dataclass_fields__}
    return KpiRequest(**values | {"metrics": (metric_id,), "by": (), "bucket": None, "compare": None})


def _is_hidden(found: Metric, request: KpiRequest) -> bool:
    """Whether the number is null: no access, not begun yet, or before the history begins."""
    needed, span = sources(found.id), request.span()
    covered = request.covered(needed)
    reference = span.end_at if Source.EVENTS in needed else span.start_at
    too_early = covered is not None and reference < covered
    return request.scope.is_empty or bool(needed and (span.start_at >= span.cut_at or too_early))


def _parts(found: Metric, request: KpiRequest) -> Iterator[_Part]:
    span = request.span()
    if isinstance(found, Ratio):
        yield _Part(name="numerator", metric=METRICS[found.top], span=span)
        yield _Part(name="denominator", metric=METRICS[found.bottom], span=span)
    elif isinstance(found, Change):
        yield _Part(name="current", metric=METRICS[found.of], span=span)
        yield _Part(name="previous", metric=METRICS[found.of], span=counterpart(span, Compare.PREVIOUS))
    else:
        yield _Part(name=None, metric=found, span=span)


def _listed(account_id: int, part: _Part, request: KpiRequest) -> Select[Any]:
    relation = facts_in(account_id, part.metric, part.span, request).subquery("facts")
    seconds: ColumnElement[Any] = literal(None)
    if isinstance(part.metric, Duration):
        seconds = seconds_between(part.metric.start(relation), part.metric.end(relation))
    elif "seconds" in relation.c:
        seconds = relation.c.seconds
    amount = relation.c.amount if "amount" in relation.c else literal(None)
    names = ("entity_type", "entity_id", "sort_type", "subject_type", "subject_id", "at")
    columns: list[Any] = [relation.c[name] for name in (*names, "user_id", "pipeline_id")]
    return select(*columns, amount.label("amount"), seconds.label("seconds")).where(
        condition_of(part.metric, relation, part.span)
    )


def _count(session: Session, listed: Select[Any]) -> int:
    return int(session.scalar(select(func.count()).select_from(listed.subquery())) or 0)


def _page(listed: Select[Any], after: Cursor | None) -> Select[Any]:
    facts = listed.subquery("listed")
    key = tuple_(facts.c.at, facts.c.sort_type, facts.c.entity_id)
    page = select(facts).order_by(facts.c.at, facts.c.sort_type, facts.c.entity_id)
    return page.where(key > after[1:]) if after is not None else page


def _item(part: _Part, row: dict[str, Any], request: KpiRequest) -> dict[str, Any]:
    return {
        "entity": row["entity_type"],
        "id": row["entity_id"],
        "name": None,
        "amount": as_output("money", row["amount"]),
        "seconds": as_output("seconds", row["seconds"]),
        "at": row["at"].astimezone(request.zone).isoformat(),
        "user_id": row["user_id"],
        "pipeline_id": row["pipeline_id"],
        "url": f"/{PATHS[row['subject_type']]}/detail/{row['subject_id']}",
        "part": part.name,
    }


def _add_names(session: Session, account_id: int, items: list[dict[str, Any]]) -> None:
    """The names of the records that the urls lead to."""
    for kind, path in PATHS.items():
        prefix = f"/{path}/detail/"
        ids = {int(item["url"].removeprefix(prefix)) for item in items if item["url"].startswith(prefix)}
        if not ids:
            continue
        table = table_of(NAMED[kind])
        wanted = select(table.c.id, table.c.name).where(table.c.account_id == account_id, table.c.id.in_(ids))
        names = {row.id: row.name for row in session.execute(wanted)}
        for item in items:
            if item["url"].startswith(prefix):
                item["name"] = names.get(int(item["url"].removeprefix(prefix)))


def _write_cursor(place: Cursor) -> str:
    part, at, kind, entity_id = place
    text = json.dumps([part, at.astimezone(UTC).isoformat(), kind, entity_id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(cursor: str | None) -> Cursor | None:
    if cursor is None:
        return None
    try:
        part, at, kind, entity_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return int(part), datetime.fromisoformat(at).astimezone(UTC), str(kind), int(entity_id)
    except (ValueError, TypeError, binascii.Error) as err:
        raise InputError(
            "The cursor is not one of ours.", field="cursor", remedy="Pass next_cursor as it was given."
        ) from err
