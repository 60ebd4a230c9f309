"""Drive v3 for spreadsheets: list, create, rename, copy, delete, export, permissions, CSV import."""

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from sandbox.sheets.batch.common import Editor
from sandbox.sheets.batch.texts import type_into
from sandbox.sheets.book import Book
from sandbox.sheets.calls import create_book, stamp
from sandbox.sheets.drive import permissions
from sandbox.sheets.drive.errors import DriveError, file_not_found, forbidden
from sandbox.sheets.drive.query import wanted
from sandbox.sheets.masks import parse_mask, pick
from sandbox.sheets.oauth import caller
from sandbox.sheets.shown import url_of
from sandbox.sheets.store import copied_book
from sandbox.sheets.values import Reader

if TYPE_CHECKING:
    from sandbox.sheets.app import SheetsApp

MIME = "application/vnd.google-apps.spreadsheet"
_FILES, _UPLOAD = "/drive/v3/files", "/upload/drive/v2/files/"
_EXPORTS = {"text/csv": ",", "text/tab-separated-values": "\t"}
_FILE_FIELDS = ("kind", "id", "name", "mimeType")
Body = dict[str, Any]


def is_drive(path: str) -> bool:
    """Whether a path is Drive's."""
    return path.startswith(("/drive/v3/", "/drive/v2/", _UPLOAD))


@dataclass(kw_only=True)
class DriveCall:
    """One authenticated request to Drive."""

    app: "SheetsApp"
    request: Request
    email: str

    @property
    def query(self) -> dict[str, str]:
        return self.request.args.to_dict()

    @property
    def origin(self) -> str:
        return self.request.host_url.rstrip("/")

    def body(self) -> Body:
        """The JSON body; DriveError 400 when it is none."""
        try:
            found = json.loads(self.request.get_data() or b"{}")
        except ValueError as err:
            raise DriveError(400, "parseError", "Parse Error") from err
        if not isinstance(found, dict):
            raise DriveError(400, "parseError", "Parse Error")
        return found

    def file(self, file_id: str, *, write: bool = False) -> Book:
        """The spreadsheet with this id; DriveError 404 for strangers, 403 for readers who would write."""
        book = self.app.store.books.get(file_id)
        if book is None or book.role(self.email) is None:
            raise file_not_found(file_id)
        if write and book.role(self.email) not in ("owner", "writer"):
            raise forbidden()
        return book


def answer(app: "SheetsApp", request: Request) -> Response:
    """The answer to any Drive call, errors in Drive's own shape (a missing token: Google's common one)."""
    need = "drive read" if request.method == "GET" else "drive write"
    from sandbox.sheets.app import authorization, json_response

    email, _ = caller(app.store, authorization(request), app.now(), need)
    call = DriveCall(app=app, request=request, email=email)
    try:
        shown = _dispatch(call)
    except DriveError as err:
        return json_response(err.body, err.code)
    if isinstance(shown, Response):
        return shown
    if shown is None:
        return Response(status=204)
    mask = parse_mask(call.query["fields"]) if call.query.get("fields") else None
    return json_response(shown if mask is None else pick(shown, mask))


def _dispatch(call: DriveCall) -> Body | Response | None:
    path, method = call.request.path, call.request.method
    if path == "/drive/v3/about" and method == "GET":
        return _about(call)
    if path.startswith(_UPLOAD) and method in ("PUT", "POST"):
        return _import_csv(call, path.removeprefix(_UPLOAD).strip("/"))
    if path != _FILES and not path.startswith(_FILES + "/"):
        raise DriveError(501, "notImplemented", "This call is not part of the simulator.")
    parts = [part for part in path.removeprefix(_FILES).split("/") if part]
    match method, parts:
        case "GET", []:
            return _list(call)
        case "POST", []:
            return _create(call)
        case _, [file_id]:
            return _one(call, method, file_id)
        case "POST", [file_id, "copy"]:
            return _copy(call, file_id)
        case "GET", [file_id, "export"]:
            return _export(call, file_id)
        case "GET", [file_id, "comments"]:
            call.file(file_id)
            return {"kind": "drive#commentList", "comments": []}
        case _, [file_id, "permissions", *rest]:
            return _permission(call, method, file_id, rest)
    raise DriveError(501, "notImplemented", "This call is not part of the simulator.")


