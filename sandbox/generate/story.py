"""The leads of a department one after another; between them only some customers are remembered."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from sandbox.generate import goods, inbox, regulars
from sandbox.generate.activity import Activity
from sandbox.generate.cards import contact_row, link
from sandbox.generate.circle import Circle
from sandbox.generate.customers import Customer, Strangers
from sandbox.generate.department import DAY_S, HEAD, LOST, PIPELINES, REPEAT, ROBOT, SALES, SOURCES, is_gone
from sandbox.generate.lead import Lead, first_fields, some_tag
from sandbox.generate.ledger import Ledger
from sandbox.generate.path import Course, pick_owner, some_price
from sandbox.generate.schedule import Arrival, month_start
from sandbox.generate.tasks import free_task
from sandbox.generate.texts import GOODS, HOSTILE, LEAD_NAME_TAILS

FIRST_LEAD_ID = 7001
RECENT = 60
AGAIN_SHARE, REPEAT_SHARE = 0.02, 0.24
RECREATED_WITHIN_S = 7 * DAY_S
AWAY_AFTER_LOSS_S = 30 * DAY_S


@dataclass(frozen=True, kw_only=True)
class Guest:
    """Who comes: known before or not, and the earlier lead of whom this application is a double."""

    customer: Customer
    is_known: bool = False
    double_of: Lead | None = None


class Story:
    """Tells the leads of one account in the order of their arrival."""

    def __init__(self, ledger: Ledger, *, seed: int) -> None:
        self._ledger, self._files, self._seed = ledger, ledger.files, seed
        self._strangers = Strangers(ledger, seed=seed)
        self._circle = Circle(ledger)
        self._recent: deque[Lead] = deque(maxlen=RECENT)
        self._pending: tuple[Lead, int] | None = None  # a duplicate, and when it is merged into the next lead

    def tell(self, coming: Iterator[Arrival], progress: Callable[[int], None]) -> None:
        """Write everything that follows from these arrivals."""
        arrival = next(coming, None)
        lead_id = FIRST_LEAD_ID
        while arrival is not None:
            following = next(coming, None)
            words = Random(f"{self._seed}:{lead_id}")
            self._ledger.begin(words)
            if not self._applied_twice(arrival, following, words, lead_id):
                self._lead(arrival, words, lead_id)
            arrival, lead_id = following, lead_id + 1
            progress(lead_id - FIRST_LEAD_ID)
        self._circle.close()

    def _lead(self, arrival: Arrival, words: Random, lead_id: int) -> None:
        pending, self._pending = self._pending, None
        guest = Guest(customer=pending[0].customer, is_known=True) if pending else self._guest(arrival, words)
        lead, category = self._arrive(arrival, words, lead_id, guest, is_new=pending is not None)
        course = Course(lead, words, now_s=self._ledger.now_s)
        if pending:
            course.absorb(pending[1], pending[0].id)
            if lead.customer.cards:
                self._same_leads(pending[0].id, lead, "merged")
        if guest.double_of and words.random() < 0.4 and not lead.is_unsorted:
            course.close_as_double()
        else:
            course.tell(arrival)
        if pending is None and arrival.ending is None and words.random() < 0.02 and not lead.is_deleted:
            course.delete(by=lead.owner_id if words.random() < 0.7 else HEAD)
        if lead.won_at is not None:
            regulars.bought(words, self._ledger, lead.customer, at=lead.won_at, kopecks=lead.kopecks)
        self._surround(lead, words, arrival)
        if category:
            inbox.tell(words, self._ledger, lead, category, course.sorted)
        self._finish(lead, words, is_new=not guest.is_known, is_declined=course.was_declined)

    def _surround(self, lead: Lead, words: Random, arrival: Arrival) -> None:
        """Calls, texts and tasks, up to the lead's end or two months after its last change."""
        now_s = self._ledger.now_s
        ended = lead.is_deleted or lead.is_closed
        until = lead.updated_at if ended else min(now_s, max(lead.updated_at, arrival.at + 60 * DAY_S))
        Activity(lead, words, self._ledger, until=until).write(
            must_call_from=None if arrival.ending is None else month_start(now_s)
        )
        if words.random() < 0.025:
            free_task(words, self._ledger, at=arrival.at, owner=lead.owner_id)
        goods.attach(words, self._ledger, lead)

    # -- who comes

    def _guest(self, arrival: Arrival, words: Random) -> Guest:
        chance = words.random()
        if chance < AGAIN_SHARE and arrival.ending is None:
            earlier = self._still_at_it(words, arrival.at)
            if earlier:
                return Guest(customer=earlier.customer, is_known=True, double_of=earlier)
        known = self._circle.invite(words, arrival.at) if chance < REPEAT_SHARE else None
        if known:
            return Guest(customer=known, is_known=True)
        owner_id = arrival.owner_id or pick_owner(words, arrival.at, self._ledger.now_s)
        by = owner_id if words.random() < 0.8 else ROBOT
        return Guest(customer=self._strangers.customer(words, at=arrival.at, owner_id=owner_id, by=by))

    def _still_at_it(self, words: Random, at: int) -> Lead | None:
        """A recent lead that is open at that moment, or was lost a few days before: it is created again."""
        found = []
        for lead in self._recent:
            end = lead.busy_until
            lost_lately = end is not None and lead.status_id == LOST and at - end < RECREATED_WITHIN_S
            if lead.customer.cards and lead.created_at < at and (end is None or end > at or lost_lately):
                found.append(lead)
        return words.choice(found) if found else None

    def _arrive(
        self, arrival: Arrival, words: Random, lead_id: int, guest: Guest, *, is_new: bool
    ) -> tuple[Lead, str | None]:
        """Put the lead on a board: typed in by its owner, brought by a robot, or fallen into the unsorted."""
        customer, double_of = guest.customer, guest.double_of
        is_known = guest.is_known and not is_new
        pipeline = PIPELINES[REPEAT if is_known and words.random() < 0.8 else SALES]
        name = words.choice(GOODS) + words.choice(LEAD_NAME_TAILS)
        if double_of:
            pipeline = PIPELINES[double_of.visits[0].pipeline_id]
            name = name if words.random() < 0.4 else double_of.name
        elif words.random() < 0.03:
            name = words.choice(("", *HOSTILE))
        way = "typed" if arrival.ending else words.choices(("typed", "robot", "unsorted"), (42, 23, 35))[0]
        category = inbox.some_category(words) if way == "unsorted" else None
        owner_id = self._receiver(arrival, words, customer, is_known=is_known)
        status_id = pipeline.unsorted_id if category else pipeline.stage_ids[0]
        kopecks = some_price(words, 0) if words.random() < 0.35 and way == "typed" else 0
        lead = Lead(
            self._ledger, words, lead_id=lead_id, at=arrival.at, name=name,
            status=(pipeline.id, status_id), owner_id=HEAD if category else owner_id, kopecks=kopecks,
            by=owner_id if way == "typed" else ROBOT, customer=customer,
        )  # fmt: skip
        lead.source = None if way == "typed" else words.choice(SOURCES)
        if category:
            lead.source = inbox.source_of(category)
        lead.fields = first_fields(words, lead)
        if words.random() < 0.1:
            lead.tag(arrival.at, some_tag(words), by=lead.created_by)
        if is_known:
            self._come_back(words, lead)
        if double_of:
            end = double_of.busy_until
            is_open = end is None or end > arrival.at
            self._same_leads(double_of.id, lead, "open_at_once" if is_open else "recreated")
        elif is_known and words.random() < 0.1:
            ids = (customer.last_lead_id, lead_id)
            self._ledger.truth.pair("leads", ids, same=False, kinds=("repeat_order",), at=arrival.at)
        customer.last_owner_id, customer.last_lead_id = owner_id, lead_id
        return lead, category

    def _receiver(self, arrival: Arrival, words: Random, customer: Customer, *, is_known: bool) -> int:
        now_s = self._ledger.now_s
        owner_id = arrival.owner_id or pick_owner(words, arrival.at, now_s)
        faithful = is_known and arrival.owner_id is None and words.random() < 0.6
        if faithful and not is_gone(customer.last_owner_id, arrival.at, now_s):
            return customer.last_owner_id
        return owner_id

    def _same_leads(self, earlier_id: int, lead: Lead, kind: str) -> None:
        ids = (earlier_id, lead.id)
        self._ledger.truth.pair("leads", ids, same=True, kinds=(kind,), at=lead.created_at)

    def _come_back(self, words: Random, lead: Lead) -> None:
        """The cards that were there are linked; a form may have made a contact that is merged later."""
        for card in lead.customer.cards[:1]:
            for one, other in (
                (("lead", lead.id), (card.kind, card.id)),
                ((card.kind, card.id), ("lead", lead.id)),
            ):
                linked = [{"link": {"entity": {"type": other[0], "id": other[1]}}}]
                self._ledger.event(lead.created_at, "entity_linked", one, by=lead.created_by, after=linked)
        if lead.customer.contacts and words.random() < 0.06:
            self._merged_contact(words, lead)

    def _merged_contact(self, words: Random, lead: Lead) -> None:
        at, winner = lead.created_at, lead.customer.contacts[0]
        merged_at = at + words.randint(60, 5 * DAY_S)
        if merged_at > self._ledger.now_s:
            return
        loser_id = self._ledger.next_id("contact")
        phones = tuple(f"7{number}" for number in winner.numbers[:1])
        loser = self._strangers.shown(
            words, loser_id, winner.name, (winner.first_name, winner.last_name), at=at, by=ROBOT,
            owner_id=lead.owner_id, phones=phones, numbers=winner.numbers[:1], mails=winner.mails[:1],
        )  # fmt: skip
        loser.merged_into = winner.id
        lost = [{"merge": {"entity": {"type": "contact", "id": loser_id}}}]
        self._ledger.event(merged_at, "entity_merged", ("contact", winner.id), by=HEAD, before=lost)
        winner.touch(merged_at, HEAD)
        self._files.add_by_id("contacts", contact_row(self._ledger, loser, None, None))
        ids = (winner.id, loser_id)
        self._ledger.truth.pair("contacts", ids, same=True, kinds=("merged",), at=at)

    # -- two applications in a row

    def _applied_twice(
        self, arrival: Arrival, following: Arrival | None, words: Random, lead_id: int
    ) -> bool:
        """Sometimes a client applies twice in a row: the first lead is merged into the one that follows."""
        rare = words.random() >= 0.012
        if rare or following is None or self._pending or arrival.ending or following.ending:
            return False
        merged_at = following.at + words.randint(300, 2 * DAY_S)
        if merged_at > self._ledger.now_s or following.at - arrival.at > 3 * DAY_S:
            return False
        guest = self._guest(arrival, words)
        loser, category = self._arrive(arrival, words, lead_id, guest, is_new=False)
        # Notes of the losing side move to the winner.
        text = {"text": "Клиент оставил заявку дважды"}
        self._ledger.note(arrival.at, "common", ("lead", lead_id + 1), text, by=ROBOT, owner=HEAD, event=None)
        loser.merged_into, loser.updated_at, loser.updated_by = lead_id + 1, merged_at, HEAD
        self._files.add("leads", loser.row())
        loser.tell_truth()
        if category:
            inbox.tell(words, self._ledger, loser, category, ("accepted", merged_at, HEAD))
        if not guest.is_known and guest.customer.cards:
            self._circle.admit(words, guest.customer)
        self._pending = (loser, merged_at)
        return True

    # -- the end of a lead

    def _finish(self, lead: Lead, words: Random, *, is_new: bool, is_declined: bool) -> None:
        """Write the lead and its links as they stand at the end; the customer may come again."""
        customer = lead.customer
        self._files.add("leads", lead.row())
        lead.tell_truth()
        customer.busy_until = lead.busy_until
        if customer.busy_until is not None and lead.status_id == LOST:
            # Who comes back sooner would be a double, and doubles are told as such.
            customer.busy_until += AWAY_AFTER_LOSS_S
        if not lead.is_deleted:
            self._link(lead)
            if not lead.is_unsorted:
                self._recent.append(lead)
        if is_new and is_declined:
            self._decline_cards(lead)
        elif is_new and customer.cards:
            self._circle.admit(words, customer)

    def _link(self, lead: Lead) -> None:
        for place, card in enumerate(lead.customer.contacts):
            card.lead_ids.append(lead.id)
            card.is_unsorted = lead.is_unsorted and card.lead_ids == [lead.id]
            metadata = {"main_contact": place == 0}
            self._files.add_line("links", link(("leads", lead.id), ("contacts", card.id), metadata))
        company = lead.customer.company
        if company:
            company.lead_ids.append(lead.id)
            self._files.add_line("links", link(("leads", lead.id), ("companies", company.id), None))

    def _decline_cards(self, lead: Lead) -> None:
        """What only a declined lead brought goes into the recycle bin with it; nobody comes again."""
        for card in lead.customer.cards:
            self._ledger.event(
                lead.updated_at, f"{card.kind}_deleted", (card.kind, card.id), by=lead.updated_by
            )
            card.is_deleted = True
            card.touch(lead.updated_at, lead.updated_by)
        self._circle.write(lead.customer)
