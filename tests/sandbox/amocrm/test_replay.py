"""Whatever happens to an account, its journal gives the same account again, and its events tell the truth."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.amocrm import live
from sandbox.amocrm.life import actions, journal
from sandbox.amocrm.life.change import Impossible, Missing, changing
from sandbox.amocrm.main import Simulator
from sandbox.amocrm.replay import replay
from sandbox.amocrm.storage.state import Source
from sandbox.amocrm.storage.tables import TABLES
from tests.sandbox.amocrm.direct import Direct
from tests.sandbox.amocrm.good_calls import GOOD, full_account
from tests.sandbox.amocrm.support import Row, account_json, write_account

Step = tuple[str, Any]
Fold = dict[tuple[str, Any], dict[str, Any]]
NOW = 1760500000.0
# Each example copies a state: to shrink a failure takes longer than to read it.
UNSHRUNK = (Phase.explicit, Phase.generate)


class Ground:
    """A loaded state that is copied for each example: loading a snapshot costs more than copying a file."""

    def __init__(self, directory: Path) -> None:
        self.snapshot = write_account(
            directory / "snapshot", account_json(customers_mode="segments"), full_account()
        )
        self._directory = directory
        self._numbers = count()
        self._source = Source(snapshots=(self.snapshot,), now=NOW)
        self._state = directory / "state"
        self._state.mkdir()
        Simulator(self._state, self._source).close()

    @contextmanager
    def fresh(self) -> Iterator[Simulator]:
        """A simulator nothing has happened to."""
        state = self._directory / f"copy-{next(self._numbers)}"
        shutil.copytree(self._state, state)
        simulator = Simulator(state, self._source)
        simulator.world.switches.change({"rate_limit": 0})
        try:
            yield simulator
        finally:
            simulator.close()
            shutil.rmtree(state)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"))


def truth(simulator: Simulator) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every entity, the events and the account itself, byte for byte."""
    with simulator.world.store.read() as connection:
        found = {
            name: connection.execute(f'SELECT id, body FROM "{name}" ORDER BY 1, 2').fetchall()  # noqa: S608
            for name in TABLES
        }
        found["accounts"] = connection.execute("SELECT id, subdomain, body FROM accounts").fetchall()
    return found


def lines(simulator: Simulator) -> list[Row]:
    """The journal."""
    account = simulator.world.accounts.all()[0]
    with simulator.world.store.read() as connection:
        return [json.loads(line) for line in journal.lines(connection, account.id)]


def take(simulator: Simulator, direct: Direct, steps: list[Step]) -> None:
    """Let the steps happen; what cannot be is refused and leaves nothing."""
    for kind, step in steps:
        if kind == "wait":
            simulator.world.clock.advance(step)
        elif kind == "api":
            method, path, body = step
            sent = b"" if body is None else json.dumps(body).encode()
            assert direct.call(method, f"/api/v4/{path}", body=sent).status < 500
        else:
            act(simulator, kind, **step)


def act(simulator: Simulator, do: str, /, by: int = 501, **params: Any) -> None:
    """One action of a user."""
    try:
        with changing(simulator.world, simulator.world.accounts.all()[0], by) as change:
            actions.run(change, do, copy.deepcopy(params))
    except (Impossible, Missing):
        pass  # what the account does not allow is part of any sequence


def fields(**options: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in options.items()})


