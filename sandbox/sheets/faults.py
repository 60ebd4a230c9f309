"""Faults on demand: the next N calls of a method fail in a chosen way, before or after they took effect."""

import json
import socket
from dataclasses import asdict, dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.sheets.errors import GoogleError

MESSAGES = {
    401: "Request had invalid authentication credentials.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    429: "Quota exceeded for quota metric 'Write requests'.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}


@dataclass(kw_only=True)
class Fault:
    """``kind``: status (Google's JSON), html (a proxy's page), truncate (half an answer), drop (no answer).

    ``method`` is a method id such as ``spreadsheets.batchUpdate``, or ``token``, ``drive``, or ``*``.
    ``skip`` lets that many calls pass first; ``after`` lets the call take effect and spoils only its answer.
    """

    method: str = "*"
    kind: str = "status"
    status: int = 503
    times: int = 1
    skip: int = 0
    after: bool = False
    message: str | None = None
    retry_after: int | None = None

    def response(self, request: Request, real: Response | None = None) -> Response:
        """The spoilt answer."""
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
        message = self.message or MESSAGES.get(self.status, "Request failed.")
        body = json.dumps(GoogleError(self.status, message).body())
        return Response(
            body, status=self.status, headers=headers, content_type="application/json; charset=UTF-8"
        )


class Faults:
    """The queue of faults."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def set(self, wanted: list[dict[str, Any]]) -> None:
        """Replaces the queue; ValueError or TypeError when a fault is not one."""
        faults = [Fault(**raw) for raw in wanted]
        for fault in faults:
            if fault.kind not in ("status", "html", "truncate", "drop"):
                raise ValueError(f"unknown kind of fault: {fault.kind}")
        self._queue = faults

    def shown(self) -> list[dict[str, Any]]:
        """The faults still to come."""
        return [asdict(fault) for fault in self._queue]

    def take(self, method_id: str) -> Fault | None:
        """The fault that this call gets, None for a normal answer."""
        for fault in self._queue:
            if fault.method not in ("*", method_id):
                continue
            if fault.skip:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                self._queue.remove(fault)
            return fault
        return None
