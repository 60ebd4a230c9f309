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
MAX_DEPTH = 16


def decode(body: bytes) -> Tree:
    """Nested dicts of strings; never fails, whatever the bytes.

    Lists stay dicts with "0", "1" … as keys (``linked_leads_id`` is a map by id and looks the same). Where
    one path carries a value and a subtree, as note hooks really do, the subtree stays and holds the value
    under "". Broken percent signs stay as they are, broken UTF-8 becomes U+FFFD, names nested too deep are
    left out, and what exceeds the bounds above is cut off with a warning.
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
    What follows the last closing bracket is ignored.
    """
    name = name.lstrip(" ").partition("\0")[0]
    base, bracket, rest = name.partition("[")
    if not base:
        if not bracket or not rest:
            return None
        # PHP takes a leading bracket for a letter of the name.
        return [_base("_" + rest)]
    path = [_base(base)]
    while bracket:
        key, closed, after = rest.partition("]")
        if not closed:
            return [_base(f"{base}_{rest}")] if len(path) == 1 else path
        path.append("" if key == " " else key)
        if len(path) > MAX_DEPTH:
            return None
        if not after.startswith("["):
            break
        rest = after[1:]
    return path


def _base(name: str) -> str:
    return name.replace(" ", "_").replace(".", "_")


class _Builder:
    """Grows the tree and keeps the next free index of each list, so that ``a[]`` costs the same at any
    length.
    """

    def __init__(self) -> None:
        self.root: Tree = {}
        self.nodes = 0
        self.full = False
        self._next: dict[int, int] = {}

    def put(self, path: list[str], value: str) -> bool:
        """Store one value; False when the tree is full."""
        node = self.root
        for depth, part in enumerate(path):
            key = self._key(node, part, appending=depth > 0 and part == "")
            if depth == len(path) - 1:
                self._store(node, key, value)
            else:
                node = self._descend(node, key)
        self.full = self.nodes >= MAX_NODES
        return not self.full

    def _key(self, node: Tree, part: str, *, appending: bool) -> str:
        following = self._next.get(id(node), 0)
        if appending:
            self._next[id(node)] = following + 1
            return str(following)
        if part.isascii() and part.isdigit() and len(part) <= 18 and str(int(part)) == part:
            self._next[id(node)] = max(following, int(part) + 1)
        return part

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
