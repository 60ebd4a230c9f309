"""What a person's typing becomes: USER_ENTERED text → CellData, by the spreadsheet's locale.

Numbers, percents, money, dates, times, booleans and formulas of ``en_*`` and ``ru_*``; others follow ``en``.
"""

import datetime as dt
import re
from typing import Any

EPOCH = dt.date(1899, 12, 30)
MAX_CHARACTERS = 50_000
PRECISION = 15  # significant digits that survive typing
_SPACE = "[ \u00a0\u202f]"
_NUMBER = {
    "en": re.compile(
        r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?:\.(?P<part>\d*))?(?P<exp>[eE][+-]?\d+)?"
    ),
    "ru": re.compile(
        rf"(?P<sign>[+-]?)(?P<whole>\d{{1,3}}(?:{_SPACE}\d{{3}})+|\d*)"
        r"(?:,(?P<part>\d*))?(?P<exp>[eE][+-]?\d+)?"
    ),
}
_MONEY = {
    "en": re.compile(r"(?P<sign>[+-]?)\$ ?(?P<rest>[\d,.]+)"),
    "ru": re.compile(rf"(?P<sign>[+-]?)(?P<rest>[\d,  \u00a0\u202f]*?\d){_SPACE}?(?:₽|р\.|руб\.?)"),
}
_BOOK_KEEPING = re.compile(r"\((?P<inner>\$?\d[\d., \u00a0]*)\)")
_ISO = re.compile(r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})")
_DATE = {
    "en": re.compile(r"(?P<m>\d{1,2})(?P<sep>[/-])(?P<d>\d{1,2})(?:(?P=sep)(?P<y>\d{4}|\d{2}))?"),
    "ru": re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})(?:\.(?P<y>\d{4}|\d{2}))?"),
}
_NAMED_DATE = {
    "en": re.compile(
        r"(?:(?P<d>\d{1,2})[ -](?P<name>[A-Za-z]{3,9})|(?P<name2>[A-Za-z]{3,9}) (?P<d2>\d{1,2}))"
        r"(?:,? ?-?(?P<y>\d{4}))?"
    ),
    "ru": re.compile(r"(?P<d>\d{1,2}) (?P<name>[а-яё]{3,8})\.?(?: (?P<y>\d{4})(?: ?г\.)?)?", re.IGNORECASE),
}
_MONTHS = {
    "en": ("january february march april may june july august september october november december").split(),  # noqa: SIM905 - twelve quoted words are no easier to read
    "ru": ("января февраля марта апреля мая июня июля августа сентября октября ноября декабря").split(),  # noqa: SIM905 - twelve quoted words are no easier to read
}
_TIME = re.compile(
    r"(?P<h>\d{1,3}):(?P<min>\d{2})(?::(?P<s>\d{2})(?P<ms>\.\d{1,3})?)?(?: ?(?P<half>[AaPp][Mm]))?"
)
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
        return {"userEnteredValue": {"stringValue": value[1:]}} if len(value) > 1 else {}
    if text.startswith("=") and len(text) > 1:
        return {"userEnteredValue": {"formulaValue": text}}
    if text.upper() in _BOOLEANS and (lang == "ru" or text.isascii()):
        return {"userEnteredValue": {"boolValue": _BOOLEANS[text.upper()]}}
    found = _number_cell(text, lang) or _moment_cell(text, lang, today)
    if found:
        return found
    # A leading plus or minus that is not a number starts a formula: this is how "+7 999 …" becomes an error.
    if text[0] in "+-" and len(text) > 1 and not text.startswith("--"):
        return {"userEnteredValue": {"formulaValue": "=" + text}}
    return {"userEnteredValue": {"stringValue": value}}


def _formatted(number: float, kind: str | None, pattern: str = "") -> dict[str, Any]:
    cell: dict[str, Any] = {"userEnteredValue": {"numberValue": number}}
    if kind:
        cell["userEnteredFormat"] = {"numberFormat": {"type": kind, "pattern": pattern}}
    return cell