LEADS, CONTACTS, TASKS = [7001, 7002, 7003, 7004, 7006, 7007], [8001, 8002, 8003], [120001, 120002, 120003]
USERS, BY = [501, 502, 503, 999], [0, 501, 502]
CHANGES = [
    {"name": "Другое"}, {"name": "", "price": 0}, {"price": 77}, {"_embedded": {"tags": [{"name": "vip"}]}},
    {"_embedded": {"tags": []}}, {"tags_to_add": [{"name": "new"}]}, {"tags_to_delete": [{"name": "vip"}]},
    {"custom_fields_values": [{"field_id": 911, "values": [{"enum_id": 78}]}]}, {"responsible_user_id": 502},
    {"custom_fields_values": [{"field_id": 910, "values": [{"value": "ya"}]}]},
    {"custom_fields_values": [{"field_id": 911, "values": None}]}, {"status_id": 142}, {"status_id": 5},
    {"pipeline_id": 3200, "status_id": 4201, "created_by": 503},
]  # fmt: skip
COMMON: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "move_lead": fields(lead_id=LEADS, status_id=[4101, 4102, 142, 143, 4201], by=BY),
    "win_lead": fields(lead_id=LEADS, price=[5, 900]),
    "lose_lead": fields(lead_id=LEADS, loss_reason_id=[61, None, 5]),
    "reassign": fields(id=LEADS, user_id=USERS, by=BY),
    "edit": fields(id=LEADS, set=CHANGES, by=BY),
    "bulk_edit": fields(ids=[[7001, 7002], [7003], [7001, 7777]], set=CHANGES),
    "create_task": fields(lead_id=LEADS, text=["Позвонить"], complete_till=[1760600000], by=BY),
    "complete_task": fields(task_id=TASKS, result=["Да", None]),
    "delete_task": fields(task_id=TASKS),
    "add_note": fields(id=LEADS, text=["Текст", "<b>😀"]),
    "call": fields(id=LEADS, direction=["in", "out"], duration=[0, 60]),
    "link": fields(id=LEADS, to_id=CONTACTS),
    "unlink": fields(id=LEADS, to_id=CONTACTS),
    "delete": fields(id=LEADS),
    "restore": fields(id=LEADS),
    "wait": st.sampled_from([1, 60, 86400]),  # type: ignore[dict-item]
}
MORE: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "create_lead": fields(name=["Новая"], price=[5], contact_id=[8001, None]),
    "create_contact": fields(name=["Анна"], phone=["+79990000000"], lead_id=LEADS),
    "create_company": fields(name=["ООО"]),
    "purge": fields(id=LEADS),
    "merge": fields(main_id=LEADS, ids=[[7002], [7003, 7001]]),
    "edit_task": fields(
        task_id=TASKS, set=[{"text": "Иначе"}, {"complete_till": 1760700000}, {"is_completed": False}]
    ),
    "dismiss_user": fields(user_id=[502, 503], transfer_to=[501, None]),
    "change_rights": fields(user_id=[502], rights=[{"is_admin": True}, {"group_id": 0}]),
    "create_user": fields(name=["Пётр"], email=["p@example.test"], rights=[{}]),
    "rename_stage": fields(pipeline_id=[3100], status_id=[4102], name=["Думают"]),
    "delete_stage": fields(pipeline_id=[3100, 3200], status_id=[4102, 4201], move_to=[4101, None]),
    "rename_account": fields(new_subdomain=["other", "demo"]),
    "edit_account": fields(patch=[{"name": "Иначе"}]),
    "accept_unsorted": fields(uid=["u1", "u3"]),
    "decline_unsorted": fields(uid=["u2", "u1"]),
    "chat_message": fields(contact_id=CONTACTS, text=["Привет"]),
    "mail": fields(id=LEADS),
    "api": st.sampled_from(GOOD),  # type: ignore[dict-item]
}


def steps(table: dict[str, Any], size: int) -> st.SearchStrategy[list[Step]]:
    one = st.sampled_from(sorted(table)).flatmap(lambda name: st.tuples(st.just(name), table[name]))
    return st.lists(one, min_size=8, max_size=size)


def same_again(ground: Ground, happen: Callable[[Simulator], None]) -> int:
    """Let something happen, do its journal again elsewhere, compare; how many lines there were."""
    with ground.fresh() as first:
        happen(first)
        written, wanted, account_id = lines(first), truth(first), first.world.accounts.all()[0].id
    with ground.fresh() as second:
        replay(second.world, account_id, written)
        found = truth(second)
    for name, rows in wanted.items():
        assert found[name] == rows, name
    return len(written)


@settings(max_examples=12, phases=UNSHRUNK, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=steps(COMMON | MORE, 40))
def test_any_sequence_done_again_gives_the_same_account(ground: Ground, sequence: list[Step]) -> None:
    same_again(ground, lambda simulator: take(simulator, Direct(simulator), sequence))


def test_every_good_call_done_again_gives_the_same_account(ground: Ground) -> None:
    calls = [("api", call) for call in GOOD]
    assert same_again(ground, lambda simulator: take(simulator, Direct(simulator), calls)) > 30


def test_live_traffic_done_again_gives_the_same_account(ground: Ground) -> None:
    def happen(simulator: Simulator) -> None:
        acting = live.Live(simulator.world)
        for _ in range(150):
            acting.act()

    assert same_again(ground, happen) > 50


def test_the_number_of_a_deleted_row_is_not_given_again(ground: Ground) -> None:
    with ground.fresh() as simulator:
        act(simulator, "delete_task", task_id=120002)
        act(simulator, "create_task", lead_id=7001, text="Позвонить", complete_till=1760600000)
        assert [row_id for row_id, _ in truth(simulator)["tasks"]] == [120001, 120003]


def test_a_journal_that_does_not_fit_names_the_line(ground: Ground) -> None:
    line = {
        "id": 7,
        "at": 1760500000,
        "by": 0,
        "source": "action",
        "name": "move_lead",
        "params": {"lead_id": 1},
    }
    with ground.fresh() as simulator, pytest.raises(ValueError, match=r"line 7 \(move_lead\) is refused"):
        replay(simulator.world, 31000001, [line])


def test_the_door_replays_a_journal(ground: Ground) -> None:
    with ground.fresh() as simulator:
        take(simulator, Direct(simulator), [("move_lead", {"lead_id": 7001, "status_id": 142})])
        written, wanted = lines(simulator), truth(simulator)
    with ground.fresh() as simulator:
        body = "".join(json.dumps(line) + "\n" for line in written).encode()
        direct = Direct(simulator)
        answer = direct.call("POST", "/_sandbox/replay", body=body)
        assert (answer.status, json.loads(answer.body)) == (200, {"done": 1})
        assert truth(simulator) == wanted
        assert direct.call("POST", "/_sandbox/replay", body=b"{}").status == 400


