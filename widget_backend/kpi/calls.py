"""Calls as telephony logged them → calls as they were: read, attributed, counted once. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from widget_backend.amocrm.vocabulary import CALL_OUT, CALL_STATUSES_WITHOUT_TALK
from widget_backend.crm.history import Owned, Place, Visit, holding_at

SAME_CALL_WITHIN = timedelta(seconds=5)
MIN_TALK_S = 1
IN, OUT = "in", "out"
IsOpen = Callable[[Place], bool]


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One call note. ``phone`` is its last ten digits, ``user_id`` the performer."""

    note_entity_type: str
    note_id: int
    note_entity_id: int
    at: datetime
    direction: str
    uniq: str | None
    phone: str | None
    seconds: int
    is_answered: bool
    user_id: int | None

    @property
    def key(self) -> tuple[str, int]:
        return self.note_entity_type, self.note_id


@dataclass(frozen=True, kw_only=True)
class LeadPast:
    """What the choice of a call's lead needs to know of one lead."""

    id: int
    created_at: datetime
    source_id: int | None
    visits: Sequence[Visit]
    owners: Sequence[Owned]

    def visit_at(self, moment: datetime) -> Visit | None:
        return holding_at(self.visits, moment)

    def is_open_at(self, moment: datetime, is_open: IsOpen) -> bool:
        """Created, and standing in a place that counts as open, at that moment."""
        visit = self.visit_at(moment)
        return visit is not None and is_open(visit.place)

    def owner_at(self, moment: datetime) -> int | None:
        owned = holding_at(self.owners, moment)
        return owned.user_id if owned else None


def last_digits(text: object) -> str | None:
    """The last ten digits of a phone number, however it is written; None without any digit."""
    return re.sub(r"\D", "", str(text))[-10:] or None if text is not None else None


class Directory:
    """Finds the user that telephony means by ``call_responsible``: an id, e-mail, phone or exact name."""

    def __init__(self, users: Iterable[tuple[int, str | None, str | None, str | None]]) -> None:
        self._ids: set[int] = set()
        self._by_text: dict[tuple[str, str], int] = {}
        for user_id, name, email, phone in sorted(users, reverse=True, key=lambda user: user[0]):
            self._ids.add(user_id)
            for kind, text in (("name", name), ("email", email), ("phone", last_digits(phone))):
                folded = (text or "").strip() if kind == "name" else (text or "").strip().casefold()
                if folded:
                    self._by_text[kind, folded] = user_id

    def find(self, text: object) -> int | None:
        """The user's id; None when nobody fits. Of several namesakes the first registered one."""
        if text is None or isinstance(text, bool | float):
            return None
        if isinstance(text, int):
            return text if text in self._ids else None
        written = str(text).strip()
        if written.isascii() and written.isdigit() and int(written) in self._ids:
            return int(written)
        found = self._by_text.get(("email", written.casefold()))
        if found is None and re.fullmatch(r"[\d\s()+\-.]+", written):
            found = self._by_text.get(("phone", last_digits(written) or ""))
        return found if found is not None else self._by_text.get(("name", written))


def read_leg(note: Mapping[str, Any], directory: Directory) -> Leg:
    """A row of ``notes`` of type call_in or call_out as a leg."""
    params = note["params"] if isinstance(note["params"], dict) else {}
    seconds = _whole(params.get("duration")) or 0
    status = _whole(params.get("call_status"))
    uniq = params.get("uniq") or None  # some telephony sends 0 for none
    return Leg(
        note_entity_type=note["entity_type"],
        note_id=note["id"],
        note_entity_id=note["entity_id"],
        at=note["created_at"],
        direction=OUT if note["note_type"] == CALL_OUT else IN,
        uniq=(str(uniq).strip() or None) if uniq is not None else None,
        phone=last_digits(params.get("phone")),
        seconds=max(seconds, 0),
        is_answered=seconds >= MIN_TALK_S and status not in CALL_STATUSES_WITHOUT_TALK,
        user_id=directory.find(params.get("call_responsible"))
        or note["created_by"]
        or note["responsible_user_id"]
        or None,
    )


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        # Beyond nine digits it is no length of a call, and no column would hold it.
        return int(value) if abs(value) < 10**9 else None
    text = str(value).strip()
    return int(text) if re.fullmatch(r"-?\d{1,9}", text, re.ASCII) else None


def same_call_key(leg: Leg) -> tuple[object, ...]:
    """Legs of one call share this; legs that share it are one call if ``uniq`` is known, else may be."""
    if leg.uniq is not None:
        return leg.direction, leg.uniq
    if leg.phone is not None:
        return leg.direction, None, leg.phone, leg.seconds
    return leg.direction, None, None, *leg.key


def longest_legs(legs: Iterable[Leg]) -> list[Leg]:
    """Each call once, by its longest leg (of equals the lowest note id).

    One (``uniq``, direction) is one call. Without ``uniq``: same phone, direction and duration, begun within
    5 s of the first of them.
    """
    families: dict[tuple[object, ...], list[Leg]] = defaultdict(list)
    for leg in legs:
        families[same_call_key(leg)].append(leg)
    kept = []
    for family in families.values():
        for call in [family] if family[0].uniq is not None else _runs(family):
            kept.append(min(call, key=lambda leg: (-leg.seconds, leg.note_id, leg.note_entity_type)))
    return kept


def _runs(family: list[Leg]) -> list[list[Leg]]:
    runs: list[list[Leg]] = []
    for leg in sorted(family, key=lambda leg: (leg.at, leg.note_id, leg.note_entity_type)):
        if runs and leg.at - runs[-1][0].at <= SAME_CALL_WITHIN:
            runs[-1].append(leg)
        else:
            runs.append([leg])
    return runs


def lead_of_call(leg: Leg, leads: Sequence[LeadPast], is_open: IsOpen) -> LeadPast | None:
    """The lead a call belongs to, of those it hangs on or that are linked to its contact or company.

    On a lead: that lead, whatever its status. Else, of the leads open at that moment, the one the performer
    is responsible for, else any; of several the latest created, then the highest id. None open: None.
    """
    if leg.note_entity_type == "leads":
        return next((lead for lead in leads if lead.id == leg.note_entity_id), None)
    opened = [lead for lead in leads if lead.is_open_at(leg.at, is_open)]
    own = [lead for lead in opened if leg.user_id is not None and lead.owner_at(leg.at) == leg.user_id]
    return max(own or opened, key=lambda lead: (lead.created_at, lead.id), default=None)
