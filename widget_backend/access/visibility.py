"""What a viewer may see: the lead-view right of the CRM, and nothing the browser says."""

from sqlalchemy.orm import Session

from widget_backend.crm.models import Lead, User
from widget_backend.errors import Forbidden


def viewer_of(session: Session, account_id: int, user_id: int) -> User:
    """The user behind a token. Raises Forbidden for one that is unknown or dismissed."""
    user = session.get(User, (account_id, user_id))
    if user is None or not user.is_known or not user.is_active:
        raise Forbidden("The user is unknown or dismissed.", account_id=account_id, user_id=user_id)
    return user


def view_right(user: User) -> str:
    """A whole account, G own group, M own records, D nothing. Administrators see all; no right known is D."""
    if user.is_admin:
        return "A"
    return user.lead_view if user.lead_view in ("A", "G", "M") else "D"


def may_see_lead(session: Session, user: User, lead: Lead) -> bool:
    """Whether the viewer may see this lead as it stands now."""
    right = view_right(user)
    own = lead.responsible_user_id == user.id
    if right != "G" or own:
        return right == "A" or (own and right in ("G", "M"))
    if user.group_id is None or lead.responsible_user_id is None:
        return False
    owner = session.get(User, (lead.account_id, lead.responsible_user_id))
    return owner is not None and owner.group_id == user.group_id
