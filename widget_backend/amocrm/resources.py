"""The lists of amoCRM that are read: where each is, what to ask for, how it can be ordered and cut into
windows.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One list of the API.

    ``path`` is below ``/api/v4/``; ``key`` is the name under ``_embedded``. ``cursor`` is the field to cut
    windows by (``filter[cursor][from]``, inclusive), None for lists read whole. ``filters_optional``: the
    account may have filters switched off, and then they are ignored without an error. ``limit`` None: the
    list has no pages. ``owner`` is the entity whose list this is (notes, custom fields).
    """

    name: str
    path: str
    key: str
    with_: str | None = None
    cursor: str | None = None
    order_by: tuple[str, ...] = ()
    limit: int | None = 250
    filters_optional: bool = False
    owner: str | None = None
    by_id: bool = True

    def params(self) -> dict[str, str | int]:
        """The query every call of this list carries: ``with`` and the page cap (above it amoCRM gives only
        50).
        """
        query: dict[str, str | int] = {}
        if self.with_:
            query["with"] = self.with_
        if self.limit is not None:
            query["limit"] = self.limit
        return query


def _main(name: str, with_: str | None = None) -> Resource:
    orders = ("id", "updated_at", "created_at") if name == "leads" else ("id", "updated_at")
    return Resource(
        name=name,
        path=name,
        key=name,
        with_=with_,
        cursor="updated_at",
        order_by=orders,
        filters_optional=True,
    )


def _owned(kind: str, owner: str) -> Resource:
    name, path = f"{kind}_{owner}", f"{owner}/{kind}"
    if kind == "notes":
        return Resource(
            name=name, path=path, key=kind, cursor="updated_at", order_by=("id", "updated_at"), owner=owner
        )
    return Resource(name=name, path=path, key=kind, order_by=("id", "sort"), owner=owner)


OWNERS = ("leads", "contacts", "companies", "customers")

_TABLE = (
    Resource(
        name="users",
        path="users",
        key="users",
        with_="role,group",
    ),
    Resource(name="roles", path="roles", key="roles"),
    Resource(name="pipelines", path="leads/pipelines", key="pipelines", limit=None),
    Resource(name="loss_reasons", path="leads/loss_reasons", key="loss_reasons"),
    Resource(name="sources", path="sources", key="sources"),
    *(_owned("custom_fields", owner) for owner in OWNERS),
    _main("leads", "contacts,loss_reason,source_id,catalog_elements"),
    _main("contacts"),
    _main("companies"),
    _main("customers", "contacts,companies,catalog_elements"),
    # Tasks, notes, events and unsorted keep their filters even where the account's are switched off.
    Resource(
        name="tasks",
        path="tasks",
        key="tasks",
        cursor="updated_at",
        order_by=("id", "created_at", "complete_till"),
    ),
    *(_owned("notes", owner) for owner in OWNERS),
    # Above 100 amoCRM silently gives 50 events; no order is documented, so windows are bounded at both ends.
    Resource(name="events", path="events", key="events", cursor="created_at", limit=100),
    Resource(name="unsorted", path="leads/unsorted", key="unsorted", order_by=("created_at",), by_id=False),
)

RESOURCES: dict[str, Resource] = {resource.name: resource for resource in _TABLE}

_BY_PATH = {resource.path: resource.name for resource in _TABLE}


def entity_of(path: str) -> str:
    """The name requests to ``path`` are counted under: ``leads/notes/5`` → ``notes_leads``, ``account`` →
    ``account``.
    """
    parts = path.split("?")[0].strip("/").removeprefix("api/v4/").split("/")
    for length in (2, 1):
        name = _BY_PATH.get("/".join(parts[:length]))
        if name is not None and not (length == 1 and len(parts) > 2 and parts[1].isdigit()):
            return name
    if len(parts) > 2 and parts[1].isdigit():
        return _BY_PATH.get(f"{parts[0]}/{parts[2]}", parts[2])
    return parts[0]
