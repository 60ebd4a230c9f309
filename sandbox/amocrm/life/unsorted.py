"""Incoming leads: they arrive, and people accept them, decline them or tie them to a lead they had."""

from collections.abc import Iterator
from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life import cards, links, merging, people
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.vocabulary import UNSORTED_TYPE, Row

CATEGORIES = ("sip", "mail", "forms", "chats")
LINKABLE = ("chats", "mail")
BEHIND = ("leads", "contacts", "companies")


def unsorted_status(change: Change, pipeline_id: Any) -> int:
    """The pipeline's column for incoming leads; Impossible when it has none."""
    for status in cards.statuses_of(change, pipeline_id):
        if status.get("type") == UNSORTED_TYPE:
            return int(status["id"])
    raise Impossible(f"pipeline {pipeline_id} takes no incoming leads", "pipeline_id")


def create(change: Change, category: str, given: Row) -> Row:
    """A new incoming lead with the cards behind it.

    `given`: source_uid, source_name, pipeline_id?, created_at?, metadata, `_embedded` with new or known
    (`{"id"}`) contacts and companies and one lead. The lead stands in the pipeline's type-1 column with an id
    it keeps; new contacts are `is_unsorted`.
    """
    if category not in CATEGORIES:
        raise Impossible("The value you selected is not a valid choice.", "category")
    pipeline_id = given.get("pipeline_id") or people.main_pipeline(change)
    created_at = given.get("created_at") or change.now
    quiet = change.world.switches["unsorted_hooks"] == "unsorted_only"
    before = list(change.hooks)
    behind = _behind(change, given, pipeline_id, created_at)
    if quiet:
        change.hooks[:] = before
    row = {
        "uid": change.token("unsorted"),
        "source_uid": given.get("source_uid"),
        "source_name": given.get("source_name"),
        "category": category,
        "pipeline_id": pipeline_id,
        "created_at": created_at,
        "metadata": dict(given.get("metadata") or {}),
        "account_id": change.account.id,
        "_embedded": {table: [{"id": item["id"]} for item in found] for table, found in behind.items()},
    }
    change.put("unsorted", row)
    change.hook("add_unsorted", "unsorted", "add", items.unsorted(row, behind))
    return row


def _behind(change: Change, given: Row, pipeline_id: Any, created_at: int) -> dict[str, list[Row]]:
    embedded: Row = given.get("_embedded") or {}
    made: dict[str, list[Row]] = {"contacts": [], "companies": []}
    for table, found in made.items():
        for item in embedded.get(table) or []:
            if not isinstance(item, dict):
                continue
            if item.get("id"):
                found.append(change.live(table, item["id"]))
                continue
            card = people.create(change, table, {"created_at": created_at, **item})
            if table == "contacts":
                card["is_unsorted"] = True
                change.put(table, card)
            found.append(card)
    wanted = (embedded.get("leads") or [{}])[0]
    if wanted.get("id"):
        raise Impossible("An incoming lead is a new lead.", "_embedded.leads.0.id")
    tied = {table: [{"id": card["id"]} for card in found] for table, found in made.items()}
    tied |= {"tags": (wanted.get("_embedded") or {}).get("tags") or []}
    status_id = unsorted_status(change, pipeline_id)
    lead = people.create(
        change, "leads",
        {"created_at": created_at, **wanted, "pipeline_id": pipeline_id, "status_id": status_id,
         "_embedded": tied},
    )  # fmt: skip
    for contact in made["contacts"]:
        for company in made["companies"]:
            links.link(change, "contacts", contact["id"], "companies", company["id"])
    return {"leads": [lead], **made}


def waiting(change: Change, uid: Any) -> Row:
    """The item that still waits; Missing when it was sorted or never was."""
    row = change.find("unsorted", uid)
    if row is None:
        raise Missing(f"there is no unsorted {uid}")
    return row


def cards_behind(change: Change, row: Row) -> dict[str, list[Row]]:
    """Leads, contacts and companies behind an item, as they are now."""
    return {table: list(_rows(change, table, row)) for table in BEHIND}


def _rows(change: Change, table: str, row: Row) -> Iterator[Row]:
    for item in (row.get("_embedded") or {}).get(table) or []:
        card = change.find(table, item.get("id")) if isinstance(item, dict) else None
        if card is not None:
            yield card


