"""Faults on demand: the next N calls of a method fail in a chosen way, before or after they took effect."""

import json
import re
import socket
from dataclasses import asdict, dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.sheets.errors import FORBIDDEN_TEXT, NOT_FOUND_TEXT, UNAUTHENTICATED_TEXT, GoogleError

MESSAGES = {
    401: UNAUTHENTICATED_TEXT,
    403: FORBIDDEN_TEXT,
    404: NOT_FOUND_TEXT,
    429: "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per user' of "
    "service 'sheets.googleapis.com' for consumer 'project_number:0'.",
    500: "Internal error encountered.",
    502: "Bad Gateway",
    503: "The service is currently unavailable.",
    504: "Deadline expired before operation could complete.",
}
REASONS = {429: "RATE_LIMIT_EXCEEDED", 401: "ACCESS_TOKEN_EXPIRED"}
KINDS = ("status", "html", "truncate", "drop", "slow")


@dataclass(kw_only=True)
class Fault:
    """``kind``: status (Google's JSON), html (a proxy's page), truncate (half an answer), drop (no answer),
    slow (the true answer, late).

    ``method`` is a method id such as ``spreadsheets.batchUpdate``, or ``token``, ``drive``, or ``*``;
    ``path`` a regular expression on the path. ``skip`` lets that many calls pass first; ``times`` None
    strikes for ever; ``after`` lets the call take effect and spoils only its answer; ``delay_s`` makes any
    kind wait.
    """

    method: str = "*"
    path: str | None = None
    kind: str = "status"
    status: int = 503
    times: int | None = 1
    skip: int = 0
    after: bool = False
    message: str | None = None
    reason: str | None = None
    retry_after: int | None = None
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")
        if not 400 <= self.status <= 599:
            raise ValueError(f"status {self.status} is not one of an error")
        if self.delay_s < 0 or self.skip < 0 or (self.times is not None and self.times < 1):
            raise ValueError("delay_s, skip and times must not be negative, times not zero")
        if self.path is not None:
            try:
                re.compile(self.path)
            except re.error as err:
                raise ValueError(f"path is no regular expression: {err}") from err

    def strikes(self, method_id: str, path: str) -> bool:
        """Whether the fault is about this call."""
        return self.method in ("*", method_id) and (
            self.path is None or re.search(self.path, path) is not None
        )

    @property
    def serves(self) -> bool:
        """Whether the call takes effect."""
        return self.after or self.kind == "slow"

    def response(self, request: Request, real: Response | None = None) -> Response:
        """The spoilt answer; ``real`` is the true one of a call that took effect."""
        if self.kind == "slow" and real is not None:
            return real
        if self.kind == "drop":
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return Response(status=499)
        if self.kind == "truncate":
            text = real.get_data(as_text=True) if real is not None else '{"spreadsheetId": "'
            return Response(text[: max(1, len(text) // 2)], content_type="application/json; charset=UTF-8")
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after is not None else None
        if self.kind == "html":
            page = f"<html><title>Error {self.status}</title>That's an error.</html>"
            return Response(
                page, status=self.status, headers=headers, content_type="text/html; charset=UTF-8"
            )
        return Response(
            json.dumps(self._body()),
            status=self.status,
            headers=headers,
            content_type="application/json; charset=UTF-8",
        )

    def _body(self) -> dict[str, Any]:
        message = self.message or MESSAGES.get(self.status, "Request failed.")
        reason = self.reason or REASONS.get(self.status)
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"service": "sheets.googleapis.com"},
        }
        return GoogleError(self.status, message, [info] if reason else None).body()


class Faults:
    """The queue of faults."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def set(self, wanted: list[dict[str, Any]]) -> None:
        """Replaces the queue; ValueError or TypeError when a fault is not one."""
        self._queue = [Fault(**raw) for raw in wanted]

    def add(self, wanted: list[dict[str, Any]]) -> None:
        """Appends to the queue; ValueError or TypeError when a fault is not one."""
        self._queue += [Fault(**raw) for raw in wanted]

    def shown(self) -> list[dict[str, Any]]:
        """The faults still to come."""
        return [asdict(fault) for fault in self._queue]

    def take(self, method_id: str, path: str) -> Fault | None:
        """The fault that this call gets, None for a normal answer."""
        for fault in self._queue:
            if not fault.strikes(method_id, path):
                continue
            if fault.skip:
                fault.skip -= 1
                return None
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self._queue.remove(fault)
            return fault
        return None
