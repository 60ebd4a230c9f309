"""Query strings and forms the way PHP's parse_str reads them: brackets make nested maps."""

from typing import Any
from urllib.parse import unquote_to_bytes

# PHP's own bounds: brackets in one name, and the largest index.
MAX_DEPTH = 64
MAX_INDEX = 2**63 - 1
MAX_PAIRS = 20_000
Tree = dict[str, Any]
_UNDERSCORES = str.maketrans(" .[", "___")
# One of these between two brackets is the same as nothing: the next free number.
_BLANKS = frozenset("\t\n\v\f\r ")


def parse(text: str) -> Tree:
    """`a[b][]=1&a[b][]=2` → {"a": {"b": {"0": "1", "1": "2"}}}; of two values the later stays.

    Broken UTF-8 becomes U+FFFD.
    """
    builder = _Builder()
    for pair in text.split("&", MAX_PAIRS)[:MAX_PAIRS]:
        key, _, value = pair.partition("=")
        steps = split_key(_decoded(key))
        if steps:
            builder.put(steps, _decoded(value))
    return builder.tree


def _decoded(text: str) -> str:
    raw = text.replace("+", " ").encode("utf-8", "surrogateescape")
    return unquote_to_bytes(raw).decode("utf-8", "replace")


def split_key(key: str) -> list[str]:
    """`a[b][]` → ["a", "b", ""]; [] for a name that PHP leaves out.

    A bracket that is never closed, spaces and dots become underscores in the first part; what follows the
    last closing bracket is ignored.
    """
    key = key.lstrip(" ").partition("\0")[0]
    head, bracket, rest = key.partition("[")
    if not head:
        return []
    steps = [head.translate(_UNDERSCORES)]
    while bracket == "[":
        if len(steps) > MAX_DEPTH:
            return [*steps, ""]
        step, closed, after = rest.partition("]")
        if not closed:
            return [f"{head}_{rest}".translate(_UNDERSCORES)] if len(steps) == 1 else steps
        steps.append("" if step in _BLANKS else step)
        bracket, rest = after[:1], after[1:]
    return steps


class _Builder:
    """The tree as it grows, and the next free number of each of its maps, so that long lists stay cheap."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        # By id(): every map stays alive here, those that were replaced too.
        self._next: dict[int, tuple[int, Tree]] = {}

    def put(self, steps: list[str], value: str) -> None:
        """Store a value under nested keys; nested too deep, all under its first key goes."""
        if len(steps) > MAX_DEPTH + 1:
            self.tree.pop(steps[0], None)
            return
        node = self.tree
        for depth, step in enumerate(steps):
            key = self._key(node, step)
            if key is None:
                return
            if depth == len(steps) - 1:
                node[key] = value
                return
            child = node.get(key)
            if not isinstance(child, dict):
                child = node[key] = {}
            node = child

    def _key(self, node: Tree, step: str) -> str | None:
        """The key itself, or the next free number for an empty one; None when there is no larger number."""
        following = self._next[id(node)][0] if id(node) in self._next else None
        number = _index(step) if step else following or 0
        if number is None:
            return step
        if number > MAX_INDEX:
            return None
        self._next[id(node)] = (max(number + 1, number + 1 if following is None else following), node)
        return str(number)


def _index(key: str) -> int | None:
    """The number PHP counts on from after this key; None for a text such as `05` or `-0`."""
    if len(key) > 20 or not key.isascii() or not key.removeprefix("-").isdigit():
        return None
    number = int(key)
    return number if str(number) == key and -MAX_INDEX <= number + 1 <= MAX_INDEX + 1 else None


def values(node: Any) -> list[str]:
    """The scalars of a filter written as a scalar or as a list."""
    if isinstance(node, dict):
        return [item for item in node.values() if isinstance(item, str)]
    return [] if node is None else [str(node)]
