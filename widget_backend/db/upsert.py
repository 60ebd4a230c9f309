"""Insert-or-update in bulk, where the newer version of a row wins whatever order versions arrive in."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, and_, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

CHUNK = 500


def upsert(
    session: Session,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    newer_by: str | None = None,
    keep: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Store rows by primary key; returns the keys of rows that were inserted or changed.

    ``newer_by`` names a version column: a stored row with a greater value stays as it is (equal values are
    written again, because amoCRM's clock has one-second steps and a re-read is at least as fresh).
    ``keep`` lists columns that an update must not touch. Later rows of the batch win over earlier ones.
    """
    key_names = [c.name for c in table.primary_key.columns]
    latest: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in rows:
        latest[tuple(row[k] for k in key_names)] = row
    # One order for all writers, so that two of them never wait for each other in a circle.
    ordered = [latest[k] for k in sorted(latest, key=lambda k: tuple(str(part) for part in k))]
    changed: list[tuple[Any, ...]] = []
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        statement = insert(table).values([dict(r) for r in chunk])
        names = [n for n in chunk[0] if n not in key_names and n not in keep]
        if not names:
            statement = statement.on_conflict_do_nothing()
        else:
            new = statement.excluded
            condition = or_(*(table.c[n].is_distinct_from(new[n]) for n in names if n != "synced_at"))
            if newer_by is not None:
                version = table.c[newer_by]
                condition = and_(or_(version.is_(None), version <= new[newer_by]), condition)
            statement = statement.on_conflict_do_update(
                index_elements=key_names, set_={n: new[n] for n in names}, where=condition
            )
        result = session.execute(statement.returning(*table.primary_key.columns))
        changed.extend(tuple(r) for r in result)
    return changed
