"""Snapshots that others made: odd rows change like good ones, and the truth is a snapshot again."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.amocrm import live
from sandbox.amocrm.http import Response
from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from sandbox.amocrm.storage.tables import TABLES
from tests.sandbox.amocrm.direct import Direct
from tests.sandbox.amocrm.good_calls import GOOD, full_account
from tests.sandbox.amocrm.support import Row, a_contact, account_json, write_account

Rows = dict[str, list[Row]]
Started = Callable[..., "Outside"]
NOW = 1760500000.0


class Outside:
    """A simulator on a snapshot, called without a network."""

    def __init__(self, snapshot: Path, state: Path) -> None:
        state.mkdir()
        self.simulator = Simulator(state, Source(snapshots=(snapshot,), now=NOW))
        self.simulator.world.switches.change({"rate_limit": 0})
        self._direct = Direct(self.simulator)

    def call(self, method: str, path: str, body: Any = None, query: str = "") -> Response:
        """A call of API v4, or of a door."""
        sent = b"" if body is None else json.dumps(body).encode()
        path = path if path.startswith("/") else f"/api/v4/{path}"
        return self._direct.call(method, path, query, body=sent)

    def get(self, path: str, query: str = "") -> Row:
        """What a successful GET answers."""
        response = self.call("GET", path, query=query)
        assert response.status == 200, response.body
        return dict(json.loads(response.body))

    def do(self, name: str, **params: Any) -> int:
        """The status of one action."""
        return self.call("POST", "/_sandbox/actions", {"do": name, "by": 501, **params}).status

    def truth(self) -> dict[str, bytes]:
        """The files of a snapshot of the account as it is now."""
        files = {f"{name}.jsonl": b"".join(self.call("GET", f"/_sandbox/truth/{name}").stream or ())
                 for name in TABLES}  # fmt: skip
        return {**files, "account.json": self.call("GET", "/_sandbox/truth/account").body}

    def rows(self, entity: str) -> list[Row]:
        """One file of the truth."""
        return [json.loads(line) for line in self.truth()[f"{entity}.jsonl"].splitlines()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    running: list[Outside] = []

    def start(rows: Rows | None = None, directory: Path | None = None) -> Outside:
        place = tmp_path / str(len(running))
        account = account_json(customers_mode="segments")
        snapshot = directory or write_account(place, account, rows or full_account())
        running.append(Outside(snapshot, tmp_path / f"state-{len(running)}"))
        return running[-1]

    yield start
    for outside in running:
        outside.simulator.close()


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("edit", {"id": 7001, "set": {"name": "Другое", "price": 7, "tags_to_add": [{"name": "new"}]}}),
    ("edit", {"id": 8001, "entity": "contacts", "set": {"name": "Другой"}}),
    ("edit", {"id": 9001, "entity": "companies", "set": {"name": "Другая"}}),
    ("edit", {"id": 11, "entity": "customers", "set": {"next_price": 7}}),
    ("reassign", {"id": 7001, "user_id": 502}),
    ("link", {"id": 7001, "to_id": 8002}),
    ("link", {"id": 7001, "to_id": 500, "to_entity": "catalog_elements"}),
    ("merge", {"main_id": 8001, "ids": [8002], "entity": "contacts"}),
    ("merge", {"main_id": 7001, "ids": [7003]}),
    ("edit_note", {"note_id": 660001, "params": {"text": "x"}}),
    ("edit_task", {"task_id": 120001, "set": {"responsible_user_id": 502}}),
    ("complete_task", {"task_id": 120001, "result": "Да"}),
    ("chat_message", {"contact_id": 8001, "text": "Привет"}),
    ("delete_element", {"element_id": 500}),
    ("change_rights", {"user_id": 502, "rights": {"leads": {"view": "A"}, "group_id": 0}}),
    ("dismiss_user", {"user_id": 503, "transfer_to": 501}),
    ("delete", {"id": 7001}),
]  # fmt: skip
ODD: dict[str, Row] = {
    "nothing inside": {"_embedded": None},
    "no object inside": {"_embedded": "x"},
    "lists that are none": {"_embedded": dict.fromkeys(("tags", "contacts", "companies", "leads"))},
    "lists of anything": {
        "_embedded": {name: ["x", 5, None, {}] for name in ("tags", "contacts", "catalog_elements", "users")}
    },
    "maps for lists": {"_embedded": {name: {"0": {"id": 7001}} for name in ("tags", "companies", "leads")}},
    "fields that are none": {"custom_fields_values": "x"},
    "fields of anything": {"custom_fields_values": ["x", None, {"field_id": 911, "values": "x"}, {}]},
    "numbers as texts": {"sort": "5", "price": "1000.50", "responsible_user_id": "501", "group_id": "0"},
    "objects that are none": {"rights": "x", "params": "x", "metadata": 5, "enums": {"0": {}}},
}
# What no list can do without.
KEPT = ("id", "uid", "talk_id", "catalog_id", "entity_id", "entity_type", "contact_id")
ENTITIES = (
    "leads", "contacts", "companies", "customers", "tasks", "notes_leads", "users", "roles", "unsorted",
    "custom_fields_leads", "custom_fields_contacts", "loss_reasons", "catalog_elements", "talks",
)  # fmt: skip


def as_odd(row: Row, odd: str) -> Row:
    if odd == "bare":
        return {name: row[name] for name in KEPT if name in row}
    return {**row, **{name: copy.deepcopy(value) for name, value in ODD[odd].items() if name in row}}


@pytest.mark.parametrize("odd", [*ODD, "bare"])
def test_odd_rows_are_changed_like_good_ones(started: Started, odd: str) -> None:
    rows = full_account()
    administrator = rows["users"][0]  # whose token it is
    for entity in ENTITIES:
        rows[entity] = [row if row is administrator else as_odd(row, odd) for row in rows[entity]]
    outside = started(rows)
    for path in ("leads", "contacts", "users", "tasks", "leads/notes", "leads/7001/links", "leads/unsorted"):
        assert outside.call("GET", path, query="with=contacts,leads,catalog_elements").status == 200, path
    for name, params in CHANGES:
        assert outside.do(name, **params) == 200, (name, params)
    for method, path, body in GOOD:
        assert outside.call(method, path, body).status < 500, (method, path)
    acting = live.Live(outside.simulator.world)
    burst = {"kind": "burst", "count": 2, "destination": "http://127.0.0.1:9/h"}
    assert outside.call("POST", "/_sandbox/hooks", burst).status == 200
    assert len([done for _ in range(60) if (done := acting.act())]) > 5


def test_a_status_that_is_an_empty_object_leaves_json(started: Started) -> None:
    rows = full_account()
    rows["pipelines"][0]["_embedded"]["statuses"].append({})
    outside = started(rows)
    statuses = outside.get("leads/pipelines/3100")["_embedded"]["statuses"]
    assert list(statuses[-1]) == ["_links"]
    assert outside.do("move_lead", lead_id=7001, pipeline_id=3100, status_id=142) == 200


def test_a_reason_that_no_dictionary_has_stays(started: Started) -> None:
    rows = full_account()
    del rows["loss_reasons"]
    reason = {"id": 77, "name": "Ушёл", "sort": 1, "created_at": 1, "updated_at": 1}
    rows["leads"][0] |= {"status_id": 143, "loss_reason_id": 77}
    rows["leads"][0]["_embedded"]["loss_reason"] = [reason]
    outside = started(rows)
    assert outside.do("edit", id=7001, set={"name": "Другое"}) == 200
    lead = outside.get("leads/7001", "with=loss_reason")
    assert (lead["name"], lead["loss_reason_id"]) == ("Другое", 77)
    assert [item["name"] for item in lead["_embedded"]["loss_reason"]] == ["Ушёл"]
    assert outside.do("edit", id=7001, set={"loss_reason_id": 78}) == 400
    assert outside.do("move_lead", lead_id=7001, status_id=4101) == 200
    assert outside.get("leads/7001", "with=loss_reason")["_embedded"]["loss_reason"] == []


def test_a_new_lead_brings_its_reason_and_its_source(started: Started) -> None:
    outside = started()
    new = {"status_id": 143, "pipeline_id": 3100, "loss_reason_id": 61, "source_id": 7101}
    (made,) = json.loads(outside.call("POST", "leads", [new]).body)["_embedded"]["leads"]
    lead = outside.get(f"leads/{made['id']}", "with=loss_reason,source,source_id")
    assert [item["name"] for item in lead["_embedded"]["loss_reason"]] == ["Дорого"]
    assert (lead["source_id"], lead["_embedded"]["source"]) == (7101, {"id": 7101, "name": "Сайт"})
    assert outside.call("POST", "leads", [{**new, "loss_reason_id": 5}]).status == 400


def test_an_incoming_lead_is_accepted_where_no_column_is_for_incoming_leads(started: Started) -> None:
    rows = full_account()
    statuses = rows["pipelines"][0]["_embedded"]["statuses"]
    rows["pipelines"][0]["_embedded"]["statuses"] = [status for status in statuses if status["type"] != 1]
    outside = started(rows)
    assert outside.call("POST", "leads/unsorted/u1/accept", {"user_id": 501}).status == 200
    assert "u1" not in {row["uid"] for row in outside.rows("unsorted")}


def test_the_account_is_kept_as_it_says(started: Started, tmp_path: Path) -> None:
    account = account_json()
    account["_embedded"] |= {
        "users_groups": [],
        "task_types": [],
        "datetime_settings": {"date_format": "Y-m-d"},
    }
    outside_made = write_account(tmp_path / "bom", account, {})
    path = outside_made / "account.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    embedded = started(directory=outside_made).get("/_sandbox/truth/account")["_embedded"]
    assert (embedded["users_groups"], embedded["task_types"]) == ([], [])
    assert embedded["datetime_settings"]["date_format"] == "Y-m-d"
    assert embedded["datetime_settings"]["timezone"] == "Europe/Moscow"


def test_a_long_number_in_a_text_is_a_text(started: Started) -> None:
    rows = full_account()
    rows["leads"].append({"id": 7009, "price": "99999999999999999999", "name": "x"})
    outside = started(rows)
    assert outside.get("leads/7009")["price"] == "99999999999999999999"


def linked(*ends: tuple[str, int], **metadata: Any) -> Row:
    (one, one_id), (other, other_id) = ends
    return {"entity_id": one_id, "entity_type": one, "to_entity_id": other_id, "to_entity_type": other,
            "metadata": metadata or None}  # fmt: skip


def with_links() -> Rows:
    """The full account with its list of links; one stands the other way round, one only in the list."""
    rows = full_account()
    rows["contacts"].append(a_contact(8003, name="Анна", _embedded={"leads": [{"id": 7002}]}))
    rows["leads"][1]["_embedded"]["contacts"] = [{"id": 8003, "is_main": True}]
    rows["links"] = [
        linked(("leads", 7001), ("contacts", 8001), main_contact=True),
        linked(("companies", 9001), ("leads", 7001)),
        linked(("leads", 7002), ("contacts", 8003), main_contact=True),
        linked(("leads", 7001), ("catalog_elements", 500), quantity=2, catalog_id=50),
    ]
    return rows


def listed(outside: Outside) -> set[tuple[str, int, str, int, Any]]:
    """The list of links; the last is whether the contact is the main one, or how many goods."""
    found = outside.rows("links")
    tuples = {
        (row["entity_type"], row["entity_id"], row["to_entity_type"], row["to_entity_id"],
         next(iter((row["metadata"] or {"": None}).values())))
        for row in found
    }  # fmt: skip
    assert len(tuples) == len(found)
    return tuples


def test_the_list_of_links_follows(started: Started) -> None:
    outside = started(with_links())
    first = ("leads", 7001, "contacts", 8001)
    goods, company = ("leads", 7001, "catalog_elements", 500, 2), ("companies", 9001, "leads", 7001, None)
    theirs = ("leads", 7002, "contacts", 8003, True)
    assert listed(outside) == {(*first, True), company, theirs, goods}
    outside.do("link", id=7001, to_id=8002, is_main=True)
    assert listed(outside) == {
        (*first, False),
        ("leads", 7001, "contacts", 8002, True),
        company,
        theirs,
        goods,
    }
    outside.do("unlink", id=7001, to_id=8002)
    outside.do("unlink", id=7001, to_id=9001, to_entity="companies")
    assert listed(outside) == {(*first, True), theirs, goods}
    outside.do("unlink", id=7001, to_id=500, to_entity="catalog_elements")
    outside.do("merge", main_id=7001, ids=[7002])
    assert listed(outside) == {(*first, True), ("leads", 7001, "contacts", 8003, False)}
    outside.do("merge", main_id=8003, ids=[8001], entity="contacts")
    assert listed(outside) == {("leads", 7001, "contacts", 8003, False)}
    outside.do("delete", id=7001)
    outside.do("purge", id=7001)
    assert listed(outside) == set()


def test_the_truth_is_a_snapshot_of_the_same_account(started: Started, tmp_path: Path) -> None:
    outside = started(with_links())
    for name, params in CHANGES:
        assert outside.do(name, **params) == 200, (name, params)
    for method, path, body in GOOD:
        outside.call(method, path, body)
    acting = live.Live(outside.simulator.world)
    for _ in range(100):
        acting.act()
    wanted = outside.truth()
    (tmp_path / "again").mkdir()
    for name, text in wanted.items():
        (tmp_path / "again" / name).write_bytes(text)
    assert started(directory=tmp_path / "again").truth() == wanted
