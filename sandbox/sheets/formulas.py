"""What formulas come to: a small parser and evaluator for arithmetic, references and common functions.

A function that is not in ``functions`` leaves its formula unevaluated: kept, shown as an empty text.
"""

import datetime as dt
import re
from functools import lru_cache
from typing import Any

from sandbox.sheets.a1 import Area
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.entered import language
from sandbox.sheets.functions import FUNCTIONS, LAZY, CellError, Grid, Unevaluated, compare, number, text
from sandbox.sheets.references import REFERENCE, Reference, parse_reference

Node = tuple[Any, ...]
_LEVELS = (("=", "<>", "<", ">", "<=", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",))
_DEEPEST = 60  # a chain of formulas longer than this stays unevaluated unless read from its start


def _tokens_of(lang: str) -> re.Pattern[str]:
    point = "," if lang == "ru" else r"\."
    return re.compile(
        rf'(?P<string>"(?:[^"]|"")*")|(?P<error>#(?:REF!|DIV/0!|N/A|VALUE!|NAME\?|NUM!|NULL!|ERROR!))'
        rf"|(?P<reference>{REFERENCE})"
        rf"|(?P<number>\d+(?:{point}\d*)?(?:[eE][+-]?\d+)?|{point}\d+)"
        r"|(?P<name>[^\W\d][\w.]*)|(?P<op><>|<=|>=|[-+*/^&=<>%();,])|(?P<space>\s+)|(?P<other>.)",
        re.DOTALL,
    )


_TOKENS = {lang: _tokens_of(lang) for lang in ("en", "ru")}


class _Parser:
    """Recursive descent over the tokens of one formula; CellError ERROR where it is none."""

    def __init__(self, formula: str, lang: str) -> None:
        found = _TOKENS[lang].finditer(formula[1:])
        self.tokens = [match for match in found if match["space"] is None]
        self.at = 0
        self.lang = lang
        self.separators = (";",) if lang == "ru" else (",", ";")

    def whole(self) -> Node:
        node = self.level(0)
        if self.at < len(self.tokens):
            raise CellError("ERROR", "Formula parse error.")
        return node

    def peek(self) -> str | None:
        """The next token when it is a sign, None otherwise."""
        return self.tokens[self.at]["op"] if self.at < len(self.tokens) else None

    def take(self, *signs: str) -> str | None:
        sign = self.peek()
        if sign is None or sign not in signs:
            return None
        self.at += 1
        return sign

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self.unary()
        node = self.level(depth + 1)
        while sign := self.take(*_LEVELS[depth]):
            node = ("binary", sign, node, self.level(depth + 1))
        return node

    def unary(self) -> Node:
        if sign := self.take("+", "-"):
            return ("unary", sign, self.unary())
        node = self.atom()
        while self.take("%"):
            node = ("binary", "/", node, ("value", 100))
        return node

    def atom(self) -> Node:
        if self.take("("):
            node = self.level(0)
            self.expect(")")
            return node
        if self.at == len(self.tokens) or self.peek() is not None:
            raise CellError("ERROR", "Formula parse error.")
        token = self.tokens[self.at]
        self.at += 1
        if token["string"] is not None:
            return ("value", token["string"][1:-1].replace('""', '"'))
        if token["number"] is not None:
            return ("value", float(token["number"].replace(",", ".")))
        if token["reference"] is not None:
            return ("reference", parse_reference(token["title"], token["cells"]))
        if token["error"] is not None:
            return ("error", token["error"])
        if token["name"] is not None:
            return self.named(token["name"])
        raise CellError("ERROR", "Formula parse error.")

    def named(self, name: str) -> Node:
        if not self.take("("):
            constants = {"TRUE": True, "FALSE": False, "ИСТИНА": True, "ЛОЖЬ": False}
            known = name.upper() in constants
            return ("value", constants[name.upper()]) if known else ("name", name)
        arguments: list[Node] = []
        while not self.take(")"):
            if self.take(*self.separators):
                arguments.append(("value", None))
                continue
            arguments.append(self.level(0))
            if not self.take(*self.separators):
                self.expect(")")
                break
        return ("call", name.upper(), tuple(arguments))

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise CellError("ERROR", "Formula parse error.")


@lru_cache(maxsize=4096)
def _parsed(formula: str, lang: str) -> Node | CellError:
    try:
        return _Parser(formula, lang).whole()
    except CellError as err:
        return err
    except RecursionError:
        return CellError("ERROR", "Formula parse error.")


class Evaluator:
    """Values of the cells of one spreadsheet as it stands now; made for one answer and thrown away."""

    def __init__(self, book: Book, now: dt.datetime) -> None:
        self.book = book
        self.now = now
        self.lang = language(book.properties["locale"])
        self._known: dict[tuple[int, int, int], Any] = {}
        self._used: dict[int, tuple[int, int]] = {}
        self._running: list[tuple[int, int, int]] = []

    def effective(self, sheet: Sheet, row: int, column: int) -> dict[str, Any]:
        """The ExtendedValue a cell shows; an empty text for what is not evaluated, {} for an empty cell."""
        entered: dict[str, Any] = sheet.cell(row, column).get("userEnteredValue", {})
        if "formulaValue" not in entered:
            return entered
        value = self.value(sheet, row, column)
        match value:
            case CellError():
                return {"errorValue": {"type": value.kind, "message": value.message}}
            case bool():
                return {"boolValue": value}
            case int() | float():
                return {"numberValue": int(value) if float(value).is_integer() else value}
            case None:  # =A1 of an empty cell is a zero
                return {"numberValue": 0}
        return {"stringValue": "" if isinstance(value, Unevaluated) else value}

    def value(self, sheet: Sheet, row: int, column: int) -> Any:
        """Number, text, boolean, None; CellError and Unevaluated as values, not raised."""
        entered = sheet.cell(row, column).get("userEnteredValue", {})
        if "formulaValue" not in entered:
            return next(iter(entered.values()), None)
        key = (sheet.sheet_id, row, column)
        if key not in self._known:
            self._known[key] = self._computed(key, sheet, entered["formulaValue"])
        return self._known[key]

    def _computed(self, key: tuple[int, int, int], sheet: Sheet, formula: str) -> Any:
        if key in self._running:
            return CellError("REF", "Circular dependency detected.")
        if len(self._running) > _DEEPEST:
            return Unevaluated("too deep")
        node = _parsed(formula, self.lang)
        if isinstance(node, CellError):
            return node
        self._running.append(key)
        try:
            value = self.evaluate(node, sheet)
            return value.first() if isinstance(value, Grid) else value
        except (CellError, Unevaluated) as err:
            return err
        except ArithmeticError:
            return CellError("NUM", "Result is too large.")
        except RecursionError:
            return Unevaluated("too deep")
        finally:
            self._running.pop()

    def evaluate(self, node: Node, sheet: Sheet) -> Any:
        """The value of a part of a formula; raises CellError and Unevaluated."""
        match node:
            case ("value", value):
                return value
            case ("error", shown):
                raise CellError.shown_as(shown)
            case ("reference", reference):
                return self._grid(*self._place(reference, sheet))
            case ("name", name):
                return self._grid(*self._named(name))
            case ("unary", sign, below):
                value = self.evaluate(below, sheet)
                return value if sign == "+" else -number(value, self.lang)
            case ("binary", sign, left, right):
                return self._binary(sign, self.evaluate(left, sheet), self.evaluate(right, sheet))
            case ("call", name, arguments):
                return self._call(name, arguments, sheet)
        raise ValueError(f"no such node: {node}")

    def _binary(self, sign: str, left: Any, right: Any) -> Any:
        if sign == "&":
            return text(left, self.lang) + text(right, self.lang)
        if sign in _LEVELS[0]:
            return compare(sign, left, right)
        one, two = number(left, self.lang), number(right, self.lang)
        if sign == "/" and two == 0:
            raise CellError("DIVIDE_BY_ZERO", "Function DIVIDE parameter 2 cannot be zero.")
        if sign == "^":
            return FUNCTIONS["POWER"](self, [one, two])
        return {"+": one + two, "-": one - two, "*": one * two}[sign] if sign != "/" else one / two

    def _call(self, name: str, arguments: tuple[Node, ...], sheet: Sheet) -> Any:
        if name not in LAZY and name not in FUNCTIONS:
            raise Unevaluated(name)
        try:
            if name in LAZY:
                return LAZY[name](lambda i: self.evaluate(arguments[i], sheet), len(arguments), self.lang)
            return FUNCTIONS[name](self, [self.evaluate(argument, sheet) for argument in arguments])
        except (IndexError, TypeError, ValueError) as err:
            # The functions take what they are given: too few or too many show here.
            raise CellError("N_A", f"Wrong number of arguments to {name}.") from err

    def _place(self, reference: Reference, sheet: Sheet) -> tuple[Sheet, Area]:
        if reference.title is None:
            return sheet, reference.area
        named = self.book.by_title(reference.title)
        if named is None:
            raise CellError("REF", "Unresolved sheet name.")
        return named, reference.area

    def _named(self, name: str) -> tuple[Sheet, Area]:
        found = self.book.named_area(name)
        if found is None:
            raise CellError("NAME", f"Unknown range name: '{name}'.")
        return found

    def _grid(self, sheet: Sheet, area: Area) -> Grid:
        if sheet.sheet_id not in self._used:
            self._used[sheet.sheet_id] = sheet.used()
        rows, columns = self._used[sheet.sheet_id]
        bottom = min(area.bottom or rows, max(rows, area.top + 1))
        right = min(area.right or columns, max(columns, area.left + 1))
        return Grid(
            rows=[
                [self.value(sheet, row, column) for column in range(area.left, max(right, area.left + 1))]
                for row in range(area.top, max(bottom, area.top + 1))
            ]
        )
