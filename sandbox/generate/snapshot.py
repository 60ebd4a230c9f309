"""Writes a whole department as a snapshot directory, lead by lead, in bounded memory."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

from sandbox.generate import department
from sandbox.generate.activity import Activity, free_task
from sandbox.generate.customers import Circle, Customer, link, new_customer
from sandbox.generate.department import (
    DAY_S,
    DEFAULT_ACCOUNT_ID,
    HEAD,
    PIPELINES,
    REPEAT,
    ROBOT,
    SALES,
    SOURCES,
)
from sandbox.generate.files import SnapshotFiles, to_line
from sandbox.generate.lead import Lead, some_tag
from sandbox.generate.ledger import Ledger
from sandbox.generate.path import Course, pick_owner, some_price
from sandbox.generate.schedule import Arrival, arrivals, first_moment, month_start
from sandbox.generate.texts import FORM_NAMES, GOODS, LEAD_NAME_TAILS

FIRST_LEAD_ID = 7001
EARLIEST = dt.datetime(2016, 6, 1, tzinfo=dt.UTC)


def write_snapshot(
    target: Path,
    *,
    leads: int,
    seed: int,
    now: dt.datetime,
    subdomain: str = "demo",
    account_id: int | None = None,
) -> None:
    """Write an invented account with `leads` leads into the directory `target` (contract: snapshot).

    The history spans about fourteen months and ends at `now`; the same arguments give the same bytes. The
    directory appears whole or not at all. ValueError for a naive or too early `now` or a negative count,
    FileExistsError when `target` already holds something.
    """
    if now.tzinfo is None:
        raise ValueError("now needs an offset")
    if now < EARLIEST or leads < 0:
        raise ValueError(f"leads must not be negative and now not before {EARLIEST.date()}")
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty: remove it or choose another directory")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _write(part, leads=leads, seed=seed, now_s=int(now.timestamp()), subdomain=subdomain,
           account_id=DEFAULT_ACCOUNT_ID if account_id is None else account_id)  # fmt: skip
    if target.exists():
        target.rmdir()
    part.rename(target)


def _write(directory: Path, *, leads: int, seed: int, now_s: int, subdomain: str, account_id: int) -> None:
    with SnapshotFiles(directory, leads=leads, first_s=first_moment(now_s), last_s=now_s) as files:
        row = department.account_row(account_id=account_id, subdomain=subdomain)
        (directory / "account.json").write_text(to_line(row) + "\n", encoding="utf-8", newline="\n")
        files.write_table("users", department.user_rows())
        files.write_table("roles", department.role_rows())
        files.write_table("pipelines", department.pipeline_rows(account_id))
        files.write_table("loss_reasons", department.LOSS_REASONS)
        files.write_table("tags", department.TAGS)
        files.write_table("sources", SOURCES)
        for name, rows in department.custom_field_rows(account_id).items():
            files.write_table(name, rows)
        ledger = Ledger(files, account_id=account_id, now_s=now_s)
        _Story(ledger, seed=seed).tell(arrivals(leads=leads, seed=seed, now_s=now_s))
        files.finish()


class _Story:
    """The leads one after another; between them only the circle of customers is kept."""

    def __init__(self, ledger: Ledger, *, seed: int) -> None:
        self._ledger, self._files, self._seed = ledger, ledger.files, seed
        self._circle = Circle(ledger)
        self._pending: tuple[Lead, int] | None = None  # a duplicate, and when it is merged into the next lead

    def tell(self, coming: Iterator[Arrival]) -> None:
        arrival = next(coming, None)
        lead_id = FIRST_LEAD_ID
        while arrival is not None:
            following = next(coming, None)
            words = Random(f"{self._seed}:{lead_id}")
            self._ledger.begin(words)
            if not self._duplicate(arrival, following, words, lead_id):
                self._lead(arrival, words, lead_id)
            arrival, lead_id = following, lead_id + 1
        self._circle.close()

    def _lead(self, arrival: Arrival, words: Random, lead_id: int) -> None:
        now_s = self._ledger.now_s
        pending, self._pending = self._pending, None
        if pending:
            customer, is_known = pending[0].customer, True
        else:
            customer, is_known = self._customer(arrival, words)
        lead = self._arrive(arrival, words, lead_id, customer, is_known=is_known and not pending)
        course = Course(lead, words, now_s=now_s)
        if pending:
            course.absorb(pending[1], pending[0].id)
        course.tell(arrival)
        if pending is None and arrival.ending is None and words.random() < 0.02:
            course.delete(by=lead.owner_id if words.random() < 0.7 else HEAD)
        ended = lead.is_deleted or lead.is_closed
        until = lead.updated_at if ended else min(now_s, max(lead.updated_at, arrival.at + 60 * DAY_S))
        Activity(lead, words, self._ledger, until=until).write(
            must_call_from=None if arrival.ending is None else month_start(now_s)
        )
        if words.random() < 0.025:
            free_task(words, self._ledger, at=arrival.at, owner=lead.owner_id)
        self._finish(lead)
        if not is_known:
            self._circle.admit(words, customer)

    def _customer(self, arrival: Arrival, words: Random) -> tuple[Customer, bool]:
        """Who comes, and whether he has been here before."""
        known = self._circle.invite(words) if words.random() < 0.2 else None
        if known:
            return known, True
        owner_id = arrival.owner_id or pick_owner(words, arrival.at, self._ledger.now_s)
        return new_customer(words, self._ledger, at=arrival.at, owner_id=owner_id, by=owner_id), False

    def _arrive(
        self, arrival: Arrival, words: Random, lead_id: int, customer: Customer, *, is_known: bool
    ) -> Lead:
        """Put the lead on a board: typed in by its owner, brought by a robot, or fallen into the unsorted."""
        now_s = self._ledger.now_s
        pipeline = PIPELINES[REPEAT if is_known and words.random() < 0.8 else SALES]
        way = "typed" if arrival.ending else words.choices(("typed", "robot", "unsorted"), (42, 23, 35))[0]
        owner_id = arrival.owner_id or pick_owner(words, arrival.at, now_s)
        if is_known and arrival.owner_id is None and words.random() < 0.6:
            owner_id = self._employed(customer.last_owner_id, owner_id, arrival.at)
        status_id = pipeline.unsorted_id if way == "unsorted" else pipeline.stage_ids[0]
        kopecks = some_price(words, 0) if words.random() < 0.35 and way == "typed" else 0
        lead = Lead(
            self._ledger, words, lead_id=lead_id, at=arrival.at,
            name="" if words.random() < 0.01 else words.choice(GOODS) + words.choice(LEAD_NAME_TAILS),
            status=(pipeline.id, status_id), owner_id=HEAD if way == "unsorted" else owner_id,
            kopecks=kopecks, by=owner_id if way == "typed" else ROBOT, customer=customer,
        )  # fmt: skip
        lead.source = None if way == "typed" else words.choice(SOURCES)
        if words.random() < 0.1:
            lead.tag(arrival.at, some_tag(words), by=lead.created_by)
        if is_known:
            for card in customer.contacts[:1]:
                linked = [{"link": {"entity": {"type": "contact", "id": card.id}}}]
                self._ledger.event(
                    arrival.at, "entity_linked", ("lead", lead_id), by=lead.created_by, after=linked
                )
        customer.last_owner_id = owner_id
        return lead

    def _employed(self, wanted: int, otherwise: int, at: int) -> int:
        dismissed = wanted == department.DISMISSED and at >= self._ledger.now_s - department.DISMISSED_AGO_S
        return otherwise if dismissed else wanted

    def _duplicate(self, arrival: Arrival, following: Arrival | None, words: Random, lead_id: int) -> bool:
        """Sometimes a client applies twice in a row: the first lead is merged into the one that follows."""
        rare = words.random() >= 0.012
        if rare or following is None or self._pending or arrival.ending or following.ending:
            return False
        merged_at = following.at + words.randint(300, 2 * DAY_S)
        if merged_at > self._ledger.now_s or following.at - arrival.at > 3 * DAY_S:
            return False
        customer, is_known = self._customer(arrival, words)
        loser = self._arrive(arrival, words, lead_id, customer, is_known=is_known)
        # Notes of the losing side move to the winner.
        text = {"text": "Клиент оставил заявку дважды"}
        self._ledger.note(arrival.at, "common", ("lead", lead_id + 1), text, by=ROBOT, owner=HEAD, event=None)
        loser.merged_into, loser.updated_at, loser.updated_by = lead_id + 1, merged_at, HEAD
        self._files.add("leads", loser.row())
        if not is_known:
            self._circle.admit(words, customer)
        self._pending = (loser, merged_at)
        return True

    def _finish(self, lead: Lead) -> None:
        """Write the lead, its links and its unsorted item as they stand at the end."""
        self._files.add("leads", lead.row())
        if lead.is_deleted:
            return
        for place, card in enumerate(lead.customer.contacts):
            card.lead_ids.append(lead.id)
            card.is_unsorted = lead.is_unsorted and card.lead_ids == [lead.id]
            metadata = {"main_contact": place == 0}
            self._files.add("links", link(("leads", lead.id), ("contacts", card.id), metadata))
        if lead.customer.company:
            lead.customer.company.lead_ids.append(lead.id)
            company = ("companies", lead.customer.company.id)
            self._files.add("links", link(("leads", lead.id), company, None))
        if lead.is_unsorted:
            self._files.add("unsorted", self._unsorted_row(lead))

    def _unsorted_row(self, lead: Lead) -> department.Row:
        form = FORM_NAMES[lead.id % len(FORM_NAMES)]
        metadata = {
            "form_id": f"form-{lead.id % 3}", "form_name": form, "form_page": "https://shop.example/",
            "form_sent_at": lead.created_at, "ip": "192.0.2.10", "referer": "https://ya.example/",
            "visitor_uid": None, "form_type": 1,
        }  # fmt: skip
        return {
            "uid": f"{lead.id:040x}", "source_uid": "site", "source_name": "Сайт", "category": "forms",
            "pipeline_id": lead.pipeline_id, "created_at": lead.created_at, "metadata": metadata,
            "account_id": self._ledger.account_id,
            "_embedded": {
                "leads": [{"id": lead.id}],
                "contacts": [{"id": card.id} for card in lead.customer.contacts],
                "companies": [{"id": lead.customer.company.id}] if lead.customer.company else [],
            },
        }  # fmt: skip
