"""Query strings the way PHP reads them: ``filter[id][]=1``, ``order[updated_at]=asc``."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode


def encode_query(params: Mapping[str, Any] | str | None) -> str:
    """``{"filter": {"id": [1, 2]}}`` → ``filter[id][]=1&filter[id][]=2`` (percent-encoded); a string stays as
    it is.

    Lists of mappings get indexes (``filter[statuses][0][status_id]=142``); None leaves a value out; booleans
    become 1 and 0.
    """
    if params is None:
        return ""
    if isinstance(params, str):
        return params
    return urlencode([pair for name, value in params.items() for pair in _flat(name, value)])


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}[{key}]", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _flat(f"{name}[{index if isinstance(inner, Mapping) else ''}]", inner)
    else:
        yield name, str(int(value)) if isinstance(value, bool) else str(value)
