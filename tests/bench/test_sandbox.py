"""`python -m bench sandbox` at a size that takes seconds: what it tells, not how fast this machine is."""

import json
from pathlib import Path

import pytest

from bench import measure, sandbox
from bench.__main__ import FIELDS, main
from bench.processes import Server
from bench.raw_http import RawConnection, fetch_all, request

NAMES = [
    "sandbox.start",
    "sandbox.start_peak_memory",
    "sandbox.restart",
    "sandbox.list_pages",
    "sandbox.list_pages.client_cpu",
    "sandbox.filtered_pages",
    "sandbox.deep_event_pages",
    "sandbox.note_pages",
    "sandbox.hooks",
]


@pytest.mark.slow
def test_it_measures_everything_beside_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_HOME", str(tmp_path))
    monkeypatch.setitem(sandbox.SIZES, "default", (600, 1000.0, 1000.0))
    for module, name, value in (
        (measure, "ROUNDS", 1),
        (sandbox, "ROUNDS", 1),
        (sandbox, "HOOKS", 20),
        (sandbox, "PAGES_PER_S", 0.001),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(measure, "calibrate", lambda: 0.0)
    assert main(["sandbox", "--json"]) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["name"] for result in results] == NAMES
    assert {tuple(result) for result in results} == {FIELDS}
    assert all(result["value"] > 0 and result["n"] >= 1 for result in results)
    judged = {result["name"]: result["ok"] for result in results if result["goal"]}
    assert judged == dict.fromkeys(NAMES[:4], True)
    assert all(result["reason"] for result in results if result["ok"] is None)
    (kept,) = (tmp_path / "bench" / "sandbox").glob("leads-600-*")
    assert (kept / "leads.jsonl").exists()


def test_the_raw_client_takes_whole_answers(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"x" * 3_000_000)
    with Server("bench.plain_server", tmp_path / "page") as server:
        asked = [request("/", Host="here") for _ in range(5)]
        assert fetch_all(server.url, asked, 2) == 15_000_000
        connection = RawConnection(server.url)
        with pytest.raises(RuntimeError, match="501"):
            connection.fetch(b"BREW / HTTP/1.1\r\nHost: here\r\n\r\n")
        connection.close()


def test_a_server_that_does_not_start_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"did not start \(code 1\)"):
        Server("bench.plain_server", "/nowhere/at/all")


@pytest.mark.parametrize(
    ("met", "loop_s", "written_s", "ok", "reason"),
    [
        (True, 1.0, 1.0, True, None),
        (False, 1.0, 1.0, False, None),
        (True, 1.49, 1.0, True, None),
        (True, 1.6, 1.0, None, "the machine is 1.6 times slower"),
        (False, 9.0, None, False, None),
    ],
)
def test_a_slow_machine_is_not_judged(
    met: bool, loop_s: float, written_s: float | None, ok: bool | None, reason: str | None
) -> None:
    found, said = measure.verdict(met, loop_s, written_s)
    assert found is ok
    assert (said or "").startswith(reason or "")
    assert (said is None) == (reason is None)


def test_results_give_the_median_its_range_and_the_ratio() -> None:
    found = measure.result("it", [3.0, 1.0, 2.0], "s", against="other", compared=[4.0, 4.0])
    assert found == {
        "name": "it", "value": 2.0, "unit": "s", "n": 3, "spread": [1.0, 3.0], "ratio": 0.5,
        "against": "other: 4 s",
    }  # fmt: skip
    assert measure.judged(found, 1.0)["ok"] is None


def test_the_document_says_how_fast_its_machine_was() -> None:
    loop_s = measure.written()
    assert loop_s is not None
    assert loop_s > 0
