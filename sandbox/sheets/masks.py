"""Field masks: which parts of an answer are sent, which parts of an object an update replaces."""

import copy
from typing import Any

from sandbox.sheets.errors import bad_request, invalid
from sandbox.sheets.schema import resolved

# A mask is a tree: {"sheets": {"properties": {}}}; an empty dict means everything below.
Mask = dict[str, Any]


def parse_mask(text: str) -> Mask:
    """``a,b.c,d(e,f/g)`` as a tree; GoogleError 400 when the brackets do not match or a name is empty."""
    mask, rest = _parse_list(text.replace(" ", ""))
    if rest:
        raise invalid(f"Invalid field mask: {text}")
    return mask


def _parse_list(text: str) -> tuple[Mask, str]:
    mask: Mask = {}
    while True:
        names, text = _parse_path(text)
        node = mask
        for name in names[:-1]:
            node = node.setdefault(name, {})
        below: Mask = {}
        if text.startswith("("):
            below, text = _parse_list(text[1:])
            if not text.startswith(")"):
                raise invalid("Invalid field mask: unbalanced parentheses")
            text = text[1:]
        node.setdefault(names[-1], {}).update(below)
        if not text.startswith(","):
            return mask, text
        text = text[1:]


def _parse_path(text: str) -> tuple[list[str], str]:
    end = next((i for i, c in enumerate(text) if c in ",()"), len(text))
    names = text[:end].replace("/", ".").split(".")
    if not all(names):
        raise invalid("Invalid field mask: empty name")
    return names, text[end:]


def check_mask(mask: Mask, schema: str, parameter: str) -> None:
    """GoogleError 400 when the mask names a field that this schema of the API has not."""
    wrong = _unknown(mask, {"$ref": schema}, "")
    if wrong is None:
        return
    text = (
        f"Invalid value at '{parameter}' (type.googleapis.com/google.protobuf.FieldMask), "
        f"Cannot find matching fields for path '{wrong}'."
    )
    raise bad_request([(parameter, f"Request contains an invalid argument. {text}")])


def _unknown(mask: Mask, spec: dict[str, Any], path: str) -> str | None:
    """The first path of the mask that leads nowhere."""
    spec = resolved(spec)
    for name, below in mask.items():
        here = f"{path}.{name}" if path else name
        if name == "*":
            continue
        item = spec.get("properties", {}).get(name, spec.get("additionalProperties"))
        if item is None:
            return here
        if isinstance(item, dict) and below and (wrong := _unknown(below, item, here)) is not None:
            return wrong
    return None


def pick(value: Any, mask: Mask) -> Any:
    """The parts of an answer that the mask names; lists are walked through."""
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [pick(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: pick(value[name], below) for name, below in mask.items() if name in value}


def overlay(target: dict[str, Any], source: dict[str, Any], mask: Mask) -> None:
    """Copies what the mask names from source into target; a named field that source lacks is removed."""
    if "*" in mask:
        target.clear()
        target.update(copy.deepcopy(source))
        return
    for name, below in mask.items():
        if below and "*" not in below:
            child = target.setdefault(name, {})
            overlay(child, source.get(name, {}), below)
            if not child:
                del target[name]
        elif name in source:
            target[name] = copy.deepcopy(source[name])
        else:
            target.pop(name, None)
