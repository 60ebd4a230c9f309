"""The routes of API v4: which function answers which path and verb."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import IntegerConverter, Map, Rule

from sandbox.amocrm.api import (
    account,
    calls,
    catalogs,
    complex_leads,
    custom_fields,
    customers,
    dictionaries,
    guards,
    links,
    notes,
    pipelines,
    reads,
    talks,
    unsorted,
    users,
    writes,
)
from sandbox.amocrm.auth import owner
from sandbox.amocrm.hooks import subscriptions
from sandbox.amocrm.http import Response

Handler = Callable[..., Response]
_CARD = "any(leads,contacts,companies,customers)"
_FIELDS = f"/<{_CARD}:table>/custom_fields"
_PIPELINE = "/leads/pipelines/<int:pipeline_id>"


def _fields(home: str) -> tuple[tuple[str, str, Handler], ...]:
    """The routes of field definitions under one address."""
    return (
        ("GET", home, custom_fields.listed),
        ("POST", home, custom_fields.create),
        ("PATCH", home, custom_fields.edit_many),
        ("GET", f"{home}/<int:row_id>", custom_fields.one),
        ("PATCH", f"{home}/<int:row_id>", custom_fields.edit),
        ("DELETE", f"{home}/<int:row_id>", custom_fields.delete),
    )


_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/account", account.shown),
    ("GET", "/users", users.listed),
    ("POST", "/users", users.create),
    ("POST", "/users/activate", users.activate),
    ("POST", "/users/deactivate", users.deactivate),
    ("GET", "/users/<int:row_id>", users.one),
    ("GET", "/roles", users.roles),
    ("POST", "/roles", users.create_roles),
    ("PATCH", "/roles", users.edit_roles),
    ("GET", "/roles/<int:row_id>", users.role),
    ("PATCH", "/roles/<int:row_id>", users.edit_role),
    ("DELETE", "/roles/<int:row_id>", users.delete_role),
    ("GET", "/leads/pipelines", pipelines.listed),
    ("POST", "/leads/pipelines", pipelines.create),
    ("GET", _PIPELINE, pipelines.one),
    ("PATCH", _PIPELINE, pipelines.edit),
    ("DELETE", _PIPELINE, pipelines.delete),
    ("GET", f"{_PIPELINE}/statuses", pipelines.statuses),
    ("POST", f"{_PIPELINE}/statuses", pipelines.create_statuses),
    ("GET", f"{_PIPELINE}/statuses/<int:status_id>", pipelines.statuses),
    ("PATCH", f"{_PIPELINE}/statuses/<int:status_id>", pipelines.edit_status),
    ("DELETE", f"{_PIPELINE}/statuses/<int:status_id>", pipelines.delete_status),
    ("GET", "/leads/loss_reasons", dictionaries.loss_reasons),
    ("POST", "/leads/loss_reasons", dictionaries.create_loss_reasons),
    ("GET", "/leads/loss_reasons/<int:row_id>", dictionaries.loss_reason),
    ("DELETE", "/leads/loss_reasons/<int:row_id>", dictionaries.delete_loss_reason),
    ("GET", "/leads/unsorted", unsorted.listed),
    ("GET", "/leads/unsorted/summary", unsorted.summary),
    ("GET", "/leads/unsorted/<uid>", unsorted.one),
    ("POST", "/leads/unsorted/<any(forms,sip):category>", unsorted.create),
    ("POST", "/leads/unsorted/<uid>/accept", unsorted.accept),
    ("DELETE", "/leads/unsorted/<uid>/decline", unsorted.decline),
    ("POST", "/leads/unsorted/<uid>/link", unsorted.link),
    ("POST", "/leads/complex", guards.adding(complex_leads.create, "leads")),
    ("PATCH", "/customers/mode", customers.set_mode),
    ("GET", "/customers/statuses", customers.statuses),
    ("POST", "/customers/statuses", customers.create_statuses),
    ("GET", "/customers/statuses/<int:row_id>", customers.status),
    ("PATCH", "/customers/statuses/<int:row_id>", customers.edit_status),
    ("DELETE", "/customers/statuses/<int:row_id>", customers.delete_status),
    ("GET", "/customers/segments", customers.segments),
    ("POST", "/customers/segments", customers.create_segments),
    ("PATCH", "/customers/segments", customers.edit_segments),
    ("GET", "/customers/segments/<int:row_id>", customers.segment),
    ("PATCH", "/customers/segments/<int:row_id>", customers.edit_segment),
    ("DELETE", "/customers/segments/<int:row_id>", customers.delete_segment),
    ("GET", "/customers/transactions", customers.transactions),
    ("GET", "/customers/transactions/<int:row_id>", customers.transaction),
    ("DELETE", "/customers/transactions/<int:row_id>", customers.delete_transaction),
    ("GET", "/customers/<int:customer_id>/transactions", customers.transactions),
    ("POST", "/customers/<int:customer_id>/transactions", customers.create_transactions),
    ("GET", "/customers/<int:customer_id>/transactions/<int:row_id>", customers.transaction),
    ("DELETE", "/customers/<int:customer_id>/transactions/<int:row_id>", customers.delete_transaction),
    ("POST", "/customers/<int:customer_id>/bonus_points", customers.bonus_points),
    ("GET", f"/<{_CARD}:table>", reads.cards),
    ("POST", f"/<{_CARD}:table>", guards.adding(writes.create_cards)),
    ("PATCH", f"/<{_CARD}:table>", guards.editing(writes.edit_cards)),
    ("GET", f"/<{_CARD}:table>/<int:row_id>", reads.card),
    ("PATCH", f"/<{_CARD}:table>/<int:row_id>", guards.editing(writes.edit_card)),
    ("GET", f"/<{_CARD}:table>/notes", reads.notes),
    ("POST", f"/<{_CARD}:table>/notes", guards.about(notes.create)),
    ("PATCH", f"/<{_CARD}:table>/notes", guards.noting(notes.edit_many)),
    ("GET", f"/<{_CARD}:table>/notes/<int:note_id>", reads.note),
    ("PATCH", f"/<{_CARD}:table>/notes/<int:note_id>", guards.noting(notes.edit_one)),
    ("GET", f"/<{_CARD}:table>/<int:entity_id>/notes", reads.notes),
    ("POST", f"/<{_CARD}:table>/<int:entity_id>/notes", guards.about(notes.create)),
    ("GET", f"/<{_CARD}:table>/<int:entity_id>/notes/<int:note_id>", reads.note),
    ("PATCH", f"/<{_CARD}:table>/<int:entity_id>/notes", guards.noting(notes.edit_many)),
    ("PATCH", f"/<{_CARD}:table>/<int:entity_id>/notes/<int:note_id>", guards.noting(notes.edit_one)),
    ("POST", f"/<{_CARD}:table>/notes/<int:note_id>/<any(pin,unpin):what>", notes.pin),
    ("POST", f"/<{_CARD}:table>/<int:entity_id>/notes/<int:note_id>/<any(pin,unpin):what>", notes.pin),
    ("GET", f"/<{_CARD}:table>/<int:row_id>/links", reads.links),
    ("GET", f"/<{_CARD}:table>/links", reads.links),
    ("POST", f"/<{_CARD}:table>/<int:row_id>/link", guards.editing(links.link)),
    ("POST", f"/<{_CARD}:table>/<int:row_id>/unlink", guards.editing(links.unlink)),
    ("POST", f"/<{_CARD}:table>/link", guards.editing(links.link, name="entity_id")),
    ("POST", f"/<{_CARD}:table>/unlink", guards.editing(links.unlink, name="entity_id")),
    ("POST", "/calls", calls.create),
    *_fields(_FIELDS),
    *_fields("/customers/<any(segments):table>/custom_fields"),
    *_fields("/<any(catalogs):table>/<int:catalog_id>/custom_fields"),
    ("GET", f"{_FIELDS}/groups", custom_fields.groups),
    ("POST", f"{_FIELDS}/groups", custom_fields.create_groups),
    ("GET", f"{_FIELDS}/groups/<group_id>", custom_fields.groups),
    ("PATCH", f"{_FIELDS}/groups/<group_id>", custom_fields.edit_group),
    ("DELETE", f"{_FIELDS}/groups/<group_id>", custom_fields.delete_group),
    ("GET", f"/<{_CARD}:table>/tags", dictionaries.tags),
    ("POST", f"/<{_CARD}:table>/tags", dictionaries.create_tags),
    ("GET", "/<any(leads,customers):table>/<int:row_id>/subscriptions", reads.subscriptions),
    ("GET", "/tasks", reads.tasks),
    ("GET", "/tasks/<int:row_id>", reads.task),
    ("POST", "/tasks", guards.tasking(writes.create_tasks)),
    ("PATCH", "/tasks", guards.editing(writes.edit_tasks, "tasks")),
    ("PATCH", "/tasks/<int:row_id>", guards.editing(writes.edit_task, "tasks")),
    ("GET", "/events", reads.events),
    ("GET", "/events/types", reads.event_types),
    ("GET", "/events/<event_id>", reads.event),
    ("GET", "/sources", dictionaries.sources),
    ("POST", "/sources", dictionaries.create_sources),
    ("PATCH", "/sources", dictionaries.edit_sources),
    ("DELETE", "/sources", dictionaries.delete_sources),
    ("GET", "/sources/<int:row_id>", dictionaries.source),
    ("PATCH", "/sources/<int:row_id>", dictionaries.edit_source),
    ("DELETE", "/sources/<int:row_id>", dictionaries.delete_source),
    ("GET", "/talks/<row_id>", talks.one),
    ("POST", "/talks/<row_id>/close", talks.close),
    ("GET", "/catalogs", catalogs.listed),
    ("POST", "/catalogs", catalogs.create),
    ("PATCH", "/catalogs", catalogs.edit_many),
    ("GET", "/catalogs/<int:catalog_id>", catalogs.one),
    ("PATCH", "/catalogs/<int:catalog_id>", catalogs.edit),
    ("GET", "/catalogs/<int:catalog_id>/elements", catalogs.elements),
    ("POST", "/catalogs/<int:catalog_id>/elements", catalogs.create_elements),
    ("PATCH", "/catalogs/<int:catalog_id>/elements", catalogs.edit_elements),
    ("GET", "/catalogs/<int:catalog_id>/elements/<int:row_id>", catalogs.element),
    ("PATCH", "/catalogs/<int:catalog_id>/elements/<int:row_id>", catalogs.edit_element),
    ("GET", "/webhooks", subscriptions.listed),
    ("POST", "/webhooks", subscriptions.subscribe),
    ("DELETE", "/webhooks", subscriptions.unsubscribe),
)


class _Id(IntegerConverter):
    """A number in an address; one that is too long for the store means a row that nobody has."""

    def to_python(self, value: str) -> int:
        return min(int(value), 2**63 - 1) if len(value) < 100 else 2**63 - 1


# Beside API v4, with the same bearer and the same limits.
_BESIDE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v3/user", owner.user),
    ("GET", "/oauth2/account/subdomain", owner.subdomain),
)
BESIDE = frozenset(path for _, path, _ in _BESIDE)


def url_map() -> Map:
    """The routes; an endpoint is the function itself."""
    rules: list[Any] = [
        Rule(f"/api/v4{path}", methods=[verb], endpoint=handler) for verb, path, handler in _TABLE
    ]
    rules += [Rule(path, methods=[verb], endpoint=handler) for verb, path, handler in _BESIDE]
    return Map(
        rules, converters={"int": _Id}, strict_slashes=False, merge_slashes=True, redirect_defaults=False
    )
