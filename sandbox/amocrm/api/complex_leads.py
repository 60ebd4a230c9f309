"""`POST /leads/complex`: a lead with its contact and company in one item, as a lead or as an incoming one."""

from typing import Any

from sandbox.amocrm.api.answers import Refused, hal, problem
from sandbox.amocrm.api.writes import batch, each, request_id
from sandbox.amocrm.http import Response
from sandbox.amocrm.life import cards, finding, links, people, unsorted
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row
from sandbox.amocrm.world import Call

MOST = 50
MOST_FIELDS = 40


def create(call: Call) -> Response:
    """A bare list `[{id, contact_id, company_id, request_id: ["0"], merged}]`.

    With the switch `complex_duplicate_control`, a contact known by phone or e-mail is taken instead of a new
    one, and if he has one open lead the item joins it (`merged`); cards made by the same call do not count.
    """
    items = batch(call)
    if len(items) > MOST:
        raise Refused(problem(400, f"Too many items in the request, {MOST} allowed"))
    fresh: set[tuple[str, int]] = set()
    rows = each(call, items, lambda change, item: _one(change, item, fresh))
    answers = [{**row, "request_id": [request_id(item, n)], "merged": row["merged"]}
               for n, (item, row) in enumerate(zip(items, rows, strict=True))]  # fmt: skip
    return hal(answers)


def _one(change: Change, item: Row, fresh: set[tuple[str, int]]) -> Row:
    embedded: Row = item.get("_embedded") or {}
    given = {table: _given(embedded, table) for table in ("contacts", "companies")}
    _few_fields(item, "custom_fields_values")
    metadata = embedded.get("metadata")
    if isinstance(metadata, dict):
        return _incoming(change, item, given, metadata)
    merged = _joined(change, item, given, fresh)
    if merged is not None:
        return merged
    ids = {table: _partner(change, table, card, item, fresh) for table, card in given.items()}
    tied = {table: [{"id": row_id}] if row_id else [] for table, row_id in ids.items()}
    kept = {name: embedded[name] for name in ("tags", "catalog_elements") if embedded.get(name)}
    lead = people.create(change, "leads", {**item, "_embedded": {**kept, **tied}})
    fresh.add(("leads", lead["id"]))
    if ids["contacts"] and ids["companies"]:
        links.link(change, "contacts", ids["contacts"], "companies", ids["companies"])
    return _answer(lead["id"], ids["contacts"], ids["companies"], merged=False)


def _answer(lead_id: Any, contact_id: Any, company_id: Any, *, merged: bool) -> Row:
    return {"id": lead_id, "contact_id": contact_id, "company_id": company_id, "merged": merged}


def _given(embedded: Row, table: str) -> Row | None:
    listed = embedded.get(table) or []
    if not isinstance(listed, list) or not all(isinstance(card, dict) for card in listed):
        raise Impossible("This value should be of type array.", f"_embedded.{table}", "InvalidType")
    if len(listed) > 1:
        raise Impossible("Only one is allowed here.", f"_embedded.{table}", "TooMany")
    if listed:
        _few_fields(listed[0], f"_embedded.{table}.0.custom_fields_values")
    return listed[0] if listed else None


def _few_fields(card: Row, path: str) -> None:
    fields = card.get("custom_fields_values") or []
    if isinstance(fields, list) and len(fields) > MOST_FIELDS:
        raise Impossible(f"At most {MOST_FIELDS} fields are allowed.", path, "TooMany")


def _partner(
    change: Change, table: str, card: Row | None, item: Row, fresh: set[tuple[str, int]]
) -> int | None:
    """The id of the embedded contact or company, which is made when it has none."""
    if card is None:
        return None
    if card.get("id"):
        return int(change.live(table, card["id"])["id"])
    known = _known(change, table, card, fresh)
    if known is not None:
        return int(known["id"])
    made = people.create(change, table, {"responsible_user_id": item.get("responsible_user_id"), **card})
    fresh.add((table, made["id"]))
    return int(made["id"])


def _known(change: Change, table: str, card: Row, fresh: set[tuple[str, int]]) -> Row | None:
    """The card that duplicate control would take: the oldest with the same phone or e-mail."""
    if not change.world.switches["complex_duplicate_control"]:
        return None
    found = []
    for field in card.get("custom_fields_values") or []:
        for value in (field.get("values") or []) if isinstance(field, dict) else []:
            plain = value.get("value") if isinstance(value, dict) else None
            found += finding.by_phone(change, table, plain) + finding.by_email(change, table, plain)
    old = [row for row in found if (table, row["id"]) not in fresh]
    return min(old, key=lambda row: int(row["id"])) if old else None


def _joined(
    change: Change, item: Row, given: dict[str, Row | None], fresh: set[tuple[str, int]]
) -> Row | None:
    """The answer when the item joins a lead that exists."""
    contact = given["contacts"]
    known = _known(change, "contacts", contact, fresh) if contact and not contact.get("id") else None
    leads = (
        [lead for lead in finding.open_leads(change, known) if ("leads", lead["id"]) not in fresh]
        if known
        else []
    )
    if known is None or len(leads) != 1:
        return None
    tags = (item.get("_embedded") or {}).get("tags") or []
    lead = cards.edit(change, "leads", leads[0], {"tags_to_add": tags})
    companies = (lead.get("_embedded") or {}).get("companies") or [{}]
    return _answer(lead["id"], known["id"], companies[0].get("id"), merged=True)


def _incoming(change: Change, item: Row, given: dict[str, Row | None], metadata: Row) -> Row:
    """With `metadata` the lead stays unsorted until somebody accepts it."""
    if metadata.get("category") not in ("forms", "sip"):
        raise Impossible("The value you selected is not a valid choice.", "_embedded.metadata.category")
    lead = {name: value for name, value in item.items() if name not in ("_embedded", "status_id")}
    tags = (item.get("_embedded") or {}).get("tags") or []
    behind: Row = {table: [card] if card else [] for table, card in given.items()}
    behind["leads"] = [{**lead, "_embedded": {"tags": tags}}]
    source = (item.get("_embedded") or {}).get("source") or {}
    if not isinstance(source, dict):
        raise Impossible("This value should be of type object.", "_embedded.source", "InvalidType")
    told = {name: value for name, value in metadata.items() if name not in ("category", "source_uid")}
    row = unsorted.create(
        change, metadata["category"],
        {"source_uid": metadata.get("source_uid") or source.get("external_id"),
         "source_name": metadata.get("source_name") or metadata.get("form_name"),
         "pipeline_id": item.get("pipeline_id"), "created_at": item.get("created_at"), "metadata": told,
         "_embedded": behind},
    )  # fmt: skip
    first = {table: (row["_embedded"][table] or [{}])[0].get("id") for table in unsorted.BEHIND}
    return _answer(first["leads"], first["contacts"], first["companies"], merged=False)
