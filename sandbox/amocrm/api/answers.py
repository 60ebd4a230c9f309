"""Answers in the vendor's shapes: HAL JSON, problem JSON, and the bodies that are no JSON at all."""

from typing import Any

from sandbox.amocrm.http import Response, page
from sandbox.amocrm.storage.texts import dumps

HAL = "application/hal+json"
PROBLEM = "application/problem+json"
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Refused(Exception):
    """Ends a call with a problem answer; whatever the call changed is undone."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def hal(value: Any, status: int = 200) -> Response:
    """A JSON answer; text is taken as JSON already."""
    text = value if isinstance(value, str) else dumps(value)
    return Response(status=status, body=text.encode("utf-8", "replace"), content_type=HAL)


def empty() -> Response:
    """204: nothing found, or nothing to say."""
    return Response(status=204)


def problem(status: int, detail: str, **more: Any) -> Response:
    """Problem JSON as API v4 gives it."""
    title = _TITLES.get(status, "Error")
    body = {
        **more,
        "title": title,
        "type": f"https://httpstatus.es/{status}",
        "status": status,
        "detail": detail,
    }
    return Response(status=status, body=dumps(body).encode("utf-8", "replace"), content_type=PROBLEM)


def wrong_verb(allowed: list[str]) -> Response:
    """405 with the verbs that would do."""
    response = problem(405, "Method not allowed")
    response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def oauth_problem(status: int, hint: str) -> Response:
    """Problem JSON of the token endpoint, with its `hint`."""
    body = {
        "hint": hint,
        "title": "Некорректный запрос",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": status,
        "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
    }
    return Response(status=status, body=dumps(body).encode("utf-8", "replace"), content_type=PROBLEM)


def validation(errors: list[dict[str, Any]]) -> Response:
    """400 with `validation-errors`; each error: {"request_id", "errors": [{"code", "path", "detail"}]}."""
    return problem(400, "Request validation failed", **{"validation-errors": errors})


def invalid(request_id: str, path: str, code: str, detail: str) -> Refused:
    """The refusal of one field of one item."""
    error = {"code": code, "path": path, "detail": detail}
    return Refused(validation([{"request_id": request_id, "errors": [error]}]))


def too_many(retry_after_s: float | None) -> Response:
    """429; its body is not JSON."""
    headers = {} if retry_after_s is None else {"Retry-After": str(int(retry_after_s) or 1)}
    return Response(status=429, body=b"Too Many Requests", content_type="text/html", headers=headers)


def banned() -> Response:
    """403 of the web server in front: HTML."""
    return page(403)
