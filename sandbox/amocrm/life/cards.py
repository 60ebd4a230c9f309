"""Changes common to leads, contacts, companies and customers: one patch in, row, events and hooks out."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life import customers, fields, tags
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.storage import views
from sandbox.amocrm.vocabulary import CLOSED, LOST, SINGULAR, UNSORTED_TYPE, Row

_PLAIN = ("first_name", "last_name", "loss_reason_id", "source_id", "next_price", "next_date", "periodicity",
          "score", "labor_cost", "is_unsorted")  # fmt: skip


def fire(change: Change, table: str, action: str, row: Row, **more: Any) -> None:
    """Collect the hook `{action}_{entity}` of a card; companies travel under `contacts`."""
    name, bare = f"{action}_{SINGULAR[table]}", action == "delete"
    if table == "leads":
        change.hook(name, "leads", action, items.lead_bare(row) if bare else items.lead(row, **more))
    elif table == "customers":
        change.hook(name, table, action, items.customer_bare(row) if bare else items.customer(row, **more))
    elif bare:
        change.hook(name, "contacts", action, items.card_bare(row, SINGULAR[table]))
    else:
        company_name = _company_name(change, row) if table == "contacts" else None
        item = items.card(row, SINGULAR[table], company_name=company_name, **more)
        change.hook(name, "contacts", action, item)


def _company_name(change: Change, contact: Row) -> str | None:
    companies = (contact.get("_embedded") or {}).get("companies") or []
    company = change.find("companies", companies[0].get("id")) if companies else None
    return str(company.get("name") or "") if company else None


def edit(change: Change, table: str, row: Row, patch: Row) -> Row:
    """Apply a patch of API fields to a card; what does not differ is no change.

    Bumps `updated_at`, appends an event per changed field, fires `update_*` and its more special companions.
    Impossible names a field that cannot take its value. A given `updated_at` is used instead of now.
    """
    before = {**row, "_embedded": dict(row.get("_embedded") or {})}
    row["_embedded"] = dict(before["_embedded"])
    if table == "leads":
        _move(change, row, patch)
    _reassign(change, table, row, patch)
    if table == "customers":
        customers.apply(change, row, patch)
    _rename(change, table, row, _named(table, row, patch))
    if table == "leads":
        _price(change, row, patch)
    for name in _PLAIN:
        if name in patch:
            row[name] = patch[name]
    fields.apply(change, table, row, patch.get("custom_fields_values"), "custom_fields_values" in patch)
    tags.apply(change, table, row, patch)
    if table == "leads":
        embed(change, row, before)
    for name in ("created_at", "closed_at"):
        if patch.get(name) is not None:
            row[name] = patch[name]
    if row == before and "updated_at" not in patch:
        return row
    row["updated_at"] = patch.get("updated_at") or change.now
    row["updated_by"] = patch.get("updated_by", change.by)
    change.put(table, row)
    _hooks(change, table, row, before)
    return row


def _hooks(change: Change, table: str, row: Row, before: Row) -> None:
    fire(change, table, "update", row)
    if table == "leads":
        _tell_move(change, row, before.get("status_id"), before.get("pipeline_id"))
    if row.get("responsible_user_id") != before.get("responsible_user_id"):
        fire(change, table, "responsible", row, old_responsible_user_id=before.get("responsible_user_id"))


def _tell_move(change: Change, row: Row, old_status_id: Any, old_pipeline_id: Any) -> None:
    hopped = row.get("pipeline_id") != old_pipeline_id
    if row.get("status_id") == old_status_id and not hopped:
        return
    old = {"old_status_id": old_status_id}
    fire(change, "leads", "status", row, **old, **({"old_pipeline_id": old_pipeline_id} if hopped else {}))
    change.trigger("status", row, **old, old_pipeline_id=old_pipeline_id)


def statuses_of(change: Change, pipeline_id: Any) -> list[Row]:
    """The pipeline's statuses in board order; empty when there is no such pipeline."""
    pipeline = change.find("pipelines", pipeline_id)
    found = [status for status in views.statuses_of(pipeline or {}) if status.get("id") is not None]
    return sorted(found, key=lambda status: whole(status.get("sort")))


def first_status(change: Change, pipeline_id: Any) -> int:
    """The pipeline's first ordinary status; Impossible when the pipeline is unknown."""
    for status in statuses_of(change, pipeline_id):
        if status.get("type") != UNSORTED_TYPE:
            return int(status["id"])
    raise Impossible(f"there is no pipeline {pipeline_id}", "pipeline_id")


