"""Whose token it is: the account's name, and two old addresses beside API v4 that PHP clients still ask."""

from sandbox.amocrm.api.answers import hal
from sandbox.amocrm.http import Response
from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call


def user(call: Call) -> Response:
    """`GET /v3/user`: the token's user as {"id", "name", "email", "lang"}."""
    shown = {name: call.bearer.user.get(name) for name in ("name", "email", "lang")}
    return hal({"id": call.bearer.user_id, **shown})


def subdomain(call: Call) -> Response:
    """`GET /oauth2/account/subdomain`: what the account is called now, as `…/current/subdomain` tells it."""
    return hal(named(call.account))


def named(account: Account) -> Row:
    """What an account is called, as the vendor's clients ask after it was renamed."""
    top = account.domain.rpartition(".")[2]
    return {
        "id": account.id,
        "subdomain": account.subdomain,
        "domain": account.domain,
        "top_level_domain": top,
    }
