"""JSON as it goes over the wire and into the store."""

import json
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def dumps(value: Any) -> str:
    """Compact JSON with readable Cyrillic; control characters are escaped, so raw ones never occur in it."""
    return _encoder.encode(value)


def without_links(value: Any) -> Any:
    """The same value without any `_links`, at any depth: they name the host and are added per answer."""
    if isinstance(value, dict):
        return {key: without_links(item) for key, item in value.items() if key != "_links"}
    if isinstance(value, list):
        return [without_links(item) for item in value]
    return value
