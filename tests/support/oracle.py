"""A slow, separate computation of the KPIs straight from a snapshot directory.

It shares no code with the product or the sandbox: plain lists, exact fractions, one rule after another, so
that equal answers mean something. Only the standard library.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

WON, LOST = 142, 143
DAY = timedelta(days=1)
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies"}
NOBODY = "none"
Key = int | str | None
Row = dict[str, Any]

# Parts of words, comma-separated; of the last column whole words.
ROLE_WORDS = (
    ("ignored", "ваканси,подбор,кадр,рекрут,recruit,архив", "hr,тест,test"),
    (
        "post_sale",
        "производств,исполнен,выполнен,отгрузк,доставк,логистик,монтаж,реализаци,сопровожд,"
        "post-sale,postsale,fulfil,production,delivery,onboarding,внедрен",
        "",
    ),
    ("service", "сервис,поддержк,гаранти,рекламац,жалоб,service,support,claims", ""),
    (
        "pre_sale",
        "квалификац,прозвон,лидоген,sdr,pre-sale,presale,пресейл,первичн,qualification,prospecting",
        "",
    ),
)


def guess_role(name: str) -> str:
    """The role of a pipeline by its name: the first list that has a word of it, else sales."""
    text = name.casefold()
    for role, parts, whole_words in ROLE_WORDS:
        if any(part in text for part in parts.split(",")):
            return role
        if any(re.search(rf"\b{word}\b", text) for word in whole_words.split(",") if word):
            return role
    return "sales"


def round_half_up(value: Fraction, places: int) -> str:
    """The value as text with so many places; a half goes away from zero."""
    scale = 10**places
    whole = (abs(value) * scale * 2 + 1) // 2
    sign = "-" if value < 0 and whole else ""
    digits = str(whole).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def percentile(values: list[int], share: Fraction) -> Fraction:
    """The percentile of a non-empty list by linear interpolation between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = place.numerator // place.denominator
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def last_digits(phone: Any) -> str:
    """The last ten digits of a phone, fewer when it has fewer."""
    return re.sub(r"\D", "", str(phone or ""))[-10:]


def int_or_none(value: Any) -> int | None:
    """A whole number given as a number or as digits; anything else is None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    is_digits = isinstance(value, str) and re.fullmatch(r"\s*[0-9]+\s*", value)
    return int(value) if is_digits else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A win or a loss: of which lead, when, in which pipeline, whose."""

    lead_id: int
    at: int
    pipeline_id: int
    user_id: int | None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One deduplicated call. The lead is the one it is counted for, None where there is none."""

    note_id: int
    at: int
    incoming: bool
    duration: int
    answered: bool
    user_id: int | None
    lead_id: int | None
    pipeline_id: int | None
    place: tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that counts into a number: its id, its three keys and its weight."""

    id: int
    user_id: int | None
    pipeline_id: int | None
    value: Fraction = Fraction(1)


