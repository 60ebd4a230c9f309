"""docs/sandbox.md promises a place and a test for every item of its checklists: both must be there."""

import ast
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import requests

from sandbox.amocrm.life.actions import ACTIONS, ALIASES
from sandbox.amocrm.switches import DEFAULTS
from tests.house.test_docs import CELLS, first_cells, section
from tests.support.repository import ROOT, tracked_files
from tests.support.sandbox import running_sandbox

GUIDE = ROOT / "docs" / "sandbox.md"


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table rows under a heading, without its head."""
    lines = [line for line in section(GUIDE, heading).splitlines() if line.startswith("|")]
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not set(cells[0]) <= {"-", " "} and cells[0] != "item":
            yield cells


CHECKLIST = list(rows("Checklist"))


@cache
def named_tests(name: str) -> set[str]:
    """The test functions in the files of that name (or path) under tests/."""
    found: set[str] = set()
    for path in tracked_files():
        inside = path.relative_to(ROOT)
        if inside.parts[0] == "tests" and f"/{inside}".endswith(f"/{name}"):
            found |= functions(path)
    return found


def functions(path: Path) -> set[str]:
    """Names of the functions in a module, those in classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def exists(place: str) -> bool:
    """Whether `hooks/form.py` or `page/` is there, in the simulator of amoCRM or beside it."""
    return any((ROOT / "sandbox" / room / place).exists() for room in ("amocrm", ""))


@pytest.mark.parametrize("row", CHECKLIST, ids=lambda row: row[0][:40])
def test_each_item_has_a_place_and_a_test(row: list[str]) -> None:
    _, where, shown = row
    assert CELLS.findall(where), "the item names no file"
    assert [place for place in CELLS.findall(where) if not exists(place)] == []
    named = CELLS.findall(shown)
    assert named, "the item names no test"
    for name in named:
        file, _, function = name.partition("::")
        assert function in named_tests(file), name


def test_the_checklist_is_a_long_one() -> None:
    assert len(CHECKLIST) > 30


def test_every_action_is_told() -> None:
    assert {*ACTIONS, *ALIASES} - set(first_cells(section(GUIDE, "Actions"))) == set()


def test_every_switch_is_told() -> None:
    assert set(DEFAULTS) - set(first_cells(section(GUIDE, "Switches"))) == set()


def curl(origin: str, words: list[str]) -> requests.Response:
    """What a `curl -s URL [-d BODY] [-H HEADER]` of the guide does, at a simulator on another port."""
    assert words[:2] == ["curl", "-s"]
    url, options = words[2], dict(zip(words[3::2], words[4::2], strict=True))
    name, _, value = options.get("-H", "Accept: */*").partition(": ")
    body = options.get("-d")
    headers = {name: value, "Content-Type": "application/x-www-form-urlencoded"}
    target = origin + url.removeprefix("http://127.0.0.1:8181")
    return requests.request("POST" if body else "GET", target, data=body, headers=headers, timeout=20)


def test_the_first_steps_go_as_told(tmp_path: Path) -> None:
    lines = section(GUIDE, "First steps").splitlines()
    (start,) = (line for line in lines if line.startswith("$ script/python -m sandbox amocrm"))
    steps = [(line, lines[at + 1]) for at, line in enumerate(lines) if line.startswith("$ curl")]
    known: dict[str, str] = {}
    with running_sandbox(tmp_path, *shlex.split(start.partition("--port 8181")[2])) as sandbox:
        for line, shown in steps:
            for name, value in known.items():
                line = line.replace(f"${name}", value)
            answer = curl(sandbox.origin, shlex.split(line.removeprefix("$ ")))
            assert answer.ok, f"{line}: {answer.text}"
            told = answer.json()
            known |= {name.upper(): told[name] for name in ("client_id", "token") if name in told}
            assert answer.text.startswith(shown.partition(":")[0]), line
    assert len(steps) == 6
    assert told["last"][0]["body"].startswith("leads%5Bstatus%5D%5B0%5D%5Bid%5D=7001&")
