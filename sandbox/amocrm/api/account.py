"""`GET /account`: what always comes and what `with=` opens."""

from typing import Any

from sandbox.amocrm.api import lists
from sandbox.amocrm.api.answers import hal
from sandbox.amocrm.http import Response
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

# What a snapshot need not say, in the vendor's order.
_ALWAYS: Row = {
    "created_at": 0,
    "created_by": 0,
    "updated_at": 0,
    "updated_by": 0,
    "country": "RU",
    "currency": "RUB",
    "currency_symbol": "₽",
    "customers_mode": "disabled",
    "is_unsorted_on": True,
    "is_loss_reason_enabled": True,
    "is_helpbot_enabled": False,
    "is_technical_account": False,
    "contact_name_display_order": 1,
    "mobile_feature_version": 0,
}
_TOP: Row = {
    "amojo_id": None,
    "uuid": None,
    "version": 11,
    "drive_url": "https://drive-b.amocrm.ru",
    "is_api_filter_enabled": True,
    "invoices_settings": {"lang": "ru", "invoices_catalog_id": None},
}
_NAMES: Row = {
    name: {"ru": {"gender": "f" if name == "lead" else "m", "plural_form": {}, "singular_form": {}}}
    for name in ("lead", "contact", "company", "customer")
}
_EMBEDDED: Row = {
    "amojo_rights": {"can_direct": True, "can_create_groups": True},
    "users_groups": [],
    "task_types": [],
    "entity_names": _NAMES,
    "datetime_settings": {},
}


def shown(call: Call) -> Response:
    """The account of the token; every value of `with=` opens one field or one embedded object."""
    body = {**call.account.body}
    embedded = body.pop("_embedded", {})
    listed: dict[str, Any] = {"id": call.account.id, "name": body.get("name")}
    listed |= {"subdomain": call.account.subdomain, **_ALWAYS, **body, "current_user_id": call.bearer.user_id}
    listed["subdomain"] = call.account.subdomain
    listed["is_api_filter_enabled"] = lists.filter_feature(call)
    for name, default in _TOP.items():
        if name not in call.wanted:
            listed.pop(name, None)
        elif listed.get(name) is None:
            listed[name] = default
    path = f"account?{call.request.query}" if call.request.query else "account"
    listed["_links"] = call.link(path)
    inside = {
        name: embedded.get(name) or default for name, default in _EMBEDDED.items() if name in call.wanted
    }
    return hal({**listed, "_embedded": inside} if inside else listed)