class Oracle:
    """Answers KPI values of one snapshot as known at `as_of`.

    `settings["pipeline_roles"]` overrides guessed roles: {pipeline id: role}. Values have the contract's
    formats; `sales_cycle` is {"mean_s", "median_s", "p90_s"}. Keys that nothing happened to do not appear.
    """

    def __init__(self, snapshot_dir: Path, as_of: datetime, settings: Row | None = None) -> None:
        self._directory = Path(snapshot_dir)
        account = json.loads((self._directory / "account.json").read_text(encoding="utf-8"))
        self.zone = ZoneInfo(account["_embedded"]["datetime_settings"]["timezone"])
        self.as_of = as_of
        self.now = int(as_of.timestamp() // 1)
        self.users = {row["id"]: row for row in self._load("users")}
        self._read_pipelines(settings or {})
        self._read_events()
        self.leads = {row["id"]: row for row in self._load("leads")}
        self._counted = [
            row for row in self.leads.values() if not row.get("is_deleted") and not row.get("_merged_into")
        ]
        self._counted_ids = {row["id"] for row in self._counted}
        self._leads_of = self._read_links()
        self.calls = self._read_calls()
        self._touches = self._read_touches()
        self.wins = [won for row in self._counted if (won := self._won(row))]
        self.losses = [lost for row in self._counted if (lost := self._lost(row))]
        self._won_by_lead = {won.lead_id: won for won in self.wins}

    # -- the questions

    def metric(self, metric_id: str, start: date, end: date, by: str | None = None) -> dict[Key, Any]:
        """The metric over the inclusive local dates: {None: total}, or {key: value} where `by` is given.

        `by` is "user", "group" or "pipeline"; "none" is the key of what is not assigned. KeyError for an
        unknown metric.
        """
        parts = self._parts(metric_id, start, end)
        if by is None:
            return {None: self._value(metric_id, parts)}
        split = [self._split(items, by) for items in parts]
        keys: set[Key] = {key for groups in split for key in groups}
        return {key: self._value(metric_id, [groups.get(key, []) for groups in split]) for key in keys}

    def rows(self, metric_id: str, start: date, end: date) -> list[int]:
        """Sorted ids behind the number: leads, or notes for calls; of a ratio those of both sides.

        Of a change those of this period.
        """
        parts = self._parts(metric_id, start, end)
        if metric_id == "revenue_growth":
            parts = parts[:1]
        return sorted({item.id for items in parts for item in items})

    def buckets(self, metric_id: str, start: date, end: date, bucket: str) -> dict[date, Any]:
        """Totals by "day", "week" or "month": {first day of the calendar's bucket: value of its part}.

        A bucket that sticks out of the period is cut to it, its key stays the first day in the calendar.
        """
        result = {}
        day = start
        while day <= end:
            first, last = self._bucket(day, bucket)
            result[first] = self.metric(metric_id, day, min(last, end))[None]
            day = last + DAY
        return result

    # -- numbers

    def _value(self, metric_id: str, parts: list[list[Item]]) -> Any:
        def total(number: int) -> Fraction:
            return sum((item.value for item in parts[number]), Fraction(0))

        def ratio(top: Fraction, bottom: Fraction, places: int) -> str | None:
            return None if bottom == 0 else round_half_up(top / bottom, places)

        match metric_id:
            case "revenue" | "pipeline_value":
                return round_half_up(total(0), 2)
            case "call_minutes":
                return round_half_up(total(0) / 60, 2)
            case "average_deal":
                return ratio(total(0), Fraction(len(parts[0])), 2)
            case "call_avg_duration":
                text = ratio(total(0), Fraction(len(parts[0])), 0)
                return None if text is None else int(text)
            case "revenue_growth":
                return ratio((total(0) - total(1)) * 100, total(1), 4)
            case "conversion" | "conversion_cohort" | "win_rate":
                return ratio(total(0) * 100, total(1), 4)
            case "sales_cycle":
                return self._spread([int(item.value) for item in parts[0]])
        return len(parts[0])

    def _spread(self, seconds: list[int]) -> dict[str, int] | None:
        if not seconds:
            return None
        exact = {
            "mean_s": Fraction(sum(seconds), len(seconds)),
            "median_s": percentile(seconds, Fraction(1, 2)),
            "p90_s": percentile(seconds, Fraction(9, 10)),
        }
        return {name: int(round_half_up(value, 0)) for name, value in exact.items()}

    def _split(self, items: list[Item], by: str) -> dict[Key, list[Item]]:
        groups: dict[Key, list[Item]] = {}
        for item in items:
            key = {"user": item.user_id, "group": self._group(item.user_id), "pipeline": item.pipeline_id}[by]
            groups.setdefault(NOBODY if key is None else key, []).append(item)
        return groups

    def _group(self, user_id: int | None) -> int | None:
        user = self.users.get(user_id) if user_id is not None else None
        return None if user is None else user["rights"].get("group_id")

    def _parts(self, metric_id: str, start: date, end: date) -> list[list[Item]]:
        """What the metric is made of: the items of its numerator, and of its denominator or counterpart."""
        first, after = self._midnight(start), self._midnight(end + DAY)
        won = self._money_of(self.wins, lambda at: first <= at < after)
        lost = self._money_of(self.losses, lambda at: first <= at < after)
        calls = [call for call in self.calls if first <= call.at < after]
        answered = [call for call in calls if call.answered]
        match metric_id:
            case "revenue" | "average_deal":
                return [won]
            case "revenue_growth":
                return self._growth(start, end)
            case "won_count":
                return [_ones(won)]
            case "lost_count":
                return [_ones(lost)]
            case "win_rate":
                return [_ones(won), _ones(won) + _ones(lost)]
            case "leads_new":
                return [self._new_leads(first, after)]
            case "conversion":
                return [_ones(won), self._new_leads(first, after)]
            case "conversion_cohort":
                new = self._new_leads(first, after)
                return [[item for item in new if self._is_won(item.id)], new]
            case "sales_cycle":
                return [[self._cycle(item) for item in won]]
            case "pipeline_value" | "pipeline_count":
                return [self._stock(min(after - 1, self.now))]
            case "calls_total":
                return [_call_items(calls)]
            case "calls_in":
                return [_call_items(call for call in calls if call.incoming)]
            case "calls_out":
                return [_call_items(call for call in calls if not call.incoming)]
            case "calls_answered" | "call_minutes" | "call_avg_duration":
                return [_call_items(answered)]
            case "calls_missed":
                return [_call_items(call for call in calls if call.incoming and not call.answered)]
            case "calls_effective":
                return [_call_items(call for call in answered if call.duration >= 60)]
        raise KeyError(metric_id)

    def _money_of(self, outcomes: list[Outcome], is_in: Callable[[int], bool]) -> list[Item]:
        return [
            Item(id=each.lead_id, user_id=each.user_id, pipeline_id=each.pipeline_id,
                 value=price_now(self.leads[each.lead_id]))
            for each in outcomes if is_in(each.at)
        ]  # fmt: skip

    def _cycle(self, item: Item) -> Item:
        seconds = self._won_by_lead[item.id].at - self.leads[item.id]["created_at"]
        return Item(id=item.id, user_id=item.user_id, pipeline_id=item.pipeline_id, value=Fraction(seconds))

    def _is_won(self, lead_id: int) -> bool:
        won = self._won_by_lead.get(lead_id)
        return won is not None and won.at <= self.now

    # -- days and periods

    def _midnight(self, day: date) -> int:
        return int(datetime.combine(day, time(), tzinfo=self.zone).timestamp())

    def _bucket(self, day: date, bucket: str) -> tuple[date, date]:
        if bucket == "day":
            return day, day
        if bucket == "week":
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=6)
        if bucket == "month":
            return day.replace(day=1), _month_later(day.replace(day=1), 1) - DAY
        raise KeyError(bucket)

    def _growth(self, start: date, end: date) -> list[list[Item]]:
        """Wins of the period and of its previous counterpart, both cut alike while the period runs."""
        first, last = self._midnight(start), self._midnight(end + DAY) - 1
        before_start, before_end = previous_period(start, end)
        before_first, before_last = self._midnight(before_start), self._midnight(before_end + DAY) - 1
        if self.now < last:
            here = self.as_of.astimezone(self.zone)
            there = datetime.combine(
                before_start + (here.date() - start), here.time().replace(microsecond=0), tzinfo=self.zone
            )
            last = self.now
            before_last = min(before_last, int(there.timestamp()))
        return [
            self._money_of(self.wins, lambda at: first <= at <= last),
            self._money_of(self.wins, lambda at: before_first <= at <= before_last),
        ]

    # -- reading

    def _load(self, name: str) -> list[Row]:
        path = self._directory / f"{name}.jsonl"
        if not path.exists():
            return []
        # Decimals stay decimals: a float would already have lost the last kopeck.
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line, parse_float=Decimal) for line in lines if line.strip()]

    def _read_pipelines(self, settings: Row) -> None:
        self.roles: dict[int, str] = {}
        self._unsorted: set[tuple[int, int]] = set()
        for row in self._load("pipelines"):
            self.roles[row["id"]] = guess_role(row["name"])
            for status in row["_embedded"]["statuses"]:
                if status.get("type") == 1:
                    self._unsorted.add((row["id"], status["id"]))
        for pipeline_id, role in (settings.get("pipeline_roles") or {}).items():
            self.roles[int(pipeline_id)] = role

    def _read_events(self) -> None:
        self._events: dict[tuple[str, int, str], list[Row]] = {}
        for row in sorted(self._load("events"), key=lambda event: (event["created_at"], event["id"])):
            self._events.setdefault((row["entity_type"], row["entity_id"], row["type"]), []).append(row)

    def _read_links(self) -> dict[tuple[str, int], list[Row]]:
        """Present links: (contacts or companies, id) → its leads that count."""
        leads: dict[tuple[str, int], list[Row]] = {}
        for row in self._counted:
            for kind in ("contacts", "companies"):
                for each in (row.get("_embedded") or {}).get(kind) or []:
                    leads.setdefault((kind, each["id"]), []).append(row)
        return leads

    def _role(self, pipeline_id: int | None) -> str:
        return self.roles.get(pipeline_id, "sales") if pipeline_id is not None else "sales"

    # -- histories

    def _moves(self, lead: Row) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
        """Status changes of a lead: (moment, (pipeline, status) before, after); self-moves are none."""
        moves = []
        for event in self._events.get(("lead", lead["id"], "lead_status_changed"), []):
            before, after = _status_of(event["value_before"]), _status_of(event["value_after"])
            if before != after:
                moves.append((event["created_at"], before, after))
        return moves

    def _status_at(self, lead: Row, at: int) -> tuple[int, int]:
        """Where the lead stood at that second, backwards from the present; a move in it is already made."""
        for moved_at, before, _ in self._moves(lead):
            if moved_at > at:
                return before
        return lead["pipeline_id"], lead["status_id"]

    def _owner(self, lead: Row, at: int, *, inclusive: bool = False) -> int | None:
        """The owner just before that second's owner changes (`inclusive`: after them).

        None where the chain broke or nobody owned it.
        """
        owner: int | None = lead.get("responsible_user_id") or None
        for event in reversed(self._events.get(("lead", lead["id"], "entity_responsible_changed"), [])):
            if event["created_at"] < at or (inclusive and event["created_at"] == at):
                break
            if (event["value_after"][0]["responsible_user"]["id"] or None) != owner:
                return None
            owner = event["value_before"][0]["responsible_user"]["id"] or None
        return owner

    def _price_at(self, lead: Row, at: int) -> Fraction:
        for event in self._events.get(("lead", lead["id"], "sale_field_changed"), []):
            if event["created_at"] > at:
                return Fraction(event["value_before"][0]["sale_field_value"]["sale"] or 0)
        return price_now(lead)

    # -- outcomes

    def _won(self, lead: Row) -> Outcome | None:
        return self._outcome(lead, WON, LOST)

    def _lost(self, lead: Row) -> Outcome | None:
        return self._outcome(lead, LOST, WON)

    def _outcome(self, lead: Row, status: int, opposite: int) -> Outcome | None:
        moves = self._moves(lead)
        pipeline_id = lead["pipeline_id"]
        if lead["status_id"] == status and self._role(pipeline_id) == "sales":
            entered = [at for at, _, after in moves if after == (pipeline_id, status)]
            closed_at = lead.get("closed_at") or (entered[-1] if entered else lead["updated_at"])
            user_id = self._owner(lead, entered[-1] if entered else closed_at)
            return Outcome(lead_id=lead["id"], at=closed_at, pipeline_id=pipeline_id, user_id=user_id)
        if self._role(pipeline_id) != "post_sale" or (status == WON and lead["status_id"] == LOST):
            return None
        closed = [after[1] == status and self._role(after[0]) == "sales" for _, _, after in moves]
        places = [number for number, is_close in enumerate(closed) if is_close]
        if not places or any(self._undoes(after, opposite) for _, _, after in moves[places[-1] + 1 :]):
            return None
        at, _, (won_in, _) = moves[places[-1]]
        return Outcome(lead_id=lead["id"], at=at, pipeline_id=won_in, user_id=self._owner(lead, at))

    def _undoes(self, place: tuple[int, int], opposite: int) -> bool:
        """Whether a later visit undoes the close: an open sales stage; 143 anywhere; 142 in sales."""
        pipeline_id, status_id = place
        if self._role(pipeline_id) == "sales" and status_id not in (WON, LOST):
            return True
        return status_id == opposite and (opposite == LOST or self._role(pipeline_id) == "sales")

    # -- new leads

    def _new_leads(self, first: int, after: int) -> list[Item]:
        items = []
        for lead in self._counted:
            pipeline_id = self._first_pipeline(lead)
            if first <= lead["created_at"] < after and self._role(pipeline_id) in ("sales", "pre_sale"):
                items.append(Item(id=lead["id"], user_id=self._receiver(lead), pipeline_id=pipeline_id))
        return items

    def _first_pipeline(self, lead: Row) -> int:
        changes = self._events.get(("lead", lead["id"], "lead_status_changed"), [])
        pipeline_id: int = _status_of(changes[0]["value_before"])[0] if changes else lead["pipeline_id"]
        return pipeline_id

    def _receiver(self, lead: Row) -> int | None:
        moments = [lead["created_at"] + 24 * 3600]
        moments += [at for at in self._touches.get(lead["id"], []) if at >= lead["created_at"]][:1]
        closing = [at for at, _, after in self._moves(lead) if after[1] in (WON, LOST)]
        if closing or lead.get("closed_at"):
            moments.append(closing[0] if closing else lead["closed_at"])
        earliest = min(moments)
        return (
            self._owner(lead, earliest) if earliest <= self.now else lead.get("responsible_user_id") or None
        )

    def _read_touches(self) -> dict[int, list[int]]:
        """Lead → moments of touches by persons, in order."""
        touches: dict[int, list[int]] = {}
        for call in self.calls:
            if call.user_id is not None and (call.answered if call.incoming else True):
                self._touch(touches, call.place, call.at)
        for (entity, entity_id, kind), events in self._events.items():
            place = (PLURAL.get(entity, entity), entity_id)
            if kind in ("outgoing_chat_message", "outgoing_mail", "outgoing_sms"):
                for event in events:
                    if event["created_by"]:
                        self._touch(touches, place, event["created_at"])
        for task in self._load("tasks"):
            if task["task_type_id"] == 2 and _is_held(task) and task.get("entity_id"):
                for event in self._events.get(("task", task["id"], "task_completed"), []):
                    if event["created_by"]:
                        self._touch(touches, (task["entity_type"], task["entity_id"]), event["created_at"])
        return {lead_id: sorted(moments) for lead_id, moments in touches.items()}

    def _touch(self, touches: dict[int, list[int]], place: tuple[str, int], at: int) -> None:
        leads = [self.leads[place[1]]] if place[0] == "leads" and place[1] in self.leads else []
        for lead in leads or self._open_leads(place, at):
            touches.setdefault(lead["id"], []).append(at)

    def _open_leads(self, place: tuple[str, int], at: int) -> list[Row]:
        """Leads of that contact or company which were open then."""
        return [
            lead for lead in self._leads_of.get(place, [])
            if lead["created_at"] <= at and self._is_open(self._status_at(lead, at))
        ]  # fmt: skip

    def _is_open(self, place: tuple[int, int]) -> bool:
        counted = self._role(place[0]) in ("sales", "pre_sale")
        return counted and place[1] not in (WON, LOST) and place not in self._unsorted

    # -- the stock

    def _stock(self, at: int) -> list[Item]:
        """Leads open in sales and pre_sale pipelines at the end of that second, as they were then."""
        items = []
        for lead in self._counted:
            place = self._status_at(lead, at)
            if lead["created_at"] <= at and self._is_open(place):
                owner = self._owner(lead, at, inclusive=True)
                items.append(
                    Item(id=lead["id"], user_id=owner, pipeline_id=place[0], value=self._price_at(lead, at))
                )
        return items

    # -- calls

    def _read_calls(self) -> list[Call]:
        notes = []
        for kind in ("leads", "contacts", "companies"):
            notes += [
                row | {"_place": (kind, row["entity_id"])}
                for row in self._load(f"notes_{kind}")
                if row["note_type"] in ("call_in", "call_out")
            ]
        return [self._call(note) for note in one_of_each_call(notes)]

    def _call(self, note: Row) -> Call:
        params = note["params"]
        duration, status = seconds_of(note), int_or_none(params.get("call_status"))
        user_id = self._performer(note)
        at = note["created_at"]
        lead = self._lead_of_call(note["_place"], at, user_id)
        return Call(
            note_id=note["id"], at=at, incoming=note["note_type"] == "call_in", duration=duration,
            answered=duration >= 1 and status not in (1, 3, 6, 7), user_id=user_id,
            lead_id=lead["id"] if lead else None, pipeline_id=self._status_at(lead, at)[0] if lead else None,
            place=note["_place"],
        )  # fmt: skip

    def _performer(self, note: Row) -> int | None:
        named = note["params"].get("call_responsible")
        user_id = int_or_none(named)
        if user_id in self.users:
            return user_id
        if isinstance(named, str) and named.strip():
            text, digits = named.strip(), last_digits(named)
            for user in self.users.values():
                same_phone = len(digits) == 10 and digits == last_digits(user.get("phone_number"))
                same_mail = text.casefold() == (user.get("email") or "").casefold()
                if same_phone or same_mail or text == user["name"]:
                    found: int = user["id"]
                    return found
        return note.get("created_by") or note.get("responsible_user_id") or None

    def _lead_of_call(self, place: tuple[str, int], at: int, user_id: int | None) -> Row | None:
        if place[0] == "leads":
            lead = self.leads.get(place[1])
            return lead if lead and place[1] in self._counted_ids else None
        leads = sorted(self._open_leads(place, at), key=lambda lead: (lead["created_at"], lead["id"]))
        own = [lead for lead in leads if user_id is not None and self._owner(lead, at) == user_id]
        candidates = own or leads
        return candidates[-1] if candidates else None


