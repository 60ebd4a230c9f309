"""What all addresses of the page share: the account behind it, the archive, and who is looking."""

from dataclasses import dataclass
from typing import Any

from flask import request

from sandbox.page.archive import Archive
from sandbox.page.installation import Installation
from sandbox.page.simulator import Row, Simulator
from sandbox.page.view import View, parse, parse_address


@dataclass(frozen=True, kw_only=True)
class Host:
    """One account of the simulator with one widget uploaded."""

    simulator: Simulator
    archive: Archive
    installation: Installation

    def view(self) -> View:
        """The switches of this request's own address."""
        return parse(request.args, self._first_user())

    def viewer(self) -> View:
        """The switches of the page that asks.

        The real CRM's session is a cookie; here the page's address names the user, so two tabs may differ.
        """
        return parse_address(request.headers.get("Referer", ""), self._first_user())

    def user(self, user_id: int) -> Row:
        """The user's row; an id of nobody is allowed: a dismissed user's session is a case of its own."""
        known = (user for user in self.simulator.users() if user["id"] == user_id)
        return next(known, {"id": user_id, "name": "?", "email": ""})

    def _first_user(self) -> int:
        users = self.simulator.users()
        return int(users[0]["id"]) if users else 0


def managers(users: list[Row]) -> dict[str, Any]:
    """`APP.constant('managers')`: people by id, in the host's own words."""
    return {str(user["id"]): _manager(user) for user in users}


def _manager(user: Row) -> dict[str, Any]:
    rights = user.get("rights") or {}
    return {
        "id": user["id"],
        "title": user["name"],
        "option": user["name"],
        "login": user.get("email", ""),
        "active": bool(rights.get("is_active", True)),
        "is_admin": "Y" if rights.get("is_admin") else "N",
        "free_user": "Y" if rights.get("is_free") else "N",
        "status": "offline",
        "group": f"group_{rights.get('group_id') or 0}",
        "amojo_id": user.get("amojo_id"),
        "avatar": None,
        "phone": user.get("phone_number"),
        "theme": 1,
    }


def constants(host: Host, user: Row) -> dict[str, Any]:
    """What `APP.constant(key)` gives for its documented keys."""
    account = host.simulator.account()
    inside = account.get("_embedded") or {}
    rights = user.get("rights") or {}
    groups = {f"group_{group['id']}": group["name"] for group in inside.get("users_groups") or []}
    zone = (inside.get("datetime_settings") or {}).get("timezone")
    return {
        "user": {
            "id": user["id"],
            "name": user["name"],
            "login": user.get("email", ""),
            "uuid": user.get("uuid"),
            "amojo_id": user.get("amojo_id"),
            "photo": None,
            "personal_mobile": user.get("phone_number"),
            "theme": 1,
            "user_rank": user.get("user_rank"),
            "group_mates_ids": _mates(host.simulator.users(), rights.get("group_id")),
            "settings": {},
            "api_key": "",
        },
        "user_rights": {
            "is_admin": bool(rights.get("is_admin")),
            "is_free_user": bool(rights.get("is_free")),
        },
        "account": {
            "id": account.get("id"),
            "subdomain": account.get("subdomain"),
            "timezone": zone or account.get("timezone"),
            "currency": account.get("currency"),
            "cf": {},
        },
        "managers": managers(host.simulator.users()),
        "groups": groups or {"group_0": "Отдел продаж"},
        "task_types": {str(kind["id"]): kind for kind in inside.get("task_types") or []},
    }


def _mates(users: list[Row], group_id: Any) -> list[int]:
    return [int(user["id"]) for user in users if (user.get("rights") or {}).get("group_id") == group_id]