def _number_cell(text: str, lang: str) -> dict[str, Any] | None:
    negative = _BOOK_KEEPING.fullmatch(text)
    body = f"-{negative['inner']}" if negative else text
    if body.endswith("%"):
        share = _number(body.removesuffix("%").rstrip(), lang)
        pattern = "0.00%" if ("." if lang == "en" else ",") in body else "0%"
        return None if share is None else _formatted(_rounded(share / 100), "PERCENT", pattern)
    money = _MONEY[lang].fullmatch(body)
    if money:
        amount = _number(money["sign"] + money["rest"], lang)
        whole = ("." if lang == "en" else ",") not in body
        pattern = ("$#,##0" if lang == "en" else '#,##0 "₽"') if whole else _MONEY_PATTERNS[lang]
        return None if amount is None else _formatted(amount, "CURRENCY", pattern)
    number = _number(body, lang)
    if number is None:
        return None
    if re.search(r"\d[eE]", body):
        return _formatted(number, "SCIENTIFIC", "0.00E+00")
    return _formatted(number, *(("NUMBER", "#,##0") if _grouped(body, lang) else (None,)))


_MONEY_PATTERNS = {"en": "$#,##0.00", "ru": '#,##0.00 "₽"'}


def _grouped(text: str, lang: str) -> bool:
    """Whether thousands are set apart; such a number keeps the look."""
    return re.search(r"\d,\d{3}" if lang == "en" else rf"\d{_SPACE}\d{{3}}", text) is not None


def _number(text: str, lang: str) -> float | None:
    match = _NUMBER[lang].fullmatch(text)
    if match is None or not (match["whole"] or match["part"]):
        return None
    whole = re.sub(r"[^\d]", "", match["whole"]) or "0"
    try:
        value = float(f"{match['sign']}{whole}.{match['part'] or '0'}{match['exp'] or ''}")
    except OverflowError:
        return None
    return None if value in (float("inf"), float("-inf")) else _rounded(value)


def _rounded(value: float) -> float:
    """Typed numbers keep fifteen digits: a long id loses its tail."""
    value = float(f"{value:.{PRECISION}g}")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _moment_cell(text: str, lang: str, today: dt.date) -> dict[str, Any] | None:
    fraction = _day_fraction(text)
    if fraction is not None:
        duration = fraction >= 1
        pattern = "[h]:mm:ss" if duration else _PATTERNS[lang]["TIME"]
        return _formatted(fraction, "TIME", pattern)
    day_text, time_text = _parts(text)
    match = (
        _ISO.fullmatch(day_text) or _DATE[lang].fullmatch(day_text) or _NAMED_DATE[lang].fullmatch(day_text)
    )
    if match is None:
        return None
    day = _day(match, today, lang)
    fraction = _day_fraction(time_text) if time_text else 0.0
    if day is None or fraction is None or fraction >= 1:
        return None
    kind = "DATE_TIME" if time_text else "DATE"
    iso = match.re is _ISO and "-" in day_text
    pattern = "yyyy-mm-dd" + (" h:mm:ss" if time_text else "") if iso else _PATTERNS[lang][kind]
    return _formatted(serial(day) + (fraction if time_text else 0), kind, pattern)


def _parts(text: str) -> tuple[str, str]:
    """The date and the time of a text; the time is what follows the last space before a colon."""
    found = re.fullmatch(r"(.+?),? (\d{1,2}:\d{2}.*)", text)
    return (found[1], found[2]) if found else (text, "")


def _day(match: re.Match[str], today: dt.date, lang: str) -> dt.date | None:
    parts = match.groupdict()
    year, day = parts["y"], parts["d"] or parts.get("d2")
    number = today.year if not year else int(year) + (2000 if len(year) == 2 else 0)
    month = parts.get("m") or _month(parts.get("name") or parts.get("name2") or "", lang)
    try:
        return dt.date(number, int(month or 0), int(day or 0))
    except ValueError:
        return None


def _month(name: str, lang: str) -> int | None:
    low = name.lower()
    for number, whole in enumerate(_MONTHS[lang], 1):
        if low == whole or low == whole[:3] or (lang == "ru" and low == "май" and number == 5):
            return number
    return None


def _day_fraction(text: str) -> float | None:
    """A time of day, or a duration of many hours, as a part of a day."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (
        int(match["h"]),
        int(match["min"]),
        float((match["s"] or "0") + (match["ms"] or "")),
    )
    if match["half"]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if match["half"].lower() == "pm" else 0)
    if minutes > 59 or seconds >= 60:
        return None
    return (hours * 3600 + minutes * 60 + seconds) / 86_400