def one_of_each_call(notes: list[Row]) -> list[Row]:
    """The call notes with repeated logging of one call left out, the longest leg kept."""
    groups: list[list[Row]] = []
    by_uniq: dict[tuple[str, str], list[Row]] = {}
    open_groups: dict[tuple[str, str, int], list[Row]] = {}
    for note in sorted(notes, key=lambda row: (row["created_at"], row["id"])):
        kind, params = note["note_type"], note["params"]
        uniq, phone = params.get("uniq"), last_digits(params.get("phone"))
        if uniq:
            group = by_uniq.setdefault((str(uniq), kind), [])
        elif phone:
            key = (phone, kind, seconds_of(note))
            group = open_groups.get(key, [])
            if not group or note["created_at"] - group[0]["created_at"] > 5:
                group = open_groups[key] = []
        else:
            group = []
        if not group:
            groups.append(group)
        group.append(note)
    return [max(group, key=lambda row: (seconds_of(row), -row["id"])) for group in groups]


def seconds_of(note: Row) -> int:
    """Talk seconds of a call note; missing or unreadable is 0."""
    return int_or_none(note["params"].get("duration")) or 0


def price_now(lead: Row) -> Fraction:
    """The price of the row: with minor units where given, null is 0."""
    exact = lead.get("price_with_minor_units")
    return Fraction(exact if exact is not None else lead.get("price") or 0)


