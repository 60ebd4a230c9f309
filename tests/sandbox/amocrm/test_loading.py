"""Snapshots into the store: read here or beside, always the same; what breaks on the way is named."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.amocrm.storage import loading, reading, snapshot, state
from sandbox.amocrm.storage.beside import Reader
from sandbox.amocrm.storage.reading import File
from sandbox.amocrm.storage.snapshot import SnapshotError
from sandbox.amocrm.storage.state import Source, StateError
from sandbox.amocrm.storage.store import Store
from sandbox.amocrm.storage.tables import TABLES, index_statements
from tests.sandbox.amocrm.support import a_lead, account_json, small_account, write_account


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


def load(store: Store, *directories: Path, readers: int) -> dict[str, list[Any]]:
    """Everything the snapshots became, by table."""
    with store.bulk() as connection:
        loading.load(connection, [(path, snapshot.read_account(path)) for path in directories], readers)
    with store.read() as connection:
        return {
            name: connection.execute(f'SELECT rowid, * FROM "{name}"').fetchall()  # noqa: S608  our own names
            for name in TABLES
        }


def added(snapshot_directory: Path, entity: str, line: bytes) -> int:
    """Append a line and answer its number."""
    path = snapshot_directory / f"{entity}.jsonl"
    kept = path.read_bytes()
    path.write_bytes(kept + line + b"\n")
    return kept.count(b"\n") + 1


def test_it_is_the_same_however_many_read(tmp_path: Path, snapshot: Path) -> None:
    other = write_account(
        tmp_path / "other", account_json(id=32, subdomain="other"), {"leads": [a_lead(1), a_lead(2)]}
    )
    found = []
    for readers in (0, 1, 2):
        store = Store(tmp_path / f"{readers}.sqlite")
        found.append(load(store, snapshot, other, readers=readers))
        store.close()
    assert found[0] == found[1] == found[2]
    assert len(found[0]["leads"]) == len(small_account()["leads"]) + 2


def test_every_index_is_there(store: Store, snapshot: Path) -> None:
    load(store, snapshot, readers=2)
    wanted = {statement.split('"')[1] for table in TABLES.values() for statement in index_statements(table)}
    with store.read() as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert wanted - there == set()


@pytest.mark.parametrize("readers", [0, 2])
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": 1', "Expecting"),
        (b'{"id": 1} {"id": 2}', "Extra data"),
        (b"[1]", "not an object"),
        (b'{"id": 9, "price": NaN}', "NaN is no JSON"),
        (b'{"name": "x"}', "no 'id'"),
        (b"\xff\xfe", "utf-8"),
        (b'{"id": 9, "price": 99999999999999999999}', "too large"),
        (b'{"id": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(
    store: Store, snapshot: Path, readers: int, line: bytes, reason: str
) -> None:
    number = added(snapshot, "leads", line)
    added(snapshot, "leads", b'{"id": 10}')
    with pytest.raises(SnapshotError, match=f"leads.jsonl:{number}: .*{reason}.*mend or remove the line"):
        load(store, snapshot, readers=readers)


def test_a_file_that_goes_away_is_named(store: Store, tmp_path: Path) -> None:
    reader = Reader([File(path=tmp_path / "leads.jsonl", table="leads", account_id=1)])
    reader.begin()
    index, said = reader.frame()
    reader.end()
    assert index is None
    assert "leads.jsonl: No such file" in said


def test_a_reader_that_is_killed_ends_the_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "leads.jsonl")  # nothing ever comes out of it
    reader = Reader([File(path=tmp_path / "leads.jsonl", table="leads", account_id=1)])
    reader.begin()
    reader.child.kill()
    with pytest.raises(SnapshotError, match=r"ended too early \(code -9\): start again"):
        reader.frame()
    reader.end()


def test_no_reader_is_left_over_when_storing_fails(
    store: Store, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Reader] = []
    end = Reader.end

    def ended(reader: Reader) -> None:
        started.append(reader)
        end(reader)

    monkeypatch.setattr(Reader, "end", ended)
    added(snapshot, "leads", b'{"id": 9, "price": 99999999999999999999}')
    with pytest.raises(SnapshotError):
        load(store, snapshot, readers=2)
    assert [reader.child.poll() is None for reader in started] == [False, False]


def test_an_untouched_source_is_not_read_again(
    tmp_path: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(snapshots=(snapshot,))
    state.open_store(tmp_path, source).close()
    monkeypatch.setattr(Source, "fingerprint", lambda source: pytest.fail("it was read"))
    state.open_store(tmp_path, source).close()


def test_a_touched_or_moved_source_continues(tmp_path: Path, snapshot: Path) -> None:
    state.open_store(tmp_path, Source(snapshots=(snapshot,))).close()
    os.utime(snapshot / "leads.jsonl", (1, 1))
    state.open_store(tmp_path, Source(snapshots=(snapshot,))).close()
    moved = snapshot.rename(tmp_path / "moved")
    state.open_store(tmp_path, Source(snapshots=(moved,))).close()


def test_a_change_that_hides_its_time_is_seen(tmp_path: Path, snapshot: Path) -> None:
    state.open_store(tmp_path, Source(snapshots=(snapshot,))).close()
    path = snapshot / "leads.jsonl"
    before, text = path.stat(), path.read_text(encoding="utf-8")
    lead = json.loads(text.splitlines()[0])
    path.write_text(text.replace(str(lead["created_at"]), str(lead["created_at"] + 1), 1), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    with pytest.raises(StateError):
        state.open_store(tmp_path, Source(snapshots=(snapshot,)))


@pytest.mark.parametrize(
    "fields",
    [
        '"created_at":1760000000,"value_after":[{"note":{"id":1}}]',
        '"created_at":"1760000000","entity_id":18446744073709551616',
        '"created_at":9223372036854775807,"entity_id":-9223372036854775808',
        '"created_at":1760000000.0,"entity_id":7001.5',
        '"created_at":1e3,"entity_id":1E400',
        '"type":"half a \\ud83d surrogate"',
        '"type":"a \\u0000 in it"',
        '"type":"first","type":"second"',
        '"created_at":true,"type":["nested"]',
        '"value_after":[{"n":18446744073709551616}],"_links":{"self":{"href":"x"}}',
    ],
)
def test_the_quick_parser_finds_what_the_exact_one_finds(fields: str) -> None:
    """orjson rounds great integers and refuses some texts; nothing of that may show."""
    line = f'{{"id":"01jb3c9q",{fields}}}'
    table = TABLES["events"]
    assert reading._quickly(table, 1, line.encode(), line, 1) == reading._slowly(table, 1, b"", line, 1)
