"""The little of Drive v3 that opening and creating spreadsheets by title needs."""

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from sandbox.sheets.book import Book
from sandbox.sheets.calls import create_book
from sandbox.sheets.masks import parse_mask, pick
from sandbox.sheets.oauth import caller

if TYPE_CHECKING:
    from sandbox.sheets.app import SheetsApp

MIME = "application/vnd.google-apps.spreadsheet"


class DriveError(Exception):
    """An error in Drive's own shape, which lists ``errors`` with a reason."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        errors = [{"message": message, "domain": "global", "reason": reason}]
        self.body = {"error": {"code": code, "message": message, "errors": errors}}


def answer(app: "SheetsApp", request: Request) -> dict[str, Any]:
    """files.list, files.get and files.create for the caller's own spreadsheets."""
    email, _ = caller(app.store, request.headers.get("Authorization"), app.now())
    file_id = request.path.removeprefix("/drive/v3/files").strip("/")
    mine = [book for book in app.store.books.values() if email in book.shared]
    found: dict[str, Any]
    if request.method == "POST" and not file_id:
        found = _created(app, request, email)
    elif request.method != "GET":
        raise DriveError(501, "notImplemented", "This call is not part of the simulator.")
    elif file_id:
        match = [book for book in mine if book.book_id == file_id]
        if not match:
            raise DriveError(404, "notFound", f"File not found: {file_id}.")
        found = _file(match[0])
    else:
        files = [_file(book) for book in mine if _wanted(book, request.args.get("q", ""))]
        found = {"kind": "drive#fileList", "incompleteSearch": False, "files": files}
    fields = request.args.get("fields")
    shown: dict[str, Any] = pick(found, parse_mask(fields)) if fields else found
    return shown


def _created(app: "SheetsApp", request: Request, email: str) -> dict[str, Any]:
    if not app.limits["service_accounts_may_create"]:
        text = "The user's Drive storage quota has been exceeded."
        raise DriveError(403, "storageQuotaExceeded", text)
    try:
        title = str(json.loads(request.get_data() or b"{}").get("name", "Untitled spreadsheet"))
    except (ValueError, AttributeError) as err:
        raise DriveError(400, "parseError", "Parse Error") from err
    now = dt.datetime.fromtimestamp(app.now(), dt.UTC)
    return _file(create_book(app.store, {"properties": {"title": title}}, {email: "owner"}, now))


def _wanted(book: Book, query: str) -> bool:
    title = re.search(r"""name\s*=\s*(["'])(.*?)\1""", query)
    return title is None or title[2] == book.properties["title"]


def _file(book: Book) -> dict[str, Any]:
    return {
        "kind": "drive#file",
        "id": book.book_id,
        "name": book.properties["title"],
        "mimeType": MIME,
        "createdTime": book.created_at,
        "modifiedTime": book.modified_at,
    }
