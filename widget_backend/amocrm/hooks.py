"""Which entities a decoded hook speaks of. A hook is a signal only: what it says about them is read again by
API.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Tree = dict[str, Any]

# Numbers of the old API, still used by hooks.
ELEMENT_TYPES = {1: "contacts", 2: "leads", 3: "companies", 12: "customers"}
_ENTITIES = {
    "leads": "leads",
    "contacts": "contacts",
    "companies": "companies",
    "customers": "customers",
    "task": "tasks",
    "tasks": "tasks",
}
ACTIONS = frozenset({"add", "update", "delete", "restore", "status", "responsible"})
# Known, and nothing to re-read for now.
IGNORED = frozenset(
    {"talk", "message", "outgoing_message", "catalogs", "chat_template_reviews", "account", "period"}
)
# Digital-pipeline hooks name the trigger instead of an action.
_TRIGGERS = frozenset({"call_in", "chat", "site_visit", "mail_in", "period"})


@dataclass(frozen=True, kw_only=True)
class HookItem:
    """One entity a hook names. ``entity`` is plural (leads, contacts, companies, customers, tasks, notes).

    ``parent_entity`` and ``parent_id`` say whose note it is; null for everything else. Actions of unsorted
    hooks are ``unsorted_add``, ``unsorted_update``, ``unsorted_accept``, ``unsorted_decline``, on the lead.
    """

    entity: str
    action: str
    id: int
    account_id: int | None = None
    parent_entity: str | None = None
    parent_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class HookContent:
    """Everything a hook names. ``unknown`` and ``ignored`` list ``key[action]`` of what was left out."""

    account_id: int | None = None
    subdomain: str | None = None
    items: list[HookItem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def entities(decoded: Tree) -> list[HookItem]:
    """The entities of a decoded hook, each named once per action, in the order of the body."""
    return read_hook(decoded).items


def read_hook(decoded: Tree) -> HookContent:
    """The account, the entities and what was not understood. Never fails: bodies come from anybody."""
    account = decoded.get("account")
    account_id = as_id(account.get("id")) if isinstance(account, dict) else None
    subdomain = account.get("subdomain") if isinstance(account, dict) else None
    content = HookContent(account_id=account_id, subdomain=subdomain if isinstance(subdomain, str) else None)
    seen: set[HookItem] = set()
    for key, actions in decoded.items():
        if key == "account":
            continue
        if key in IGNORED or not isinstance(actions, dict):
            (content.ignored if key in IGNORED else content.unknown).append(key[:100])
            continue
        for action, elements in actions.items():
            found = list(_items(key, action, elements, account_id))
            if not found:
                content.unknown.append(f"{key}[{action}]"[:100])
            fresh = [item for item in dict.fromkeys(found) if item not in seen]
            seen.update(fresh)
            content.items.extend(fresh)
    return content


def _items(key: str, action: str, elements: Any, account_id: int | None) -> Iterator[HookItem]:
    for element in _elements(elements):
        if key == "unsorted":
            yield from _unsorted(action, element, account_id)
        elif key not in _ENTITIES:
            return
        elif action == "note":
            yield from _note(_ENTITIES[key], element, account_id)
        elif action in ACTIONS or action in _TRIGGERS:
            entity_id = as_id(element.get("id"))
            if entity_id is not None:
                yield HookItem(
                    entity=_entity(key, element), action=action, id=entity_id, account_id=account_id
                )


def _elements(value: Any) -> Iterator[Tree]:
    """The elements under an action; a bare value (``leads[delete]=7005``) is an element with that id."""
    if isinstance(value, str):
        yield {"id": value}
    elif isinstance(value, dict):
        for element in value.values():
            if isinstance(element, dict):
                yield element
            elif isinstance(element, str):
                yield {"id": element}


def _entity(key: str, element: Tree) -> str:
    """Companies arrive under ``contacts`` too; their ``type`` tells."""
    if key == "contacts" and scalar(element.get("type")) == "company":
        return "companies"
    return _ENTITIES[key]


def _note(entity: str, element: Tree, account_id: int | None) -> Iterator[HookItem]:
    note = element.get("note")
    if not isinstance(note, dict):
        return
    note_id, parent_id = as_id(note.get("id")), as_id(note.get("element_id"))
    if note_id is None:
        return
    parent = ELEMENT_TYPES.get(as_id(note.get("element_type")) or 0, entity)
    yield HookItem(
        entity="notes",
        action="note",
        id=note_id,
        account_id=account_id,
        parent_entity=parent,
        parent_id=parent_id,
    )


def _unsorted(action: str, element: Tree, account_id: int | None) -> Iterator[HookItem]:
    verdict = scalar(element.get("action"))
    name = verdict if action == "delete" and verdict in ("accept", "decline") else action
    for lead_id in _unsorted_leads(element):
        yield HookItem(entity="leads", action=f"unsorted_{name}", id=lead_id, account_id=account_id)


def _unsorted_leads(element: Tree) -> Iterator[int]:
    candidates = [element.get("lead_id")]
    for name in ("accept_result", "decline_result", "data"):
        block = element.get(name)
        leads = block.get("leads") if isinstance(block, dict) else None
        for lead in leads.values() if isinstance(leads, dict) else [leads]:
            candidates.append(lead.get("id") if isinstance(lead, dict) else lead)
    for lead_id in map(as_id, candidates):
        if lead_id is not None:
            yield lead_id


def scalar(value: Any) -> str | None:
    """A value that may carry a subtree beside it (kept under "")."""
    if isinstance(value, dict):
        value = value.get("")
    return value if isinstance(value, str) else None


def as_id(value: Any) -> int | None:
    """A positive id from a hook's string, None for anything else."""
    text = scalar(value)
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 18):
        return None
    return int(text) or None
