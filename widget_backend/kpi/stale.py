"""Marks on records whose facts must be rebuilt: set with the change itself, taken by the next rebuild."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, literal, select, tuple_, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from widget_backend.amocrm.vocabulary import CALL_NOTES, ENTITY_OF_EVENT
from widget_backend.crm.models import Lead, Note
from widget_backend.kpi.histories import table_of
from widget_backend.kpi.models import CallLeg, StaleSubject

SUBJECTS = frozenset({"leads", "contacts", "companies", "tasks"})
CHUNK = 1000

Mark = tuple[str, int, int]  # entity_type, entity_id, version


def mark_stale(
    session: Session, account_id: int, pairs: Iterable[tuple[str, int]], *, at: datetime | None = None
) -> None:
    """Ask for new facts of these (entity_type, entity_id): leads, contacts, companies, or tasks.

    Singular names are taken as well; other entities have no facts yet and are passed over. Marking again
    raises the mark's version, so that a rebuild under way does not take it off. Mark a lead when its row,
    events, links, notes or tasks change; a contact or company when its notes, events or tasks do.
    """
    subjects = sorted({(ENTITY_OF_EVENT.get(kind, kind), entity_id) for kind, entity_id in pairs})
    wanted = [subject for subject in subjects if subject[0] in SUBJECTS]
    for start in range(0, len(wanted), CHUNK):
        rows = [
            {"account_id": account_id, "entity_type": kind, "entity_id": entity_id, "version": 1}
            | {"marked_at": at if at is not None else func.now()}
            for kind, entity_id in wanted[start : start + CHUNK]
        ]
        session.execute(_raised(insert(table_of(StaleSubject)).values(rows)))


def mark_all_stale(session: Session, account_id: int, *, at: datetime | None = None) -> None:
    """Ask for new facts of everything: a role, a user, a group or a rule changed."""
    leads = select(literal("leads"), Lead.id).where(Lead.account_id == account_id)
    noted = select(Note.entity_type, Note.entity_id).where(
        Note.account_id == account_id, Note.note_type.in_(CALL_NOTES), Note.entity_type.in_(SUBJECTS)
    )
    called = select(CallLeg.note_entity_type, CallLeg.note_entity_id).where(CallLeg.account_id == account_id)
    every = union(leads, noted, called).subquery()
    kind, entity_id = every.c
    marks = select(
        literal(account_id), kind, entity_id, literal(1), literal(at) if at is not None else func.now()
    ).order_by(kind, entity_id)
    names = ["account_id", "entity_type", "entity_id", "version", "marked_at"]
    session.execute(_raised(insert(table_of(StaleSubject)).from_select(names, marks)))


def _raised(statement: Any) -> Any:
    table = table_of(StaleSubject)
    return statement.on_conflict_do_update(
        index_elements=["account_id", "entity_type", "entity_id"],
        set_={"version": table.c.version + 1, "marked_at": statement.excluded.marked_at},
    )


def oldest_marks(session: Session, account_id: int, limit: int) -> list[Mark]:
    """Marks in the order they were set."""
    table = table_of(StaleSubject)
    wanted = (
        select(table.c.entity_type, table.c.entity_id, table.c.version)
        .where(table.c.account_id == account_id)
        .order_by(table.c.marked_at, table.c.entity_type, table.c.entity_id)
        .limit(limit)
    )
    return [(kind, entity_id, version) for kind, entity_id, version in session.execute(wanted)]


def take_off(session: Session, account_id: int, marks: Sequence[Mark] | Collection[Mark]) -> None:
    """Remove marks, but only in the version seen: a newer one means another change."""
    table = table_of(StaleSubject)
    ordered = sorted(marks)
    for start in range(0, len(ordered), CHUNK):
        key = tuple_(table.c.entity_type, table.c.entity_id, table.c.version)
        session.execute(
            delete(table).where(table.c.account_id == account_id, key.in_(ordered[start : start + CHUNK]))
        )