def _move(change: Change, row: Row, patch: Row) -> None:
    pipeline_id = patch.get("pipeline_id") or row.get("pipeline_id")
    status_id = patch.get("status_id")
    if status_id is None:
        stays = pipeline_id == row.get("pipeline_id") or row.get("status_id") in CLOSED
        status_id = row.get("status_id") if stays else first_status(change, pipeline_id)
    if (status_id, pipeline_id) == (row.get("status_id"), row.get("pipeline_id")):
        return
    if status_id not in {status.get("id") for status in statuses_of(change, pipeline_id)}:
        raise Impossible(f"pipeline {pipeline_id} has no status {status_id}", "status_id")
    before = {"lead_status": {"id": row.get("status_id"), "pipeline_id": row.get("pipeline_id")}}
    after = {"lead_status": {"id": status_id, "pipeline_id": pipeline_id}}
    was_closed = row.get("status_id") in CLOSED
    moved = status_id != row.get("status_id")
    row["status_id"], row["pipeline_id"] = status_id, pipeline_id
    if status_id in CLOSED and (moved or not was_closed):
        row["closed_at"] = change.now
    elif status_id not in CLOSED:
        row["closed_at"] = None
    if status_id != LOST:
        row["loss_reason_id"] = None
    change.event("lead_status_changed", "lead", row["id"], [before], [after])


def _reassign(change: Change, table: str, row: Row, patch: Row) -> None:
    user_id = patch.get("responsible_user_id")
    old = row.get("responsible_user_id")
    if user_id is None or user_id == old:
        return
    if change.find("users", user_id) is None:
        raise Impossible(f"there is no user {user_id}", "responsible_user_id")
    row["responsible_user_id"] = user_id
    row["group_id"] = change.group_of(user_id)
    before, after = {"responsible_user": {"id": old}}, {"responsible_user": {"id": user_id}}
    change.event("entity_responsible_changed", SINGULAR[table], row["id"], [before], [after])


def _named(table: str, row: Row, patch: Row) -> Row:
    """A contact whose first or last name changes is called by them, unless it gets a name of its own."""
    if table != "contacts" or "name" in patch or not {"first_name", "last_name"} & set(patch):
        return patch
    first, last = (patch.get(name, row.get(name)) or "" for name in ("first_name", "last_name"))
    return {**patch, "name": f"{first} {last}".strip()}


def _rename(change: Change, table: str, row: Row, patch: Row) -> None:
    if "name" not in patch or patch["name"] == row.get("name"):
        return
    before, after = (
        {"name_field_value": {"name": row.get("name")}},
        {"name_field_value": {"name": patch["name"]}},
    )
    row["name"] = patch["name"]
    change.event("name_field_changed", SINGULAR[table], row["id"], [before], [after])


def _price(change: Change, row: Row, patch: Row) -> None:
    before = _sale(row)
    if patch.get("price_with_minor_units") is not None:
        row["price_with_minor_units"] = patch["price_with_minor_units"]
        row["price"] = int(float(patch["price_with_minor_units"]))
    elif "price" in patch and patch["price"] != row.get("price"):
        row["price"] = patch["price"]
        if "price_with_minor_units" in row:
            row["price_with_minor_units"] = patch["price"]
    if _sale(row) != before:
        old, new = ({"sale_field_value": {"sale": sale}} for sale in (before, _sale(row)))
        change.event("sale_field_changed", "lead", row["id"], [old], [new])


def _sale(row: Row) -> Any:
    """The price as events tell it: with kopecks where the lead has them."""
    exact = row.get("price_with_minor_units")
    return row.get("price") if exact is None else exact


def embed(change: Change, row: Row, before: Row) -> None:
    """Let the embedded loss reason and source of a lead follow their ids, where these are others than before.

    Impossible for an unknown loss reason; one that the lead had stays, also where the dictionary lacks it.
    """
    reason_id = row.get("loss_reason_id")
    if reason_id != before.get("loss_reason_id"):
        reason = None if reason_id is None else change.find("loss_reasons", reason_id)
        if reason_id is not None and reason is None:
            raise Impossible(f"there is no loss reason {reason_id}", "loss_reason_id")
        row["_embedded"]["loss_reason"] = [reason] if reason else []
    source_id = row.get("source_id")
    if source_id != before.get("source_id"):
        source = None if source_id is None else change.find("sources", source_id)
        row["_embedded"]["source"] = {"id": source_id, "name": source.get("name")} if source else None
