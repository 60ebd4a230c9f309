"""The routes of API v4: which function answers which path and verb."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Map, Rule

from sandbox.amocrm.api import reads, writes
from sandbox.amocrm.hooks import subscriptions
from sandbox.amocrm.http import Response

Handler = Callable[..., Response]
_CARD = "any(leads,contacts,companies,customers)"

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/account", reads.account),
    ("GET", "/users", reads.users),
    ("GET", "/users/<int:row_id>", reads.user),
    ("GET", "/roles", reads.roles),
    ("GET", "/roles/<int:row_id>", reads.role),
    ("GET", "/leads/pipelines", reads.pipelines),
    ("GET", "/leads/pipelines/<int:pipeline_id>", reads.pipeline),
    ("GET", "/leads/pipelines/<int:pipeline_id>/statuses", reads.statuses),
    ("GET", "/leads/pipelines/<int:pipeline_id>/statuses/<int:status_id>", reads.statuses),
    ("GET", "/leads/loss_reasons", reads.loss_reasons),
    ("GET", "/leads/loss_reasons/<int:row_id>", reads.loss_reason),
    ("GET", "/leads/unsorted", reads.unsorted),
    ("GET", "/leads/unsorted/summary", reads.unsorted_summary),
    ("GET", "/leads/unsorted/<uid>", reads.unsorted_one),
    ("POST", "/leads/complex", writes.complex_leads),
    ("GET", "/customers/transactions", reads.transactions),
    ("GET", "/customers/<int:customer_id>/transactions", reads.transactions),
    ("GET", f"/<{_CARD}:table>", reads.cards),
    ("POST", f"/<{_CARD}:table>", writes.create_cards),
    ("PATCH", f"/<{_CARD}:table>", writes.edit_cards),
    ("GET", f"/<{_CARD}:table>/<int:row_id>", reads.card),
    ("PATCH", f"/<{_CARD}:table>/<int:row_id>", writes.edit_card),
    ("GET", f"/<{_CARD}:table>/notes", reads.notes),
    ("POST", f"/<{_CARD}:table>/notes", writes.create_notes),
    ("PATCH", f"/<{_CARD}:table>/notes", writes.edit_notes),
    ("GET", f"/<{_CARD}:table>/notes/<int:note_id>", reads.note),
    ("PATCH", f"/<{_CARD}:table>/notes/<int:note_id>", writes.edit_note),
    ("GET", f"/<{_CARD}:table>/<int:entity_id>/notes", reads.notes),
    ("POST", f"/<{_CARD}:table>/<int:entity_id>/notes", writes.create_notes),
    ("GET", f"/<{_CARD}:table>/<int:entity_id>/notes/<int:note_id>", reads.note),
    ("GET", f"/<{_CARD}:table>/<int:row_id>/links", reads.links),
    ("GET", f"/<{_CARD}:table>/links", reads.links),
    ("POST", f"/<{_CARD}:table>/<int:row_id>/link", writes.link),
    ("POST", f"/<{_CARD}:table>/<int:row_id>/unlink", writes.unlink),
    ("GET", f"/<{_CARD}:table>/custom_fields", reads.custom_fields),
    ("GET", f"/<{_CARD}:table>/custom_fields/<int:row_id>", reads.custom_field),
    ("GET", f"/<{_CARD}:table>/tags", reads.tags),
    ("GET", "/tasks", reads.tasks),
    ("GET", "/tasks/<int:row_id>", reads.task),
    ("POST", "/tasks", writes.create_tasks),
    ("PATCH", "/tasks", writes.edit_tasks),
    ("PATCH", "/tasks/<int:row_id>", writes.edit_task),
    ("GET", "/events", reads.events),
    ("GET", "/events/types", reads.event_types),
    ("GET", "/events/<event_id>", reads.event),
    ("GET", "/sources", reads.sources),
    ("GET", "/sources/<int:row_id>", reads.source),
    ("GET", "/talks/<row_id>", reads.talk),
    ("GET", "/catalogs", reads.catalogs),
    ("GET", "/catalogs/<int:catalog_id>", reads.catalog),
    ("GET", "/catalogs/<int:catalog_id>/elements", reads.catalog_elements),
    ("GET", "/catalogs/<int:catalog_id>/elements/<int:row_id>", reads.catalog_element),
    ("GET", "/webhooks", subscriptions.listed),
    ("POST", "/webhooks", subscriptions.subscribe),
    ("DELETE", "/webhooks", subscriptions.unsubscribe),
)


def url_map() -> Map:
    """The routes; an endpoint is the function itself."""
    rules: list[Any] = [
        Rule(f"/api/v4{path}", methods=[verb], endpoint=handler) for verb, path, handler in _TABLE
    ]
    return Map(rules, strict_slashes=False, merge_slashes=True, redirect_defaults=False)
