"""The functions that formulas of the simulator know, and how their arguments become numbers and texts."""

import fnmatch
import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from sandbox.sheets.entered import serial

_SHOWN = {
    "ERROR": "#ERROR!",
    "NULL_VALUE": "#NULL!",
    "DIVIDE_BY_ZERO": "#DIV/0!",
    "VALUE": "#VALUE!",
    "REF": "#REF!",
    "NAME": "#NAME?",
    "NUM": "#NUM!",
    "N_A": "#N/A",
    "LOADING": "Loading...",
}


class CellError(Exception):
    """An error value such as ``#DIV/0!``; ``kind`` is the API's ErrorValue type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message

    @classmethod
    def shown_as(cls, shown: str) -> "CellError":
        """The error that is shown like this."""
        return cls(next(kind for kind, text in _SHOWN.items() if text == shown), f"The value is {shown}.")


def shown_error(kind: str) -> str:
    """``DIVIDE_BY_ZERO`` → ``#DIV/0!``."""
    return _SHOWN.get(kind, "#ERROR!")


class Unevaluated(Exception):
    """A formula with a part that this simulator does not compute."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Values of a range, row by row; errors stand in it as values."""

    rows: list[list[Any]]

    def first(self) -> Any:
        """The value at the top left, raised when it is an error."""
        return _raised(self.rows[0][0])

    def all(self) -> Iterator[Any]:
        """Every value, row by row."""
        return (value for row in self.rows for value in row)


def _raised(value: Any) -> Any:
    if isinstance(value, CellError | Unevaluated):
        raise value
    return value


def scalar(value: Any) -> Any:
    """One value of an argument; errors are raised."""
    return value.first() if isinstance(value, Grid) else _raised(value)


def number(value: Any, lang: str) -> float:
    """An argument as a number; CellError VALUE for a text that is none."""
    value = scalar(value)
    if value is None or value == "":
        return 0
    if isinstance(value, bool | int | float):
        return value + 0
    try:
        return float(
            value.replace("\u00a0", "").replace(",", ".") if lang == "ru" else value.replace(",", "")
        )
    except ValueError as err:
        raise CellError("VALUE", f"'{value}' is a text and cannot be coerced to a number.") from err


