"""Drive's search language (``name contains 'x' and trashed = false``), as a test of files."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.sheets.drive.errors import DriveError

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<sign><=|>=|!=|=|<|>|\(|\))|(?P<word>[\w.]+))"
)
_FIELDS = (
    "name",
    "fullText",
    "mimeType",
    "trashed",
    "starred",
    "modifiedTime",
    "createdTime",
    "sharedWithMe",
)
Test = Callable[[dict[str, Any]], bool]


def wanted(query: str) -> Test:
    """The query as a test of a file; DriveError 400 when it is none."""
    parser = _Parser(query)
    return parser.whole() if parser.tokens else lambda _file: True


class _Parser:
    def __init__(self, query: str) -> None:
        self.tokens: list[str] = []
        at, query = 0, query.rstrip()
        while at < len(query):
            match = _TOKEN.match(query, at)
            if match is None:
                raise _invalid()
            self.tokens.append(match[0].strip())
            at = match.end()

    def whole(self) -> Test:
        test = self.either()
        if self.tokens:
            raise _invalid()
        return test

    def either(self) -> Test:
        tests = [self.both()]
        while self.took("or"):
            tests.append(self.both())
        return lambda file: any(test(file) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.took("and"):
            tests.append(self.one())
        return lambda file: all(test(file) for test in tests)

    def one(self) -> Test:
        if self.took("not"):
            test = self.one()
            return lambda file: not test(file)
        if self.took("("):
            test = self.either()
            if not self.took(")"):
                raise _invalid()
            return test
        left, sign, right = (self.next() for _ in range(3))
        if sign == "in" and right in ("parents", "owners", "writers", "readers"):
            value, kind = _text(left), right
            return lambda file: value in file["_" + kind]
        if left not in _FIELDS:
            raise _invalid()
        return _comparison(left, sign, _value(right))

    def next(self) -> str:
        if not self.tokens:
            raise _invalid()
        return self.tokens.pop(0)

    def took(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False


def _comparison(field: str, sign: str, value: Any) -> Test:
    def test(file: dict[str, Any]) -> bool:
        have = file["name"] if field == "fullText" else file.get(field, False)
        if isinstance(have, str) and isinstance(value, str) and field == "name":
            have, against = have.casefold(), value.casefold()
        else:
            against = value
        match sign:
            case "=":
                return bool(have == against)
            case "!=":
                return bool(have != against)
            case "contains":
                return str(against).casefold() in str(have).casefold()
            case "<":
                return str(have) < str(against)
            case ">":
                return str(have) > str(against)
            case "<=":
                return str(have) <= str(against)
        return str(have) >= str(against)

    if sign not in ("=", "!=", "contains", "<", ">", "<=", ">="):
        raise _invalid()
    return test


def _value(token: str) -> Any:
    return token == "true" if token in ("true", "false") else _text(token)


def _text(token: str) -> str:
    if token[0] not in "'\"":
        raise _invalid()
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _invalid() -> DriveError:
    return DriveError(400, "invalid", "Invalid Value", location="q")
