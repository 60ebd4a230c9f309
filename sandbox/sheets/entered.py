"""What a person's typing becomes: USER_ENTERED text → CellData, by the spreadsheet's locale.

Numbers, percents, money, dates, times, booleans and formulas of ``en_*`` and ``ru_*``; others follow ``en``.
"""

import datetime as dt
import re
from typing import Any

EPOCH = dt.date(1899, 12, 30)
MAX_CHARACTERS = 50_000
_NUMBER = {
    "en": re.compile(
        r"(?P<sign>[+-]?)\$?(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?:\.(?P<part>\d*))?(?P<exp>[eE][+-]?\d+)?"
    ),
    "ru": re.compile(
        r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d*)"
        r"(?:,(?P<part>\d*))?(?P<exp>[eE][+-]?\d+)?"
    ),
}
_MONEY_END = re.compile(r"[ \u00a0\u202f]?(?:₽|р\.|руб\.?)$")
_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})")
_DATE = {
    "en": re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})(?:/(?P<y>\d{4}|\d{2}))?"),
    "ru": re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})(?:\.(?P<y>\d{4}|\d{2}))?"),
}
_TIME = re.compile(r"(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2}))?(?: ?(?P<half>[AaPp][Mm]))?")
_PATTERNS = {
    "en": {"DATE": "m/d/yyyy", "DATE_TIME": "m/d/yyyy h:mm:ss", "TIME": "h:mm:ss"},
    "ru": {"DATE": "dd.mm.yyyy", "DATE_TIME": "dd.mm.yyyy h:mm:ss", "TIME": "h:mm:ss"},
}
_BOOLEANS = {"TRUE": True, "FALSE": False, "ИСТИНА": True, "ЛОЖЬ": False}


def language(locale: str) -> str:
    """``ru`` for Russian spreadsheets, ``en`` for all others."""
    return "ru" if locale.startswith("ru") else "en"


def serial(moment: dt.datetime | dt.date) -> float:
    """A date or a naive moment as days since 1899-12-30."""
    if isinstance(moment, dt.datetime):
        days = (moment.date() - EPOCH).days
        return days + (moment - dt.datetime.combine(moment.date(), dt.time())).total_seconds() / 86_400
    return (moment - EPOCH).days


def raw_cell(value: Any) -> dict[str, Any]:
    """A value taken as it is (RAW): strings stay text, whatever they look like."""
    if isinstance(value, bool):
        return {"userEnteredValue": {"boolValue": value}}
    if isinstance(value, int | float):
        return {"userEnteredValue": {"numberValue": value}}
    return {"userEnteredValue": {"stringValue": str(value)}} if str(value) else {}


def typed_cell(value: Any, locale: str, today: dt.date) -> dict[str, Any]:
    """A value as if typed into the browser (USER_ENTERED)."""
    if not isinstance(value, str):
        return raw_cell(value)
    text, lang = value.strip(), language(locale)
    if not text:
        return {}
    if value.startswith("'"):
        return {"userEnteredValue": {"stringValue": value[1:]}}
    if text.startswith("=") and len(text) > 1:
        return {"userEnteredValue": {"formulaValue": text}}
    if text.upper() in _BOOLEANS and (lang == "ru" or text.isascii()):
        return {"userEnteredValue": {"boolValue": _BOOLEANS[text.upper()]}}
    found = _number_cell(text, lang) or _moment_cell(text, lang, today)
    if found:
        return found
    # A leading plus or minus that is not a number starts a formula: this is how "+7 999 …" becomes an error.
    if text[0] in "+-" and len(text) > 1:
        return {"userEnteredValue": {"formulaValue": "=" + text}}
    return {"userEnteredValue": {"stringValue": value}}


def _formatted(number: float, kind: str | None, pattern: str = "") -> dict[str, Any]:
    cell: dict[str, Any] = {"userEnteredValue": {"numberValue": number}}
    if kind:
        cell["userEnteredFormat"] = {"numberFormat": {"type": kind, "pattern": pattern}}
    return cell


def _number_cell(text: str, lang: str) -> dict[str, Any] | None:
    percent = text.endswith("%")
    body = text.removesuffix("%").rstrip() if percent else text
    money = "$" in body if lang == "en" else bool(_MONEY_END.search(body))
    body = _MONEY_END.sub("", body) if lang == "ru" else body
    match = _NUMBER[lang].fullmatch(body)
    if match is None or not (match["whole"] or match["part"]):
        return None
    whole = re.sub(r"[^\d]", "", match["whole"]) or "0"
    number = float(f"{match['sign']}{whole}.{match['part'] or '0'}{match['exp'] or ''}")
    number = int(number) if number.is_integer() and abs(number) < 2**53 else number
    if percent:
        return _formatted(number / 100, "PERCENT", "0.00%" if match["part"] else "0%")
    if money:
        return _formatted(number, "CURRENCY", "$#,##0.00" if lang == "en" else '#,##0.00 "₽"')
    return _formatted(number, None)


def _moment_cell(text: str, lang: str, today: dt.date) -> dict[str, Any] | None:
    day_text, _, time_text = text.partition(" ")
    match = _ISO.fullmatch(day_text) or _DATE[lang].fullmatch(day_text)
    if match is None:
        fraction = _day_fraction(text)
        return None if fraction is None else _formatted(fraction, "TIME", _PATTERNS[lang]["TIME"])
    day = _day(match, today)
    fraction = _day_fraction(time_text) if time_text else 0.0
    if day is None or fraction is None:
        return None
    kind = "DATE_TIME" if time_text else "DATE"
    return _formatted(serial(day) + (fraction if time_text else 0), kind, _PATTERNS[lang][kind])


def _day(match: re.Match[str], today: dt.date) -> dt.date | None:
    year = match["y"]
    number = today.year if not year else int(year) + (2000 if len(year) == 2 else 0)
    try:
        return dt.date(number, int(match["m"]), int(match["d"]))
    except ValueError:
        return None


def _day_fraction(text: str) -> float | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = int(match["h"]), int(match["min"]), int(match["s"] or 0)
    if match["half"]:
        hours = hours % 12 + (12 if match["half"].lower() == "pm" else 0)
    if minutes > 59 or seconds > 59 or hours > 23:
        return None
    return (hours * 3600 + minutes * 60 + seconds) / 86_400
