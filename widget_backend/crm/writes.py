"""The one way rows enter the mirror: parse, keep the newer version, mark what must be derived anew.

Every function works inside the caller's transaction, in which the account is set. Storing the same payload
twice, or an older one after a newer one, changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Executable, Table, delete, select, text, tuple_, update
from sqlalchemy.orm import Session

from widget_backend.amocrm import parse
from widget_backend.amocrm.vocabulary import CALL_NOTES
from widget_backend.crm.models import (
    Company,
    Contact,
    Event,
    GroupMembership,
    Lead,
    Link,
    Note,
    Task,
    User,
)
from widget_backend.db.upsert import upsert
from widget_backend.errors import UnreadableRecord

log = structlog.get_logger(__name__)
Payload = Mapping[str, Any]
Subject = tuple[str, int]
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies", "customer": "customers"}
ENTITY_TABLES: dict[str, type[Lead | Contact | Company | Task]] = {
    "leads": Lead,
    "contacts": Contact,
    "companies": Company,
    "tasks": Task,
}


def readable(
    items: Iterable[Payload], read: Callable[[Payload], dict[str, Any]], entity: str
) -> list[tuple[Payload, dict[str, Any]]]:
    """Each payload with its columns; records that cannot be read are logged and left out, the rest go on."""
    pairs = []
    for item in items:
        try:
            pairs.append((item, read(item)))
        except UnreadableRecord as error:
            log.warning("crm.record_skipped", entity=entity, reason=error.message)
    return pairs


def table_of(model: Any) -> Table:
    """The table behind a model, typed."""
    table: Table = model.__table__
    return table


def store_leads(
    session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Leads and their links to contacts and companies. Returns the leads whose facts may have changed."""
    pairs = readable(items, lambda p: parse.parse_lead(account_id, p, synced_at), "leads")
    # A lead that the API shows is alive, whatever we believed, unless it says otherwise itself.
    rows = [{**row, "merged_into": None} for _, row in pairs]
    changed = {key[1] for key in upsert(session, table_of(Lead), rows, newer_by="updated_at")}
    relinked = _store_links(
        session, account_id, [(row["id"], parse.lead_links(account_id, p)) for p, row in pairs]
    )
    return {("leads", lead_id) for lead_id in changed | relinked}


def _store_links(
    session: Session, account_id: int, wanted: Sequence[tuple[int, Sequence[Payload]]]
) -> set[int]:
    """Make the stored links of these leads equal to the given ones; returns the leads where they differed."""
    if not wanted:
        return set()
    lead_ids = [lead_id for lead_id, _ in wanted]
    stored: dict[int, set[tuple[str, int, bool]]] = {lead_id: set() for lead_id in lead_ids}
    for link in session.scalars(
        select(Link).where(Link.account_id == account_id, Link.lead_id.in_(lead_ids))
    ):
        stored[link.lead_id].add((link.to_type, link.to_id, link.is_main))
    new = {
        lead_id: {(str(x["to_type"]), int(x["to_id"]), bool(x["is_main"])) for x in links}
        for lead_id, links in wanted
    }
    different = {lead_id for lead_id in new if new[lead_id] != stored[lead_id]}
    if different:
        session.execute(
            delete(Link).where(Link.account_id == account_id, Link.lead_id.in_(different)),
            execution_options={"synchronize_session": False},
        )
        upsert(
            session,
            table_of(Link),
            [
                {
                    "account_id": account_id,
                    "lead_id": lead_id,
                    "to_type": kind,
                    "to_id": to_id,
                    "is_main": main,
                }
                for lead_id in different
                for kind, to_id, main in new[lead_id]
            ],
        )
    return different


