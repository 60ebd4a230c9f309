"""Writes of notes: on the mass route, on one card, and the pin that keeps a note on top."""

from sandbox.amocrm.api.answers import empty, hal
from sandbox.amocrm.api.writes import (
    batch,
    customers_on,
    each,
    listed,
    once,
    request_id,
    single,
    thin,
    with_id,
)
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import notes
from sandbox.amocrm.life.change import Change, Impossible, Missing
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call


def create(call: Call, table: str, entity_id: int | None = None) -> Response:
    """`POST /{entity}/notes` and `/{entity}/{id}/notes`: the writable types, their params checked."""
    customers_on(call, table)
    items = batch(call)

    def act(change: Change, item: Row) -> Row:
        item = item if entity_id is None else {**item, "entity_id": entity_id}
        if item.get("entity_id") is None:
            raise Impossible("This field is missing.", "entity_id", "FieldMissing")
        notes.check_params(item.get("note_type"), item.get("params"))
        return notes.create(change, table, item)

    rows = each(call, items, act)
    path = f"{table}/notes" if entity_id is None else f"{table}/{entity_id}/notes"
    return listed(call, path, "notes", thin(call, f"{table}/notes", items, rows, "entity_id"))


def _note_of(change: Change, table: str, note_id: int, entity_id: int | None) -> Row:
    """The note, which must hang on the card that the address names."""
    row = change.get(f"notes_{table}", note_id)
    if entity_id is not None and row.get("entity_id") != entity_id:
        raise Missing(f"there is no note {note_id} on {table} {entity_id}")
    return row


def _edit(change: Change, table: str, note_id: int, patch: Row, entity_id: int | None) -> Row:
    row = _note_of(change, table, note_id, entity_id)
    if patch.get("note_type") not in (None, row.get("note_type")):
        raise Impossible("The type of a note cannot change.", "note_type")
    if "params" in patch:
        merged = {**(row.get("params") or {}), **(patch["params"] or {})}
        notes.check_params(row.get("note_type"), merged)
    return notes.edit(change, table, row, patch)


def edit_many(call: Call, table: str, entity_id: int | None = None) -> Response:
    """`PATCH /{entity}/notes` and `/{entity}/{id}/notes`."""
    customers_on(call, table)
    items = batch(call)
    rows = each(call, items, lambda change, item: _edit(change, table, with_id(item), item, entity_id))
    return listed(call, f"{table}/notes", "notes", thin(call, f"{table}/notes", items, rows, "updated_at"))


def edit_one(call: Call, table: str, note_id: int, entity_id: int | None = None) -> Response:
    """`PATCH /{entity}/notes/{id}` and `/{entity}/{id}/notes/{id}`; 404 when there is no such note."""
    customers_on(call, table)
    item = single(call)
    mark = request_id(item, 0)
    row = once(call, lambda change: _edit(change, table, note_id, item, entity_id), mark)
    return hal(thin(call, f"{table}/notes", [item], [row], "entity_id", "updated_at")[0])


def pin(call: Call, table: str, note_id: int, what: str, entity_id: int | None = None) -> Response:
    """`POST …/notes/{id}/pin` and `/unpin`: 204; 404 when there is no such note."""
    customers_on(call, table)
    once(
        call,
        lambda change: notes.pin(
            change, table, _note_of(change, table, note_id, entity_id), is_pinned=what == "pin"
        ),
    )
    return empty()