def text(value: Any, lang: str) -> str:
    """An argument as a text."""
    value = scalar(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper() if lang == "en" else "ИСТИНА" if value else "ЛОЖЬ"
    if isinstance(value, int | float):
        shown = str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        return shown.replace(".", ",") if lang == "ru" else shown
    return str(value)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def compare(sign: str, left: Any, right: Any) -> bool:
    """Numbers come before texts, texts before booleans; texts compare without case."""
    one, two = scalar(left), scalar(right)
    one = _empty_like(two) if one is None else one
    two = _empty_like(one) if two is None else two
    return _COMPARISONS[sign](_rank(one), _rank(two))


def _empty_like(value: Any) -> Any:
    return "" if isinstance(value, str) else False if isinstance(value, bool) else 0


def _rank(value: Any) -> tuple[int, Any]:
    if isinstance(value, str):
        return 1, value.casefold()
    return (2, value) if isinstance(value, bool) else (0, value)


def _numbers(ev: Any, values: list[Any]) -> list[float]:
    """Numbers of the arguments: in ranges only real numbers count, typed arguments are coerced."""
    found: list[float] = []
    for value in values:
        if isinstance(value, Grid):
            plain = (_raised(v) for v in value.all())
            found += [v for v in plain if isinstance(v, int | float) and not isinstance(v, bool)]
        else:
            found.append(number(value, ev.lang))
    return found


def _average(ev: Any, values: list[Any]) -> float:
    found = _numbers(ev, values)
    if not found:
        raise CellError("DIVIDE_BY_ZERO", "Evaluation of function AVERAGE caused a divide by zero error.")
    return math.fsum(found) / len(found)


def _flat(values: list[Any]) -> list[Any]:
    return [v for value in values for v in (value.all() if isinstance(value, Grid) else (value,))]


def _count(_ev: Any, values: list[Any]) -> int:
    return sum(isinstance(v, int | float) and not isinstance(v, bool) for v in _flat(values))


def _rounding(mode: str) -> Callable[[Any, list[Any]], float]:
    def rounded(ev: Any, values: list[Any]) -> float:
        places = int(number(values[1], ev.lang)) if len(values) > 1 else 0
        exact = Decimal(repr(float(number(values[0], ev.lang))))
        return float(exact.quantize(Decimal(1).scaleb(-places), rounding=mode))

    return rounded


def _power(ev: Any, values: list[Any]) -> float:
    base, exponent = (number(v, ev.lang) for v in values)
    try:
        result = base**exponent
    except ZeroDivisionError as err:
        raise CellError("DIVIDE_BY_ZERO", "Function POWER caused a divide by zero error.") from err
    if isinstance(result, complex):
        raise CellError("NUM", "Function POWER has no real result.")
    return float(result)


def _mod(ev: Any, values: list[Any]) -> float:
    dividend, divisor = (number(v, ev.lang) for v in values)
    if divisor == 0:
        raise CellError("DIVIDE_BY_ZERO", "Function MOD parameter 2 cannot be zero.")
    return dividend % divisor


def _truth(ev: Any, values: list[Any]) -> list[bool]:
    plain = [_raised(v) for v in _flat(values)]
    return [bool(v) for v in plain if isinstance(v, bool | int | float)]


def _criterion(wanted: Any, lang: str) -> Callable[[Any], bool]:
    """SUMIF's and COUNTIF's test: ``">5"``, ``"text"`` with * and ?, or a value."""
    wanted = scalar(wanted)
    if not isinstance(wanted, str):
        return lambda value: value is not None and compare("=", value, wanted)
    sign = next((s for s in ("<>", "<=", ">=", "=", "<", ">") if wanted.startswith(s)), "=")
    operand: Any = wanted.removeprefix(sign) if wanted.startswith(sign) else wanted
    try:
        operand = number(operand, lang) if operand else ""
    except CellError:
        if sign == "=" and ("*" in operand or "?" in operand):
            pattern = operand.casefold()
            return lambda value: isinstance(value, str) and fnmatch.fnmatchcase(value.casefold(), pattern)
    same_kind = isinstance(operand, str)
    return lambda value: (
        (isinstance(value, str) == same_kind or sign == "<>")
        and not isinstance(value, CellError | Unevaluated)
        and (value is not None or operand == "" or sign == "<>")
        and compare(sign, value, operand)
    )


def _countif(ev: Any, values: list[Any]) -> int:
    test = _criterion(values[1], ev.lang)
    return sum(test(value) for value in _flat(values[:1]))


def _sumif(ev: Any, values: list[Any]) -> float:
    test = _criterion(values[1], ev.lang)
    tested, summed = _flat(values[:1]), _flat(values[2:3] or values[:1])
    pairs = zip(tested, summed, strict=False)
    chosen = [_raised(v) for value, v in pairs if test(value)]
    return math.fsum(v for v in chosen if isinstance(v, int | float) and not isinstance(v, bool))


def _part(ev: Any, values: list[Any], *, right: bool) -> str:
    whole = text(values[0], ev.lang)
    length = int(number(values[1], ev.lang)) if len(values) > 1 else 1
    return whole[max(0, len(whole) - length) :] if right else whole[:length]


def _mid(ev: Any, values: list[Any]) -> str:
    start, length = (int(number(v, ev.lang)) for v in values[1:3])
    return text(values[0], ev.lang)[start - 1 : start - 1 + length]


def _today(ev: Any, _values: list[Any]) -> int:
    return int(serial(ev.now.date()))


FUNCTIONS: dict[str, Callable[[Any, list[Any]], Any]] = {
    "SUM": lambda ev, v: math.fsum(_numbers(ev, v)),
    "PRODUCT": lambda ev, v: math.prod(_numbers(ev, v)),
    "AVERAGE": _average,
    "MIN": lambda ev, v: min(_numbers(ev, v), default=0),
    "MAX": lambda ev, v: max(_numbers(ev, v), default=0),
    "COUNT": _count,
    "COUNTA": lambda _ev, v: sum(value is not None for value in _flat(v)),
    "COUNTBLANK": lambda _ev, v: sum(value in (None, "") for value in _flat(v)),
    "COUNTIF": _countif,
    "SUMIF": _sumif,
    "ABS": lambda ev, v: abs(number(v[0], ev.lang)),
    "INT": lambda ev, v: math.floor(number(v[0], ev.lang)),
    "MOD": _mod,
    "POWER": _power,
    "SQRT": lambda ev, v: _power(ev, [v[0], 0.5]),
    "ROUND": _rounding(ROUND_HALF_UP),
    "ROUNDUP": _rounding(ROUND_UP),
    "ROUNDDOWN": _rounding(ROUND_DOWN),
    "AND": lambda ev, v: all(_truth(ev, v)),
    "OR": lambda ev, v: any(_truth(ev, v)),
    "NOT": lambda ev, v: not number(v[0], ev.lang),
    "CONCATENATE": lambda ev, v: "".join(text(one, ev.lang) for one in _flat(v)),
    "CONCAT": lambda ev, v: text(v[0], ev.lang) + text(v[1], ev.lang),
    "LEN": lambda ev, v: len(text(v[0], ev.lang)),
    "UPPER": lambda ev, v: text(v[0], ev.lang).upper(),
    "LOWER": lambda ev, v: text(v[0], ev.lang).lower(),
    "TRIM": lambda ev, v: " ".join(text(v[0], ev.lang).split()),
    "LEFT": lambda ev, v: _part(ev, v, right=False),
    "RIGHT": lambda ev, v: _part(ev, v, right=True),
    "MID": _mid,
    "ISBLANK": lambda _ev, v: scalar(v[0]) is None,
    "TODAY": _today,
    "HYPERLINK": lambda ev, v: text(v[-1], ev.lang),
}


def _if(argument: Callable[[int], Any], count: int, lang: str) -> Any:
    if number(argument(0), lang):
        return scalar(argument(1))
    return scalar(argument(2)) if count > 2 else False


def _iferror(argument: Callable[[int], Any], count: int, _lang: str) -> Any:
    try:
        return scalar(argument(0))
    except CellError:
        return scalar(argument(1)) if count > 1 else None


def _iserror(argument: Callable[[int], Any], _count: int, _lang: str) -> bool:
    try:
        scalar(argument(0))
    except CellError:
        return True
    return False


# These look at an argument only when they need it; the others get all of them computed.
LAZY: dict[str, Callable[[Callable[[int], Any], int, str], Any]] = {
    "IF": _if,
    "IFERROR": _iferror,
    "ISERROR": _iserror,
}
