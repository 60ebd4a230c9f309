"""What customers and people do with each other: chats, letters, short messages, visits, incoming leads.

And the hooks that people set on a column of the board.
"""

from typing import Any

from sandbox.amocrm.life import notes, people, talks, unsorted
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.life.pipelines import status_of
from sandbox.amocrm.vocabulary import PIPELINE_EVENTS, ROBOT, Row


def chat_message(c: Change, text: str, contact_id: int | None = None, direction: str = "in",
                 origin: str = "telegram", lead_id: int | None = None, name: str = "Гость",
                 pipeline_id: int | None = None, attachment: Row | None = None) -> Row:  # fmt: skip
    """A message to (`out`) or from (`in`) a contact, in a new talk when none is in work.

    Without `contact_id` a stranger of that `name` writes, and an incoming lead appears.
    """
    if direction == "in":
        c.by = ROBOT  # a customer is no user
    if contact_id is None:
        if direction != "in":
            raise Impossible("a stranger can only be answered", "contact_id")
        return talks.from_stranger(c, name, text, origin, pipeline_id)
    contact = c.live("contacts", contact_id)
    about = c.live("leads", lead_id)["id"] if lead_id is not None else talks.lead_of(c, contact)
    talk = talks.open_talk(c, contact, about, origin, is_read=direction == "out")
    said = talks.say(c, talk, contact, direction, text, attachment)
    item = talks.waiting_for(c, said)
    if item is not None and direction == "in":
        unsorted.update(c, item, {"last_message_text": text, "received_at": c.now})
    return said


def close_talk(c: Change, talk_id: int) -> Row:
    """Nobody works on the talk any more."""
    return talks.close(c, c.get("talks", talk_id))


def miss_talk(c: Change, talk_id: int) -> Row:
    """Nobody answered the talk in time."""
    return talks.miss(c, c.get("talks", talk_id))


def mail(c: Change, subject: str, direction: str = "in", id: int | None = None, entity: str = "leads",
         text: str = "", address: str = "client@example.test", name: str = "Клиент",
         pipeline_id: int | None = None) -> Row:  # fmt: skip
    """A letter on a card; an incoming one without `id` comes from a stranger and makes an incoming lead."""
    if direction not in ("in", "out"):
        raise Impossible("direction is in or out", "direction")
    theirs, ours = {"email": address, "name": name}, {"email": "sales@example.test", "name": "Отдел продаж"}
    thread, income = c.token("mail"), direction == "in"
    if income:
        c.by = ROBOT
    if id is None:
        if not income:
            raise Impossible("say to which card the letter belongs", "id")
        metadata = {"from": theirs, "received_at": c.now, "subject": subject, "thread_id": thread[:12],
                    "message_id": thread[12:24], "content_summary": text[:200]}  # fmt: skip
        behind = {"leads": [{"name": subject}], "contacts": [{"name": name}]}
        given = {"source_name": ours["email"], "source_uid": thread[24:], "pipeline_id": pipeline_id}
        return unsorted.create(c, "mail", {**given, "metadata": metadata, "_embedded": behind})
    params = {
        "thread_id": thread[:12], "message_id": thread[12:24], "private": False, "income": income,
        "from": theirs if income else ours, "to": ours if income else theirs, "subject": subject,
        "content_summary": text[:200], "attach_cnt": 0,
        "delivery": {"status": "delivered", "time": c.now, "reason": ""},
    }  # fmt: skip
    note = {"entity_id": id, "note_type": "amomail_message", "params": params}
    return notes.create(c, people.table_of(entity), note)


def sms(
    c: Change, id: int, text: str, phone: str = "", direction: str = "in", entity: str = "contacts"
) -> Row:
    """A short message on a card."""
    if direction not in ("in", "out"):
        raise Impossible("direction is in or out", "direction")
    note = {"entity_id": id, "note_type": f"sms_{direction}", "params": {"text": text, "phone": phone}}
    return notes.create(c, people.table_of(entity), note)


def site_visit(c: Change, id: int, url: str = "https://shop.example.test/", entity: str = "leads") -> Row:
    """A customer looks at a page of the company's site."""
    note = {
        "entity_id": id,
        "note_type": "site_visit",
        "params": {"url": url, "title": url, "visit_at": c.now},
    }
    return notes.create(c, people.table_of(entity), note)


def review_template(c: Change, template_id: int, status: str = "approved") -> None:
    """A messenger has looked at a chat template; only a hook tells of it."""
    item = {"id": template_id, "chat_template_id": template_id, "status": status, "updated_at": c.now}
    c.hook("add_chat_template_review", "chat_template_reviews", "add", item)


def create_unsorted(c: Change, category: str = "forms", **given: Any) -> Row:
    """An incoming lead: `category` forms, sip, mail, chats; other fields as in POST /leads/unsorted/forms."""
    given.setdefault("_embedded", {"leads": [{}], "contacts": [{"name": "Гость"}]})
    return unsorted.create(c, category, given)


def accept_unsorted(c: Change, uid: str, user_id: int | None = None, status_id: int | None = None) -> Row:
    """An incoming lead is accepted, for `user_id` (the acting user) into `status_id` (the first column)."""
    return unsorted.accept(c, unsorted.waiting(c, uid), user_id or c.by, status_id)


def decline_unsorted(c: Change, uid: str) -> Row:
    """An incoming lead is declined."""
    return unsorted.decline(c, unsorted.waiting(c, uid))


def link_unsorted(c: Change, uid: str, lead_id: int) -> Row:
    """An incoming chat or letter is tied to a lead that exists."""
    return unsorted.tie(c, unsorted.waiting(c, uid), "leads", lead_id)


def add_pipeline_hook(c: Change, pipeline_id: int, status_id: int, url: str, event: str = "status") -> None:
    """A column of the board gets the action "send a webhook", for one kind of event."""
    status_of(c, pipeline_id, status_id)
    if event not in PIPELINE_EVENTS:
        raise Impossible(f"event is one of {', '.join(PIPELINE_EVENTS)}", "event")
    c.connection.execute(
        "INSERT OR IGNORE INTO pipeline_hooks (account_id, pipeline_id, status_id, event, url)"
        " VALUES (?, ?, ?, ?, ?)",
        (c.account.id, pipeline_id, status_id, event, url),
    )


def remove_pipeline_hook(c: Change, pipeline_id: int, status_id: int, url: str) -> None:
    """A column of the board loses its webhooks with this address."""
    gone = c.connection.execute(
        "DELETE FROM pipeline_hooks WHERE account_id = ? AND pipeline_id = ? AND status_id = ? AND url = ?",
        (c.account.id, pipeline_id, status_id, url),
    ).rowcount
    if not gone:
        raise Missing(f"status {status_id} of pipeline {pipeline_id} has no hook with this address")
