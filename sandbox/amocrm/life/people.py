"""Cards come and go: create, delete, restore, purge."""

from typing import Any

from sandbox.amocrm.life import cards, customers, fields, linklist, links, tags
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.storage import views
from sandbox.amocrm.vocabulary import CLOSED, LOST, PERSON_LIKE, PLURAL, SINGULAR, Row


def create(change: Change, table: str, given: Row) -> Row:
    """A new card with its events and its `add_*` hook. Impossible names the field that cannot be."""
    created_by = given.get("created_by", change.by)
    user_id = given.get("responsible_user_id") or change.by
    if user_id and change.find("users", user_id) is None:
        raise Impossible(f"there is no user {user_id}", "responsible_user_id")
    created_at = given.get("created_at") or change.now
    row: Row = {
        "id": change.next_id(table),
        "name": given.get("name") or "",
        "responsible_user_id": user_id,
        "group_id": change.group_of(user_id),
        "created_by": created_by,
        "updated_by": given.get("updated_by", created_by),
        "created_at": created_at,
        "updated_at": given.get("updated_at") or change.now,
        **_own(change, table, given),
        "closest_task_at": None,
        "is_deleted": False,
        "custom_fields_values": None,
        "account_id": change.account.id,
        "_embedded": {
            "tags": [],
            **({} if table == "companies" else {"companies": []}),
            **({"segments": []} if table == "customers" else {}),
        },
    }
    if not row["name"] and table == "leads":
        row["name"] = f"Сделка #{row['id']}"
    change.put(table, row)
    change.event(f"{SINGULAR[table]}_added", SINGULAR[table], row["id"], at=created_at)
    fields.apply(change, table, row, given.get("custom_fields_values"), "custom_fields_values" in given)
    tags.apply(change, table, row, given)
    if table == "leads":
        cards.embed(change, row, {})
    if table == "customers":
        customers.put_segments(change, row, given.get("_embedded"))
    change.put(table, row)
    _link_given(change, table, row["id"], given.get("_embedded"))
    row = change.get(table, row["id"])
    cards.fire(change, table, "add", row)
    return row


def _own(change: Change, table: str, given: Row) -> Row:
    if table == "leads":
        return _own_lead(change, given)
    if table == "contacts":
        first, last = given.get("first_name") or "", given.get("last_name") or ""
        return {"first_name": first, "last_name": last, "is_unsorted": False,
                "name": given.get("name") or f"{first} {last}".strip()}  # fmt: skip
    if table == "customers":
        return customers.own(change, given)
    return {}


def main_pipeline(change: Change) -> int:
    """The pipeline a lead without one goes to. Impossible when the account has none."""
    every = change.rows("pipelines")
    for row in every:
        if row.get("is_main"):
            return int(row["id"])
    if not every:
        raise Impossible("the account has no pipeline", "pipeline_id")
    return int(every[0]["id"])


def _own_lead(change: Change, given: Row) -> Row:
    status_id = given.get("status_id")
    pipeline_id = given.get("pipeline_id") or _pipeline_of(change, status_id) or main_pipeline(change)
    if status_id is None:
        status_id = cards.first_status(change, pipeline_id)
    elif status_id not in {status.get("id") for status in cards.statuses_of(change, pipeline_id)}:
        raise Impossible(f"pipeline {pipeline_id} has no status {status_id}", "status_id")
    closed_at = given.get("closed_at") or change.now if status_id in CLOSED else None
    own = {
        "price": given.get("price") or 0,
        "status_id": status_id,
        "pipeline_id": pipeline_id,
        "loss_reason_id": given.get("loss_reason_id") if status_id == LOST else None,
        "source_id": given.get("source_id"),
        "closed_at": closed_at,
        "score": None,
        "labor_cost": None,
        "is_price_modified_by_robot": False,
    }
    if given.get("price_with_minor_units") is not None:
        own["price_with_minor_units"] = given["price_with_minor_units"]
        own["price"] = int(float(given["price_with_minor_units"]))
    return own


def _pipeline_of(change: Change, status_id: Any) -> int | None:
    if status_id is None or status_id in CLOSED:
        return None
    for row in change.rows("pipelines"):
        statuses = views.statuses_of(row)
        if any(status.get("id") == status_id for status in statuses):
            return int(row["id"])
    return None


def _link_given(change: Change, table: str, row_id: int, embedded: Any) -> None:
    for other in ("contacts", "companies", "leads", "customers", links.ELEMENTS):
        given = embedded.get(other) if isinstance(embedded, dict) else None
        for item in given or []:
            if isinstance(item, dict) and item.get("id"):
                metadata = dict(item.get("metadata") or {})
                if "is_main" in item:
                    metadata = {**metadata, "is_main": item["is_main"]}
                links.link(change, table, row_id, other, item["id"], metadata, told=False)


def delete(change: Change, table: str, row: Row) -> None:
    """Into the recycle bin."""
    row["is_deleted"] = True
    _touch(change, table, row)
    change.event(f"{SINGULAR[table]}_deleted", SINGULAR[table], row["id"])
    cards.fire(change, table, "delete", row)


def restore(change: Change, table: str, row: Row) -> None:
    """Out of the recycle bin."""
    row["is_deleted"] = False
    _touch(change, table, row)
    change.event(f"{SINGULAR[table]}_restored", SINGULAR[table], row["id"])
    if table != "customers":
        cards.fire(change, table, "restore", row)


def purge(change: Change, table: str, row: Row) -> None:
    """Out of the recycle bin for ever; amoCRM says nothing about it."""
    if not row.get("is_deleted"):
        raise Impossible(f"{table} {row['id']} is not in the recycle bin", "id")
    vanish(change, table, row["id"])


def vanish(change: Change, table: str, row_id: Any) -> None:
    """A card is gone from the account, and from the list of links."""
    linklist.drop(change, (table, row_id))
    change.remove(table, row_id)


def _touch(change: Change, table: str, row: Row) -> None:
    row["updated_at"], row["updated_by"] = change.now, change.by
    change.put(table, row)


def table_of(entity: str) -> str:
    """`lead` or `leads` → `leads`; Impossible for anything that is no card."""
    table = PLURAL.get(entity, entity)
    if table not in PERSON_LIKE:
        raise Impossible(f"{entity} is none of {', '.join(PERSON_LIKE)}", "entity")
    return table
