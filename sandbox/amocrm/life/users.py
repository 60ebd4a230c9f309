"""Users and roles: hired, given rights, dismissed."""

from typing import Any

from sandbox.amocrm.life import cards
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row

_CARD = {"view": "A", "edit": "A", "add": "A", "delete": "A", "export": "A"}
RIGHTS: Row = {
    "leads": _CARD,
    "contacts": _CARD,
    "companies": _CARD,
    "tasks": {"edit": "A", "delete": "A"},
    "mail_access": False,
    "catalog_access": False,
    "status_rights": [],
}
_LETTERS = ("A", "G", "M", "D", "L")


def create_user(change: Change, name: str, email: str, rights: Row | None = None, lang: str = "ru") -> Row:
    """A new colleague; rights that are not named are those of a user who may do everything but administer.

    Impossible when somebody has the address already, or a right is none.
    """
    if any(str(row.get("email")).casefold() == email.casefold() for row in change.rows("users")):
        raise Impossible("This value is already used.", "email", "NotUnique")
    user_id = change.next_id("users")
    own = {"is_admin": False, "is_free": False, "is_active": True, "group_id": 0, "role_id": None}
    row: Row = {
        "id": user_id, "name": name, "email": email, "lang": lang,
        "rights": merged(change, {**RIGHTS, **own}, rights or {}),
        "uuid": f"{user_id:08x}-0000-4000-8000-{change.account.id:012x}", "amojo_id": None, "user_rank": None,
        "phone_number": None, "_embedded": {"roles": [], "groups": []},
    }  # fmt: skip
    _embed(change, row)
    change.put("users", row)
    _list_in_roles(change, row)
    return row


def merged(change: Change, old: Row, new: Row) -> Row:
    """Rights overwritten by the named ones; inner objects such as `leads` are merged.

    A role brings its own rights first. Impossible for a letter that is no right.
    """
    if new.get("role_id") is not None:
        role = change.find("roles", new["role_id"]) if _is_id(new["role_id"]) else None
        if role is None:
            raise Impossible("The value you selected is not a valid choice.", "rights.role_id")
        old = {**old, **(role.get("rights") or {})}
    found = dict(old)
    for name, value in new.items():
        inner = found.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            for what, letter in value.items():
                if letter not in (*_LETTERS, None):
                    raise Impossible("The value you selected is not a valid choice.", f"rights.{name}.{what}")
            value = {**inner, **value}
        found[name] = value
    return found


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 2**63


def _embed(change: Change, row: Row) -> None:
    """Role and group as `with=role,group` shows them."""
    rights = row["rights"]
    known = change.account.body.get("_embedded", {}).get("users_groups") or []
    group_id = rights.get("group_id") or 0
    row.setdefault("_embedded", {})["groups"] = [
        {"id": group.get("id"), "name": group.get("name")} for group in known if group.get("id") == group_id
    ]
    role = change.find("roles", rights["role_id"]) if rights.get("role_id") is not None else None
    row["_embedded"]["roles"] = [{"id": role["id"], "name": role.get("name")}] if role else []


def _list_in_roles(change: Change, user: Row) -> None:
    """Let `with=users` of roles follow."""
    for role in change.rows("roles"):
        embedded: Row = role.get("_embedded") or {}
        listed = embedded.get("users") or []
        others = [
            item for item in listed if (item.get("id") if isinstance(item, dict) else item) != user["id"]
        ]
        mine = [{"id": user["id"]}] if user["rights"].get("role_id") == role.get("id") else []
        if len(others) + len(mine) != len(listed):
            change.put("roles", {**role, "_embedded": {**embedded, "users": [*others, *mine]}})


def change_rights(change: Change, user_id: Any, rights: Row) -> None:
    """Overwrite the named rights of a user; inner objects such as `leads` are merged."""
    user = change.get("users", user_id)
    user["rights"] = merged(change, dict(user.get("rights") or {}), rights)
    if not isinstance(user.get("_embedded"), dict):
        user["_embedded"] = {}
    if "group_id" in rights or "role_id" in rights:
        _embed(change, user)
        _list_in_roles(change, user)
    change.put("users", user)


def dismiss_user(change: Change, user_id: Any, transfer_to: Any = None) -> None:
    """The user can no longer log in; his open leads go to another one if that is named."""
    activate(change, user_id, is_active=False)
    if transfer_to is None:
        return
    where = "responsible_user_id = ? AND hidden = 0 AND status_id NOT IN (142, 143)"
    for lead in change.rows("leads", where, user_id):
        cards.edit(change, "leads", lead, {"responsible_user_id": transfer_to})


def activate(change: Change, user_id: Any, *, is_active: bool) -> Row:
    """Let a user log in again, or no longer. Missing when there is none."""
    user = change.get("users", user_id)
    user["rights"] = {**(user.get("rights") or {}), "is_active": is_active}
    change.put("users", user)
    return user


def add_role(change: Change, name: str, rights: Row | None = None) -> Row:
    """A new role."""
    row = {
        "id": change.next_id("roles"),
        "name": name,
        "rights": merged(change, RIGHTS, rights or {}),
        "_embedded": {"users": []},
    }
    change.put("roles", row)
    return row


def edit_role(change: Change, role_id: Any, patch: Row) -> Row:
    """Name and rights of a role; the users who have it follow."""
    row = change.get("roles", role_id)
    if patch.get("name"):
        row["name"] = str(patch["name"])
    rights = patch.get("rights")
    if isinstance(rights, dict):
        row["rights"] = merged(change, dict(row.get("rights") or {}), rights)
    change.put("roles", row)
    for user in change.rows("users"):
        if (user.get("rights") or {}).get("role_id") == role_id:
            change_rights(change, user["id"], {"role_id": role_id})
    return row


def delete_role(change: Change, role_id: Any) -> None:
    """A role disappears; its users keep the rights they have. Missing when there is none."""
    change.get("roles", role_id)
    change.remove("roles", role_id)
    for user in change.rows("users"):
        if (user.get("rights") or {}).get("role_id") == role_id:
            user["rights"] = {**user["rights"], "role_id": None}
            user["_embedded"] = {**(user.get("_embedded") or {}), "roles": []}
            change.put("users", user)
