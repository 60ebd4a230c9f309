"""The published discovery document as a checker of requests and of our own answers.

The document is vendored in ``sheets.v4.json``; its licence and revision stand in that file's ``x-licence``.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.sheets.errors import bad_request

Violations = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One API method as the document describes it."""

    id: str
    verb: str
    pattern: re.Pattern[str]
    query: dict[str, dict[str, Any]]
    request: str | None
    response: str


@cache
def document() -> dict[str, Any]:
    """The vendored discovery document."""
    text = (Path(__file__).parent / "sheets.v4.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def methods() -> tuple[Method, ...]:
    """All API methods of the document."""
    return tuple(_methods(document()))


def _methods(node: dict[str, Any]) -> Iterator[Method]:
    for raw in node.get("methods", {}).values():
        parameters = raw.get("parameters", {})
        # A range may hold slashes and colons (a tab's title, A1:B2); ids hold neither.
        pattern = re.sub(
            r"\{(\w+)\}", r"(?P<\1>[^/:]+)", raw["flatPath"].replace("{range}", "(?P<range>.+?)")
        )
        yield Method(
            id=raw["id"].removeprefix("sheets."),
            verb=raw["httpMethod"],
            pattern=re.compile("/" + pattern),
            query={n: p for n, p in parameters.items() if p["location"] == "query"}
            | document()["parameters"],
            request=raw.get("request", {}).get("$ref"),
            response=raw["response"]["$ref"],
        )
    for child in node.get("resources", {}).values():
        yield from _methods(child)


def resolved(spec: dict[str, Any]) -> dict[str, Any]:
    """The schema behind ``$ref`` and lists: the object that a field mask goes on in."""
    while "$ref" in spec or spec.get("type") == "array":
        spec = document()["schemas"][spec["$ref"]] if "$ref" in spec else spec["items"]
    return spec


def parse_body(schema_name: str, value: Any) -> Any:
    """The request body with nulls dropped and numbers read; GoogleError 400 where it does not fit."""
    violations: Violations = []
    parsed = _parse({"$ref": schema_name}, value, "", violations)
    if violations:
        raise bad_request(violations)
    return parsed


def faults_of(schema_name: str, value: Any) -> Violations:
    """Where a value (an answer of ours) departs from the schema; empty when it fits."""
    violations: Violations = []
    _parse({"$ref": schema_name}, value, "", violations)
    return violations


def parse_query(method: Method, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """The query as typed values, lists where repeated; GoogleError 400 where it does not fit."""
    violations: Violations = []
    parsed: dict[str, Any] = {}
    for name, text in pairs:
        spec = method.query.get(name)
        if spec is None:
            violations.append(
                (
                    "",
                    f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                    f"Field '{name}' could not be found in request message.",
                )
            )
            continue
        value = _parse(_query_spec(spec), _query_value(spec, text), name, violations)
        if spec.get("repeated"):
            parsed.setdefault(name, []).append(value)
        else:
            parsed[name] = value
    if violations:
        raise bad_request(violations)
    return parsed


def _query_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in spec.items() if k not in ("repeated", "required", "location")}


def _query_value(spec: dict[str, Any], text: str) -> Any:
    # gspread and requests send Python's "True"; Google's query parser reads booleans in any case.
    if spec.get("type") == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _parse(spec: dict[str, Any], value: Any, path: str, out: Violations) -> Any:
    if "$ref" in spec:
        return _parse_object(document()["schemas"][spec["$ref"]], value, path, out)
    kind = spec.get("type", "any")
    if kind == "object":
        return _parse_object(spec, value, path, out)
    if kind == "array":
        return _parse_array(spec, value, path, out)
    if kind == "any":
        return value
    return _parse_scalar(spec, value, path, out)


def _parse_object(schema: dict[str, Any], value: Any, path: str, out: Violations) -> Any:
    if not isinstance(value, dict):
        out.append((path, f"Invalid value at '{path}' ({schema.get('id', 'object')}), {json.dumps(value)}"))
        return value
    properties: dict[str, Any] = schema.get("properties", {})
    extra = schema.get("additionalProperties")
    parsed = {}
    for name, item in value.items():
        here = f"{path}.{_snake(name)}" if path else _snake(name)
        item_spec = properties.get(name, extra)
        if item_spec is None:
            where = f" at '{path}'" if path else ""
            text = f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'
            out.append((path, text))
        elif item is not None:
            parsed[name] = _parse(item_spec, item, here, out)
    return parsed


def _parse_array(spec: dict[str, Any], value: Any, path: str, out: Violations) -> Any:
    # Google's parser takes a single value for a one-element list.
    items = value if isinstance(value, list) else [value]
    if spec["items"].get("type") == "any" and not isinstance(value, list):
        # … but not for rows of cells. In the calls with one ValueRange Google names the body `data`.
        where = f"data.{path}" if path.startswith("values[") else path
        shown = json.dumps(value, ensure_ascii=False)
        text = f"Invalid value at '{where}' (type.googleapis.com/google.protobuf.ListValue), {shown}"
        out.append((where, text))
    if "$ref" in spec["items"]:
        # Lists inside a list of messages are laid flat: a client in use sends its requests that way.
        items = [one for item in items for one in (item if isinstance(item, list) else [item])]
    return [_parse(spec["items"], item, f"{path}[{i}]", out) for i, item in enumerate(items)]


def _parse_scalar(spec: dict[str, Any], value: Any, path: str, out: Violations) -> Any:
    kind = spec["type"]
    if "enum" in spec:
        if value in spec["enum"]:
            return value
    elif (kind == "string" and isinstance(value, str)) or (kind == "boolean" and isinstance(value, bool)):
        return value
    elif kind in ("integer", "number"):
        number = _number(kind, value)
        if number is not None:
            return number
    out.append(
        (path, f"Invalid value at '{path}' ({_type_name(spec)}), {json.dumps(value, ensure_ascii=False)}")
    )
    return value


def _number(kind: str, value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if kind == "number":
        return value if isinstance(value, int | float) else number
    return int(number) if number.is_integer() and abs(number) < 2**63 else None


def _type_name(spec: dict[str, Any]) -> str:
    if "enum" in spec:
        return "TYPE_ENUM"
    names = {"int32": "TYPE_INT32", "float": "TYPE_FLOAT", "double": "TYPE_DOUBLE"}
    return names.get(spec.get("format", ""), {"boolean": "TYPE_BOOL"}.get(spec["type"], "TYPE_STRING"))
