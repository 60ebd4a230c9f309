"""The table of lists: where each stands, its key in answers, cap, filters, orders and totals."""

from dataclasses import dataclass, field

from sandbox.amocrm.api import filters as f
from sandbox.amocrm.api.filters import Filter


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One list. `alpha`: its filters do nothing when the account's filter feature is off.

    `totals`: `_total_items` and `_page_count` are given. `paged` False: everything on one page.
    `hidden`: rows may be deleted or merged. `searched`: `query=` works.
    `nested`: rows live under the address of the list that was asked for.
    """

    table: str
    key: str
    path: str
    cap: int = 250
    totals: bool = False
    paged: bool = True
    hidden: bool = False
    alpha: bool = False
    searched: bool = False
    nested: bool = False
    filters: dict[str, Filter] = field(default_factory=dict)
    orders: tuple[str, ...] = ()
    default_order: str = "id"
    descending: bool = False


_CARD: dict[str, Filter] = {
    "id": f.numbers("id"),
    "name": f.words("name"),
    "created_by": f.numbers("created_by"),
    "updated_by": f.numbers("updated_by"),
    "responsible_user_id": f.numbers("responsible_user_id"),
    "created_at": f.moments("created_at"),
    "updated_at": f.moments("updated_at"),
    "closest_task_at": f.moments("closest_task_at"),
    "custom_fields_values": f.custom_fields,
}
_LEADS: dict[str, Filter] = {
    **_CARD,
    "price": f.moments("price"),
    "closed_at": f.moments("closed_at"),
    "statuses": f.statuses,
    "pipeline_id": f.numbers("pipeline_id"),
}
_CUSTOMERS: dict[str, Filter] = {
    **_CARD,
    "status_id": f.numbers("status_id"),
    "next_date": f.moments("next_date"),
    "next_price": f.moments("next_price"),
}
_TASKS: dict[str, Filter] = {
    "id": f.numbers("id"),
    "responsible_user_id": f.numbers("responsible_user_id"),
    "created_by": f.numbers("created_by"),
    "is_completed": f.flag("is_completed"),
    "task_type": f.numbers("task_type_id"),
    "task_type_id": f.numbers("task_type_id"),
    "entity_type": f.words("entity_type"),
    "entity_id": f.numbers("entity_id"),
    "updated_at": f.moments("updated_at"),
    "lead_statuses": f.lead_statuses,
}
_NOTES: dict[str, Filter] = {
    "id": f.numbers("id"),
    "note_type": f.words("note_type"),
    "entity_id": f.numbers("entity_id"),
    "updated_at": f.moments("updated_at"),
}
_EVENTS: dict[str, Filter] = {
    "id": f.words("id", commas=True, cap=100),
    "type": f.words("type", commas=True),
    "created_at": f.moments("created_at", scalar_is_from=True),
    "created_by": f.numbers("created_by", cap=10, commas=True),
    "value_before": f.event_value("value_before"),
    "value_after": f.event_value("value_after"),
}
_UNSORTED: dict[str, Filter] = {
    "uid": f.words("id"),
    "category": f.words("category"),
    "pipeline_id": f.numbers("pipeline_id"),
    "created_at": f.moments("created_at"),
}


def _card(name: str, filters: dict[str, Filter]) -> Resource:
    orders = ("created_at", "updated_at", "id")
    return Resource(table=name, key=name, path=name, hidden=True, alpha=True, searched=True, filters=filters,
                    orders=orders)  # fmt: skip


def _fields(of: str, path: str | None = None) -> Resource:
    filters: dict[str, Filter] = {"id": f.numbers("id"), "type": f.words("type", commas=True)}
    return Resource(
        table=f"custom_fields_{of}", key="custom_fields", path=f"{path or of}/custom_fields", totals=True,
        filters=filters, orders=("sort", "id"), default_order="sort", nested=of == "catalogs",
    )  # fmt: skip


def _notes(of: str) -> Resource:
    return Resource(
        table=f"notes_{of}", key="notes", path=f"{of}/notes", filters=_NOTES, orders=("updated_at", "id")
    )


_NAMED: dict[str, Filter] = {"id": f.numbers("id"), "name": f.words("name")}
_ALL = (
    _card("leads", _LEADS), _card("contacts", _CARD), _card("companies", _CARD),
    _card("customers", _CUSTOMERS),
    Resource(table="tasks", key="tasks", path="tasks", filters=_TASKS,
             orders=("created_at", "complete_till", "id")),
    _notes("leads"), _notes("contacts"), _notes("companies"), _notes("customers"),
    Resource(table="events", key="events", path="events", cap=100, filters=_EVENTS, orders=("created_at",),
             default_order="created_at", descending=True),
    Resource(table="users", key="users", path="users", totals=True),
    Resource(table="roles", key="roles", path="roles", totals=True),
    Resource(table="pipelines", key="pipelines", path="leads/pipelines", totals=True, paged=False,
             default_order="sort"),
    Resource(table="loss_reasons", key="loss_reasons", path="leads/loss_reasons", totals=True,
             default_order="sort"),
    Resource(table="sources", key="sources", path="sources", totals=True,
             filters={"external_id": f.words("external_id")}),
    _fields("leads"), _fields("contacts"), _fields("companies"), _fields("customers"),
    _fields("segments", "customers/segments"), _fields("catalogs"),
    Resource(table="segments", key="segments", path="customers/segments"),
    Resource(table="customers_statuses", key="statuses", path="customers/statuses", totals=True, paged=False,
             default_order="sort"),
    Resource(table="unsorted", key="unsorted", path="leads/unsorted", filters=_UNSORTED,
             orders=("created_at",), default_order="created_at"),
    Resource(table="catalogs", key="catalogs", path="catalogs"),
    Resource(table="catalog_elements", key="elements", path="catalogs", filters={"id": f.numbers("id")},
             searched=True, nested=True),
    Resource(table="transactions", key="transactions", path="customers/transactions",
             filters={"id": f.numbers("id")}),
    Resource(table="tags", key="tags", path="tags", filters=_NAMED),
    Resource(table="talks", key="talks", path="talks"),
)  # fmt: skip
RESOURCES = {resource.table: resource for resource in _ALL}
