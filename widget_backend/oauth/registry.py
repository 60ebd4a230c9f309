"""The integrations this installation knows: registered, listed, their secrets rotated."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from widget_backend.errors import InputError, NotFound
from widget_backend.oauth.models import Integration
from widget_backend.oauth.vault import Vault

CLIENT_ID = re.compile(r"[0-9a-fA-F-]{8,64}")
# Tokens signed with the old secret die within half an hour; people change settings more slowly.
PREVIOUS_SECRET_LIFETIME = timedelta(hours=24)


def add_integration(
    session: Session,
    vault: Vault,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
    title: str,
    at: datetime,
) -> Integration:
    """Register an integration, or bring its redirect URI, title and secret up to date.

    Raises InputError that names the option to mend.
    """
    if not CLIENT_ID.fullmatch(client_id):
        raise InputError("This is not an integration id.", field="--client-id", remedy="Copy it from amoCRM.")
    if not client_secret:
        raise InputError("The secret is empty.", field="--client-secret", remedy="Copy it from amoCRM.")
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            "This is not a web address.",
            field="--redirect-uri",
            remedy="Give the one that stands in the integration's settings, with https://.",
        )
    row = session.get(Integration, client_id)
    if row is None:
        row = Integration(
            client_id=client_id,
            secret_encrypted=vault.encrypt(client_secret),
            redirect_uri=redirect_uri,
            title=title,
            created_at=at,
        )
        session.add(row)
    else:
        row.redirect_uri = redirect_uri
        row.title = title or row.title
        if vault.decrypt(row.secret_encrypted) != client_secret:
            rotate_secret(session, vault, client_id, client_secret, at)
    session.flush()
    return row


def rotate_secret(session: Session, vault: Vault, client_id: str, client_secret: str, at: datetime) -> None:
    """Use a new secret from now on; the old one is accepted on incoming signatures for a day."""
    row = session.get(Integration, client_id)
    if row is None:
        raise NotFound(
            f"There is no integration {client_id}.", remedy="`integrations list` shows those there are."
        )
    row.previous_secret_encrypted = row.secret_encrypted
    row.previous_valid_until = at + PREVIOUS_SECRET_LIFETIME
    row.secret_encrypted = vault.encrypt(client_secret)
    session.flush()


def all_integrations(session: Session) -> list[Integration]:
    """Every integration, oldest first."""
    return list(session.scalars(select(Integration).order_by(Integration.created_at, Integration.client_id)))
