"""The tables of an account: which fields of a row are also columns, and which indexes serve lists."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.amocrm.storage import texts
from sandbox.amocrm.vocabulary import Row

LISTED, DELETED, MERGED = 0, 1, 2
LARGEST, SMALLEST = 2**63 - 1, -(2**63)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One entity: `key` is the row's field that identifies it, `columns` are kept beside the JSON body."""

    name: str
    key: str = "id"
    columns: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    indexes: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def plan(self) -> tuple[tuple[str, Any], ...]:
        """Columns with the type of most values; looked up two million times when a big account is loaded."""
        return tuple((name, str if name in self.texts else int) for name in self.columns)


_CARD = ("name", "responsible_user_id", "group_id", "created_by", "updated_by", "created_at", "updated_at",
         "closest_task_at")  # fmt: skip
_CARD_INDEXES = (("hidden", "id"), ("hidden", "updated_at", "id"), ("hidden", "created_at", "id"))
_NOTE = ("entity_id", "note_type", "created_by", "created_at", "updated_at")
_NOTE_INDEXES = (("updated_at", "id"), ("entity_id",))
_NAME = frozenset({"name"})


def _card(name: str, *more: str) -> Table:
    return Table(name=name, columns=_CARD + more, texts=_NAME, indexes=_CARD_INDEXES)


def _notes(of: str) -> Table:
    texts = frozenset({"note_type"})
    return Table(name=f"notes_{of}", columns=_NOTE, texts=texts, indexes=_NOTE_INDEXES)


def _fields(of: str, *more: str) -> Table:
    return Table(name=f"custom_fields_{of}", columns=("type", "sort", *more), texts=frozenset({"type"}))


_ALL = (
    Table(name="users"),
    Table(name="roles"),
    Table(name="pipelines", columns=("sort",)),
    Table(name="loss_reasons", columns=("sort",)),
    Table(name="sources", columns=("external_id",), texts=frozenset({"external_id"})),
    Table(name="tags", columns=("name", "entity_type"), texts=frozenset({"name", "entity_type"})),
    _fields("leads"), _fields("contacts"), _fields("companies"), _fields("customers"),
    _fields("segments"), _fields("catalogs", "catalog_id"),
    Table(name="custom_field_groups", columns=("entity_type", "sort"),
          texts=frozenset({"id", "entity_type"})),
    Table(name="segments", columns=("updated_at",)),
    Table(name="customers_statuses", columns=("sort",)),
    _card("leads", "price", "pipeline_id", "status_id", "closed_at", "loss_reason_id"),
    _card("contacts"),
    _card("companies"),
    _card("customers", "status_id", "next_date", "next_price"),
    Table(name="transactions", columns=("customer_id", "updated_at"), indexes=(("customer_id",),)),
    Table(name="tasks",
          columns=("responsible_user_id", "created_by", "entity_type", "entity_id", "task_type_id",
                   "is_completed", "complete_till", "created_at", "updated_at"),
          texts=frozenset({"entity_type"}),
          indexes=(("updated_at", "id"), ("created_at", "id"), ("complete_till", "id"), ("entity_id",))),
    _notes("leads"), _notes("contacts"), _notes("companies"), _notes("customers"),
    Table(name="events", columns=("type", "entity_type", "entity_id", "created_by", "created_at"),
          texts=frozenset({"id", "type", "entity_type"}),
          indexes=(("created_at", "id"), ("entity_id",))),
    Table(name="unsorted", key="uid", columns=("category", "pipeline_id", "created_at"),
          texts=frozenset({"uid", "category"})),
    Table(name="talks", key="talk_id"),
    Table(name="catalogs"),
    Table(name="catalog_elements", columns=("catalog_id", "updated_at")),
    Table(name="links", key="",
          columns=("entity_type", "entity_id", "to_entity_type", "to_entity_id"),
          texts=frozenset({"entity_type", "to_entity_type"}),
          indexes=(("entity_id",),)),
)  # fmt: skip
TABLES = {table.name: table for table in _ALL}


def column_value(value: Any, text: bool) -> Any:
    """What stands in a column for a field's value: number or text; null for anything nested.

    Numbers written as text ("1760000000") become numbers so that they sort and compare as such.
    """
    kind = type(value)
    if value is None:
        return None
    if kind is int:
        return str(value) if text else value
    if kind is str:
        if not text:
            return _number(value)
        return value if value.isascii() else texts.storable(value)
    if kind is bool:
        return int(value)
    return value if kind is float else None


def _number(text: str) -> Any:
    try:
        number = int(text)
    except ValueError:
        return texts.storable(text)
    return number if SMALLEST <= number <= LARGEST else text


def hidden_of(row: Row) -> int:
    """0 in lists, 1 in the recycle bin, 2 swallowed by a merge."""
    if row.get("_merged_into"):
        return MERGED
    return DELETED if row.get("is_deleted") else LISTED


def create_statements(table: Table) -> list[str]:
    """SQL that makes the table; indexes come later (`index_statements`), after the rows are loaded."""
    columns = "".join(f', "{name}"' for name in table.columns)
    return [
        f'CREATE TABLE IF NOT EXISTS "{table.name}" (account_id INTEGER NOT NULL, id NOT NULL,'
        f" hidden INTEGER NOT NULL{columns}, body TEXT NOT NULL, view TEXT, PRIMARY KEY (account_id, id))"
    ]


def index_statements(table: Table) -> list[str]:
    """SQL that makes the table's indexes."""
    statements = []
    for columns in table.indexes:
        name = f"{table.name}_{'_'.join(columns)}"
        listed = ", ".join(f'"{column}"' for column in columns)
        statements.append(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table.name}" (account_id, {listed})')
    return statements


def insert_statement(table: Table) -> str:
    """SQL that stores one row over the one with the same id, which keeps its rowid: a page that is being read
    must not lose a row because it changes."""
    names = ["account_id", "id", "hidden", *table.columns, "body", "view"]
    listed = ", ".join(f'"{name}"' for name in names)
    updated = ", ".join(f'"{name}" = excluded."{name}"' for name in names[2:])
    return (
        f'INSERT INTO "{table.name}" ({listed}) VALUES ({", ".join("?" * len(names))})'
        f" ON CONFLICT (account_id, id) DO UPDATE SET {updated}"
    )
