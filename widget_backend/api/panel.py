"""Everything the panel of a lead card shows, in one read, formatted for people."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from widget_backend.api.auth import viewer_session
from widget_backend.api.errors import language
from widget_backend.api.schemas import ERRORS, PanelAnswer, PanelQuery
from widget_backend.screens.lead_card import lead_block
from widget_backend.screens.month import month_blocks

api = APIBlueprint(
    "panel",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="Widget")],
    abp_security=[{"widget": []}],
    abp_responses=ERRORS,
)


@api.get("/panel", responses={200: PanelAnswer})
def panel(query: PanelQuery) -> dict[str, Any]:
    """The open lead's next step and the viewer's month."""
    lang = query.lang or language()
    with viewer_session() as (session, viewer):
        account = viewer.account
        return {
            "account": {
                "id": account.account_id,
                "name": account.name or account.subdomain,
                "currency": account.currency,
                "timezone": account.timezone,
                "state": account.state,
            },
            "viewer": {"user_id": viewer.user.id, "name": viewer.user.name, "scope": viewer.right},
            "lead": lead_block(session, account, viewer.user, query.lead_id, lang),
            **month_blocks(session, account, viewer.user, viewer.scope, viewer.right, lang),
        }
