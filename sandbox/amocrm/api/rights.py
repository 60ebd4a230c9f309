"""What a user may see and do: administrators everything, others all, own group, own, or nothing (A, G, M, D).

A token has the rights of its user, or of the one that X-Context-User-ID names. Lists shrink without a word;
writes that are not allowed answer 403.
"""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

from typing import Any

from sandbox.amocrm.api.answers import Refused, problem
from sandbox.amocrm.vocabulary import PERSON_LIKE, SINGULAR, Row
from sandbox.amocrm.world import Bearer, Call

Sql = tuple[str, list[Any]]
ALL: Sql = ("1", [])
NOTHING: Sql = ("0", [])


def admin_only(call: Call) -> None:
    """Refuse (403) whoever is no administrator."""
    if not call.bearer.is_admin:
        raise Refused(denied())


def denied() -> Any:
    """403 as JSON: the user's rights do not reach so far."""
    return problem(403, "Доступ запрещен")


def visible(call: Call, table: str) -> Sql:
    """The condition on a table's rows that leaves what the caller may see.

    Cards by `view` of their kind; notes and events by the card they are about; tasks by the `tasks` right.
    With the switch `rights_reach` = cards only the cards themselves are limited.
    """
    if call.bearer.is_admin:
        return ALL
    if table in PERSON_LIKE:
        return _cards(call.bearer, table, "view")
    if call.world.switches["rights_reach"] == "cards":
        return ALL
    if table.startswith("notes_"):
        return _about(call, table.removeprefix("notes_"))
    if table == "tasks":
        return _tasks(call.bearer, "view")
    return _events(call) if table == "events" else ALL


def _rights(bearer: Bearer) -> Row:
    found = bearer.user.get("rights")
    return found if isinstance(found, dict) else {}


def _of(bearer: Bearer, table: str) -> Row:
    found = _rights(bearer).get(table)
    return found if isinstance(found, dict) else {}


def _scope(bearer: Bearer, letter: Any, group: str = "group_id") -> Sql:
    """A letter as a condition; no letter means no limit. `group` is where a row says its group."""
    if letter == "G":
        group_id = _rights(bearer).get("group_id") or 0
        return f"({group} = ? OR responsible_user_id = ?)", [group_id, bearer.user_id]
    if letter == "M":
        return "responsible_user_id = ?", [bearer.user_id]
    return NOTHING if letter == "D" else ALL


def _cards(bearer: Bearer, table: str, what: str) -> Sql:
    """The general right of the kind; for leads single statuses may differ."""
    base = _scope(bearer, _of(bearer, table).get(what))
    special = _statuses(bearer, what) if table == "leads" else []
    if not special:
        return base
    pairs, parts, values = [], [], []
    for pipeline_id, status_id, letter in special:
        sql, bound = _scope(bearer, letter)
        parts.append(f"(pipeline_id = ? AND status_id = ? AND {sql})")
        values += [pipeline_id, status_id, *bound]
        pairs += [pipeline_id, status_id]
    elsewhere = " AND ".join(["NOT (pipeline_id = ? AND status_id = ?)"] * len(special))
    parts.append(f"({elsewhere} AND {base[0]})")
    return f"({' OR '.join(parts)})", [*values, *pairs, *base[1]]


def _statuses(bearer: Bearer, what: str) -> list[tuple[Any, Any, Any]]:
    listed = _rights(bearer).get("status_rights")
    found = []
    for item in listed if isinstance(listed, list) else []:
        letter = (item.get("rights") or {}).get(what) if isinstance(item, dict) else None
        if letter is not None and item.get("entity_type", "leads") == "leads":
            found.append((item.get("pipeline_id"), item.get("status_id"), letter))
    return found


def _tasks(bearer: Bearer, what: str) -> Sql:
    """The vendor knows no `view` of tasks: `edit` says it, and where that is missing the leads' right."""
    rights = _of(bearer, "tasks")
    letter = rights.get(what) or rights.get("edit") or _of(bearer, "leads").get("view")
    # One's own tasks are never hidden.
    letter = "M" if letter == "D" and what == "view" else letter
    return _scope(bearer, letter, "json_extract(body, '$.group_id')")


def _about(call: Call, table: str, entity_id: str = "entity_id", of: str = "account_id") -> Sql:
    """Rows about cards that may be seen: `entity_id` names the card of `table`."""
    sql, values = _cards(call.bearer, table, "view")
    if sql == "1":
        return ALL
    if sql == "0":
        return NOTHING
    return f"{entity_id} IN (SELECT id FROM {table} WHERE account_id = ? AND {sql})", [
        call.account.id,
        *values,
    ]


def _events(call: Call) -> Sql:
    """Events about cards and tasks that may be seen; events about anything else always."""
    parts, values, kinds = [], [], []
    for table in (*PERSON_LIKE, "tasks"):
        kinds.append(SINGULAR[table])
        sql, bound = _about(call, table) if table != "tasks" else _about_tasks(call)
        parts.append(f"(entity_type = ? AND {sql})")
        values += [SINGULAR[table], *bound]
    marks = ", ".join("?" * len(kinds))
    return f"({' OR '.join(parts)} OR entity_type NOT IN ({marks}))", [*values, *kinds]


def _about_tasks(call: Call) -> Sql:
    sql, values = _tasks(call.bearer, "view")
    if sql == "1":
        return ALL
    return f"entity_id IN (SELECT id FROM tasks WHERE account_id = ? AND {sql})", [call.account.id, *values]


def reaches(call: Call, table: str, row_id: Any, what: str) -> bool:
    """Whether the caller may `view` or `edit` one card or task; a row that is not there is out of reach."""
    if call.bearer.is_admin:
        return True
    sql, values = _tasks(call.bearer, what) if table == "tasks" else _cards(call.bearer, table, what)
    with call.world.store.read() as connection:
        found = connection.execute(
            f'SELECT 1 FROM "{table}" WHERE account_id = ? AND id = ? AND {sql}',
            (call.account.id, row_id, *values),
        ).fetchone()
    return found is not None


def may_add(call: Call, table: str) -> bool:
    """Whether the caller may make cards of a kind."""
    return call.bearer.is_admin or _of(call.bearer, table).get("add") != "D"


def catalogs_open(call: Call) -> None:
    """Refuse (403) a user who is expressly kept out of catalogs."""
    if not call.bearer.is_admin and _rights(call.bearer).get("catalog_access") is False:
        raise Refused(denied())
