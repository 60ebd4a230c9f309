"""The address amoCRM sends account webhooks to: store raw, answer at once."""

from flask import Blueprint, Response, current_app, request
from limits import parse as parse_limit
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError

from widget_backend.api.errors import error_answer
from widget_backend.api.wiring import services
from widget_backend.errors import NotFound, Retriable
from widget_backend.webhooks.inbox import accept_hook

bp = Blueprint("hooks", __name__)
# Only strangers are counted: a refusal of a genuine hook would make amoCRM switch the subscription off.
STRANGERS = parse_limit("30/minute")
_limiter = MovingWindowRateLimiter(MemoryStorage())


class InboxClosed(Retriable):
    """Any reason why a hook could not be kept: amoCRM is to send it again."""


@bp.post("/hooks/amocrm/<secret>")
def receive(secret: str) -> Response:
    """200 once the body is durable; 404 for an unknown address; 503 only if the inbox cannot be written."""
    body = request.get_data(cache=False)
    try:
        known = accept_hook(services().engine, secret, body)
    except SQLAlchemyError as error:
        raise InboxClosed("The inbox cannot be written.", reason=type(error).__name__) from error
    if known:
        return current_app.response_class(status=200)
    if not _limiter.hit(STRANGERS, "strangers", request.remote_addr or "unknown"):
        return error_answer(429, "too_many")
    raise NotFound("No such address.")