def previous_period(start: date, end: date) -> tuple[date, date]:
    """The previous calendar week, month, quarter or year, else the equal span right before."""
    if start.weekday() == 0 and end - start == timedelta(days=6):
        return start - timedelta(days=7), start - DAY
    for months in (1, 3, 12):
        is_first = start.day == 1 and (start.month - 1) % months == 0
        if is_first and end == _month_later(start, months) - DAY:
            return _month_later(start, -months), start - DAY
    length = end - start + DAY
    return start - length, start - DAY


def _month_later(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _status_of(value: list[Row]) -> tuple[int, int]:
    status = value[0]["lead_status"]
    return status["pipeline_id"], status["id"]


def _is_held(task: Row) -> bool:
    result = task.get("result")
    text = (result.get("text") or "").casefold() if isinstance(result, dict) else ""
    return not any(part in text for part in ("отмен", "не состоял", "перен"))


def _ones(items: Iterable[Item]) -> list[Item]:
    return [Item(id=item.id, user_id=item.user_id, pipeline_id=item.pipeline_id) for item in items]


def _call_items(calls: Iterable[Call]) -> list[Item]:
    return [
        Item(
            id=call.note_id,
            user_id=call.user_id,
            pipeline_id=call.pipeline_id,
            value=Fraction(call.duration),
        )
        for call in calls
    ]
