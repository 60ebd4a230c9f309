"""What everything else refers to: the account itself, users, groups, pipelines, reasons, sources, fields."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from widget_backend.access.settings import load as load_settings
from widget_backend.amocrm import parse
from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
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

log = structlog.get_logger(__name__)
ACCOUNT_WITH = "users_groups,task_types,datetime_settings,is_api_filter_enabled,amojo_id,drive_url,version"
FIELD_OWNERS = ("leads", "contacts", "companies")
Rows = Sequence[Mapping[str, Any]]


def sync_dictionaries(engine: Engine, client: AmoClient, account_id: int, priority: Priority) -> None:
    """Read all dictionaries whole and store them in one transaction.

    Facts of the whole account become stale when a pipeline's role, a user's group or the zone changed.
    """
    account = client.get("/api/v4/account", params={"with": ACCOUNT_WITH}, priority=priority)
    users = _all(client, "/api/v4/users", "users", priority, **{"with": "role,group"})
    roles = _all(client, "/api/v4/roles", "roles", priority)
    pipelines = _all(client, "/api/v4/leads/pipelines", "pipelines", priority)
    reasons = _all(client, "/api/v4/leads/loss_reasons", "loss_reasons", priority)
    sources = _all(client, "/api/v4/sources", "sources", priority)
    fields = {
        owner: _all(client, f"/api/v4/{owner}/custom_fields", "custom_fields", priority)
        for owner in FIELD_OWNERS
    }
    synced_at = now()
    with session_scope(engine, account_id) as session:
        changed = _store_account(session, account_id, account)
        if users is not None:
            changed |= bool(writes.store_users(session, account_id, users, synced_at))
        changed |= _store_pipelines(session, account_id, pipelines or (), synced_at)
        upsert(
            session, writes.table_of(Role), [parse.parse_role(account_id, r, synced_at) for r in roles or ()]
        )
        dictionaries: tuple[tuple[Any, list[dict[str, Any]]], ...] = (
            (UserGroup, parse.parse_groups(account_id, account, synced_at)),
            (TaskType, parse.parse_task_types(account_id, account, synced_at)),
            (LossReason, [parse.parse_loss_reason(account_id, r, synced_at) for r in reasons or ()]),
            (Source, [parse.parse_source(account_id, r, synced_at) for r in sources or ()]),
        )
        for model, rows in dictionaries:
            writes.replace_dictionary(session, account_id, model, rows)
        writes.replace_dictionary(
            session,
            account_id,
            CustomField,
            [
                parse.parse_custom_field(account_id, r, synced_at, owner)
                for owner, rows in fields.items()
                for r in rows or ()
            ],
        )
        if changed:
            mark_all_stale(session, account_id, at=synced_at)


def _all(client: AmoClient, path: str, key: str, priority: Priority, **params: str) -> Rows | None:
    """Every row of a small list; None if this token or tariff may not read it (logged)."""
    rows: list[Mapping[str, Any]] = []
    page = 1
    while True:
        try:
            answer = client.get(path, params={**params, "limit": 250, "page": page}, priority=priority)
        except (AmoForbidden, AmoRejected) as error:
            log.warning("sync.dictionary_unavailable", path=path, reason=error.message)
            return None
        if answer is None:
            return rows
        rows.extend((answer.get("_embedded") or {}).get(key) or ())
        if not answer.get("_links", {}).get("next"):
            return rows
        page += 1


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


def _store_pipelines(session: Session, account_id: int, payloads: Rows, synced_at: Any) -> bool:
    """Pipelines and statuses. A role is guessed when a pipeline is first seen and kept over renames."""
    known = {
        p.id: (p.role, p.role_set_by_person)
        for p in session.scalars(select(Pipeline).where(Pipeline.account_id == account_id))
    }
    chosen = load_settings(session, account_id).pipeline_roles
    pipelines, statuses = [], []
    for payload in payloads:
        row = parse.parse_pipeline(account_id, payload, synced_at)
        by_person = row["id"] in chosen or known.get(row["id"], ("", False))[1]
        role = chosen.get(row["id"]) or known.get(row["id"], (None,))[0] or guess_pipeline_role(row["name"])
        pipelines.append({**row, "role": str(role), "role_set_by_person": by_person})
        statuses.extend(parse.parse_statuses(account_id, payload, synced_at))
    new_role = any(known.get(p["id"], (None,))[0] != p["role"] for p in pipelines)
    writes.replace_dictionary(session, account_id, Pipeline, pipelines)
    writes.replace_dictionary(session, account_id, Status, statuses)
    return new_role
