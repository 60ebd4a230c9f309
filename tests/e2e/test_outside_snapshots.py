"""Accounts that our generator did not make: by hand, odd but readable, each number counted by hand."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.databases import Database, TestServers
from tests.support.outside import Mirrored, Outside, mirrored, pipeline
from widget_backend.crm.models import Lead
from widget_backend.db.engine import session_scope

ROOT = Path(__file__).resolve().parents[2]
MARCH = ("2026-03-01", "2026-03-31")
UNSORTED, NEW, WORK, WON, LOST = (10, 11), (10, 12), (10, 13), (10, 142), (10, 143)
QUALIFYING, PRODUCING, SERVING, HIRING, WHOLESALE = (20, 21), (30, 31), (40, 41), (50, 51), (60, 61)
PIPELINES = (
    pipeline(10, "Sales", 11, 12, 13, unsorted=11),
    pipeline(20, "Первичная квалификация", 21),
    pipeline(30, "Производство", 31),
    pipeline(40, "Сервис", 41),
    pipeline(50, "Вакансии", 51),
    pipeline(60, "Оптовые", 61),
)
USERS: tuple[dict[str, Any], ...] = (
    {
        "id": 501,
        "name": "Анна",
        "email": "Anna@x.ru",
        "phone_number": "+7 (999) 000-05-01",
        "rights": {"is_admin": True, "is_active": True, "group_id": 0},
    },
    {"id": 502, "name": "Борис Б", "email": "b@x.ru", "rights": {"is_active": True, "group_id": 88}},
    {"id": 503, "name": "Вера", "rights": {"is_active": False, "group_id": 88}},
)


def moved(s: Outside, lead_id: int, *visits: tuple[str, tuple[int, int]]) -> None:
    """Events of a lead that went through these places, the first of them where it was created."""
    for (_, before), (at, after) in pairwise(visits):
        s.move(lead_id, at, before, after)


def islands() -> Outside:
    """Thirteen hours ahead of UTC; leads won, lost, reopened, moved on, deleted, broken in every way."""
    s = Outside("Pacific/Apia", id="4000000000", subdomain="Islands", currency="KZT", name="Острова 🏝️")
    s.add("pipelines", *PIPELINES)
    s.add("users", *USERS)
    s.event(9999, "lead_added", "2026-01-01T00:00:00", [], [])
    s.lead(1, WON, "2026-03-01T00:00:00", "2026-03-10T12:00:00", price="1000000.55")
    s.move(1, "2026-03-10T12:00:00", NEW, WON)
    s.lead(2, WON, "2026-03-02T10:00:00", "2026-04-01T00:00:00", price=100)  # midnight is the next day
    s.move(2, "2026-04-01T00:00:00", NEW, WON)
    s.lead(3, WON, "2026-02-28T23:59:59", "2026-03-31T23:59:59", price=10, price_with_minor_units="10.25")
    s.move(3, "2026-03-31T23:59:59", NEW, WON)
    # won, handed over in the same second, moved on
    s.lead(
        4, PRODUCING, "2026-03-03T10:00:00", price=500, responsible_user_id=502, updated="2026-03-20T10:00"
    )
    moved(s, 4, ("", NEW), ("2026-03-15T10:00:00", WON), ("2026-03-16T10:00:00", PRODUCING))
    s.owner(4, "2026-03-15T10:00:00", 501, 502)
    # won in February, reopened, won again; lost, then won in another pipeline
    s.lead(5, WON, "2026-02-01T10:00:00", "2026-03-05T10:00:00", price=70)
    moved(s, 5, ("", NEW), ("2026-02-10T10:00", WON), ("2026-02-12T10:00", WORK), ("2026-03-05T10:00", WON))
    s.lead(6, (60, 142), "2026-02-02T10:00:00", "2026-03-06T10:00:00", price=30, responsible_user_id=503)
    moved(s, 6, ("", NEW), ("2026-02-15T10:00", LOST), ("2026-02-16T10:00", WHOLESALE))
    s.move(6, "2026-03-06T10:00:00", WHOLESALE, (60, 142))
    s.lead(7, WON, "2026-03-07T10:00", "2026-03-08T10:00", price=5, responsible_user_id=999)  # no event
    s.lead(8, WON, "2026-03-07T11:00:00", price=6, updated="2026-03-30T10:00:00")  # no closed_at
    s.move(8, "2026-03-09T10:00:00", NEW, WON)
    for lead_id, place in ((9, (20, 142)), (10, (40, 142)), (11, (50, 142)), (12, (30, 142))):
        s.lead(lead_id, place, "2026-03-09T10:00:00", "2026-03-10T10:00:00", price=999)
    s.lead(13, WON, "2026-03-09T10:00:00", "2026-03-10T10:00:00", price=999, is_deleted=True)
    s.lead(14, WON, "2026-03-09T10:00:00", "2026-03-10T10:00:00", price=999, _merged_into=1)
    s.lead(15, LOST, "2026-03-11T10:00:00", "2026-03-12T10:00:00", price=40, responsible_user_id=502)
    s.move(15, "2026-03-12T10:00:00", NEW, LOST)
    # won and moved on, then lost in production: the win is undone
    s.lead(16, (30, 143), "2026-03-11T10:00:00", "2026-03-14T10:00:00", price=41)
    moved(s, 16, ("", NEW), ("2026-03-12T10:00", WON), ("2026-03-13T10:00", PRODUCING))
    s.move(16, "2026-03-14T10:00:00", PRODUCING, (30, 143))
    s.lead(17, UNSORTED, "2026-03-31T23:59:59", price=77, responsible_user_id=None)
    moment = str(s.at("2026-03-12T10:00:00"))
    s.lead(5000000000, (10, "12"), "2026-03-12T10:00", price="100", name=None, created_at=moment)  # type: ignore[arg-type]
    s.lead(19, QUALIFYING, "2026-03-13T10:00:00", price=50.5)
    s.lead(20, WORK, "2026-03-13T10:00:00", price=900, updated="2026-04-02T10:00:00")
    old, new = ([{"sale_field_value": {"sale": price}}] for price in (300, 900))
    s.event(20, "sale_field_changed", "2026-04-02T10:00:00", old, new)
    # the log says 503 owns it since the 25th, the row says 501: whose it was before, nobody knows
    s.lead(21, WON, "2026-03-14T10:00:00", "2026-03-20T10:00:00", price=8)
    s.move(21, "2026-03-20T10:00:00", NEW, WON)
    s.owner(21, "2026-03-25T10:00:00", 502, 503)
    s.lead(22, WON, "2026-03-14T10:00:00", "2026-03-21T10:00:00", price=9, responsible_user_id=502)
    s.move(22, "2026-03-21T10:00:00", None, WON)
    s.lead(23, NEW, "2026-03-14T10:00:00", price=9, created_at=0)
    s.lead(24, NEW, "2036-05-14T10:00:00", price=9)
    s.lead(25, NEW, "2026-03-15T10:00:00", price=11, updated_at=..., _embedded=...)
    s.lead(26, NEW, "2026-03-15T10:00:00", price=12, name="<b>\x00alert(1)</b> 🚀 \ud83d")
    return s


def offices() -> Outside:
    """Calls of every kind over a change of the clocks; links told only from their other side."""
    s = Outside("Europe/Berlin", subdomain="berlin", currency="EUR")
    s.add("pipelines", *PIPELINES)
    s.add("users", *USERS)
    s.event(1, "lead_added", "2026-01-01T00:00:00", [], [])
    s.lead(1, NEW, "2026-03-01T10:00:00", price=10, _embedded=None)
    s.lead(2, PRODUCING, "2026-03-02T10:00:00")
    s.lead(3, UNSORTED, "2026-03-02T10:00:00", _embedded=[])
    s.lead(4, QUALIFYING, "2026-03-02T10:00:00", responsible_user_id=502, _embedded=...)
    created = s.at("2026-02-01T10:00:00")
    for contact_id, lead_ids in ((80, (1, 4)), (81, (2,)), (82, ())):
        linked = {"leads": [{"id": lead_id} for lead_id in lead_ids]}
        s.add("contacts", {"id": contact_id, "name": "C", "created_at": created, "_embedded": linked})
    s.add("companies", {"id": 90, "name": "K", "created_at": created})
    for one, other in ((("leads", 1), ("companies", 90)), (("contacts", 82), ("leads", 3))):
        s.add("links", {"entity_type": one[0], "entity_id": one[1], "to_entity_type": other[0],
                        "to_entity_id": other[1], "metadata": None})  # fmt: skip
    lead, contact = ("leads", 1), ("contacts", 80)
    s.call(1, lead, "in", "2026-03-05T10:00:00", "65")
    s.call(2, lead, "out", "2026-03-05T10:10:00", 0, call_responsible="b@X.ru")
    s.call(3, lead, "out", "2026-03-05T10:20:00", 59, call_responsible="8 999 000-05-01")
    s.call(4, lead, "out", "2026-03-05T10:30:00", 60, call_responsible="Борис Б")
    s.call(5, lead, "out", "2026-03-05T10:40:00", 60, call_responsible=502, created_by=501, uniq="u")
    s.call(1, contact, "in", "2026-03-05T10:40:00", 10, created_by=502, uniq="u")
    s.call(1, ("companies", 90), "in", "2026-03-05T10:40:02", 30, created_by=501, uniq="u")
    # one call logged twice within five seconds, and another one a second later
    s.call(2, contact, "in", "2026-03-06T10:00:00", 0, created_by=502, phone="+7 (916) 000-00-01")
    s.call(6, lead, "in", "2026-03-06T10:00:05", 0, created_by=502, phone="89160000001")
    s.call(7, lead, "in", "2026-03-06T10:00:06", 0, created_by=502, phone="89160000001")
    s.call(8, lead, "in", "2026-03-07T10:00:00", 100, call_status=6)
    s.call(9, lead, "in", "2026-03-07T10:00:00", 100, call_status="4")
    # the leads of 81 and 82 are none that count as open; of 80's, the performer's or the latest
    s.call(83, ("contacts", 81), "out", "2026-03-08T10:00:00", 5, created_by=501)
    s.call(84, ("contacts", 82), "out", "2026-03-08T10:00:00", 5, created_by=501)
    s.call(85, contact, "out", "2026-03-08T10:00:00", 5, created_by=502)
    s.call(86, contact, "out", "2026-03-08T10:00:01", 5, created_by=777)
    days = ("29T00:00:00", "29T01:59:59", "29T03:00:00", "29T23:59:59", "30T00:00:00")
    for number, day in enumerate(days):
        s.call(20 + number, lead, "out", f"2026-03-{day}", 1)
    autumn = [s.at("2025-10-26T02:30:00", fold) for fold in (0, 1)]
    autumn += [s.at("2025-10-26T23:59:59"), s.at("2025-10-27T00:00:00")]
    for number, second in enumerate(autumn):
        s.call(40 + number, lead, "out", second, 1)
    return s


def scraps() -> Outside:
    """Nearly nothing, and what there is is odd: the account's own export cannot be better than its data."""
    s = Outside("America/Sao_Paulo", subdomain="scraps", currency="USD")
    made, closed = s.at("2026-03-02T10:00:00"), s.at("2026-03-03T10:00:00")
    s.add(
        "pipelines",
        {"id": "10", "name": None, "_embedded": None},
        {"id": 20, "_embedded": {"statuses": None}},
    )
    s.add("users", {"id": 501, "name": None}, {"id": 502, "rights": None}, {"id": 504, "rights": []})
    won = {"created_at": made, "pipeline_id": 10, "status_id": 142, "closed_at": closed}
    s.add(
        "leads",
        {"id": 1, "created_at": made, "_embedded": None},
        {"id": 2, "_embedded": [], "price": 1e3, **won},
    )
    s.add("leads", {"id": "3", "price": "2.50", "responsible_user_id": "503", "updated_at": "", **won})
    s.add(
        "leads", {"id": 4, **won, "created_at": made + 0.5, "price": "abc", "_embedded": {"contacts": [None]}}
    )
    s.add(
        "leads",
        {"id": 5, **won, "status_id": 143, "price": 123456789012345.67, "name": {"a": 1}, "_links": 5},
    )
    s.add("leads", {"id": 6, **won, "price": -5, "price_with_minor_units": "-5.55"})
    s.add("leads", {"id": 7})
    event = {"entity_id": "2", "entity_type": "lead", "created_at": str(closed), "created_by": "501"}
    s.add("events", {"id": 1, "type": "lead_status_changed", **event, "value_before": None,
                     "value_after": {"lead_status": {"id": "142", "pipeline_id": "10"}}})  # fmt: skip
    s.add(
        "events",
        {"id": 2, "type": "entity_responsible_changed", **event, "value_before": "", "value_after": [None]},
    )
    s.add(
        "events",
        {"id": "y", "type": None, **event},
        {"id": "w", "type": "entity_merged", **event, "value_after": 5},
    )
    early = {"entity_id": 1, "created_at": s.at("2026-02-01T00:00:00"), "params": None}
    note = {**early, "created_at": made}
    s.add(
        "notes_leads", {"id": 1, "note_type": "call_in", **early}, {"id": 2, "note_type": "call_out", **note}
    )
    odd: tuple[Any, ...] = (
        [],
        {"duration": 10**20},
        {"duration": 5, "call_responsible": {"x": 1}, "uniq": 0},
    )
    for number, params in enumerate((*odd, {"duration": 6.0, "call_responsible": True, "uniq": 0})):
        s.add("notes_leads", {"id": 10 + number, "note_type": "call_out", **note, "params": params})
    s.add(
        "notes_leads",
        {"id": 20, "note_type": None, **note},
        {"id": 21, "note_type": "call_in", "created_at": made},
    )
    s.add("tasks", {"id": 9, "entity_id": 1, "result": [], "created_at": made}, {"id": 11, "created_at": 1})
    s.add("sources", {"id": "x"})
    s.add("loss_reasons", {"id": 1})
    s.add("nonsense", {})
    return s


