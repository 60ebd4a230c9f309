"""What an answer of amoCRM means: its parsed body, and which exception a status stands for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from widget_backend.clock import now
from widget_backend.errors import (
    AccountBlocked,
    AmoForbidden,
    AmoRateLimited,
    AmoRejected,
    AmoUnavailable,
    AppError,
)

DONE = frozenset({200, 201, 202, 204})
BAN_REMEDY = "Ask amoCRM's support to lift the ban: give the server's address, subdomain, account id."
MAX_DETAIL = 200
MAX_ERRORS = 20


class Garbled:
    """Stands for a body that is not JSON (None would mean an empty body)."""


GARBLED = Garbled()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer. ``data``: parsed JSON with exact decimals, None for an empty body, GARBLED for anything
    else.
    """

    status: int
    data: Any
    request_id: str | None
    retry_after_s: float | None = None


def read_answer(response: requests.Response) -> Answer:
    """Parse a response without trusting its content type."""
    data = parse_json(response.content)
    header = response.headers.get("Retry-After")
    inside = data.get("retry_after") if isinstance(data, dict) else None
    return Answer(
        status=response.status_code,
        data=data,
        request_id=response.headers.get("X-Request-Id"),
        retry_after_s=parse_retry_after(header if header is not None else inside),
    )


def parse_json(body: bytes) -> Any:
    """JSON with fractions as Decimal and without NaN; None for nothing, GARBLED for everything else."""
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=lambda _: None)
    except (ValueError, RecursionError):  # bad syntax, bad UTF-8, a number of thousands of digits, nesting
        return GARBLED


def parse_retry_after(value: Any) -> float | None:
    """Seconds from a ``Retry-After`` in seconds or as a date; None if there is none or it makes no sense."""
    if value is None or isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        try:
            moment = parsedate_to_datetime(str(value))
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - now()).total_seconds()
    return min(max(seconds, 0.0), 86_400.0) if seconds == seconds else None


def error_of(answer: Answer, context: Mapping[str, Any]) -> AppError | None:
    """The exception an answer stands for; None for success, and for 401, which the caller settles.

    ``context`` (account, method, path) goes into the exception together with status and request id.
    """
    status = answer.status
    where: dict[str, Any] = {**context, "status": status, "request_id": answer.request_id}
    if status in DONE:
        if answer.data is GARBLED:
            return AmoUnavailable("amoCRM's answer cannot be read.", **where)
        return None
    if status == 401:
        return None
    if status == 429:
        return AmoRateLimited("amoCRM asks to slow down.", retry_after_s=answer.retry_after_s, **where)
    if status >= 500:
        return AmoUnavailable(f"amoCRM answered {status}.", retry_after_s=answer.retry_after_s, **where)
    if status == 403 and not isinstance(answer.data, (dict, list)):
        return AccountBlocked(
            "amoCRM has blocked the account's traffic.",
            remedy=BAN_REMEDY,
            reason="403 with a page",
            **where,
        )
    if status in (402, 403):
        return AmoForbidden(
            f"amoCRM forbids the call ({status}).",
            remedy="Pay for the account or its tariff option."
            if status == 402
            else "Let an administrator of the account authorise the integration.",
            detail=_text(answer.data, "detail"),
            **where,
        )
    return AmoRejected(
        f"amoCRM refused the call ({status}).",
        detail=_text(answer.data, "detail"),
        hint=_text(answer.data, "hint"),
        validation_errors=validation_errors(answer.data),
        **where,
    )


def validation_errors(data: Any) -> list[dict[str, str]]:
    """``[{"request_id", "code", "path", "detail"}]`` of a validation failure; empty when there are none."""
    groups = data.get("validation-errors") if isinstance(data, dict) else None
    found: list[dict[str, str]] = []
    for group in groups if isinstance(groups, list) else []:
        errors = group.get("errors") if isinstance(group, dict) else None
        for error in errors if isinstance(errors, list) else []:
            if isinstance(error, dict):
                names = {name: _text(error, name) or "" for name in ("code", "path", "detail")}
                found.append({"request_id": _text(group, "request_id") or "", **names})
    return found[:MAX_ERRORS]


def _text(data: Any, name: str) -> str | None:
    value = data.get(name) if isinstance(data, dict) else None
    return str(value)[:MAX_DETAIL] if isinstance(value, (str, int)) else None
