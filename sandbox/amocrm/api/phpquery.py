"""Query strings and forms the way PHP reads them: brackets make nested maps."""

from typing import Any
from urllib.parse import parse_qsl

MAX_DEPTH = 16
Tree = dict[str, Any]


def parse(text: str) -> Tree:
    """`a[b][]=1&a[b][]=2` → {"a": {"b": {"0": "1", "1": "2"}}}; broken UTF-8 becomes U+FFFD."""
    tree: Tree = {}
    for key, value in parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=20000):
        put(tree, split_key(key), value)
    return tree


def split_key(key: str) -> list[str]:
    """`a[b][]` → ["a", "b", ""]; a bracket that is never closed belongs to the name."""
    head, bracket, rest = key.partition("[")
    if not bracket or not head:
        return [key]
    steps = [head]
    more = True
    while more:
        step, closed, rest = rest.partition("]")
        if not closed:
            return [key] if len(steps) == 1 else steps
        steps.append(step)
        more = rest[:1] == "["
        rest = rest[1:]
    return steps


def put(tree: Tree, steps: list[str], value: str) -> None:
    """Store a value under nested keys; an empty step takes the next free number."""
    if len(steps) > MAX_DEPTH:
        return
    node = tree
    for step in steps[:-1]:
        step = step or str(_next_index(node))
        child = node.get(step)
        if not isinstance(child, dict):
            child = node[step] = {}
        node = child
    node[steps[-1] if steps[-1] or len(steps) == 1 else str(_next_index(node))] = value


def _next_index(node: Tree) -> int:
    return max((int(key) for key in node if key.isdecimal()), default=-1) + 1


def values(node: Any) -> list[str]:
    """The scalars of a filter written as a scalar or as a list."""
    if isinstance(node, dict):
        return [item for item in node.values() if isinstance(item, str)]
    return [] if node is None else [str(node)]