@pytest.fixture(scope="module")
def the_islands(
    servers: TestServers, template_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mirrored]:
    with mirrored(servers, template_database, tmp_path_factory.mktemp("islands"), islands()) as copied:
        yield copied


@pytest.fixture(scope="module")
def the_offices(
    servers: TestServers, template_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mirrored]:
    with mirrored(servers, template_database, tmp_path_factory.mktemp("offices"), offices()) as copied:
        yield copied


@pytest.fixture(scope="module")
def the_scraps(
    servers: TestServers, template_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mirrored]:
    with mirrored(servers, template_database, tmp_path_factory.mktemp("scraps"), scraps()) as copied:
        yield copied


def copied_leads(got: Mirrored) -> list[int]:
    """Ids of the leads in the mirror."""
    account_id = got.account.account_id
    with session_scope(got.services.engine, account_id) as session:
        return sorted(session.scalars(select(Lead.id).where(Lead.account_id == account_id)))


def test_outcomes_of_leads_with_every_history(the_islands: Mirrored) -> None:
    got = the_islands
    assert got.ids("won_count", *MARCH) == [1, 3, 4, 5, 6, 7, 8, 21, 22]
    assert got.value("revenue", *MARCH) == "1000638.80"
    assert got.value("average_deal", *MARCH) == "111182.09"
    assert got.by("user", "won_count", *MARCH) == {501: 5, 502: 1, 503: 1, 999: 1, None: 1}
    assert got.by("pipeline", "won_count", *MARCH) == {10: 8, 60: 1}
    assert got.by("group", "won_count", *MARCH) == {0: 5, 88: 2, None: 2}
    assert got.ids("lost_count", *MARCH) == [15]
    assert got.value("win_rate", *MARCH) == "90.0000"
    assert got.ids("won_count", "2026-04-01", "2026-04-01") == [2]
    assert (got.account.account_id, got.account.subdomain) == (4000000000, "islands")
    assert got.account.currency == "KZT"


