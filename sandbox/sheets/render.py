"""How a cell is shown: FORMATTED_VALUE, UNFORMATTED_VALUE and FORMULA of the values calls.

Formulas are kept but not computed: their value is shown as an empty text.
"""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.sheets.entered import language

_DATE_TOKEN = re.compile(
    r'"[^"]*"|\\.|\[h+\]|yyyy|yy|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|am/pm|.', re.IGNORECASE
)
_NUMBER_PATTERN = re.compile(r'("[^"]*"|\\.|[#0?,.]+|%|\[[^\]]*\]|.)')
_DATE_KINDS = {"DATE": "dd.mm.yyyy", "TIME": "h:mm:ss", "DATE_TIME": "dd.mm.yyyy h:mm:ss"}


def formula_text(cell: dict[str, Any]) -> str | None:
    """The formula, None for other cells."""
    formula: str | None = cell.get("userEnteredValue", {}).get("formulaValue")
    return formula


def plain_value(cell: dict[str, Any]) -> Any:
    """The value without its format: number, text or boolean; formulas and empty cells give an empty text."""
    value = cell.get("userEnteredValue", {})
    for name in ("numberValue", "stringValue", "boolValue"):
        if name in value:
            return value[name]
    return ""


def shown_value(cell: dict[str, Any], option: str, moments: str, locale: str) -> Any:
    """The value under a ValueRenderOption and a DateTimeRenderOption."""
    if option == "FORMULA" and (formula := formula_text(cell)):
        return formula
    value = plain_value(cell)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if option in ("UNFORMATTED_VALUE", "FORMULA"):
        kind = _format(cell).get("type", "")
        as_text = is_number and kind in _DATE_KINDS and moments != "SERIAL_NUMBER"
        return shown_text(cell, locale) if as_text else value
    return shown_text(cell, locale)


def _format(cell: dict[str, Any]) -> dict[str, Any]:
    number_format: dict[str, Any] = cell.get("userEnteredFormat", {}).get("numberFormat", {})
    return number_format


def shown_text(cell: dict[str, Any], locale: str) -> str:
    """The text a person sees in the cell."""
    value = plain_value(cell)
    if isinstance(value, bool):
        names = ("ИСТИНА", "ЛОЖЬ") if language(locale) == "ru" else ("TRUE", "FALSE")
        return names[0] if value else names[1]
    if isinstance(value, str):
        return value
    kind, pattern = _format(cell).get("type", ""), _format(cell).get("pattern", "")
    if kind in _DATE_KINDS:
        return _moment(value, pattern or _DATE_KINDS[kind])
    if kind == "TEXT" or not (pattern or kind in ("PERCENT", "CURRENCY", "NUMBER")):
        return _general(value, locale)
    defaults = {"PERCENT": "0.00%", "CURRENCY": "#,##0.00", "NUMBER": "#,##0.00"}
    return _number(value, pattern or defaults.get(kind, "0.##"), locale)


def _separators(locale: str) -> tuple[str, str]:
    return ("\u00a0", ",") if language(locale) == "ru" else (",", ".")


def _general(value: float, locale: str) -> str:
    text = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    return text.replace(".", _separators(locale)[1])


def _number(value: float, pattern: str, locale: str) -> str:
    # Patterns may have sections for negative numbers and zero; the first one serves all here.
    shown, body = "", pattern.split(";")[0]
    scaled = Decimal(repr(value)) * (100 if "%" in re.sub(r'"[^"]*"', "", body) else 1)
    for token in _NUMBER_PATTERN.findall(body):
        if token[0] in "#0?":
            shown += _digits(scaled, token, locale)
        elif token[0] == '"':
            shown += token[1:-1]
        elif token[0] == "\\":
            shown += token[1]
        elif not token.startswith("["):
            shown += token
    return shown


def _digits(value: Decimal, token: str, locale: str) -> str:
    whole, _, part = token.partition(".")
    places = len(part)
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    optional = len(part) - len(part.rstrip("#?"))
    for _ in range(optional):
        if text.endswith("0"):
            text = text[:-1]
    text = text.rstrip(".") if places else text
    group, point = _separators(locale)
    return text.replace(",", "\0").replace(".", point).replace("\0", group)


def _moment(value: float, pattern: str) -> str:
    seconds = round(value * 86_400)
    if not 0 <= seconds < 250_000_000_000:
        return str(value)
    at = dt.datetime(1899, 12, 30) + dt.timedelta(seconds=seconds)  # noqa: DTZ001 - sheets know no zones
    shown, after_hours = "", False
    for token in _DATE_TOKEN.findall(pattern):
        low = token.lower()
        if low[0] == '"' or low[0] == "\\":
            shown += token.strip('"').removeprefix("\\")
            continue
        shown += _moment_part(low, token, at, seconds, after_hours)
        after_hours = low[0] in "h[" or (after_hours and not low[0].isalpha())
    return shown


def _moment_part(low: str, token: str, at: dt.datetime, seconds: int, after_hours: bool) -> str:
    if low.startswith("[h"):
        return str(seconds // 3600).zfill(len(low) - 2)
    minutes = after_hours and low in ("m", "mm")
    number = {
        "y": at.year % 100 if low == "yy" else at.year,
        "m": at.minute if minutes else at.month,
        "d": at.day,
        "h": at.hour,
        "s": at.second,
    }.get(low[0])
    if number is None:
        return token
    return str(number).zfill(len(low) if len(low) in (2, 4) else 1)
