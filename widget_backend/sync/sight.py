"""Whether the user who connected the account sees all of it: who does not cannot tell hidden from deleted."""

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy.orm import Session

from widget_backend.amocrm.client import AmoClient
from widget_backend.amocrm.limiter import Priority
from widget_backend.amocrm.values import as_id
from widget_backend.errors import AmoForbidden
from widget_backend.oauth.models import Account
from widget_backend.sync.refusals import stop_if_unpaid

log = structlog.get_logger(__name__)
LIMITED = (
    "The amoCRM user who connected the account is no administrator: records may be missing from the lists."
    " Let an administrator install the integration again."
)


def limited_view(
    client: AmoClient, priority: Priority, account: Mapping[str, Any] | None = None
) -> str | None:
    """Why the lists may be shorter than the account; None when the token is an administrator's.

    amoCRM shortens lists without any error, and lets administrators alone read users. ``account`` is the
    payload of ``GET /account`` if the caller has it. Raises AmoForbidden for an unpaid account (402).
    """
    payload = account if account is not None else client.get("account", priority=priority) or {}
    try:
        user = client.find(f"users/{as_id(payload.get('current_user_id')) or 0}", priority=priority)
    except AmoForbidden as error:
        stop_if_unpaid(error)
        return LIMITED
    rights = user.get("rights") if isinstance(user, Mapping) else None
    if isinstance(rights, Mapping) and rights.get("is_admin") is False:
        return LIMITED
    return None


def remember(session: Session, account_id: int, reason: str | None) -> None:
    """Keep what was found for `doctor`; a change is logged once."""
    account = session.get_one(Account, account_id)
    if account.limited_view != reason:
        log.warning("sync.sight_changed", account_id=account_id, limited=reason is not None)
        account.limited_view = reason
