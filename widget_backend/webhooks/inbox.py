"""Hook intake: find whose address it is, keep the raw body, wake a reader. Nothing is interpreted here."""

import hashlib
import secrets

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from widget_backend import schedule
from widget_backend.clock import now
from widget_backend.db.engine import set_account
from widget_backend.jobs import Job
from widget_backend.oauth.vault import Vault
from widget_backend.webhooks.models import WebhookDelivery, WebhookEndpoint

LARGEST_BODY = 8 * 1024 * 1024


def secret_hash(secret: str) -> bytes:
    """What the address is looked up by; the secret cannot be read back from it."""
    return hashlib.sha256(secret.encode()).digest()


def accept_hook(engine: Engine, secret: str, body: bytes) -> bool:
    """Store one delivery durably and ask for its processing; False if nobody has this address.

    Whatever the body says is stored: amoCRM counts refusals and switches the subscription off.
    """
    with Session(engine) as session, session.begin():
        endpoint = session.get(WebhookEndpoint, secret_hash(secret))
        if endpoint is None:
            return False
        set_account(session, endpoint.account_id)
        session.execute(
            insert(WebhookDelivery).values(account_id=endpoint.account_id, received_at=now(), body=body)
        )
        schedule.request(session, endpoint.account_id, Job.PROCESS_HOOKS)
        return True


def ensure_endpoint(session: Session, vault: Vault, account_id: int) -> None:
    """Give the account a secret address if it has none. The secret is 256 random bits."""
    secret = secrets.token_urlsafe(32)
    session.execute(
        insert(WebhookEndpoint)
        .values(
            secret_hash=secret_hash(secret),
            account_id=account_id,
            secret_encrypted=vault.encrypt(secret),
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["account_id"])
    )


def destination(endpoint: WebhookEndpoint, vault: Vault, public_url: str) -> str:
    """The full address amoCRM is to call."""
    return f"{public_url}/hooks/amocrm/{vault.decrypt(endpoint.secret_encrypted)}"
