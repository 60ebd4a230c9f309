"""One lead: its state, and the changes that leave events behind. The row is always the end of its history."""

from random import Random

from sandbox.generate import fields, values
from sandbox.generate.customers import Customer
from sandbox.generate.department import (
    LOSS_REASONS,
    LOST,
    PIPELINES,
    PRODUCTION,
    SOURCES,
    TAGS,
    WON,
    Row,
)
from sandbox.generate.files import to_text
from sandbox.generate.ledger import Ledger, group_of
from sandbox.generate.truth import Visit

Number = int | float
SELECT_CODE = 4  # the number of the type "select" in events


def money(kopecks: int) -> Number:
    """Kopecks as amoCRM shows a price: a whole number, or a decimal where there are kopecks."""
    return kopecks // 100 if kopecks % 100 == 0 else kopecks / 100


class Lead:
    """A lead on the board. Changes must come in the order of time; each appends its event to the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        words: Random,
        *,
        lead_id: int,
        at: int,
        name: str,
        status: tuple[int, int],
        owner_id: int,
        kopecks: int,
        by: int,
        customer: Customer,
    ) -> None:
        self._ledger, self._words = ledger, words
        self.id, self.name, self.customer = lead_id, name, customer
        self.pipeline_id, self.status_id = status
        self.owner_id, self.kopecks = owner_id, kopecks
        self.created_at, self.created_by = at, by
        self.updated_at, self.updated_by = at, by
        self.closed_at: int | None = None
        self.won_at: int | None = None
        self.loss_reason_id: int | None = None
        self.is_deleted = False
        self.merged_into: int | None = None
        self.tags: list[Row] = []
        self.source: Row | None = None
        self.fields: list[Row] | None = None
        self.elements: list[Row] = []
        self.deadlines: list[int] = []
        self.owners: list[tuple[int, int]] = [(at, owner_id)]
        self.visits: list[Visit] = []
        ledger.event(at, "lead_added", ("lead", lead_id), by=by)
        self._enter(at, by)

    @property
    def is_closed(self) -> bool:
        return self.status_id in (WON, LOST)

    @property
    def is_unsorted(self) -> bool:
        return self.status_id == PIPELINES[self.pipeline_id].unsorted_id

    @property
    def busy_until(self) -> int | None:
        """Since when nobody sells here any more: lost, won (perhaps in production since) or deleted."""
        if self.is_deleted:
            return self.updated_at
        return self.won_at if self.pipeline_id == PRODUCTION else self.closed_at

    def owner_at(self, at: int) -> int:
        """Who owned the lead then; a change in that very second is already done."""
        return next(
            owner for since, owner in reversed(self.owners) if since <= at or since == self.created_at
        )

    def _owner_before(self, at: int) -> int:
        """Who owned the lead before the changes of that second."""
        return next((owner for since, owner in reversed(self.owners) if since < at), self.owners[0][1])

    def move(self, at: int, pipeline_id: int, status_id: int, *, by: int, reason: int | None = None) -> None:
        """To another status, perhaps on another board; closing sets `closed_at`, reopening clears it."""
        before = _place_told(self.pipeline_id, self.status_id)
        self.pipeline_id, self.status_id = pipeline_id, status_id
        self.closed_at = at if self.is_closed else None
        if status_id == WON and pipeline_id != PRODUCTION:
            self.won_at = at
        self.loss_reason_id = reason if status_id == LOST else None
        self._told(at, "lead_status_changed", by, before, _place_told(pipeline_id, status_id))
        self._enter(at, by)

    def _enter(self, at: int, by: int) -> None:
        self.visits.append(Visit(pipeline_id=self.pipeline_id, status_id=self.status_id, entered_at=at,
                                 entered_by=by, responsible_user_id=self._owner_before(at)))  # fmt: skip

    def give(self, at: int, owner_id: int, *, by: int) -> None:
        """To another responsible user."""
        if owner_id == self.owner_id:
            return
        before, after = {"responsible_user": {"id": self.owner_id}}, {"responsible_user": {"id": owner_id}}
        self.owner_id = owner_id
        self.owners.append((at, owner_id))
        self._changed(at, "entity_responsible_changed", by, before, after)

    def reprice(self, at: int, kopecks: int, *, by: int) -> None:
        """To another budget, in kopecks."""
        if kopecks == self.kopecks:
            return
        before = {"sale_field_value": {"sale": money(self.kopecks)}}
        self.kopecks = kopecks
        self._changed(at, "sale_field_changed", by, before, {"sale_field_value": {"sale": money(kopecks)}})

    def rename(self, at: int, name: str, *, by: int) -> None:
        """To another name."""
        if name == self.name:
            return
        before = {"name_field_value": {"name": self.name}}
        self.name = name
        self._changed(at, "name_field_changed", by, before, {"name_field_value": {"name": name}})

    def tag(self, at: int, tag: Row, *, by: int) -> None:
        """One tag more."""
        if tag not in self.tags:
            self.tags.append(tag)
            self._changed(at, "entity_tag_added", by, None, {"tag": {"name": tag["name"]}})

    def untag(self, at: int, *, by: int) -> None:
        """One tag less, if there is any."""
        if self.tags:
            tag = self.tags.pop()
            self._changed(at, "entity_tag_deleted", by, {"tag": {"name": tag["name"]}}, None)

    def choose_kind(self, at: int, place: int, *, by: int) -> None:
        """Another "Тип" (a select field), or the first one."""
        told, rows = [], list(self.fields or [])
        for n, row in enumerate(rows):
            if row["field_id"] == fields.KIND:
                told, rows[n] = [row], values.kind_of(place)
        if not told:
            rows.append(values.kind_of(place))
        if rows != self.fields:
            self.fields = rows
            before = _kind_told(told[0]) if told else None
            self._changed(at, f"custom_field_{fields.KIND}_value_changed", by, before,
                          _kind_told(values.kind_of(place)))  # fmt: skip

    def absorb(self, at: int, loser_id: int, *, by: int) -> None:
        """Another lead was merged into this one."""
        self._changed(at, "entity_merged", by, {"merge": {"entity": {"type": "lead", "id": loser_id}}}, None)

    def delete(self, at: int, *, by: int) -> None:
        """Into the recycle bin."""
        self.is_deleted = True
        self._changed(at, "lead_deleted", by, None, None)

    def restore(self, at: int, *, by: int) -> None:
        """Out of the recycle bin."""
        self.is_deleted = False
        self._changed(at, "lead_restored", by, None, None)

    def _changed(self, at: int, kind: str, by: int, before: Row | None, after: Row | None) -> None:
        self._told(at, kind, by, to_text([before]) if before else "[]",
                   to_text([after]) if after else "[]")  # fmt: skip

    def _told(self, at: int, kind: str, by: int, before: str, after: str) -> None:
        if at < self.updated_at:
            raise ValueError(f"lead {self.id}: {kind} lies before the last change")
        self.updated_at, self.updated_by = at, by
        self._ledger.told(at, kind, ("lead", self.id), by=by, before=before, after=after)

    def tell_truth(self) -> None:
        """Write the stage visits and owner intervals of the whole story."""
        self._ledger.truth.visits(self.id, self.visits)
        self._ledger.truth.owners(self.id, self.owners)

    def row(self) -> Row:
        """The lead as `GET /leads` shows it with every `with=`."""
        reason = next((each for each in LOSS_REASONS if each["id"] == self.loss_reason_id), None)
        source = {"id": self.source["id"], "name": self.source["name"]} if self.source else None
        contacts = [{"id": card.id, "is_main": n == 0} for n, card in enumerate(self.customer.contacts)]
        row = {
            "id": self.id, "name": self.name, "price": self.kopecks // 100,
            "responsible_user_id": self.owner_id, "group_id": group_of(self.owner_id),
            "status_id": self.status_id, "pipeline_id": self.pipeline_id,
            "loss_reason_id": self.loss_reason_id, "source_id": source["id"] if source else None,
            "created_by": self.created_by, "updated_by": self.updated_by, "created_at": self.created_at,
            "updated_at": self.updated_at, "closed_at": self.closed_at,
            "closest_task_at": min(self.deadlines, default=None), "is_deleted": self.is_deleted,
            "custom_fields_values": self.fields, "score": None, "account_id": self._ledger.account_id,
            "labor_cost": None, "is_price_computed": False, "is_price_modified_by_robot": False,
            "price_with_minor_units": self._minor_units(),
            "_embedded": {
                "tags": self.tags, "contacts": contacts,
                "companies": [{"id": self.customer.company.id}] if self.customer.company else [],
                "catalog_elements": self.elements, "loss_reason": [reason] if reason else [],
                "source": source,
            },
        }  # fmt: skip
        return row if self.merged_into is None else row | {"_merged_into": self.merged_into}

    def _minor_units(self) -> Number | None:
        # Part of the leads carry null, as in accounts that switched kopecks on late; never those with them.
        return None if self.kopecks % 100 == 0 and self.id % 7 == 0 else money(self.kopecks)


def _place_told(pipeline_id: int, status_id: int) -> str:
    return f'[{{"lead_status":{{"id":{status_id},"pipeline_id":{pipeline_id}}}}}]'


def _kind_told(row: Row) -> Row:
    value = row["values"][0]
    return {"custom_field_value": {"field_id": fields.KIND, "field_type": SELECT_CODE,
                                   "enum_id": value["enum_id"], "text": value["value"]}}  # fmt: skip


def first_fields(words: Random, lead: Lead) -> list[Row] | None:
    """What a new lead's card holds: nothing (null or an empty list), its type, where it came from, or all."""
    shape = words.random()
    if shape < 0.2:
        return None
    if shape < 0.38:
        return []
    rows = values.tracking(words, lead.id) if lead.source in SOURCES[:1] else []
    rows.append(values.kind_of(words.randrange(len(fields.KINDS))))
    if shape > 0.94:
        rows += values.questionnaire(words, lead.id, lead.created_at)
    return rows


def some_tag(words: Random) -> Row:
    """One of the account's tags."""
    return words.choice(TAGS)
