"""One shape for every error: ``{"error": {code, message, field, remedy, request_id}}``, in two languages."""

import uuid

import structlog
from flask import Flask, Response, g, jsonify, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from widget_backend.api.texts import error_text
from widget_backend.errors import AppError, Retriable

log = structlog.get_logger(__name__)
HTTP_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "bad_input",
    400: "bad_input",
}

# Finer codes of the same status share its text.
HTTP_TEXTS = {401: "unauthorized"}


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
    """The error body. Codes that people meet have texts in both languages; others keep the technical one."""
    known_message, known_remedy = error_text(code, language())
    if known_message is None and status in HTTP_TEXTS:
        known_message, known_remedy = error_text(HTTP_TEXTS[status], language())
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
            response.headers["Retry-After"] = str(int(error.retry_after_s or 5))
        return response

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        status = error.code or 500
        code = HTTP_CODES.get(status, "http_error")
        response = error_answer(status, code, message=error.description)
        if status == 405 and getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return response

    @app.errorhandler(OperationalError)
    def _database(_error: OperationalError) -> Response:
        log.exception("api.database_down")
        response = error_answer(503, "try_later")
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(Exception)
    def _unexpected(_error: Exception) -> Response:
        log.exception("api.crashed")
        return error_answer(500, "internal")
