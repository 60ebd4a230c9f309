"""A stored row → the text of an API answer: `_links` added, what `with=` did not ask for left out.

Rendering 250 leads from parsed JSON would cost more than everything else together, so the pieces of
a card are rendered once, when the row is written, and an answer only joins them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.vocabulary import Row

# Raw control characters cannot occur in JSON text, so they are safe as marks.
HOST_MARK = "\x01"
_CUT = "\x02"


@dataclass(frozen=True, kw_only=True)
class View:
    """How rows of one table look: `path` of the self link, embedded lists that always come, and gates.

    `gated` maps a `with=` value to the embedded list it opens, `gated_top` to the top-level field.
    """

    path: str = ""
    always: tuple[str, ...] = ()
    gated: dict[str, str] = field(default_factory=dict)
    gated_top: dict[str, str] = field(default_factory=dict)


_CARD = ("tags", "companies")
VIEWS = {
    "leads": View(
        path="leads",
        always=_CARD,
        gated={name: name for name in ("contacts", "loss_reason", "source", "catalog_elements")},
        gated_top={name: name for name in ("source_id", "is_price_modified_by_robot")},
    ),
    "contacts": View(
        path="contacts",
        always=_CARD,
        gated={name: name for name in ("leads", "customers", "catalog_elements", "social_profiles")},
    ),
    "companies": View(
        path="companies",
        always=("tags",),
        gated={name: name for name in ("leads", "customers", "contacts", "catalog_elements")},
    ),
    "customers": View(
        path="customers",
        always=("segments", "tags"),
        gated={name: name for name in ("contacts", "companies", "catalog_elements")},
    ),
    "users": View(
        path="users",
        gated={"role": "roles", "group": "groups"},
        gated_top={name: name for name in ("uuid", "amojo_id", "user_rank", "phone_number")},
    ),
    "roles": View(path="roles", gated={"users": "users"}),
}
_LINKED = frozenset({"leads", "contacts", "companies", "customers"})


def link(path: str) -> str:
    """The `_links` object of `path` under /api/v4/, with a mark where the account's host goes."""
    return f'{{"self":{{"href":"{HOST_MARK}/api/v4/{path}"}}}}'


def _embedded_text(name: str, value: object) -> str:
    if name not in _LINKED or not isinstance(value, list):
        return dumps(value)
    return "[" + ",".join(_linked_text(name, item) for item in value) + "]"


def _linked_text(name: str, item: object) -> str:
    if not isinstance(item, dict) or not item:
        return dumps(item)
    return spliced(f"{name}/{item.get('id')}", dumps(item))


def cut(table: str, row: Row) -> str | None:
    """The row's pieces joined by marks, for tables with a view; None for the rest."""
    view = VIEWS.get(table)
    if view is None:
        return None
    embedded = row.get("_embedded")
    embedded = embedded if isinstance(embedded, dict) else {}
    core = {k: v for k, v in row.items() if k[:1] != "_" and k not in view.gated_top}
    path = f"{view.path}/{row.get('id')}"
    pieces = [spliced(path, dumps(core))[:-1]]
    pieces += [f',"{name}":{dumps(row.get(name))}' for name in view.gated_top.values()]
    always = ",".join(f'"{name}":{_embedded_text(name, embedded.get(name) or [])}' for name in view.always)
    pieces.append(always)
    for name in view.gated.values():
        value = embedded.get(name)
        pieces.append(f'"{name}":{_embedded_text(name, [] if value is None else value)}')
    return _CUT.join(pieces)


def joined(table: str, pieces_text: str, wanted: Collection[str]) -> str:
    """The answer's object from the pieces that `cut` made."""
    view = VIEWS[table]
    pieces = pieces_text.split(_CUT)
    tops = len(view.gated_top)
    text = pieces[0]
    for index, name in enumerate(view.gated_top, 1):
        if name in wanted:
            text += pieces[index]
    embedded = [pieces[tops + 1]] if pieces[tops + 1] else []
    embedded += [pieces[index] for index, name in enumerate(view.gated, tops + 2) if name in wanted]
    return f'{text},"_embedded":{{{",".join(embedded)}}}}}'