def test_new_leads_and_the_board_of_the_islands(the_islands: Mirrored) -> None:
    got = the_islands
    new = [1, 2, 4, 7, 8, 9, 15, 16, 17, 19, 20, 21, 22, 25, 26, 5000000000]
    assert got.ids("leads_new", *MARCH) == new
    assert got.by("pipeline", "leads_new", *MARCH) == {10: 14, 20: 2}
    assert got.value("conversion_cohort", *MARCH) == "43.7500"  # 1, 2, 4, 7, 8, 21, 22 of 16
    assert got.ids("pipeline_count", *MARCH) == [2, 19, 20, 23, 25, 26, 5000000000]
    assert got.value("pipeline_value", *MARCH) == "582.50"  # 100 + 50.5 + 300 then + 9 + 11 + 12 + 100
    assert got.by("pipeline", "pipeline_count", *MARCH) == {10: 6, 20: 1}


def test_every_lead_that_amocrm_shows_is_mirrored(the_islands: Mirrored) -> None:
    listed = the_islands.sandbox.truth("leads")
    alive = [row["id"] for row in listed if not row["is_deleted"] and not row.get("_merged_into")]
    # 23 was created at second 0, 24 will be in ten years
    assert copied_leads(the_islands) == sorted(alive)
    assert {23, 24} <= set(alive)
    assert next(row for row in listed if row["id"] == 26)["name"] == "<b>\x00alert(1)</b> 🚀 \ud83d"


