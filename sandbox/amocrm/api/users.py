"""Users and roles: for administrators only."""

from sandbox.amocrm.api import batches, lists
from sandbox.amocrm.api.answers import Refused, empty, hal, problem
from sandbox.amocrm.api.resources import RESOURCES
from sandbox.amocrm.api.rights import admin_only
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import users
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

MOST = 10  # users in one POST
_MOST_ROLES = 250


def listed(call: Call) -> Response:
    """`GET /users`: `with=role,group,uuid,amojo_id,user_rank,phone_number`."""
    admin_only(call)
    return lists.page(call, RESOURCES["users"])


def one(call: Call, row_id: int) -> Response:
    """`GET /users/{id}`."""
    admin_only(call)
    return lists.one(call, RESOURCES["users"], row_id)


def _without_password(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "_embedded"}


def create(call: Call) -> Response:
    """`POST /users` → 201: up to ten; name, email and password are required."""
    admin_only(call)
    items = batches.objects(call, MOST)

    def act(change: Change, item: Row) -> Row:
        name, email = batches.text(item, "name"), batches.text(item, "email")
        batches.text(item, "password")
        if "@" not in email:
            raise Impossible("This value is not a valid email address.", "email", "InvalidEmail")
        rights = item.get("rights")
        if rights is not None and not isinstance(rights, dict):
            raise Impossible("This value should be of type object.", "rights", "InvalidType")
        return users.create_user(change, name, email, rights, str(item.get("lang") or "ru"))

    rows = [_without_password(row) for row in batches.each(call, items, act)]
    return batches.listed(call, "users", "users", items, rows, 201)


def _switch(call: Call, *, is_active: bool) -> list[Row]:
    admin_only(call)
    items = batches.objects(call, MOST)
    own = call.bearer.user_id
    if not is_active and any(item.get("id") == own for item in items):
        raise Refused(problem(400, "One cannot deactivate oneself"))
    return batches.each(
        call, items, lambda change, item: users.activate(change, batches.with_id(item), is_active=is_active)
    )


def activate(call: Call) -> Response:
    """`POST /users/activate` with `[{"id"}]` → 202."""
    rows = _switch(call, is_active=True)
    links = call.link("users")
    return hal({"_links": links, "_embedded": {"users": [{"id": row["id"]} for row in rows]}}, 202)


def deactivate(call: Call) -> Response:
    """`POST /users/deactivate` with `[{"id"}]` → 204."""
    _switch(call, is_active=False)
    return empty()


def roles(call: Call) -> Response:
    """`GET /roles`: `with=users`."""
    admin_only(call)
    return lists.page(call, RESOURCES["roles"])


def role(call: Call, row_id: int) -> Response:
    """`GET /roles/{id}`."""
    admin_only(call)
    return lists.one(call, RESOURCES["roles"], row_id)


def create_roles(call: Call) -> Response:
    """`POST /roles`."""
    admin_only(call)
    items = batches.objects(call, _MOST_ROLES)

    def act(change: Change, item: Row) -> Row:
        rights = item.get("rights")
        return users.add_role(change, batches.text(item, "name"), rights if isinstance(rights, dict) else {})

    return batches.listed(call, "roles", "roles", items, batches.each(call, items, act))


def edit_roles(call: Call) -> Response:
    """`PATCH /roles`."""
    admin_only(call)
    items = batches.objects(call, _MOST_ROLES)
    rows = batches.each(
        call, items, lambda change, item: users.edit_role(change, batches.with_id(item), item)
    )
    return batches.listed(call, "roles", "roles", items, rows)


def edit_role(call: Call, row_id: int) -> Response:
    """`PATCH /roles/{id}`."""
    admin_only(call)
    row = batches.single(call, lambda change, patch: users.edit_role(change, row_id, patch))
    return hal(batches.shown(call, "roles", row))


def delete_role(call: Call, row_id: int) -> Response:
    """`DELETE /roles/{id}` → 204."""
    admin_only(call)
    return batches.removed(call, lambda change: users.delete_role(change, row_id))
