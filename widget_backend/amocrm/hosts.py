"""Which hosts are amoCRM's own. Only these ever receive a secret, a code or a token."""

import re

from widget_backend.errors import InputError

_ACCOUNT_HOST = re.compile(r"[a-z0-9][a-z0-9-]*\.(amocrm\.ru|amocrm\.com|kommo\.com)", re.ASCII)


def is_amocrm_host(host: str) -> bool:
    """Whether the whole string is one label under amoCRM's own domains (no port, no scheme, no dot at the
    end).
    """
    return len(host) <= 253 and _ACCOUNT_HOST.fullmatch(host) is not None


def clean_referer(referer: str) -> str:
    """The account's host from the ``referer`` of an install redirect, which amoCRM sends with or without a
    scheme.

    Raises InputError for every other host: the value comes from the browser, and the client secret goes
    there.
    """
    host = referer.strip().lower().removeprefix("https://").removesuffix("/")
    if not is_amocrm_host(host):
        raise InputError(
            "The redirect does not name an amoCRM account.",
            field="referer",
            remedy="Start the installation from amoCRM or from the install link.",
        )
    return host


def subdomain_of(host: str) -> str:
    """``demo`` of ``demo.amocrm.ru``."""
    return host.partition(".")[0]