def test_calls_are_counted_once_and_belong_to_somebody(the_offices: Mirrored) -> None:
    got = the_offices
    numbers = {
        "calls_total": 19, "calls_in": 6, "calls_out": 13, "calls_answered": 15, "calls_missed": 3,
        "calls_effective": 4, "call_minutes": "6.65", "call_avg_duration": 27,
    }  # fmt: skip
    assert {metric: got.value(metric, *MARCH) for metric in numbers} == numbers
    assert got.by("user", "calls_total", *MARCH) == {501: 12, 502: 6, 777: 1}
    assert got.by("pipeline", "calls_total", *MARCH) == {10: 14, 20: 3, None: 2}


def test_a_day_of_23_or_25_hours_is_one_day(the_offices: Mirrored) -> None:
    got = the_offices
    spring = got.buckets("calls_total", "2026-03-28", "2026-03-30", "day")
    assert spring == {"2026-03-28": 0, "2026-03-29": 4, "2026-03-30": 1}
    # The first call is older than the log: what was before it nobody knows, that day itself included.
    autumn = got.buckets("calls_total", "2025-10-25", "2025-10-27", "day")
    assert autumn == {"2025-10-25": None, "2025-10-26": None, "2025-10-27": 1}
    assert got.rows("calls_total", "2025-10-26", "2025-10-27")[0]["reason"] == "no_history"


