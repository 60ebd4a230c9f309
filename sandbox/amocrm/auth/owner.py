"""Whose token it is: two old addresses beside API v4 that the vendor's own PHP clients still ask."""

from sandbox.amocrm.api.answers import hal
from sandbox.amocrm.http import Response
from sandbox.amocrm.world import Call


def user(call: Call) -> Response:
    """`GET /v3/user`: the token's user as {"id", "name", "email", "lang"}."""
    shown = {name: call.bearer.user.get(name) for name in ("name", "email", "lang")}
    return hal({"id": call.bearer.user_id, **shown})


def subdomain(call: Call) -> Response:
    """`GET /oauth2/account/subdomain`: what the account is called now, as `…/current/subdomain` tells it."""
    account = call.account
    top = account.domain.rpartition(".")[2]
    return hal(
        {"id": account.id, "subdomain": account.subdomain, "domain": account.domain, "top_level_domain": top}
    )
