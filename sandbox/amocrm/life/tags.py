"""Tags of a card: replaced as a set, or added and taken away one by one."""

from typing import Any

from sandbox.amocrm.life.change import Change
from sandbox.amocrm.vocabulary import SINGULAR, Row


def apply(change: Change, table: str, row: Row, patch: Row) -> None:
    """`_embedded.tags` replaces the set; `tags_to_add` and `tags_to_delete` change it."""
    old = [dict(tag) for tag in row["_embedded"].get("tags") or []]
    new = list(old)
    embedded = patch.get("_embedded")
    if isinstance(embedded, dict) and "tags" in embedded:
        new = [_tag(change, table, item) for item in embedded["tags"] or []]
    for item in patch.get("tags_to_add") or []:
        tag = _tag(change, table, item)
        if tag["id"] not in {known.get("id") for known in new}:
            new.append(tag)
    gone = patch.get("tags_to_delete") or []
    new = [tag for tag in new if not any(_same(tag, item) for item in gone)]
    if new == old:
        return
    row["_embedded"]["tags"] = new
    _events(change, SINGULAR[table], row["id"], old, new)


def _events(change: Change, entity: str, entity_id: Any, old: list[Row], new: list[Row]) -> None:
    old_names = [tag.get("name") for tag in old]
    new_names = [tag.get("name") for tag in new]
    for name in new_names:
        if name not in old_names:
            change.event("entity_tag_added", entity, entity_id, [], [{"tag": {"name": name}}])
    for name in old_names:
        if name not in new_names:
            change.event("entity_tag_deleted", entity, entity_id, [{"tag": {"name": name}}], [])


def _same(tag: Row, item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    return bool(tag.get("id") == item["id"] if "id" in item else tag.get("name") == item.get("name"))


def _tag(change: Change, table: str, item: Any) -> Row:
    """The tag of the dictionary, made when it is new."""
    item = item if isinstance(item, dict) else {"name": str(item)}
    known = change.find("tags", item["id"]) if item.get("id") else None
    if known is None and item.get("name"):
        same = change.rows("tags", "name = ? AND coalesce(entity_type, ?) = ?", item["name"], table, table)
        known = same[0] if same else None
    if known is None:
        name = str(item.get("name") or "")
        known = {"id": change.next_id("tags"), "name": name, "color": None, "entity_type": table}
        change.put("tags", known)
    return {"id": known["id"], "name": known.get("name"), "color": known.get("color")}