def store_contacts(
    session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Contacts. Nothing derived rests on their columns yet, so no lead becomes stale."""
    pairs = readable(items, lambda p: parse.parse_contact(account_id, p, synced_at), "contacts")
    _store_alive(session, Contact, pairs)
    return set()


def store_companies(
    session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Companies, as contacts."""
    pairs = readable(items, lambda p: parse.parse_company(account_id, p, synced_at), "companies")
    _store_alive(session, Company, pairs)
    return set()


def _store_alive(
    session: Session, model: type[Contact | Company], pairs: Sequence[tuple[Payload, dict[str, Any]]]
) -> None:
    rows = [{**row, "merged_into": None} for _, row in pairs]
    upsert(session, table_of(model), rows, newer_by="updated_at")


def store_tasks(
    session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Tasks. A completed meeting is a touch, so the task's subject becomes stale."""
    pairs = readable(items, lambda p: parse.parse_task(account_id, p, synced_at), "tasks")
    rows = [row for _, row in pairs]
    owners = _owners(
        session,
        select(Task.id, Task.entity_type, Task.entity_id).where(
            Task.account_id == account_id, Task.id.in_([row["id"] for row in rows])
        ),
    )
    changed = {key[1] for key in upsert(session, table_of(Task), rows, newer_by="updated_at")}
    now_on = {(row["entity_type"], row["entity_id"]) for row in rows if row["id"] in changed}
    before = {owners[row_id] for row_id in changed if row_id in owners}
    return {(kind, id_) for kind, id_ in now_on | before if kind in ENTITY_TABLES and id_ is not None}


def _owners(session: Session, query: Executable) -> dict[int, Subject]:
    """What each of these tasks or notes hung on so far: a merge moves them, and both facts change."""
    return {row_id: (str(kind), id_) for row_id, kind, id_ in session.execute(query) if id_ is not None}


def store_notes(
    session: Session, account_id: int, entity_type: str, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Notes of one entity type. Calls make the entity they hang on, and hung on before, stale."""
    pairs = readable(items, lambda p: parse.parse_note(account_id, p, synced_at, entity_type), "notes")
    rows = [row for _, row in pairs]
    owners = _owners(
        session,
        select(Note.id, Note.entity_type, Note.entity_id).where(
            Note.account_id == account_id,
            Note.entity_type == entity_type,
            Note.id.in_([row["id"] for row in rows]),
        ),
    )
    changed = {key[2] for key in upsert(session, table_of(Note), rows, newer_by="updated_at")}
    calls = {row["id"]: row for row in rows if row["id"] in changed and row["note_type"] in CALL_NOTES}
    now_on = {(entity_type, row["entity_id"]) for row in calls.values()}
    return now_on | {owners[row_id] for row_id in calls if row_id in owners}


def store_events(
    session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime
) -> set[Subject]:
    """Events; they never change, so a second copy is ignored. Their leads become stale."""
    pairs = readable(items, lambda p: parse.parse_event(account_id, p, synced_at), "events")
    rows = [row for _, row in pairs]
    known = _known_events(session, account_id, rows)
    fresh = [row for row in rows if (row["created_at"], row["id"]) not in known]
    upsert(session, table_of(Event), fresh, keep=("synced_at",))
    subjects: set[Subject] = set()
    task_ids = {
        row["entity_id"] for row in fresh if row["entity_type"] == "task" and row["entity_id"] is not None
    }
    for row in fresh:
        if row["entity_type"] in PLURAL and row["entity_id"] is not None:
            subjects.add((PLURAL[row["entity_type"]], row["entity_id"]))
    for task in session.scalars(select(Task).where(Task.account_id == account_id, Task.id.in_(task_ids))):
        if task.entity_type in ENTITY_TABLES and task.entity_id is not None:
            subjects.add((task.entity_type, task.entity_id))
    return subjects


def _known_events(
    session: Session, account_id: int, rows: Sequence[dict[str, Any]]
) -> set[tuple[datetime, str]]:
    ids = [row["id"] for row in rows]
    stored = session.execute(
        select(Event.created_at, Event.id).where(
            Event.account_id == account_id,
            Event.id.in_(ids),
            Event.created_at.in_({row["created_at"] for row in rows}),
        )
    )
    return {(r.created_at, r.id) for r in stored}


def mark_gone(
    session: Session, account_id: int, entity: str, ids: Collection[int], at: datetime
) -> set[Subject]:
    """Mark rows that amoCRM no longer shows. Their last good columns stay. Returns what became stale."""
    if entity.startswith("notes_"):
        return _mark_notes_gone(session, account_id, entity.removeprefix("notes_"), ids)
    model = ENTITY_TABLES[entity]
    gone = session.scalars(
        update(model)
        .where(model.account_id == account_id, model.id.in_(ids), model.is_deleted.is_(False))
        .values(is_deleted=True, deleted_at=at)
        .returning(model.id),
        execution_options={"synchronize_session": False},
    )
    return {(entity, row_id) for row_id in gone}


def _mark_notes_gone(
    session: Session, account_id: int, entity_type: str, ids: Collection[int]
) -> set[Subject]:
    owners = session.scalars(
        update(Note)
        .where(
            Note.account_id == account_id,
            Note.entity_type == entity_type,
            Note.id.in_(ids),
            Note.is_deleted.is_(False),
        )
        .values(is_deleted=True)
        .returning(Note.entity_id),
        execution_options={"synchronize_session": False},
    )
    return {(entity_type, owner) for owner in owners}


def store_users(session: Session, account_id: int, items: Sequence[Payload], synced_at: datetime) -> set[int]:
    """The whole list of users; ids missing from it become inactive. Returns users whose group changed."""
    pairs = readable(items, lambda p: parse.parse_user(account_id, p, synced_at), "users")
    rows = [{**row, "is_known": True} for _, row in pairs]
    upsert(session, table_of(User), rows)
    session.execute(
        update(User)
        .where(User.account_id == account_id, User.id.not_in([r["id"] for r in rows]))
        .values(is_active=False),
        execution_options={"synchronize_session": False},
    )
    return _store_memberships(session, account_id, rows, synced_at)


def _store_memberships(
    session: Session, account_id: int, rows: Sequence[dict[str, Any]], synced_at: datetime
) -> set[int]:
    """Append to the group history of each user whose group is another than the last one known."""
    last: dict[int, int | None] = {}
    for membership in session.scalars(
        select(GroupMembership)
        .where(GroupMembership.account_id == account_id)
        .order_by(GroupMembership.valid_from)
    ):
        last[membership.user_id] = membership.group_id
    moved = set()
    for row in rows:
        user_id = row["id"]
        if user_id not in last or last[user_id] != row["group_id"]:
            session.add(
                GroupMembership(
                    account_id=account_id,
                    user_id=user_id,
                    valid_from=synced_at if user_id in last else FIRST_MOMENT,
                    group_id=row["group_id"],
                )
            )
            moved.add(user_id)
    session.flush()
    return moved


def store_unknown_users(session: Session, account_id: int, synced_at: datetime) -> None:
    """A nameless, inactive user for each id that owns a lead but is in no user list (removed long ago)."""
    session.execute(
        text(
            "INSERT INTO users (account_id, id, name, is_admin, is_active, is_free, is_known, synced_at)"
            " SELECT DISTINCT l.account_id, l.responsible_user_id, '', false, false, false, false,"
            " CAST(:at AS timestamptz) FROM leads l"
            " WHERE l.account_id = :account_id AND l.responsible_user_id > 0"
            " ON CONFLICT (account_id, id) DO NOTHING"
        ),
        {"account_id": account_id, "at": synced_at},
    )


def replace_dictionary(session: Session, account_id: int, model: Any, rows: Sequence[dict[str, Any]]) -> bool:
    """Store a whole dictionary; entries no longer listed stay, marked deleted. True if it changed."""
    table = table_of(model)
    current = [{**row, "is_deleted": False} for row in rows]
    changed = bool(upsert(session, table, current))
    key = [c for c in table.primary_key.columns if c.name != "account_id"]
    listed = [tuple(row[c.name] for c in key) for row in rows]
    missing = update(table).where(table.c.account_id == account_id, table.c.is_deleted.is_(False))
    if listed:
        missing = missing.where(tuple_(*key).not_in(listed))
    result = session.execute(missing.values(is_deleted=True).returning(*key))
    return changed or result.first() is not None
