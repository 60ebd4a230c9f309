"""Small dictionaries: tags, loss reasons, sources of integrations."""

from typing import Any

from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.life.tidy import whole
from sandbox.amocrm.vocabulary import Row

MOST_SOURCES = 50  # active ones, per integration and account
TAG_COLOURS = frozenset(
    (
        "EBEBEB", "D0D0D0", "F2DDF7", "D1A4DC", "FF8F92", "FFC8C8", "C7DB8C", "DDEBB5", "8699DA",
        "AABDFF", "FFCE5A", "FFE193", "90CDB0", "C6F4DE", "A9A5D7", "D8D5FF", "86C0FC", "832161",
        "6A0F49", "0C7C59", "10599D", "9D2B32", "247BA0",
    )
)  # fmt: skip


def add_tag(change: Change, table: str, name: str, color: Any = None) -> Row:
    """The tag of that name for a kind of card, made when it is new."""
    if color is not None and color not in TAG_COLOURS:
        raise Impossible("The value you selected is not a valid choice.", "color")
    same = change.rows("tags", "name = ? AND coalesce(entity_type, ?) = ?", name, table, table)
    if same:
        return same[0]
    row = {"id": change.next_id("tags"), "name": name, "color": color, "entity_type": table}
    change.put("tags", row)
    return row


def add_loss_reason(change: Change, name: str, sort: Any = None) -> Row:
    """A new reason to lose leads."""
    last = max((whole(row.get("sort")) for row in change.rows("loss_reasons")), default=0)
    row = {
        "id": change.next_id("loss_reasons"),
        "name": name,
        "sort": sort if isinstance(sort, int) and abs(sort) < 2**31 else last + 10000,
        "created_at": change.now,
        "updated_at": change.now,
    }
    change.put("loss_reasons", row)
    return row


def delete_loss_reason(change: Change, loss_reason_id: Any) -> None:
    """A reason disappears from the dictionary; lost leads keep it."""
    change.get("loss_reasons", loss_reason_id)
    change.remove("loss_reasons", loss_reason_id)


def _owner(change: Change, source_id: Any) -> str | None:
    found = change.connection.execute(
        "SELECT client_id FROM source_owners WHERE account_id = ? AND source_id = ?",
        (change.account.id, source_id),
    ).fetchone()
    return None if found is None else str(found[0])


def _of(change: Change, client_id: str) -> list[Row]:
    """The active sources an integration made."""
    owned = "SELECT source_id FROM source_owners o WHERE o.account_id = sources.account_id AND client_id = ?"
    return change.rows("sources", f"id IN ({owned})", client_id)


def own_source(change: Change, client_id: str, source_id: Any) -> Row:
    """A source the integration may change: its own, or one of the snapshot, which names no owner."""
    row = change.get("sources", source_id)
    if _owner(change, source_id) not in (None, client_id):
        raise Missing(f"there is no source {source_id}")
    return row


def add_source(change: Change, client_id: str, given: Row) -> Row:
    """A new source of an integration; an `external_id` that it once deleted gets its old id again.

    Impossible when the id is in use, or the integration has its fifty.
    """
    external_id = str(given["external_id"])
    mine = _of(change, client_id)
    if any(row.get("external_id") == external_id for row in mine):
        raise Impossible("This value is already used.", "external_id", "NotUnique")
    if len(mine) >= MOST_SOURCES:
        raise Impossible(f"There may be {MOST_SOURCES} sources", "external_id", "LimitExceeded")
    row = {
        "id": _source_id(change, client_id, external_id),
        "name": given["name"],
        "pipeline_id": None,
        "external_id": external_id,
        "default": False,
        "origin_code": given.get("origin_code"),
        "services": [],
    }
    return edit_source(change, client_id, row, given)


def _source_id(change: Change, client_id: str, external_id: str) -> int:
    found = change.connection.execute(
        "SELECT source_id FROM source_owners WHERE account_id = ? AND client_id = ? AND external_id = ?",
        (change.account.id, client_id, external_id),
    ).fetchone()
    if found is not None:
        return int(found[0])
    source_id = change.next_id("sources")
    change.connection.execute(
        "INSERT INTO source_owners VALUES (?, ?, ?, ?)",
        (change.account.id, source_id, client_id, external_id),
    )
    return source_id


def edit_source(change: Change, client_id: str, row: Row, patch: Row) -> Row:
    """Name, pipeline, services, default; a new default takes the mark from the old one."""
    pipeline_id = patch.get("pipeline_id")
    known = (
        isinstance(pipeline_id, int) and abs(pipeline_id) < 2**63 and change.find("pipelines", pipeline_id)
    )
    if pipeline_id is not None and not known:
        raise Impossible("The value you selected is not a valid choice.", "pipeline_id")
    if "pipeline_id" in patch:
        row["pipeline_id"] = pipeline_id
    if patch.get("name"):
        row["name"] = str(patch["name"])
    if isinstance(patch.get("services"), list):
        row["services"] = patch["services"]
    if isinstance(patch.get("default"), bool):
        row["default"] = patch["default"]
    if row.get("default"):
        for other in _of(change, client_id):
            if other.get("default") and other.get("id") != row["id"]:
                change.put("sources", {**other, "default": False})
    change.put("sources", row)
    return row


def delete_source(change: Change, client_id: str, source_id: Any) -> None:
    """A source disappears; leads keep its number. Missing when it is another integration's."""
    own_source(change, client_id, source_id)
    change.remove("sources", source_id)
