"""JSON as it goes over the wire and into the store."""

import json
import re
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# `JSONEncoder.encode` makes such an encoder for every call, which costs more than encoding a small row.
_make: Any = getattr(json.encoder, "c_make_encoder", None)
_quoted = json.encoder.encode_basestring
_chunks = _make and _make(None, _encoder.default, _quoted, None, ":", ",", False, False, True)
_SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Compact JSON with readable Cyrillic; control characters are escaped, so raw ones never occur in it.

    Half a surrogate pair (PHP cuts emoji in two) stays escaped too: UTF-8 has no bytes for it.
    """
    if value is None:
        return "null"
    if type(value) is list and not value:
        return "[]"
    text = "".join(_chunks(value, 0)) if _chunks else _encoder.encode(value)
    if text.isascii() or is_storable(text):
        return text
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


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
