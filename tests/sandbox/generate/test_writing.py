"""How a snapshot is written: the command, the same bytes again, bounded memory, refusals."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.amocrm.storage import snapshot
from sandbox.generate import write_snapshot
from sandbox.generate.files import SPILL_LINES, SortedFile
from sandbox.generate.ledger import NUMBERS_A_SECOND, Ledger
from sandbox.generate.main import main
from tests.sandbox.generate.account import NOW, bytes_of

ROOT = Path(__file__).resolve().parents[3]


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        write_snapshot(tmp_path / name, leads=60, seed=seed, now=NOW, subdomain="same")
    one, two, other = (bytes_of(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert len(one) > 25
    for name in ("leads", "contacts", "events", "truth/stage_visits", "truth/duplicates"):
        assert one[f"{name}.jsonl"] != other[f"{name}.jsonl"]


def test_another_process_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, salt in (("one", "1"), ("two", "2")):
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "generate", "--out", str(tmp_path / name), "--leads", "80",
             "--now", "2026-11-17T15:30:00+03:00"],
            cwd=ROOT, env={"PYTHONHASHSEED": salt, "PATH": ""}, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_a_later_end_is_another_history(tmp_path: Path) -> None:
    later = NOW.replace(day=18)
    write_snapshot(tmp_path / "one", leads=60, seed=1, now=NOW)
    write_snapshot(tmp_path / "two", leads=60, seed=1, now=later)
    one, two = bytes_of(tmp_path / "one"), bytes_of(tmp_path / "two")
    assert one["leads.jsonl"] != two["leads.jsonl"]


def test_many_accounts_differ_from_each_other(tmp_path: Path) -> None:
    for number in range(5):
        write_snapshot(
            tmp_path / f"{number}", leads=20, seed=7 + number, now=NOW, account_id=31_000_001 + number
        )
    contacts = [bytes_of(tmp_path / f"{number}")["contacts.jsonl"] for number in range(5)]
    assert len(set(contacts)) == 5


def test_customers_are_hidden_or_shown_as_asked(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "off", leads=60, seed=1, now=NOW)
    write_snapshot(tmp_path / "on", leads=60, seed=1, now=NOW, customers_mode="segments")
    off, on = bytes_of(tmp_path / "off"), bytes_of(tmp_path / "on")
    assert snapshot.read_account(tmp_path / "off")["customers_mode"] == "disabled"
    assert snapshot.read_account(tmp_path / "on")["customers_mode"] == "segments"
    assert {name for name in on if on[name] != off[name]} == {"account.json"}
    assert on["customers.jsonl"]
    with pytest.raises(ValueError, match="customers_mode"):
        write_snapshot(tmp_path / "odd", leads=1, seed=1, now=NOW, customers_mode="dynamic")


def test_the_command_writes_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["--out", str(out), "--leads", "5", "--now", "2026-11-17T15:30:00+03:00"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}: 5 leads, history up to 2026-11-17T12:30:00+00:00\n"
    assert said.err == ""
    assert main(["--out", str(out), "--leads", "5"]) == 1
    assert capsys.readouterr().err.startswith("generate: ")
    assert main(["--leads", "five"]) == 2
    assert "invalid int value" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "more"), "--leads", "1000001"]) == 1
    assert "1000000" in capsys.readouterr().err


def test_progress_is_told_on_the_way(tmp_path: Path) -> None:
    told: list[int] = []
    write_snapshot(tmp_path / "some", leads=20, seed=1, now=NOW, progress=told.append, progress_every=8)
    assert told == [8, 16]


def test_the_simulator_reads_a_snapshot_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sandbox.amocrm.storage.state import Source, open_store

    write_snapshot(tmp_path / "account", leads=40, seed=1, now=NOW)
    (tmp_path / "state").mkdir()
    store = open_store(tmp_path / "state", Source(snapshots=(tmp_path / "account",)))
    with store.read() as connection:
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in (
                "leads",
                "customers",
                "transactions",
                "catalogs",
                "catalog_elements",
                "talks",
                "links",
            )
        }
    store.close()
    assert counts["leads"] == 40
    assert min(counts.values()) > 0
    assert capsys.readouterr().err == ""


def test_a_larger_account_takes_hardly_more_memory(tmp_path: Path) -> None:
    """The peak of a process of its own; sorting and the circle of customers are what could grow."""
    code = (
        "import datetime, pathlib, resource, sys\n"
        "from sandbox.generate import write_snapshot\n"
        "write_snapshot(pathlib.Path(sys.argv[1]), leads=int(sys.argv[2]), seed=1,"
        " now=datetime.datetime(2026, 11, 17, tzinfo=datetime.UTC))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for leads in (1000, 8000):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{leads}"), f"{leads}"],
            cwd=ROOT, capture_output=True, text=True, timeout=240, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout) * (1 if sys.platform == "darwin" else 1024))
    assert peaks[1] - peaks[0] < 60_000_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


def test_rows_out_of_order_are_sorted_over_buckets(tmp_path: Path) -> None:
    rows = SortedFile(tmp_path / "sort", low=10, high=50, buckets=3)
    for key, tie in ((50, "a"), (12, "b"), (9, "z"), (12, "a"), (33, "я"), (300, "")):
        rows.add(key, tie, f"{key}{tie}")
    rows.write(tmp_path / "sorted")
    assert (tmp_path / "sorted").read_text(encoding="utf-8").split() == [
        "9z",
        "12a",
        "12b",
        "33я",
        "50a",
        "300",
    ]
    assert not (tmp_path / "sort").exists()


def test_more_rows_than_are_kept_in_memory_are_sorted_all_the_same(tmp_path: Path) -> None:
    count = SPILL_LINES * 3 + 7
    rows = SortedFile(tmp_path / "sort", low=0, high=count, buckets=2)
    for number in range(count):
        key = number * 7919 % count
        rows.add(key, "", f"{key}")
    assert (tmp_path / "sort").is_dir()
    rows.write(tmp_path / "sorted")
    assert (tmp_path / "sorted").read_text(encoding="utf-8").split() == [f"{n}" for n in range(count)]
    assert not (tmp_path / "sort").exists()


def test_numbers_of_one_second_run_out_loudly() -> None:
    ledger = Ledger(None, account_id=1, first_s=1000, now_s=2000)  # type: ignore[arg-type]
    given = [ledger.id_at("note", 1500) for _ in range(NUMBERS_A_SECOND)]
    assert given == sorted(set(given))
    with pytest.raises(ValueError, match="one second"):
        ledger.id_at("task", 1500)
    assert ledger.id_at("note", 1501) > given[-1]
    assert ledger.id_at("note", 1499) < given[0]
