"""JSON bodies the way PHP's json_decode reads them: strict UTF-8, no NaN, no lone surrogates, 512 levels."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 512
_LARGEST = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(raw: bytes) -> Any:
    """The value; of keys that come twice the later counts, integers beyond 64 bits become floats.

    ValueError for anything else than one whole JSON text.
    """
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_int=_integer, parse_float=_real, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise ValueError("nested too deep")
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("half of a surrogate pair")
    return value


def _integer(text: str) -> int | float:
    if len(text) > 20:
        return _real(text)
    number = int(text)
    return number if -_LARGEST - 1 <= number <= _LARGEST else float(number)


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _depth(value: Any) -> int:
    """Levels of arrays and objects, found without recursion."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, list | dict)]:
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
        depth += 1
    return depth
