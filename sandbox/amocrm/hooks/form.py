"""Nested values → form bodies as PHP's http_build_query writes them, and the account block around them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from sandbox.amocrm.storage.accounts import Account
from sandbox.amocrm.vocabulary import Row

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Both:
    """A value and a subtree under one name, as real note hooks of chat messages have it."""

    value: Any
    tree: Row


def pairs(prefix: str, value: Any) -> Iterator[Pair]:
    """Bracketed keys and strings; null and empty lists are left out, booleans are 1 and 0, 5.0 is 5."""
    if isinstance(value, Both):
        yield from pairs(prefix, value.value)
        yield from pairs(prefix, value.tree)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from pairs(f"{prefix}[{key}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from pairs(f"{prefix}[{index}]", item)
    elif value is not None:
        is_whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
        yield prefix, str(int(value) if is_whole else value)


def encode(items: Iterable[Pair]) -> bytes:
    """The body: names and values percent-encoded the way PHP does it."""
    return "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in items).encode()


def _quoted(text: str) -> str:
    return quote_plus(text, errors="replace").replace("~", "%7E")


def body(account: Account, top: str, action: str, items: list[Row], *, account_first: bool = False) -> bytes:
    """An account webhook's body: the items under `{top}[{action}]`, the account block at one end."""
    found = [pair for n, item in enumerate(items) for pair in pairs(f"{top}[{action}][{n}]", item)]
    block = list(
        pairs("account", {"subdomain": account.subdomain, "id": account.id,
                          "_links": {"self": account.origin}})
    )  # fmt: skip
    return encode(block + found if account_first else found + block)


def pipeline_body(account: Account, action: str, item: Row) -> bytes:
    """A digital-pipeline hook's body: one lead, and an account block without `_links`."""
    block = {"id": account.id, "subdomain": account.subdomain}
    return encode([*pairs(f"leads[{action}][0]", item), *pairs("account", block)])
