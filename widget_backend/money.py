"""Exact amounts: rounding half-up once, at output, and texts for people in Russian and English."""

from decimal import Decimal
from fractions import Fraction

from babel.numbers import format_currency, format_decimal, get_currency_symbol

DASH = "—"
NBSP = "\u00a0"
Exact = int | Decimal | Fraction
PLACES = {"money": 2, "percent": 4, "ratio": 4, "minutes": 2}
WHOLE_UNITS = frozenset({"count", "seconds", "duration"})

_DURATION = {
    "ru": (("дн.", 86400), ("ч", 3600), ("мин", 60), ("с", 1)),
    "en": (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)),
}


def round_half_up(value: Exact, places: int) -> Decimal:
    """``value`` with that many decimal places; a half goes away from zero, as people round money."""
    scaled = abs(Fraction(value)) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def as_output(unit: str, value: Exact | None) -> int | str | None:
    """A value as answers carry it: counts and seconds an integer, the rest a string with fixed places."""
    if value is None:
        return None
    if unit in WHOLE_UNITS:
        return int(round_half_up(value, 0))
    return f"{round_half_up(value, PLACES[unit]):f}"


def format_value(unit: str, value: int | str | None, currency: str | None, lang: str) -> str:
    """An answer's value as people read it: «45 000 ₽», «12,5 %», «3 дн. 4 ч»; «—» for a missing one."""
    if value is None:
        return DASH
    locale = "ru" if lang.startswith("ru") else "en"
    number = Decimal(value)
    if unit in ("seconds", "duration"):
        return _duration(int(number), locale)
    if unit == "money":
        cents = round_half_up(number, 2)
        whole = cents == cents.to_integral_value()
        if currency is None:
            return str(format_decimal(cents, "#,##0" if whole else "#,##0.00", locale=locale))
        pattern = _pattern(locale, currency, whole)
        return str(format_currency(cents, currency, pattern, locale=locale, currency_digits=False))
    if unit == "percent":
        text = str(format_decimal(round_half_up(number, 1), "#,##0.#", locale=locale))
        return f"{text}{NBSP}%" if locale == "ru" else f"{text}%"
    if unit == "minutes":
        text = str(format_decimal(round_half_up(number, 0), "#,##0", locale=locale))
        return f"{text}{NBSP}{'мин' if locale == 'ru' else 'min'}"
    places = "#,##0" if unit == "count" else "#,##0.##"
    return str(format_decimal(round_half_up(number, 2), places, locale=locale))


def _pattern(locale: str, currency: str, whole: bool) -> str:
    digits = "#,##0" if whole else "#,##0.00"
    if locale == "ru":
        return f"{digits}{NBSP}¤"
    gap = NBSP if get_currency_symbol(currency, locale)[-1].isalpha() else ""
    return f"¤{gap}{digits}"


def _duration(seconds: int, locale: str) -> str:
    """The two largest units that matter: «3 дн. 4 ч», «12 мин 5 с», «0 с»."""
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    parts: list[str] = []
    for name, size in _DURATION[locale]:
        count, remainder = divmod(rest, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count}{NBSP}{name}" if count else "")
            rest = remainder
        if len(parts) == 2:
            break
    shown = [part for part in parts if part] or [f"0{NBSP}{_DURATION[locale][-1][0]}"]
    return sign + " ".join(shown)
