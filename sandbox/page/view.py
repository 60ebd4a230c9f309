"""What the page's address asks for: whose session, how it looks, and how the host misbehaves."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.page.card import TEXTS
from sandbox.page.tokens import KINDS

WIDTHS = range(200, 501)
LONGEST_MS = 30_000
ALWAYS_SHOWN = ("user", "lang", "theme", "width")
CHOICES: dict[str, tuple[str, ...]] = {
    "lang": tuple(TEXTS),
    "theme": ("light", "dark"),
    "token": KINDS,
    "destroy": ("last", "first"),
}


@dataclass(frozen=True, kw_only=True)
class View:
    """The switches of the address, listed in docs/sandbox.md; an impossible value means the default."""

    user: int
    lang: str = "ru"
    theme: str = "light"
    width: int = 280
    hostile: bool = False
    neighbour: bool = True
    strict: bool = False
    double: bool = False
    audit: bool = False
    credentials: bool = False
    popups: bool = False
    widgets_off: bool = False
    destroy: str = "last"
    late: int = 0
    token: str = "good"
    token_delay: int = 0

    def query(self, **changes: Any) -> str:
        """`?user=…`: the common switches, and every other that is not at its default."""
        return "?" + urlencode({name: _text(value) for name, value in {**self.shown(), **changes}.items()})

    def shown(self) -> dict[str, Any]:
        """The switches that stand in the page's addresses."""
        values = asdict(self)
        plain = asdict(View(user=self.user))
        return {name: v for name, v in values.items() if name in ALWAYS_SHOWN or v != plain[name]}


def parse(asked: Mapping[str, str], first_user: int) -> View:
    """The view of a query; the first user's session where none is named."""
    view: dict[str, Any] = {"user": _number(asked.get("user"), first_user)}
    for field in fields(View):
        value = asked.get(field.name)
        if value is None or field.name == "user":
            continue
        if field.type is bool:
            view[field.name] = value == "1"
        elif field.type is int:
            view[field.name] = _number(value, field.default)
        elif value in CHOICES[field.name]:
            view[field.name] = value
    return _in_bounds(View(**view))


def parse_address(address: str, first_user: int) -> View:
    """The view of a whole address, as a Referer header carries it."""
    return parse(dict(parse_qsl(urlsplit(address).query)), first_user)


def _in_bounds(view: View) -> View:
    values = asdict(view)
    if view.width not in WIDTHS:
        values["width"] = View.width
    for name in ("late", "token_delay"):
        values[name] = max(0, min(LONGEST_MS, values[name]))
    return View(**values)


def _number(text: str | None, default: Any) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else int(default)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
