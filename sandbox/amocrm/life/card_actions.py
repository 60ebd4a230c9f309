"""What people do with cards, tasks, notes and calls: the actions whose names these functions bear."""

from typing import Any

from sandbox.amocrm.life import cards, links, merging, notes, people, tasks
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import PERSON_LIKE, ROBOT, Row


def move_lead(c: Change, lead_id: int, status_id: int | None = None, pipeline_id: int | None = None,
              loss_reason_id: int | None = None) -> Row:  # fmt: skip
    """A lead goes to another status or pipeline; 142 wins it, 143 loses it."""
    patch = {"status_id": status_id, "pipeline_id": pipeline_id}
    if loss_reason_id is not None:
        patch["loss_reason_id"] = loss_reason_id
    return cards.edit(c, "leads", c.live("leads", lead_id), patch)


def win_lead(c: Change, lead_id: int, price: int | None = None) -> Row:
    """A lead is won, at a last price if one is given."""
    patch = {"status_id": 142, **({} if price is None else {"price": price})}
    return cards.edit(c, "leads", c.live("leads", lead_id), patch)


def robot_move(c: Change, lead_id: int, status_id: int, pipeline_id: int | None = None) -> Row:
    """A robot of the digital pipeline moves a lead, whoever is named by `by`."""
    c.by = ROBOT
    return move_lead(c, lead_id, status_id, pipeline_id)


def lose_lead(c: Change, lead_id: int, loss_reason_id: int | None = None) -> Row:
    """A lead is lost."""
    return move_lead(c, lead_id, 143, loss_reason_id=loss_reason_id)


def reassign(c: Change, id: int, user_id: int, entity: str = "leads") -> Row:
    """A card gets another responsible user."""
    table = people.table_of(entity)
    return cards.edit(c, table, c.live(table, id), {"responsible_user_id": user_id})


def edit(c: Change, id: int, set: Row, entity: str = "leads") -> Row:
    """A card's fields are edited: `set` takes what PATCH takes."""
    table = people.table_of(entity)
    return cards.edit(c, table, c.live(table, id), set)


def bulk_edit(c: Change, ids: list[int], set: Row, entity: str = "leads") -> list[Row]:
    """Many cards are edited in one go; their hooks share bodies."""
    table = people.table_of(entity)
    return [cards.edit(c, table, c.live(table, row_id), set) for row_id in ids]


def create_lead(c: Change, **given: Any) -> Row:
    """A new lead: fields as in POST /leads; `contact_id`, `company_id` tie it to cards."""
    return people.create(c, "leads", _with_partners(given))


def create_contact(c: Change, **given: Any) -> Row:
    """A new contact: fields as in POST /contacts; `phone` and `email` are short for their custom fields."""
    values = list(given.get("custom_fields_values") or [])
    for name, code in (("phone", "PHONE"), ("email", "EMAIL")):
        if given.get(name):
            values.append({"field_code": code, "values": [{"value": given.pop(name), "enum_code": "WORK"}]})
    if values:
        given["custom_fields_values"] = values
    return people.create(c, "contacts", _with_partners(given))


def create_company(c: Change, **given: Any) -> Row:
    """A new company: fields as in POST /companies."""
    return people.create(c, "companies", given)


def create_customer(c: Change, **given: Any) -> Row:
    """A new customer: fields as in POST /customers; `contact_id`, `company_id` tie it to cards."""
    return people.create(c, "customers", _with_partners(given))


def import_rows(c: Change, rows: list[Row], entity: str = "leads") -> list[Row]:
    """Many rows at once, as an import writes them: created_at, updated_at, closed_at may lie in the past.

    `entity` is a kind of card, `tasks`, or `notes_leads` and its like; rows are as POST takes them.
    """
    if entity == "tasks":
        return [tasks.create(c, {"complete_till": c.now, **row}) for row in rows]
    if entity.startswith("notes_") and entity.removeprefix("notes_") in PERSON_LIKE:
        return [notes.create(c, entity.removeprefix("notes_"), row) for row in rows]
    table = people.table_of(entity)
    return [people.create(c, table, _with_partners(row)) for row in rows]


def _with_partners(given: Row) -> Row:
    embedded = dict(given.get("_embedded") or {})
    for name, table in (("contact_id", "contacts"), ("company_id", "companies"), ("lead_id", "leads")):
        if given.get(name):
            embedded.setdefault(table, []).append({"id": given[name]})
    return {**given, "_embedded": embedded}


def create_task(c: Change, complete_till: int, **given: Any) -> Row:
    """A new task: fields as in POST /tasks; `lead_id` is short for entity_type and entity_id."""
    if "lead_id" in given:
        given |= {"entity_type": "leads", "entity_id": given.pop("lead_id")}
    return tasks.create(c, {**given, "complete_till": complete_till})


def edit_task(c: Change, task_id: int, set: Row) -> Row:
    """A task is changed: `set` takes what PATCH takes."""
    return tasks.edit(c, c.get("tasks", task_id), set)


