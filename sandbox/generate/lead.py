"""One lead: its state, and the changes that leave events behind. The row is always the end of its history."""

from random import Random

from sandbox.generate.customers import Customer
from sandbox.generate.department import (
    FIELD_KIND,
    FIELD_UTM,
    KINDS,
    LOSS_REASONS,
    LOST,
    PIPELINES,
    SOURCES,
    TAGS,
    WON,
    Row,
)
from sandbox.generate.ledger import Ledger, group_of
from sandbox.generate.texts import UTM_SOURCES

Number = int | float


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
        self.loss_reason_id: int | None = None
        self.is_deleted = False
        self.merged_into: int | None = None
        self.tags: list[Row] = []
        self.source: Row | None = None
        self.deadlines: list[int] = []
        self.owners: list[tuple[int, int]] = [(at, owner_id)]
        ledger.event(at, "lead_added", ("lead", lead_id), by=by)

    @property
    def is_closed(self) -> bool:
        return self.status_id in (WON, LOST)

    @property
    def is_unsorted(self) -> bool:
        return self.status_id == PIPELINES[self.pipeline_id].unsorted_id

    def owner_at(self, at: int) -> int:
        """Who owned the lead then; a change in that very second is already done."""
        return next(
            owner for since, owner in reversed(self.owners) if since <= at or since == self.created_at
        )

    def move(self, at: int, pipeline_id: int, status_id: int, *, by: int, reason: int | None = None) -> None:
        """To another status, perhaps on another board; closing sets `closed_at`, reopening clears it."""
        before = {"lead_status": {"id": self.status_id, "pipeline_id": self.pipeline_id}}
        after = {"lead_status": {"id": status_id, "pipeline_id": pipeline_id}}
        self.pipeline_id, self.status_id = pipeline_id, status_id
        self.closed_at = at if self.is_closed else None
        self.loss_reason_id = reason if status_id == LOST else None
        self._changed(at, "lead_status_changed", by, before, after)

    def give(self, at: int, owner_id: int, *, by: int) -> None:
        """To another responsible user."""
        if owner_id == self.owner_id:
            return
        before, after = {"responsible_user": {"id": self.owner_id}}, {"responsible_user": {"id": owner_id}}
        self.owner_id = owner_id
        self.owners.append((at, owner_id))
        self._changed(at, "entity_responsible_changed", by, before, after)

    def reprice(self, at: int, kopecks: int, *, by: int) -> None:
        if kopecks == self.kopecks:
            return
        before = {"sale_field_value": {"sale": money(self.kopecks)}}
        self.kopecks = kopecks
        self._changed(at, "sale_field_changed", by, before, {"sale_field_value": {"sale": money(kopecks)}})

    def rename(self, at: int, name: str, *, by: int) -> None:
        before = {"name_field_value": {"name": self.name}}
        self.name = name
        self._changed(at, "name_field_changed", by, before, {"name_field_value": {"name": name}})

    def tag(self, at: int, tag: Row, *, by: int) -> None:
        if tag not in self.tags:
            self.tags.append(tag)
            self._changed(at, "entity_tag_added", by, None, {"tag": {"name": tag["name"]}})

    def absorb(self, at: int, loser_id: int, *, by: int) -> None:
        """Another lead was merged into this one."""
        self._changed(at, "entity_merged", by, {"merge": {"entity": {"type": "lead", "id": loser_id}}}, None)

    def delete(self, at: int, *, by: int) -> None:
        self.is_deleted = True
        self._changed(at, "lead_deleted", by, None, None)

    def _changed(self, at: int, kind: str, by: int, before: Row | None, after: Row | None) -> None:
        if at < self.updated_at:
            raise ValueError(f"lead {self.id}: {kind} lies before the last change")
        self.updated_at, self.updated_by = at, by
        self._ledger.event(
            at, kind, ("lead", self.id), by=by,
            before=[before] if before else [], after=[after] if after else [],
        )  # fmt: skip

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
            "custom_fields_values": self._fields(), "score": None, "account_id": self._ledger.account_id,
            "labor_cost": None, "is_price_computed": False, "is_price_modified_by_robot": False,
            "price_with_minor_units": self._minor_units(),
            "_embedded": {
                "tags": self.tags, "contacts": contacts,
                "companies": [{"id": self.customer.company.id}] if self.customer.company else [],
                "catalog_elements": [], "loss_reason": [reason] if reason else [], "source": source,
            },
        }  # fmt: skip
        return row if self.merged_into is None else row | {"_merged_into": self.merged_into}

    def _minor_units(self) -> Number | None:
        # Part of the leads carry null, as in accounts that switched kopecks on late; never those with them.
        return None if self.kopecks % 100 == 0 and self.id % 7 == 0 else money(self.kopecks)

    def _fields(self) -> list[Row] | None:
        shape = self.id % 5
        utm_source = UTM_SOURCES[self.id % len(UTM_SOURCES)]
        utm = {"field_id": FIELD_UTM, "field_name": "utm_source", "field_code": "UTM_SOURCE",
               "field_type": "tracking_data", "values": [{"value": utm_source}]}  # fmt: skip
        enum_id, value = KINDS[self.id % len(KINDS)]
        kind = {"field_id": FIELD_KIND, "field_name": "Тип", "field_code": None, "field_type": "select",
                "values": [{"value": value, "enum_id": enum_id, "enum_code": None}]}  # fmt: skip
        if shape == 0:
            return None
        if shape == 1:
            return []
        return [utm, kind] if self.source in SOURCES[:1] else [kind]


def some_tag(words: Random) -> Row:
    return words.choice(TAGS)
