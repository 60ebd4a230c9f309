"""Talks and the messages in them. Messages leave events and hooks; API v4 lists no texts, none are kept."""

from typing import Any

from sandbox.amocrm.hooks import items
from sandbox.amocrm.life import finding, notes, unsorted
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row

WAYS = {"in": ("incoming", "message", "add_message"), "out": ("outgoing", "outgoing_message",
                                                              "add_outgoing_message")}  # fmt: skip


def open_talk(
    change: Change, contact: Row, lead_id: int | None, origin: str, *, is_read: bool = False
) -> Row:
    """The contact's talk in this channel that is in work; a new one when there is none."""
    where = "json_extract(body, '$.contact_id') = ? AND json_extract(body, '$.origin') = ?"
    for row in change.rows("talks", where, contact["id"], origin):
        if row.get("is_in_work"):
            return row
    row = {
        "talk_id": change.next_id("talks"),
        "created_at": change.now,
        "updated_at": change.now,
        "rate": 0,
        "contact_id": contact["id"],
        "chat_id": _uuid(change.token("chats")),
        "entity_id": lead_id,
        "entity_type": None if lead_id is None else "lead",
        "is_in_work": True,
        "is_read": is_read,
        "origin": origin,
        "missed_at": None,
        "account_id": change.account.id,
    }
    change.put("talks", row)
    _event(change, "talk_created", row)
    change.hook("add_talk", "talk", "add", items.talk(row))
    return row


def _uuid(hexes: str) -> str:
    return "-".join((hexes[:8], hexes[8:12], hexes[12:16], hexes[16:20], hexes[20:32]))


def _entity(row: Row) -> tuple[str, Any]:
    """What the events of a talk are about: its lead, else its contact."""
    if row.get("entity_id") is None:
        return "contact", row.get("contact_id")
    kind = str(row.get("entity_type"))
    return {"leads": "lead", "customers": "customer"}.get(kind, kind), row["entity_id"]


def _event(change: Change, kind: str, row: Row) -> None:
    entity_type, entity_id = _entity(row)
    change.event(kind, entity_type, entity_id, [], [{"talk": {"id": row["talk_id"]}}])


def say(change: Change, row: Row, contact: Row, direction: str, text: str, attachment: Row | None) -> Row:
    """A message in a talk, with its event, its hooks and what it does to the talk; answers the talk."""
    if direction not in WAYS:
        raise Impossible("direction is in or out", "direction")
    way, top, hook_name = WAYS[direction]
    message_id = _uuid(change.token("messages"))
    entity_type, entity_id = _entity(row)
    told = {"message": {"id": message_id, "origin": row["origin"], "talk_id": row["talk_id"]}}
    change.event(f"{way}_chat_message", entity_type, entity_id, [], [told])
    message: Row = {"id": message_id, "text": text, "created_at": change.now, "type": way}
    message |= {"author": _author(change, direction, contact), "attachment": attachment}
    change.hook(hook_name, top, "add", items.message(row, message))
    _tell_contact(change, contact, text, message_id)
    if direction == "out" and not row.get("is_read"):
        _event(change, "conversation_answered", row)
    row |= {"is_read": direction == "out", "updated_at": change.now}
    change.put("talks", row)
    change.hook("update_talk", "talk", "update", items.talk(row))
    lead = change.find("leads", entity_id) if entity_type == "lead" else None
    if direction == "in" and lead is not None:
        change.trigger("chat", lead)
    return row


def _author(change: Change, direction: str, contact: Row) -> Row:
    if direction == "in":
        return {"id": f"contact-{contact['id']}", "type": "external", "name": contact.get("name") or ""}
    user = change.find("users", change.by) or {}
    return {"id": change.by, "type": "user" if change.by else "bot", "name": user.get("name") or ""}


def _tell_contact(change: Change, contact: Row, text: str, message_id: str) -> None:
    """The contact's note hook of a chat message, with its `type` that is a value and a subtree at once."""
    row = {
        "id": change.next_id("notes_contacts"), "entity_id": contact["id"], "note_type": "chat",
        "params": {"text": text}, "created_by": change.by, "updated_by": change.by, "created_at": change.now,
        "updated_at": change.now, "group_id": contact.get("group_id"), "account_id": change.account.id,
    }  # fmt: skip
    notes.tell_hook(change, "contacts", contact, row, message_uuid=message_id)


def close(change: Change, row: Row) -> Row:
    """Nobody works on the talk any more; closing it twice is closing it once."""
    if not row.get("is_in_work"):
        return row
    row |= {"is_in_work": False, "is_read": True, "updated_at": change.now}
    change.put("talks", row)
    _event(change, "talk_closed", row)
    change.hook("update_talk", "talk", "update", items.talk(row))
    return row


def miss(change: Change, row: Row) -> Row:
    """Nobody answered in time."""
    row |= {"missed_at": change.now, "updated_at": change.now}
    change.put("talks", row)
    _event(change, "talk_missed_event", row)
    change.hook("update_talk", "talk", "update", items.talk(row))
    return row


def from_stranger(change: Change, name: str, text: str, origin: str, pipeline_id: int | None) -> Row:
    """A message of somebody nobody knows: an incoming lead of category `chats`, and a talk about it."""
    row = unsorted.create(
        change, "chats",
        {"source_name": origin, "source_uid": origin, "pipeline_id": pipeline_id,
         "_embedded": {"leads": [{"name": f"Чат: {name}"}], "contacts": [{"name": name}]}},
    )  # fmt: skip
    contact = unsorted.cards_behind(change, row)["contacts"][0]
    talk = open_talk(change, contact, row["_embedded"]["leads"][0]["id"], origin)
    say(change, talk, contact, "in", text, None)
    metadata = {"from": contact["id"], "to": None, "received_at": change.now, "service": origin}
    metadata |= {"client": {"name": name, "avatar": None}, "last_message_text": text, "source_name": origin}
    metadata["origin"] = {"chat_id": talk["chat_id"], "ref": None, "visitor_uid": None}
    unsorted.update(change, row, metadata)
    return talk


def lead_of(change: Change, contact: Row) -> int | None:
    """The lead a contact's talk is about: his only open one."""
    leads = finding.open_leads(change, contact)
    return int(leads[0]["id"]) if len(leads) == 1 else None


def waiting_for(change: Change, row: Row) -> Row | None:
    """The incoming lead a talk is about while nobody has sorted it."""
    for item in change.rows("unsorted", "category = 'chats'"):
        leads = (item.get("_embedded") or {}).get("leads") or []
        if any(lead.get("id") == row.get("entity_id") for lead in leads):
            return item
    return None