def file_of(call: DriveCall, book: Book) -> Body:
    """A file with all the fields that are simulated; ``_`` ones are for searching only."""
    owners = [email for email, role in book.shared.items() if role == "owner"]
    role = book.role(call.email)
    return {
        "kind": "drive#file",
        "id": book.book_id,
        "name": book.properties["title"],
        "mimeType": MIME,
        "trashed": book.trashed,
        "starred": False,
        "parents": ["root"],
        "createdTime": book.created_at,
        "modifiedTime": book.modified_at,
        "webViewLink": url_of(call.origin, book),
        "owners": [{"kind": "drive#user", "emailAddress": email} for email in owners],
        "ownedByMe": role == "owner",
        "shared": len(book.shared) > 1 or book.anyone is not None,
        "capabilities": {"canEdit": role in ("owner", "writer"), "canDelete": role == "owner"},
        "permissions": permissions.shown(book),
        "_parents": ["root"],
        "_owners": owners,
        "_writers": [email for email, role in book.shared.items() if role in ("owner", "writer")],
        "_readers": [*book.shared],
    }


def _public(call: DriveCall, file: Body) -> Body:
    """Without a mask Drive answers four fields only."""
    public = {name: value for name, value in file.items() if not name.startswith("_")}
    return public if call.query.get("fields") else {name: public[name] for name in _FILE_FIELDS}


def _list(call: DriveCall) -> Body:
    mine = [book for book in call.app.store.books.values() if call.email in book.shared]
    test = wanted(call.query.get("q", ""))
    files = [file for book in mine if test(file := file_of(call, book))]
    for key in reversed(call.query.get("orderBy", "").split(",")):
        name, _, direction = key.strip().partition(" ")
        if name in ("name", "createdTime", "modifiedTime", "name_natural", "recency"):
            field = {"name_natural": "name", "recency": "modifiedTime"}.get(name, name)
            files.sort(key=lambda file, field=field: file[field], reverse=direction == "desc")  # type: ignore[misc]
    size, start = _whole(call, "pageSize", 100), _whole(call, "pageToken", 0)
    if not 1 <= size <= 1000:
        text = f"Invalid value '{size}'. Values must be within the range: [1, 1000]"
        raise DriveError(400, "invalidParameter", text, location="pageSize")
    page = [_public(call, file) for file in files[start : start + size]]
    found: Body = {"kind": "drive#fileList", "incompleteSearch": False, "files": page}
    return found | ({"nextPageToken": str(start + size)} if start + size < len(files) else {})