def accept(change: Change, row: Row, user_id: int | None = None, status_id: int | None = None) -> Row:
    """The lead goes to an ordinary column and gets a responsible user; the item is gone from the list."""
    behind = cards_behind(change, row)
    lead = next(iter(behind["leads"]), None)
    pipeline_id = (lead or row).get("pipeline_id")
    target = status_id or cards.first_status(change, pipeline_id)
    if any(status["id"] == target and status.get("type") == UNSORTED_TYPE
           for status in cards.statuses_of(change, pipeline_id)):  # fmt: skip
        raise Impossible("An accepted lead cannot stay unsorted.", "status_id")
    patch: Row = {"responsible_user_id": user_id} if user_id else {}
    late = change.world.switches["unsorted_hooks"] == "unsorted_only"
    for table in ("contacts", "companies"):
        for card in behind[table]:
            if card.get("is_unsorted") or table == "companies":
                fresh = {**patch, "is_unsorted": False} if table == "contacts" else patch
                changed = cards.edit(change, table, card, fresh) if fresh else card
                if late and table == "contacts":
                    cards.fire(change, table, "add", changed)
    if lead is not None:
        lead = cards.edit(change, "leads", lead, {**patch, "status_id": target})
        if late:
            cards.fire(change, "leads", "add", lead)
    _sorted(change, row, "accept", [item["id"] for item in behind["leads"]])
    return row


def decline(change: Change, row: Row) -> Row:
    """The lead and the contact nobody else knows go into the recycle bin (switch); the item is gone."""
    behind = cards_behind(change, row)
    lead_ids = [lead["id"] for lead in behind["leads"]]
    for lead in behind["leads"]:
        _give_up(change, "leads", lead)
    for contact in behind["contacts"]:
        shown = {item.get("id") for item in (contact.get("_embedded") or {}).get("leads") or []}
        if contact.get("is_unsorted") and not shown - set(lead_ids):
            _give_up(change, "contacts", contact)
    _sorted(change, row, "decline", lead_ids)
    return row


def _give_up(change: Change, table: str, card: Row) -> None:
    if card.get("is_deleted") or card.get("_merged_into"):
        return
    people.delete(change, table, card)
    if change.world.switches["decline_lead"] == "gone":
        people.vanish(change, table, card["id"])


def tie(change: Change, row: Row, entity_type: Any, entity_id: Any) -> Row:
    """A chat or a letter turns out to belong to a lead that exists: that lead swallows the incoming one."""
    if row.get("category") not in LINKABLE:
        raise Impossible("Only chats and mail can be linked.", "link")
    if entity_type != "leads":
        raise Impossible("The value you selected is not a valid choice.", "link.entity_type")
    target = change.find("leads", entity_id)
    if target is None or target.get("is_deleted") or target.get("_merged_into"):
        raise Impossible(f"there is no leads {entity_id}", "link.entity_id", "NotFound")
    behind = cards_behind(change, row)
    for contact in behind["contacts"]:
        if contact.get("is_unsorted"):
            cards.edit(change, "contacts", contact, {"is_unsorted": False})
    merging.merge(change, "leads", target, behind["leads"])
    row["_embedded"] = {**(row.get("_embedded") or {}), "leads": [{"id": entity_id}]}
    _sorted(change, row, "accept", [entity_id])
    return row


def update(change: Change, row: Row, metadata: Row) -> Row:
    """More came in before anybody looked, a second message for instance."""
    row["metadata"] = {**(row.get("metadata") or {}), **metadata}
    change.put("unsorted", row)
    change.hook("update_unsorted", "unsorted", "update", items.unsorted(row, cards_behind(change, row)))
    return row


def _sorted(change: Change, row: Row, verdict: str, lead_ids: list[Any]) -> None:
    change.remove("unsorted", row["uid"])
    change.connection.execute(
        "INSERT OR REPLACE INTO sorted_unsorted VALUES (?, ?, ?, ?, ?, ?, ?)",
        (change.account.id, row["uid"], row.get("category"), row.get("pipeline_id"), row.get("created_at"),
         verdict, change.now),
    )  # fmt: skip
    item = items.unsorted_sorted(row, verdict, lead_ids, change.by)
    change.hook("delete_unsorted", "unsorted", "delete", item)
