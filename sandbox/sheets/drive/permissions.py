"""Who may open a file: people by e-mail, and whoever has the link."""

import hashlib
from typing import Any

from sandbox.sheets.book import Book
from sandbox.sheets.drive.errors import DriveError, forbidden

Body = dict[str, Any]
ROLES = ("owner", "writer", "commenter", "reader")
LINK = "anyoneWithLink"


def permission_id(email: str) -> str:
    """A number that stays the same for a person."""
    return str(int(hashlib.sha256(email.encode()).hexdigest()[:15], 16)).zfill(20)


def shown(book: Book) -> list[Body]:
    """All permissions of a file; the link's first."""
    found = [_of_link(book.anyone)] if book.anyone else []
    return found + [_of_person(email, role) for email, role in book.shared.items()]


def _of_link(role: str) -> Body:
    return {
        "kind": "drive#permission",
        "id": LINK,
        "type": "anyone",
        "role": role,
        "allowFileDiscovery": False,
    }


def _of_person(email: str, role: str) -> Body:
    return {
        "kind": "drive#permission",
        "id": permission_id(email),
        "type": "user",
        "emailAddress": email,
        "displayName": email.partition("@")[0],
        "role": role,
        "deleted": False,
        "pendingOwner": False,
    }


def create(book: Book, body: Body, email: str, query: Body) -> Body:
    """permissions.create: shares the file; DriveError 400 for an odd role or address, 403 for readers."""
    _check_may_share(book, email)
    role, kind = body.get("role"), body.get("type")
    if role not in ROLES or kind not in ("user", "group", "domain", "anyone"):
        raise DriveError(400, "invalid", "The specified role or type is invalid.", location="permission")
    if kind == "anyone":
        book.anyone = role
        return _of_link(role)
    address = body.get("emailAddress", "") if kind != "domain" else f"*@{body.get('domain', '')}"
    if "@" not in address:
        text = "The specified emailAddress is invalid or not applicable for the given permission type."
        raise DriveError(400, "invalidSharingRequest", text)
    if role == "owner":
        _transfer(book, address, email, query)
    book.shared[address] = role
    return _of_person(address, role)


def _transfer(book: Book, address: str, email: str, query: Body) -> None:
    if query.get("transferOwnership", "").lower() != "true":
        text = "The transferOwnership parameter must be enabled when the permission role is 'owner'."
        raise DriveError(403, "forbidden", text, location="transferOwnership")
    if book.shared.get(email) != "owner":
        raise forbidden()
    book.shared |= {owner: "writer" for owner, role in book.shared.items() if role == "owner"}
    book.shared[address] = "owner"


def _check_may_share(book: Book, email: str) -> None:
    if book.role(email) not in ("owner", "writer"):
        raise forbidden()


def one(book: Book, wanted: str) -> Body:
    """permissions.get; DriveError 404."""
    for permission in shown(book):
        if permission["id"] == wanted:
            return permission
    raise DriveError(404, "notFound", f"Permission not found: {wanted}.", location="permissionId")


def update(book: Book, wanted: str, body: Body, email: str, query: Body) -> Body:
    """permissions.update: another role for a person or the link."""
    _check_may_share(book, email)
    permission, role = one(book, wanted), body.get("role", "")
    if role not in ROLES and not body.get("pendingOwner"):
        raise DriveError(400, "invalid", "The specified role is invalid.", location="permission.role")
    if wanted == LINK:
        book.anyone = role
    elif role == "owner":
        _transfer(book, permission["emailAddress"], email, query)
    elif role:
        book.shared[permission["emailAddress"]] = role
    return one(book, wanted)


def delete(book: Book, wanted: str, email: str) -> None:
    """permissions.delete; anybody may give up his own access, the owner's stays."""
    permission = one(book, wanted)
    if permission["role"] == "owner":
        raise forbidden()
    if permission.get("emailAddress") != email:
        _check_may_share(book, email)
    if wanted == LINK:
        book.anyone = None
    else:
        del book.shared[permission["emailAddress"]]
