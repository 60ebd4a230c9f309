"""What an integration proves itself with, decrypted for the moment of use."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from widget_backend.amocrm.widget_token import IntegrationKeys
from widget_backend.errors import ConfigError
from widget_backend.oauth.models import Integration
from widget_backend.oauth.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Client id, secret and redirect URI, as the token endpoint wants them."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


def credentials_of(session: Session, vault: Vault, client_id: str) -> Credentials:
    """The credentials of one integration. Raises ConfigError if it is not registered."""
    integration = session.get(Integration, client_id)
    if integration is None:
        raise ConfigError(
            f"The integration {client_id} is not registered.",
            remedy="Register it: python -m widget_backend integrations add.",
        )
    return Credentials(
        client_id=client_id,
        client_secret=vault.decrypt(integration.secret_encrypted),
        redirect_uri=integration.redirect_uri,
    )


def keys_of(session: Session, vault: Vault, client_id: str, at: datetime) -> IntegrationKeys | None:
    """The secrets that signatures may be made with at ``at``: the present one, and the previous one while it
    is still accepted after a rotation. None for an unknown integration."""
    integration = session.get(Integration, client_id)
    if integration is None:
        return None
    stored = [integration.secret_encrypted]
    until = integration.previous_valid_until
    if integration.previous_secret_encrypted is not None and until is not None and at < until:
        stored.append(integration.previous_secret_encrypted)
    return IntegrationKeys(
        secrets=tuple(vault.decrypt(one) for one in stored), redirect_uri=integration.redirect_uri
    )