# The other way round: from the first snapshot, event by event, without a line of the simulator's own code.

CARDS = {"lead": "leads", "contact": "contacts", "company": "companies"}
PLURAL = {**CARDS, "task": "tasks"}


def beginning() -> Fold:
    """What the snapshot says, in the words of the fold."""
    rows = full_account()
    known: Fold = {}
    for kind, table in CARDS.items():
        for row in rows[table]:
            known[kind, row["id"]] = {
                "name": row["name"],
                "sale": row.get("price"),
                "status": (row.get("pipeline_id"), row.get("status_id")),
                "responsible": row["responsible_user_id"],
                "tags": {tag["name"] for tag in row["_embedded"]["tags"]},
                "deleted": bool(row.get("is_deleted")),
                "links": links_of(row),
                "fields": texts_of(row),
            }
    for row in rows["tasks"]:
        known["task", row["id"]] = {"completed": row["is_completed"], "deleted": False}
    return known


def links_of(row: Row) -> set[tuple[str, int]]:
    """Leads' and contacts' partners."""
    names = {"contacts": "contact", "companies": "company", "leads": "lead"}
    embedded = row["_embedded"]
    return {(kind, item["id"]) for name, kind in names.items() for item in embedded.get(name) or []}


def texts_of(row: Row) -> dict[int, str]:
    """The first value of each filled field, as text."""
    filled = row.get("custom_fields_values") or []
    return {item["field_id"]: str(item["values"][0]["value"]) for item in filled if item.get("values")}


def told(known: Fold, event: Row) -> None:
    """One event on top of what is known; rows the snapshot does not have are nobody's business here."""
    state = known.get((event["entity_type"], event["entity_id"]))
    if state is None:
        return
    kind: str = event["type"]
    before = event["value_before"][0] if event["value_before"] else {}
    after = event["value_after"][0] if event["value_after"] else {}
    if kind == "lead_status_changed":
        state["status"] = (after["lead_status"]["pipeline_id"], after["lead_status"]["id"])
    elif kind == "entity_responsible_changed":
        state["responsible"] = after["responsible_user"]["id"]
    elif kind == "sale_field_changed":
        state["sale"] = after["sale_field_value"]["sale"]
    elif kind == "name_field_changed":
        state["name"] = after["name_field_value"]["name"]
    elif kind == "entity_tag_added":
        state["tags"].add(after["tag"]["name"])
    elif kind == "entity_tag_deleted":
        state["tags"].discard(before["tag"]["name"])
    elif kind == "entity_linked":
        state["links"].add((after["link"]["entity"]["type"], after["link"]["entity"]["id"]))
    elif kind == "entity_unlinked":
        state["links"].discard((before["link"]["entity"]["type"], before["link"]["entity"]["id"]))
    elif kind.endswith(("_deleted", "_restored")) and kind.split("_")[0] in PLURAL:
        state["deleted"] = kind.endswith("_deleted")
    elif kind == "task_completed":
        state["completed"] = True
    elif kind.startswith("custom_field_"):
        field_id = (after or before)["custom_field_value"]["field_id"]
        state["fields"].pop(field_id, None)
        if after:
            state["fields"][field_id] = after["custom_field_value"]["text"]


def as_it_is(simulator: Simulator, kind: str, row_id: Any) -> dict[str, Any]:
    """The same of the truth."""
    with simulator.world.store.read() as connection:
        found = connection.execute(f'SELECT body FROM "{PLURAL[kind]}" WHERE id = ?', (row_id,)).fetchone()  # noqa: S608
    if kind == "task":
        return (
            {"deleted": True}
            if found is None
            else {"deleted": False, "completed": json.loads(found[0])["is_completed"]}
        )
    row = json.loads(found[0])
    return {
        "name": row["name"],
        "sale": row.get("price"),
        "status": (row.get("pipeline_id"), row.get("status_id")),
        "responsible": row["responsible_user_id"],
        "tags": {tag["name"] for tag in row["_embedded"]["tags"]},
        "deleted": bool(row.get("is_deleted")),
        "links": links_of(row),
        "fields": texts_of(row),
    }


@settings(max_examples=15, phases=UNSHRUNK, suppress_health_check=[HealthCheck.too_slow])
@given(sequence=steps(COMMON, 40))
def test_the_events_over_the_first_snapshot_give_the_truth(ground: Ground, sequence: list[Step]) -> None:
    known = beginning()
    with ground.fresh() as simulator:
        with simulator.world.store.read() as connection:
            old = {row[0] for row in connection.execute("SELECT id FROM events")}
        take(simulator, Direct(simulator), sequence)
        with simulator.world.store.read() as connection:
            found = connection.execute("SELECT id, body FROM events ORDER BY rowid").fetchall()
        for event_id, body in found:
            if event_id not in old:
                told(known, json.loads(body))
        for (kind, row_id), state in known.items():
            now = as_it_is(simulator, kind, row_id)
            assert {name: state[name] for name in now} == now, (kind, row_id)
