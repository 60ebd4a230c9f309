"""Google's error bodies: one exception that knows its HTTP status and how it looks as JSON."""

from typing import Any

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}

NOT_FOUND_TEXT = "Requested entity was not found."
FORBIDDEN_TEXT = "The caller does not have permission"
UNAUTHENTICATED_TEXT = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class GoogleError(Exception):
    """An answer other than 2xx: ``code`` is the HTTP status, ``message`` what Google would say."""

    def __init__(self, code: int, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or []

    def body(self) -> dict[str, Any]:
        """The JSON Google sends with this error."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "status": STATUS_NAMES.get(self.code, "UNKNOWN"),
        }
        if self.details:
            error["details"] = self.details
        return {"error": error}


def bad_request(violations: list[tuple[str, str]]) -> GoogleError:
    """A 400 for fields that do not fit the schema: (field, description) each, as google.rpc.BadRequest."""
    fields = [{"field": f, "description": d} if f else {"description": d} for f, d in violations]
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}
    return GoogleError(400, "\n".join(d for _, d in violations), [detail])


def invalid(message: str) -> GoogleError:
    """A plain 400 with Google's sentence."""
    return GoogleError(400, message)