def test_links_told_only_from_their_other_side_are_shown_on_the_lead(the_offices: Mirrored) -> None:
    shown = {row["id"]: row["_embedded"] for row in the_offices.sandbox.truth("leads")}
    assert shown[1]["contacts"] == [{"id": 80, "is_main": True}]
    assert shown[1]["companies"] == [{"id": 90}]
    assert shown[3]["contacts"] == [{"id": 82, "is_main": True}]


def test_scraps_are_read_as_far_as_they_go(the_scraps: Mirrored) -> None:
    got = the_scraps
    assert got.ids("won_count", *MARCH) == [2, 3, 4, 6]
    assert got.value("revenue", *MARCH) == "996.95"
    assert got.by("user", "won_count", *MARCH) == {503: 1, None: 3}
    assert got.ids("lost_count", *MARCH) == [5]
    assert got.ids("leads_new", *MARCH) == [1, 2, 3, 4, 5, 6]
    assert copied_leads(got) == [1, 2, 3, 4, 5, 6, 7]
    assert got.ids("calls_total", *MARCH) == [2, 10, 11, 12, 13]
    assert got.value("call_minutes", *MARCH) == "0.18"


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("leads", '{"id": 1', "leads.jsonl:1:"),
        ("events", "[]", "events.jsonl:1:"),
        ("contacts", '{"name": "no id"}', "contacts.jsonl:1:"),
        ("account", '{"_embedded": {"datetime_settings": {"timezone": "Mars/Base"}}}', "Mars/Base"),
        ("account", '{"subdomain": "not a host"}', "not a host"),
        ("account", "[]", "account.json"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, file: str, line: str, said: str) -> None:
    (tmp_path / "account.json").write_text(json.dumps({"id": 1}))
    (tmp_path / (f"{file}.jsonl" if file != "account" else "account.json")).write_text(line + "\n")
    ended = subprocess.run(
        [sys.executable, "-m", "sandbox", "amocrm", "--port", "0", "--snapshot", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
