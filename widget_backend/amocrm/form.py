"""Bodies of amoCRM's hooks: ``leads[status][0][id]=7001`` → nested dicts, as PHP reads them."""

from urllib.parse import unquote_to_bytes

import structlog

from widget_backend.amocrm.hooks import HookContent, HookItem, Tree, entities, read_hook

__all__ = ["HookContent", "HookItem", "Tree", "decode", "entities", "read_hook", "split_name"]

log = structlog.get_logger(__name__)

# Real hooks are eight levels deep and hold a few hundred values; the bounds only keep an attacker's body from
# taking the memory of the process.
MAX_BYTES = 8 * 1024 * 1024
MAX_PAIRS = 200_000
MAX_NODES = 300_000
# PHP's own bound on brackets in one name.
MAX_DEPTH = 64
# PHP's largest array index; a longer number is a text like any other.
_MAX_INDEX = 2**63 - 1
_UNDERSCORES = str.maketrans(" .[", "___")
# One of these between two brackets is the same as nothing.
_BLANKS = frozenset("\t\n\v\f\r ")


def decode(body: bytes) -> Tree:
    """Nested dicts of strings; never fails, whatever the bytes.

    Lists stay dicts with "0", "1" … as keys (``linked_leads_id`` is a map by id and looks the same). Where
    one path carries a value and a subtree, as note hooks really do, the subtree stays and holds the value
    under "". Broken percent signs stay as they are, broken UTF-8 becomes U+FFFD, a name with more than 64
    brackets takes everything under its first part with it, and what exceeds the bounds above is cut off with
    a warning. In all else it is PHP's parse_str.
    """
    builder = _Builder()
    pairs = body[:MAX_BYTES].split(b"&", MAX_PAIRS)
    for pair in pairs[:MAX_PAIRS]:
        name, _, value = pair.partition(b"=")
        path = split_name(_text(name))
        if path and not builder.put(path, _text(value)):
            break
    if builder.full or len(pairs) > MAX_PAIRS or len(body) > MAX_BYTES:
        log.warning("form.cut_off", bytes=len(body), nodes=builder.nodes)
    return builder.root


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


def split_name(name: str) -> list[str] | None:
    """``a[b][]`` → ``["a", "b", ""]``; None for a name that PHP leaves out.

    Spaces and dots in the first part become underscores; so does an opening bracket that is never closed.
    What follows the last closing bracket is ignored, and so is a name that begins with a bracket.
    """
    name = name.lstrip(" ").partition("\0")[0]
    base, bracket, rest = name.partition("[")
    if not base:
        return None
    path = [base.translate(_UNDERSCORES)]
    while bracket:
        if len(path) > MAX_DEPTH:
            return [*path, ""]
        key, closed, after = rest.partition("]")
        if not closed:
            return [f"{base}_{rest}".translate(_UNDERSCORES)] if len(path) == 1 else path
        path.append("" if key in _BLANKS else key)
        bracket, rest = after[:1], after[1:]
        if bracket != "[":
            break
    return path


class _Builder:
    """Grows the tree and keeps the next free index of each list, so that ``a[]`` costs the same at any
    length.
    """

    def __init__(self) -> None:
        self.root: Tree = {}
        self.nodes = 0
        self.full = False
        # By id(): every node that ever had an entry must stay alive, dropped ones too.
        self._next: dict[int, int] = {}
        self._dropped: list[Tree | str | None] = []

    def put(self, path: list[str], value: str) -> bool:
        """Store one value; False when the tree is full. Nested too deep, all under its first name goes."""
        if len(path) > MAX_DEPTH + 1:
            self._dropped.append(self.root.pop(path[0], None))
            return True
        node = self.root
        for depth, part in enumerate(path):
            key = self._key(node, part, appending=depth > 0 and part == "")
            if key is None:
                break
            if depth == len(path) - 1:
                self._store(node, key, value)
            else:
                node = self._descend(node, key)
        self.full = self.nodes >= MAX_NODES
        return not self.full

    def _key(self, node: Tree, part: str, *, appending: bool) -> str | None:
        """The key itself, or the next free number; None when there is no larger number."""
        following = self._next.get(id(node))
        number = (following or 0) if appending else _index(part)
        if number is None:
            return part
        if number > _MAX_INDEX:
            return None
        self._next[id(node)] = number + 1 if following is None else max(following, number + 1)
        return str(number)

    def _store(self, node: Tree, key: str, value: str) -> None:
        present = node.get(key)
        if isinstance(present, dict):
            present[""] = value
        else:
            node[key] = value
        self.nodes += 1

    def _descend(self, node: Tree, key: str) -> Tree:
        present = node.get(key)
        if isinstance(present, dict):
            return present
        inner: Tree = {} if present is None else {"": present}
        node[key] = inner
        self.nodes += 1
        return inner


def _index(part: str) -> int | None:
    """The number that PHP counts on from after this key; None for a text."""
    if len(part) > 20 or not part.isascii() or not part.removeprefix("-").isdigit():
        return None
    number = int(part)
    return number if str(number) == part and -_MAX_INDEX <= number + 1 <= _MAX_INDEX + 1 else None
