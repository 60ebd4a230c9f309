"""Number and date patterns (``#,##0.00 "₽"``, ``dd.mm.yyyy``) and what a number looks like under one."""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

_DATE_TOKEN = re.compile(
    r'"[^"]*"|\\.|\[h+\]|\[m+\]|\[s+\]|yyyy|yy|y|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|am/pm|a/p|.',
    re.IGNORECASE,
)
_NUMBER_TOKEN = re.compile(
    r'("[^"]*"|\\.|[#0?,.]*[#0?][#0?,.]*(?:[eE][+-]0+)?|%|\[[^\]]*\]|[*_].|.)', re.DOTALL
)
_MONTHS = {
    "en": ("January February March April May June July August September October November December").split(),  # noqa: SIM905 - twelve quoted words are no easier to read
    "ru": ("январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь").split(),  # noqa: SIM905 - twelve quoted words are no easier to read
}
_DAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "ru": ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"],
}
_SHORT_DAYS = {
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "ru": ["Пн", "Вт", "Ср", "Чт", "Пт", "Сб", "Вс"],
}
_SEPARATORS = {"en": (",", "."), "ru": ("\u00a0", ",")}


def general(value: float, lang: str) -> str:
    """A number without a format: at most ten significant digits, powers of ten from 1E+15 on."""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 1e-9 <= abs(value) < 1e15:
        shown = f"{Decimal(f'{value:.10g}'):f}"
    else:
        mantissa, _, exponent = f"{value:.5E}".partition("E")
        mantissa = mantissa.rstrip("0").rstrip(".")
        shown = f"{mantissa}E{exponent[0]}{exponent[1:].lstrip('0').zfill(2)}"
    return shown.replace(".", _SEPARATORS[lang][1])


def shown_number(value: float, pattern: str, lang: str) -> str:
    """A number under a number pattern; sections by ``;`` for negative numbers and zero."""
    sections = pattern.split(";")
    number = Decimal(repr(float(value)))
    body = sections[0]
    if number < 0 and len(sections) > 1:
        body, number = sections[1], -number
    elif number == 0 and len(sections) > 2:
        body = sections[2]
    if "%" in re.sub(r'"[^"]*"', "", body):
        number *= 100
    shown = ""
    for token in _NUMBER_TOKEN.findall(body):
        shown += _number_part(number, token, lang)
    # The minus stands before everything, whatever text comes first.
    return "-" + shown.replace("-", "", 1) if number < 0 and re.search(r"-\d", shown) else shown


def _number_part(number: Decimal, token: str, lang: str) -> str:
    if token[0] == '"':
        return token[1:-1]
    if token[0] == "\\":
        return token[1]
    if token[0] in "*_" and len(token) == 2:
        return "" if token[0] == "*" else " "
    if token.startswith("["):
        return ""
    if "e" in token.lower() and token[0] in "#0?.":
        return _scientific(number, token, lang)
    return _digits(number, token, lang) if token[0] in "#0?,." and re.search(r"[#0?]", token) else token


def _scientific(number: Decimal, token: str, lang: str) -> str:
    body, _, power = token.upper().partition("E")
    places = len(body.partition(".")[2])
    mantissa, _, exponent = f"{number:.{places}E}".partition("E")
    digits = exponent[1:].zfill(len(power) - 1)
    return f"{mantissa.replace('.', _SEPARATORS[lang][1])}E{exponent[0]}{digits}"


def _digits(number: Decimal, token: str, lang: str) -> str:
    whole, _, part = token.partition(".")
    places = len(part)
    if number.adjusted() > 25:
        return general(float(number), lang)
    rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    shown = f"{rounded:,f}" if "," in whole else f"{rounded:f}"
    head, point, tail = shown.partition(".")
    sign, head = ("-", head[1:]) if head.startswith("-") else ("", head)
    if rounded == 0:
        sign = ""
    needed = whole.count("0")
    head = "" if head == "0" and not needed else head.zfill(needed) if "," not in head else head
    optional = len(part) - len(part.rstrip("#?"))
    while optional and tail.endswith("0"):
        tail, optional = tail[:-1], optional - 1
    group, decimal = _SEPARATORS[lang]
    return sign + head.replace(",", group) + (decimal + tail if point and tail else "")


def moment(value: float, pattern: str, lang: str) -> str:
    """Days since 1899-12-30 under a date pattern; a number no calendar reaches is shown plainly."""
    seconds = round(value * 86_400)
    if not 0 <= seconds < 250_000_000_000:
        return general(value, lang)
    at = dt.datetime(1899, 12, 30) + dt.timedelta(seconds=seconds)  # noqa: DTZ001 - sheets know no zones
    tokens = _DATE_TOKEN.findall(pattern)
    half = any(token.lower() in ("am/pm", "a/p") for token in tokens)
    shown = ""
    for index, token in enumerate(tokens):
        low = token.lower()
        if low[0] in '"\\':
            shown += token.strip('"').removeprefix("\\")
        elif low in ("m", "mm") and _is_minute(tokens, index):
            shown += str(at.minute).zfill(len(low))
        else:
            shown += _moment_part(low, token, at, seconds, lang, half)
    return shown


def _is_minute(tokens: list[str], index: int) -> bool:
    """Whether an ``m`` means minutes: it follows hours or precedes seconds."""
    words = [t.lower() for t in tokens]
    before = next((w for w in reversed(words[:index]) if w[0].isalpha() or w[0] == "["), "")
    after = next((w for w in words[index + 1 :] if w[0].isalpha() or w[0] == "["), "")
    return before[:2] in ("h", "hh", "[h") or after[:1] == "s" or after[:2] == "[s"


def _moment_part(low: str, token: str, at: dt.datetime, seconds: int, lang: str, half: bool) -> str:
    if low.startswith("["):
        size = {"h": 3600, "m": 60, "s": 1}[low[1]]
        return str(seconds // size).zfill(len(low) - 2)
    if low in ("am/pm", "a/p"):
        return ("AM" if at.hour < 12 else "PM")[: 2 if low == "am/pm" else 1]
    if low in ("mmmm", "mmm"):
        name = _MONTHS[lang][at.month - 1]
        return name if low == "mmmm" else name[:3]
    if low in ("dddd", "ddd"):
        return (_DAYS if low == "dddd" else _SHORT_DAYS)[lang][at.weekday()]
    number = {
        "y": at.year if low == "yyyy" else at.year % 100,
        "m": at.month,
        "d": at.day,
        "h": (at.hour % 12 or 12) if half else at.hour,
        "s": at.second,
    }.get(low[0])
    if number is None:
        return token
    return str(number).zfill(len(low) if low not in ("y",) else 2)
