"""Single values as amoCRM sends them → what our columns hold. Odd values become None; nothing here raises but
depth.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from widget_backend.errors import UnreadableRecord

BIGINT = 2**63 - 1
MONEY_LIMIT = Decimal(10) ** 16  # numeric(20, 4)
MAX_DEPTH = 64
# PostgreSQL stores neither NUL nor half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def as_int(value: Any) -> int | None:
    """An integer of 64 bits, also from a string or an integral fraction."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if not re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII):
            return None
        value = int(value)
    elif isinstance(value, (float, Decimal)):
        exact = as_decimal(value)
        if exact is None or exact != exact.to_integral_value():
            return None
        value = int(exact)
    return value if isinstance(value, int) and -BIGINT <= value <= BIGINT else None


def as_id(value: Any) -> int | None:
    """As ``as_int``, but amoCRM's 0 for "nobody, nothing" is None."""
    return as_int(value) or None


def as_decimal(value: Any) -> Decimal | None:
    """An exact finite number that ``numeric(20, 4)`` can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and abs(number) < MONEY_LIMIT else None


def as_moment(value: Any) -> datetime | None:
    """Unix seconds (or ISO 8601 with an offset) → an aware moment, UTC; 0, null and local text are None.

    Parts of a second are cut off: amoCRM's clock has none.
    """
    if isinstance(value, (float, Decimal)) and (exact := as_decimal(value)) is not None:
        value = int(exact)
    seconds = as_int(value)
    if seconds is not None:
        # Up to the year 9999; years beyond do not fit.
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 253_402_300_800 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def as_bool(value: Any, default: bool = False) -> bool:
    """True, 1, "1", "true" … ; anything that says neither yes nor no gives the default."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("1", "true", "yes"):
        return True
    return False if word in ("0", "false", "no", "") else default


def as_text(value: Any) -> str:
    """A storable string; empty for null and for anything with a structure."""
    return as_text_or_none(value) or ""


def as_text_or_none(value: Any) -> str | None:
    """A storable string, None for null and for anything with a structure."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    return _UNSTORABLE.sub("\ufffd", str(value))


def as_dict(value: Any) -> dict[str, Any]:
    """An object; PHP's ``[]`` for "no fields" and null are the empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """A list; an object alone is a list of one, null and ``{}`` are empty."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) and value else []


def storable(value: Any, depth: int = 0) -> Any:
    """A payload for JSONB: as received, without ``_links``, with what PostgreSQL refuses replaced.

    ``_links`` only repeat our own host and would make every row "changed" when an account is renamed.
    Fractions stay numbers where a double holds them exactly as written, else they become strings.
    """
    if depth > MAX_DEPTH:
        raise UnreadableRecord("A record is nested too deep.")
    if isinstance(value, dict):
        return {
            _UNSTORABLE.sub("\ufffd", str(k)): storable(v, depth + 1)
            for k, v in value.items()
            if k != "_links"
        }
    if isinstance(value, (list, tuple)):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, (float, Decimal)):
        return _fraction(Decimal(str(value)))
    return value


def _fraction(number: Decimal) -> float | str | None:
    if not number.is_finite():
        return None
    double = float(number)
    return double if Decimal(repr(double)) == number else str(number)