def complete_task(c: Change, task_id: int, result: str | None = None) -> Row:
    """A task is done, with a result text if one is given."""
    patch: Row = {"is_completed": True}
    return tasks.edit(c, c.get("tasks", task_id), patch | ({"result": {"text": result}} if result else {}))


def delete_task(c: Change, task_id: int) -> None:
    """A task is deleted."""
    tasks.delete(c, c.get("tasks", task_id))


def add_note(c: Change, id: int, text: str = "", entity: str = "leads", note_type: str = "common",
             params: Row | None = None, **given: Any) -> Row:  # fmt: skip
    """A note on a card; `params` replaces `text` for other types than common."""
    note = {**given, "entity_id": id, "note_type": note_type, "params": params or {"text": text}}
    return notes.create(c, people.table_of(entity), note)


def edit_note(c: Change, note_id: int, params: Row, entity: str = "leads") -> Row:
    """A note's params are changed."""
    table = people.table_of(entity)
    return notes.edit(c, table, c.get(f"notes_{table}", note_id), {"params": params})


def delete_note(c: Change, note_id: int, entity: str = "leads") -> None:
    """A note is deleted; only an event tells of it."""
    table = people.table_of(entity)
    notes.delete(c, table, c.get(f"notes_{table}", note_id))


def pin_note(c: Change, note_id: int, entity: str = "leads", is_pinned: bool = True) -> Row:
    """A note is pinned to the top of its card, or let go."""
    table = people.table_of(entity)
    return notes.pin(c, table, c.get(f"notes_{table}", note_id), is_pinned=is_pinned)


def call(c: Change, id: int, entity: str = "leads", direction: str = "out", duration: int = 60,
         call_status: int | None = None, phone: str = "", uniq: str | None = None,
         call_responsible: Any = None, link: str | None = None, **given: Any) -> Row:  # fmt: skip
    """A phone call on a card; direction `in` or `out`, duration in seconds."""
    if direction not in ("in", "out"):
        raise Impossible("direction is in or out", "direction")
    params: Row = {
        "uniq": uniq or f"call-{c.account.id}-{c.next_id('calls')}",
        "duration": duration,
        "source": "sandbox",
        "link": link,
        "phone": phone,
        "call_responsible": c.by if call_responsible is None else call_responsible,
    }
    if call_status is not None:
        params["call_status"] = call_status
    note = {**given, "entity_id": id, "note_type": f"call_{direction}", "params": params}
    return notes.create(c, people.table_of(entity), note)


def link(c: Change, id: int, to_id: int, entity: str = "leads", to_entity: str = "contacts",
         is_main: bool | None = None, quantity: float | None = None) -> None:  # fmt: skip
    """Two cards are tied, or a card and `quantity` of an element of a list (`to_entity` catalog_elements)."""
    named = {"is_main": is_main, "quantity": quantity}
    metadata = {name: value for name, value in named.items() if value is not None}
    links.link(c, people.table_of(entity), id, _partner(to_entity), to_id, metadata)


def unlink(c: Change, id: int, to_id: int, entity: str = "leads", to_entity: str = "contacts") -> None:
    """Two cards, or a card and an element, are untied."""
    links.unlink(c, people.table_of(entity), id, _partner(to_entity), to_id)


def _partner(entity: str) -> str:
    return entity if entity == links.ELEMENTS else people.table_of(entity)


def delete_element(c: Change, element_id: int) -> None:
    """An element of a list is deleted, and with it its links to cards."""
    links.drop_element(c, c.get(links.ELEMENTS, element_id))


def delete(c: Change, id: int, entity: str = "leads") -> None:
    """A card goes into the recycle bin."""
    table = people.table_of(entity)
    people.delete(c, table, c.live(table, id))


def bulk_delete(c: Change, ids: list[int], entity: str = "leads") -> None:
    """Many cards go into the recycle bin in one go."""
    for row_id in ids:
        delete(c, row_id, entity)


def restore(c: Change, id: int, entity: str = "leads") -> None:
    """A card comes back from the recycle bin."""
    table = people.table_of(entity)
    row = c.get(table, id)
    if not row.get("is_deleted"):
        raise Impossible(f"{table} {id} is not in the recycle bin", "id")
    people.restore(c, table, row)


def purge(c: Change, id: int, entity: str = "leads") -> None:
    """A card in the recycle bin disappears for ever."""
    table = people.table_of(entity)
    people.purge(c, table, c.get(table, id))


def merge(c: Change, main_id: int, ids: list[int], entity: str = "leads", set: Row | None = None) -> Row:
    """Cards are merged into the main one; `set` are the fields people chose for it."""
    table = people.table_of(entity)
    losers = [c.live(table, row_id) for row_id in dict.fromkeys(ids) if row_id != main_id]
    if not losers:
        raise Impossible("there is nothing to merge", "ids")
    return merging.merge(c, table, c.live(table, main_id), losers, set)
