"""`filter[…]` of a query string → SQL conditions on the tables' columns."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.amocrm.api import phpquery
from sandbox.amocrm.api.answers import Refused, problem


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
    """A whole number that SQLite can hold, else None."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < 2**63 else None


def _words(node: Any) -> list[str]:
    """A scalar or a list, each possibly several words divided by commas."""
    return [word.strip() for text in phpquery.values(node) for word in text.split(",") if word.strip()]


def numbers(column: str, cap: int = 0, *, commas: bool = False) -> Filter:
    """One id or a list of ids; what is no number matches nothing."""

    def apply(where: Where, node: Any) -> None:
        given = _words(node) if commas else phpquery.values(node)
        if not given:
            return
        if cap and len(given) > cap:
            raise Refused(problem(400, f"Too many values in filter, {cap} allowed"))
        where.among(f'"{column}"', [number for text in given if (number := _number(text)) is not None])

    return apply


def words(column: str, *, commas: bool = False, cap: int = 0) -> Filter:
    """One text or a list of texts, optionally divided by commas."""

    def apply(where: Where, node: Any) -> None:
        given = _words(node) if commas else phpquery.values(node)
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


def _pairs(node: Any, *, pipeline: bool = True) -> list[tuple[int | None, int]]:
    """[(pipeline_id or None, status_id)]; an element that lacks one of the two names is no pair."""
    elements = node.values() if isinstance(node, dict) else []
    pairs = []
    for element in elements:
        if isinstance(element, dict) and ("pipeline_id" in element or not pipeline):
            status_id = _number(str(element.get("status_id", "")))
            if status_id is not None:
                pairs.append((_number(str(element.get("pipeline_id"))), status_id))
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


def lead_statuses(where: Where, node: Any) -> None:
    """Tasks of leads that stand in one of the pairs of pipeline and status."""
    inner = Where()
    _any_pair(inner, _pairs(node), "l.pipeline_id", "l.status_id")
    if inner.parts:
        test = f"l.account_id = tasks.account_id AND l.id = tasks.entity_id AND {inner.sql}"
        where.add(f"(entity_type = 'leads' AND EXISTS (SELECT 1 FROM leads l WHERE {test}))", *inner.values)


def event_value(side: str) -> Filter:
    """`value_before`, `value_after` of events: statuses, responsible user, custom field enum, value."""
    at = f"$.{side}[0]"

    def path(tail: str) -> str:
        return f"json_extract(body, '{at}.{tail}')"

    plain = {
        "responsible_user_id": path("responsible_user.id"),
        "custom_field_values": path("custom_field_value.enum_id"),
        "value": f"coalesce({path('sale_field_value.sale')}, {path('name_field_value.name')},"
        f" {path('ltv_field_value.ltv')}, {path('nps.rate')}, {path('custom_field_value.text')})",
    }

    def apply(where: Where, node: Any) -> None:
        if not isinstance(node, dict):
            return
        _any_pair(
            where, _pairs(node.get("leads_statuses")), path("lead_status.pipeline_id"), path("lead_status.id")
        )
        customers = [pair[1] for pair in _pairs(node.get("customers_statuses"), pipeline=False)]
        if customers:
            where.among(path("customer_status.id"), customers)
        for name, expression in plain.items():
            given = _words(node.get(name))
            if given:
                where.among(f"CAST({expression} AS TEXT)", given)

    return apply


def one_type_for_fields(tree: phpquery.Tree) -> None:
    """Refuse (400) values of custom fields without exactly one `filter[type]`."""
    for side in ("value_before", "value_after"):
        node = tree.get(side)
        if isinstance(node, dict) and "custom_field_values" in node and len(_words(tree.get("type"))) != 1:
            raise Refused(problem(400, "filter by custom_field_values needs exactly one filter[type]"))


def event_entities(where: Where, tree: phpquery.Tree) -> None:
    """`filter[entity]` with `filter[entity_id]`: ids need exactly one entity, and are at most ten."""
    one_type_for_fields(tree)
    names, ids = _words(tree.get("entity")), _words(tree.get("entity_id"))
    if ids and len(names) != 1:
        raise Refused(problem(400, "filter[entity_id] needs exactly one filter[entity]"))
    if len(ids) > 10:
        raise Refused(problem(400, "filter[entity_id] takes at most 10 values"))
    if names:
        where.among('"entity_type"', names)
    if ids:
        where.among('"entity_id"', [number for text in ids if (number := _number(text)) is not None])


def search(where: Where, text: str, name: str = "name") -> None:
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
    where.add(f"(fold({name}) LIKE ? OR EXISTS ({inside}))", *bound)
