"""`filter[…]` of a query string → SQL conditions on the tables' columns."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.api.answers import Refused, problem
from sandbox.amocrm.vocabulary import PERSON_LIKE


@dataclass
class Where:
    """SQL conditions joined by AND, with their bound values."""

    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, sql: str, *values: Any) -> None:
        """One more condition."""
        self.parts.append(sql)
        self.values.extend(values)

    def among(self, expression: str, wanted: list[Any]) -> None:
        """`expression` is one of the wanted values."""
        self.add(f"{expression} IN ({', '.join('?' * len(wanted))})", *wanted)

    @property
    def sql(self) -> str:
        """The text behind WHERE."""
        return " AND ".join(self.parts)


Filter = Callable[[Where, Any], None]


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def numbers(column: str, cap: int = 0) -> Filter:
    """One id or a list of ids; what is no number matches nothing."""

    def apply(where: Where, node: Any) -> None:
        given = phpquery.values(node)
        if not given:
            return
        if cap and len(given) > cap:
            raise Refused(problem(400, f"Too many values in filter, {cap} allowed"))
        where.among(f'"{column}"', [number for text in given if (number := _number(text)) is not None])

    return apply


def words(column: str, *, commas: bool = False, cap: int = 0) -> Filter:
    """One text or a list of texts, optionally divided by commas."""

    def apply(where: Where, node: Any) -> None:
        given = phpquery.values(node)
        if commas:
            given = [word.strip() for text in given for word in text.split(",") if word.strip()]
        if cap and len(given) > cap:
            raise Refused(problem(400, f"Too many values in filter, {cap} allowed"))
        if given:
            where.among(f'"{column}"', given)

    return apply


def moments(column: str, *, scalar_is_from: bool = False) -> Filter:
    """[from] and [to], both inclusive; a bare number is an exact moment, for events the start of the span."""

    def apply(where: Where, node: Any) -> None:
        if isinstance(node, str):
            start, comma, end = node.partition(",")
            node = {"from": start, "to": end} if comma else node
        if isinstance(node, str) and not scalar_is_from:
            number = _number(node)
            where.add(f'"{column}" = ?', -1 if number is None else number)
            return
        bounds = {"from": node} if isinstance(node, str) else node
        for name, sign in (("from", ">="), ("to", "<=")):
            bound = _number(str(bounds.get(name, ""))) if isinstance(bounds, dict) else None
            if bound is not None:
                where.add(f'"{column}" {sign} ?', bound)

    return apply


def flag(column: str) -> Filter:
    """0 or 1."""

    def apply(where: Where, node: Any) -> None:
        given = phpquery.values(node)
        if given:
            where.among(f'"{column}"', [int(text in ("1", "true")) for text in given])

    return apply


def _pairs(node: Any) -> list[tuple[int | None, int]]:
    """[(pipeline_id or None, status_id)]; elements without a status are no pairs."""
    elements = node.values() if isinstance(node, dict) else []
    pairs = []
    for element in elements:
        if isinstance(element, dict) and "pipeline_id" in element:
            status_id = _number(str(element.get("status_id", "")))
            if status_id is not None:
                pairs.append((_number(str(element["pipeline_id"])), status_id))
    return pairs


def statuses(where: Where, node: Any) -> None:
    """Pairs of pipeline and status; an empty pipeline means every one. Anything else is ignored."""
    _any_pair(where, _pairs(node), "pipeline_id", "status_id")


def _any_pair(where: Where, pairs: list[tuple[int | None, int]], pipeline: str, status: str) -> None:
    if not pairs:
        return
    options, bound = [], []
    for pipeline_id, status_id in pairs:
        options.append(f"{status} = ?" if pipeline_id is None else f"({pipeline} = ? AND {status} = ?)")
        bound += [status_id] if pipeline_id is None else [pipeline_id, status_id]
    where.add(f"({' OR '.join(options)})", *bound)


_FIELD = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.custom_fields_values') f, json_each(f.value, '$.values') v"
    " WHERE json_extract(f.value, '$.field_id') = ? AND {test})"
)


def custom_fields(where: Where, node: Any) -> None:
    """By field id: list of enum ids or texts, or a [from]/[to] range."""
    for field_id, wanted in node.items() if isinstance(node, dict) else ():
        number = _number(field_id)
        if number is None:
            continue
        if isinstance(wanted, dict) and ("from" in wanted or "to" in wanted):
            for name, sign in (("from", ">="), ("to", "<=")):
                if name in wanted:
                    test = f"CAST(json_extract(v.value, '$.value') AS REAL) {sign} CAST(? AS REAL)"
                    where.add(_FIELD.format(test=test), number, wanted[name])
            continue
        given = phpquery.values(wanted)
        if given:
            marks = ", ".join("?" * len(given))
            test = (
                f"(CAST(json_extract(v.value, '$.enum_id') AS TEXT) IN ({marks})"
                f" OR CAST(json_extract(v.value, '$.value') AS TEXT) IN ({marks}))"
            )
            where.add(_FIELD.format(test=test), number, *given, *given)


def event_value(side: str) -> Filter:
    """`value_before`, `value_after` of events: statuses, responsible user, custom field enum, value."""
    at = f"$.{side}[0]"

    def path(tail: str) -> str:
        return f"json_extract(body, '{at}.{tail}')"

    def apply(where: Where, node: Any) -> None:
        if not isinstance(node, dict):
            return
        _any_pair(
            where, _pairs(node.get("leads_statuses")), path("lead_status.pipeline_id"), path("lead_status.id")
        )
        plain = {
            "responsible_user_id": path("responsible_user.id"),
            "custom_field_values": path("custom_field_value.enum_id"),
            "value": f"coalesce({path('sale_field_value.sale')}, {path('name_field_value.name')},"
            f" {path('nps.rate')}, {path('custom_field_value.text')})",
        }
        for name, expression in plain.items():
            given = [word for text in phpquery.values(node.get(name)) for word in text.split(",")]
            if given:
                where.among(f"CAST({expression} AS TEXT)", given)

    return apply


def event_entities(where: Where, tree: phpquery.Tree) -> None:
    """`filter[entity]` with `filter[entity_id]`: ids need exactly one entity, and are at most ten."""
    names = [word for text in phpquery.values(tree.get("entity")) for word in text.split(",") if word]
    ids = [word for text in phpquery.values(tree.get("entity_id")) for word in text.split(",") if word]
    if ids and len(names) != 1:
        raise Refused(problem(400, "filter[entity_id] needs exactly one filter[entity]"))
    if len(ids) > 10:
        raise Refused(problem(400, "filter[entity_id] takes at most 10 values"))
    if names:
        where.among('"entity_type"', names)
    if ids:
        where.among('"entity_id"', [number for text in ids if (number := _number(text)) is not None])


def search(where: Where, text: str) -> None:
    """`query=`: in names and filled fields, whatever the case; digits also inside formatted phones."""
    test = "fold(json_extract(v.value, '$.value')) LIKE ?"
    folded, only_digits = f"%{text.casefold()}%", "".join(c for c in text if c.isdigit())
    bound = [folded, folded]
    if len(only_digits) >= 5:
        test = f"({test} OR digits(json_extract(v.value, '$.value')) LIKE ?)"
        bound.append(f"%{only_digits}")
    inside = (
        "SELECT 1 FROM json_each(body, '$.custom_fields_values') f, json_each(f.value, '$.values') v"
        f" WHERE {test}"
    )
    where.add(f"(fold(name) LIKE ? OR EXISTS ({inside}))", *bound)


_SEEN = {"leads": "leads", "contacts": "contacts", "companies": "companies", "customers": "customers"}


def visible(where: Where, table: str, user: dict[str, Any], *, is_admin: bool) -> None:
    """Only what the user's rights let him see: all, own group, own, nothing."""
    if is_admin or table not in PERSON_LIKE:
        return
    rights = user.get("rights") or {}
    view = (rights.get(_SEEN[table]) or {}).get("view")
    if view == "G":
        where.add("group_id = ?", rights.get("group_id") or 0)
    elif view == "M":
        where.add("responsible_user_id = ?", user.get("id"))
    elif view == "D":
        where.add("0")
