"""Drive's error bodies, which list ``errors`` with a reason."""

from typing import Any


class DriveError(Exception):
    """An answer other than 2xx; ``location`` names the parameter that is wrong."""

    def __init__(self, code: int, reason: str, message: str, *, location: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        error: dict[str, Any] = {"message": message, "domain": "global", "reason": reason}
        if location is not None:
            error |= {"location": location, "locationType": "parameter"}
        self.body = {"error": {"code": code, "message": message, "errors": [error]}}


def file_not_found(file_id: str) -> DriveError:
    """The 404 of a file that is not there, or not shared."""
    return DriveError(404, "notFound", f"File not found: {file_id}.", location="fileId")


def forbidden() -> DriveError:
    """The 403 of a call that needs another role."""
    text = "The user does not have sufficient permissions for this file."
    return DriveError(403, "insufficientFilePermissions", text)