def _whole(call: DriveCall, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise DriveError(400, "invalid", "Invalid Value", location=name)
    return int(text)


def _check_space(call: DriveCall) -> None:
    if not call.app.limits["service_accounts_may_create"]:
        raise DriveError(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")


def _create(call: DriveCall) -> Body:
    body = call.body()
    if body.get("mimeType", MIME) != MIME:
        raise DriveError(501, "notImplemented", "Only spreadsheets are part of the simulator.")
    _check_space(call)
    title = str(body.get("name", "Untitled"))
    book = create_book(
        call.app.store, {"properties": {"title": title}}, {call.email: "owner"}, call.app.moment
    )
    return _public(call, file_of(call, book))


def _one(call: DriveCall, method: str, file_id: str) -> Body | None:
    if method == "GET":
        return _public(call, file_of(call, call.file(file_id)))
    book = call.file(file_id, write=True)
    if method == "DELETE":
        if book.role(call.email) != "owner":
            raise forbidden()
        call.app.store.remove(file_id)
        return None
    if method != "PATCH":
        raise DriveError(404, "notFound", "Not Found")
    body = call.body()
    if "trashed" in body and book.role(call.email) != "owner":
        raise forbidden()
    book.trashed = bool(body.get("trashed", book.trashed))
    book.properties["title"] = str(body.get("name", book.properties["title"]))
    return _saved(call, book, _public(call, file_of(call, book)))


def _saved(call: DriveCall, book: Book, shown: Body) -> Body:
    call.app.store.save(book)
    return shown


def _copy(call: DriveCall, file_id: str) -> Body:
    source = call.file(file_id)
    _check_space(call)
    book = copied_book(source, {call.email: "owner"}, stamp(call.app.moment))
    book.properties["title"] = str(call.body().get("name", f"Copy of {source.properties['title']}"))
    call.app.store.save(book)
    return _public(call, file_of(call, book))


def _export(call: DriveCall, file_id: str) -> Response:
    """The first tab as CSV or TSV: what a person sees, every row as wide as the widest."""
    book, kind = call.file(file_id), call.query.get("mimeType", "")
    if kind not in _EXPORTS:
        if not kind:
            raise DriveError(400, "required", "Required parameter: mimeType", location="mimeType")
        raise DriveError(
            501, "notImplemented", "The simulator exports text/csv and text/tab-separated-values."
        )
    from sandbox.sheets.a1 import Area

    rows = Reader(book, {}, call.app.moment).read((book.sheets[0], Area())).get("values", [])
    width = max((len(row) for row in rows), default=0)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=_EXPORTS[kind], lineterminator="\r\n")
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    text = out.getvalue().removesuffix("\r\n")
    name = re.sub(r'[\r\n"]', "", book.properties["title"]).encode("ascii", "ignore").decode()
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), content_type=kind, headers=headers)


def _import_csv(call: DriveCall, file_id: str) -> Body:
    """files.update of v2 with a CSV body: it becomes the only tab, typed in."""
    book = call.file(file_id, write=True)
    try:
        rows = [*csv.reader(io.StringIO(call.request.get_data().decode("utf-8-sig"), newline=""))]
    except (UnicodeDecodeError, csv.Error) as err:
        raise DriveError(400, "badRequest", "Bad Request") from err
    editor = Editor(email=call.email, now=call.app.moment)
    with call.app.store.changing(book.book_id) as changed:
        first = changed.sheets[0]
        changed.sheets[1:] = []
        first.rows.clear()
        first.dirty = None
        first.grid["rowCount"] = max(1, len(rows))
        first.grid["columnCount"] = max([1, *(len(row) for row in rows)])
        changed.check_size()
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                type_into(changed, first, i, j, text, editor)
            first.tidy(i)
    return {"kind": "drive#file", "id": file_id, "title": book.properties["title"], "mimeType": MIME}


def _permission(call: DriveCall, method: str, file_id: str, rest: list[str]) -> Body | None:
    book = call.file(file_id)
    match method, rest:
        case "GET", []:
            return {"kind": "drive#permissionList", "permissions": _plain(call, permissions.shown(book))}
        case "POST", []:
            made = permissions.create(book, call.body(), call.email, call.query)
            return _saved(call, book, _plain(call, [made])[0])
        case "GET", [wanted_id]:
            return _plain(call, [permissions.one(book, wanted_id)])[0]
        case "PATCH", [wanted_id]:
            changed = permissions.update(book, wanted_id, call.body(), call.email, call.query)
            return _saved(call, book, _plain(call, [changed])[0])
        case "DELETE", [wanted_id]:
            permissions.delete(book, wanted_id, call.email)
            call.app.store.save(book)
            return None
    raise DriveError(404, "notFound", "Not Found")


def _plain(call: DriveCall, found: list[Body]) -> list[Body]:
    """Without a mask a permission has four fields only."""
    if call.query.get("fields"):
        return found
    return [{name: one[name] for name in ("kind", "id", "type", "role")} for one in found]


def _about(call: DriveCall) -> Body:
    if not call.query.get("fields"):
        text = "The 'fields' parameter is required for this method."
        raise DriveError(400, "required", text, location="fields")
    user = {
        "kind": "drive#user",
        "emailAddress": call.email,
        "displayName": call.email.partition("@")[0],
        "me": True,
    }
    limit = "16106127360" if call.app.limits["service_accounts_may_create"] else "0"
    return {"kind": "drive#about", "user": user, "storageQuota": {"limit": limit, "usage": "0"}}