def spliced(path: str, body: str) -> str:
    """The body as stored with `_links` put in at its end."""
    return f'{body[:-1]}{"" if body == "{}" else ","}"_links":{link(path)}}}'


def event_text(row: Row, more: Row) -> str:
    """An event's answer: links for itself and for the entity it is about, which `more` describes further."""
    row = {name: value for name, value in row.items() if name != "_embedded"}
    one, entity_id = str(row.get("entity_type")), row.get("entity_id")
    address = f"{_home_of(one)}/{entity_id}"
    entity = f'{dumps({"id": entity_id, **more})[:-1]},"_links":{link(address)}}}'
    text = spliced(f"events/{row.get('id')}", dumps(row))
    return f'{text[:-1]},"_embedded":{{"entity":{entity}}}}}'


def _home_of(entity: str) -> str:
    """Where an entity of an event lives: `lead` → leads, `catalog_7` → catalogs/7/elements."""
    kind, _, number = entity.partition("_")
    if kind == "catalog" and number.isdecimal():
        return f"catalogs/{number}/elements"
    return {"company": "companies"}.get(entity, entity + "s")


def tag_text(body: str) -> str:
    """A tag of the dictionary: three fields, no links; which kind of card it belongs to is not shown."""
    row = json.loads(body)
    return dumps({name: row.get(name) for name in ("id", "name", "color")})


_PINS = (',"is_pinned":false}', ',"is_pinned":true}')


def note_body(body: str, *, pinned: bool) -> str:
    """A note's JSON with or without `is_pinned`."""
    mentioned = body.count('"is_pinned"')
    if not pinned and not mentioned:
        return body
    for end in _PINS if mentioned == 1 else ():
        if body.endswith(end):  # as our own rows have it: parsing 250 of them would cost more than the page
            return body if pinned else body[: -len(end)] + "}"
    row = json.loads(body)
    is_pinned = bool(row.pop("is_pinned", False))
    return dumps({**row, "is_pinned": is_pinned} if pinned else row)


def statuses_of(pipeline: Row) -> list[Row]:
    """The columns of a pipeline's row; none where the snapshot has none."""
    embedded = pipeline.get("_embedded")
    listed = embedded.get("statuses") if isinstance(embedded, dict) else None
    return [status for status in listed if isinstance(status, dict)] if isinstance(listed, list) else []


def status_shown(status: Row, *, described: bool) -> Row:
    """A status as an answer has it: `descriptions` only on demand, an empty list where there are none."""
    kept = {name: value for name, value in status.items() if name != "descriptions"}
    return {**kept, "descriptions": status.get("descriptions") or []} if described else kept


def pipeline_text(body: str, *, described: bool = False) -> str:
    """A pipeline's answer: links for itself and for each status; `described` as in `status_shown`."""
    row = json.loads(body)
    home = f"leads/pipelines/{row.get('id')}"
    listed = statuses_of(row)
    row.pop("_embedded", None)
    statuses = ",".join(
        spliced(f"{home}/statuses/{status.get('id')}", dumps(status_shown(status, described=described)))
        for status in listed
    )
    return f'{spliced(home, dumps(row))[:-1]},"_embedded":{{"statuses":[{statuses}]}}}}'


_KEPT_WHEN_DELETED = frozenset({"id", "updated_at", "updated_by", "is_deleted", "account_id"})


def bin_text(table: str, body: str) -> str:
    """A row of the recycle bin as `with=only_deleted` shows it: nearly everything is null."""
    row = json.loads(body)
    bare = {key: row[key] if key in _KEPT_WHEN_DELETED else None for key in row if not key.startswith("_")}
    bare["is_deleted"] = True
    embedded = ",".join(f'"{name}":[]' for name in VIEWS[table].always)
    text = spliced(f"{table}/{row.get('id')}", dumps(bare))
    return f'{text[:-1]},"_embedded":{{{embedded}}}}}'
