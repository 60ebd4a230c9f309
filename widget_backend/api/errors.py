"""One shape for every error: ``{"error": {code, message, field, remedy, request_id}}``, in two languages."""

import math
import uuid

import structlog
from flask import Flask, Response, g, jsonify, request
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from widget_backend.api.texts import CORRECT_IT, error_text, input_text
from widget_backend.errors import AppError, Retriable

log = structlog.get_logger(__name__)
HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "bad_input",
    400: "bad_input",
    429: "too_many",
    503: "try_later",
}
# The database is away, starting, read-only or has no connection left: it passes. Other errors are defects.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError, PoolTimeout)

# Finer codes of the same status share its text.
HTTP_TEXTS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    429: "too_many",
    503: "try_later",
}


def language() -> str:
    """The language of texts: ``?lang=``, else the browser's preference, else Russian."""
    asked = request.args.get("lang", "")[:2].lower()
    if asked in ("ru", "en"):
        return asked
    return request.accept_languages.best_match(("ru", "en")) or "ru"


def error_answer(
    status: int,
    code: str,
    *,
    message: str | None = None,
    field: str | None = None,
    remedy: str | None = None,
    **extra: str,
) -> Response:
    """The error body, in the caller's language; ``detail`` is the technical message where it says more."""
    lang = language()
    if status == 400:
        remedy = remedy or CORRECT_IT
        known_message, known_remedy = input_text(field, lang)
        if known_message and message:
            extra = {"detail": f"{message} {remedy}", **extra}
    else:
        known_message, known_remedy = error_text(code, lang)
        if known_message is None:
            known_message, known_remedy = error_text(HTTP_TEXTS.get(status, "internal"), lang)
    body = {
        "code": code,
        "message": known_message or message or code,
        "field": field,
        "remedy": known_remedy or remedy,
        "request_id": g.get("request_id"),
        **extra,
    }
    response = jsonify({"error": body})
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    """Handlers for our own errors, HTTP errors and everything unexpected; a request id on every answer."""

    @app.before_request
    def _begin() -> None:
        g.request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def _finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @app.errorhandler(AppError)
    def _ours(error: AppError) -> Response:
        if error.status >= 500 and not isinstance(error, Retriable):
            log.error("api.failed", error=type(error).__name__, reason=error.message)
        response = error_answer(
            error.status, error.code, message=error.message, field=error.field, remedy=error.remedy
        )
        if isinstance(error, Retriable):
            response.headers["Retry-After"] = str(math.ceil(error.retry_after_s or 5))
        return response

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        code = HTTP_CODES.get(status, "http_error")
        response = error_answer(status, code, message=error.description)
        if status == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    def _database(_error: Exception) -> Response:
        log.exception("api.database_down")
        response = error_answer(503, "try_later")
        response.headers["Retry-After"] = "5"
        return response

    for kind in DATABASE_AWAY:
        app.register_error_handler(kind, _database)

    @app.errorhandler(Exception)
    def _unexpected(_error: Exception) -> Response:
        log.exception("api.crashed")
        return error_answer(500, "internal")
