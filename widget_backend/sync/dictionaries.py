"""What everything else refers to: the account itself, users, groups, pipelines, reasons, sources, fields."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from widget_backend.access.settings import load as load_settings
from widget_backend.amocrm import parse
from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.pages import pages
from widget_backend.amocrm.resources import RESOURCES
from widget_backend.clock import now
from widget_backend.crm import writes
from widget_backend.crm.models import (
    CustomField,
    LossReason,
    Pipeline,
    Role,
    Source,
    Status,
    TaskType,
    UserGroup,
)
from widget_backend.crm.stage_roles import guess_pipeline_role
from widget_backend.db.engine import session_scope
from widget_backend.db.upsert import upsert
from widget_backend.errors import AmoForbidden, AmoRejected
from widget_backend.kpi.build import mark_all_stale
from widget_backend.oauth.models import Account
from widget_backend.sync.refusals import stop_if_unpaid
from widget_backend.sync.sight import limited_view, remember

log = structlog.get_logger(__name__)
ACCOUNT_WITH = "users_groups,task_types,datetime_settings,is_api_filter_enabled,amojo_id,drive_url,version"
FIELD_OWNERS = ("leads", "contacts", "companies")
# Lists that a tariff may leave out; elsewhere 402 means that the account is not paid for.
PAID_EXTRAS = ("sources", "roles")
Rows = Sequence[Mapping[str, Any]]
Row = dict[str, Any]


def sync_dictionaries(engine: Engine, client: AmoClient, account_id: int, priority: Priority) -> None:
    """Read all dictionaries whole and store them in one transaction.

    Facts of the whole account become stale when a pipeline's role, a user's group or the zone changed.
    """
    account = client.get("/api/v4/account", params={"with": ACCOUNT_WITH}, priority=priority)
    limited = limited_view(client, priority, account)
    users = _all(client, "users", priority)
    roles = _all(client, "roles", priority)
    pipelines = _all(client, "pipelines", priority)
    reasons = _all(client, "loss_reasons", priority)
    sources = _all(client, "sources", priority)
    fields = {owner: _all(client, f"custom_fields_{owner}", priority) for owner in FIELD_OWNERS}
    synced_at = now()
    with session_scope(engine, account_id) as session:
        remember(session, account_id, limited)
        changed = _store_account(session, account_id, account)
        # Nothing at all is not believed where there must be something: it would shut everybody out.
        if users:
            changed |= bool(writes.store_users(session, account_id, users, synced_at))
        if pipelines:
            changed |= _store_pipelines(session, account_id, pipelines, synced_at)
        upsert(
            session,
            writes.table_of(Role),
            _parsed(roles or (), lambda r: parse.parse_role(account_id, r, synced_at), "roles"),
        )
        for model, rows in (
            (UserGroup, parse.parse_groups(account_id, account, synced_at)),
            (TaskType, parse.parse_task_types(account_id, account, synced_at)),
        ):
            writes.replace_dictionary(session, account_id, model, rows)
        # A list that could not be read leaves what is stored as it stands.
        if reasons is not None:
            rows = _parsed(
                reasons, lambda r: parse.parse_loss_reason(account_id, r, synced_at), "loss_reasons"
            )
            writes.replace_dictionary(session, account_id, LossReason, rows)
        if sources is not None:
            rows = _parsed(sources, lambda r: parse.parse_source(account_id, r, synced_at), "sources")
            writes.replace_dictionary(session, account_id, Source, rows)
        if all(payloads is not None for payloads in fields.values()):
            writes.replace_dictionary(
                session, account_id, CustomField, _parsed_fields(account_id, fields, synced_at)
            )
        if changed:
            mark_all_stale(session, account_id, at=synced_at)


def _parsed(rows: Rows, read: Callable[[Mapping[str, Any]], Row], name: str) -> list[Row]:
    """The rows that can be read: one that cannot must not cost the account its dictionaries."""
    return [row for _, row in writes.readable(rows, read, name)]


def _parsed_fields(account_id: int, fields: Mapping[str, Rows | None], synced_at: datetime) -> list[Row]:
    found: list[Row] = []
    for owner, payloads in fields.items():
        read = partial(_read_field, account_id, synced_at, owner)
        found += _parsed(payloads or (), read, f"{owner}/custom_fields")
    return found


def _read_field(account_id: int, synced_at: datetime, owner: str, payload: Mapping[str, Any]) -> Row:
    return parse.parse_custom_field(account_id, payload, synced_at, owner)


def _all(client: AmoClient, name: str, priority: Priority) -> Rows | None:
    """Every row of a small list; None if this token or tariff may not read it (logged).

    Raises AmoForbidden for an unpaid account (402): that says nothing about this list.
    """
    resource = RESOURCES[name]
    try:
        read = pages(client, resource.path, resource.key, resource.params(), priority=priority)
        return [row for page in read for row in page]
    except (AmoForbidden, AmoRejected) as error:
        if name not in PAID_EXTRAS:
            stop_if_unpaid(error)
        log.warning("sync.dictionary_unavailable", list=name, reason=error.message)
        return None


def _store_account(session: Session, account_id: int, payload: Mapping[str, Any]) -> bool:
    """Copy what the product uses of the account; True if a change of zone moves all days."""
    account = session.get_one(Account, account_id)
    columns = parse.parse_account(payload)
    moved = bool(columns.get("timezone")) and columns["timezone"] != account.timezone
    for name in ("name", "country", "currency", "timezone", "filters_enabled"):
        if columns.get(name) is not None:
            setattr(account, name, columns[name])
    account.updated_at = now()
    session.flush()
    return moved


def _store_pipelines(session: Session, account_id: int, payloads: Rows, synced_at: datetime) -> bool:
    """Pipelines and statuses; True if a role changed.

    A role is what the settings choose; else it was guessed when the pipeline was first seen, and is kept over
    renames. A choice that was taken back is guessed again.
    """
    known = {
        p.id: (p.role, p.role_set_by_person)
        for p in session.scalars(select(Pipeline).where(Pipeline.account_id == account_id))
    }
    chosen = load_settings(session, account_id).pipeline_roles
    pipelines, statuses = [], []
    for payload, row in writes.readable(
        payloads, lambda p: parse.parse_pipeline(account_id, p, synced_at), "pipelines"
    ):
        before, by_person = known.get(row["id"], (None, False))
        kept = None if by_person else before
        role = chosen.get(row["id"]) or kept or guess_pipeline_role(row["name"])
        pipelines.append({**row, "role": str(role), "role_set_by_person": row["id"] in chosen})
        statuses.extend(parse.parse_statuses(account_id, payload, synced_at))
    new_role = any(known.get(p["id"], (None,))[0] != p["role"] for p in pipelines)
    writes.replace_dictionary(session, account_id, Pipeline, pipelines)
    writes.replace_dictionary(session, account_id, Status, statuses)
    return new_role
