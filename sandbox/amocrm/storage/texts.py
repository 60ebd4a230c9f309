"""JSON as it goes over the wire and into the store."""

import json
import re
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Compact JSON with readable Cyrillic; control characters are escaped, so raw ones never occur in it.

    Half a surrogate pair (PHP cuts emoji in two) stays escaped too: UTF-8 has no bytes for it.
    """
    text = _encoder.encode(value)
    return text if is_storable(text) else _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def is_storable(text: str) -> bool:
    """Whether it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(text: str) -> str:
    """The text with a mark in place of every half surrogate pair."""
    return text if is_storable(text) else _SURROGATE.sub("\ufffd", text)


def without_links(value: Any) -> Any:
    """The same value without any `_links`, at any depth: they name the host and are added per answer."""
    if isinstance(value, dict):
        return {key: without_links(item) for key, item in value.items() if key != "_links"}
    if isinstance(value, list):
        return [without_links(item) for item in value]
    return value
