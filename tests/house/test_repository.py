"""The repository itself: nothing of one machine in it, pins that are pins, a Procfile of four lines."""

import re
import stat

import pytest

from script.notices import direct_dependencies, npm_dependencies
from tests.support.repository import ROOT, tracked_files
from widget_backend.local.procfile import read_procfile

# Written apart, so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w./~-])/" + r"work/|\.\./" + r"shared\b"),
    "a registry address in a lock file": re.compile('"resol' + r'ved": "http'),
    "an index address": re.compile("(?i)(?:extra-)?index" + r"[-_]url\s*=|--(?:extra-)?index" + "-url"),
    "a registry address": re.compile(r"(?i)regis" + r"try\s*=\s*[\"']?http"),
}
SETS = ("requirements", "requirements-local", "requirements-dev")
LOCKS = (*SETS, "requirements-node")
PIN = re.compile(r"^[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[^\s;]+( ; .+)?$")


def pins(name: str) -> list[str]:
    lines = (ROOT / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for what, pattern in FORBIDDEN.items():
            hit = pattern.search(text)
            if hit:
                found.append(f"{path.relative_to(ROOT)}: {what}: {hit.group()}")
    assert found == []


def test_no_lock_file_that_records_addresses_is_tracked() -> None:
    assert [path.name for path in tracked_files() if path.name in ("uv.lock", "pylock.toml")] == []


def test_the_procfile_names_the_four_processes_in_order() -> None:
    assert list(read_procfile(ROOT / "Procfile")) == ["release", "web", "worker", "beat"]


@pytest.mark.parametrize("name", LOCKS)
def test_requirements_are_exact_pins(name: str) -> None:
    assert [line for line in pins(name) if not PIN.match(line)] == []


@pytest.mark.parametrize(("smaller", "larger"), [SETS[:2], SETS[1:]])
def test_each_set_holds_the_smaller_one(smaller: str, larger: str) -> None:
    assert set(pins(smaller)) - set(pins(larger)) == set()


@pytest.mark.parametrize("name", SETS)
def test_every_direct_dependency_is_pinned(name: str) -> None:
    pinned = {re.split(r"[\[=]", line)[0] for line in pins(name)}
    assert set(direct_dependencies(ROOT / f"{name}.in")) - pinned == set()


@pytest.mark.parametrize("name", SETS)
def test_every_direct_dependency_has_its_notice(name: str) -> None:
    text = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    assert [one for one in direct_dependencies(ROOT / f"{name}.in") if f"| {one} |" not in text] == []


def test_every_browser_library_has_its_notice() -> None:
    text = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    assert [one for one in npm_dependencies(ROOT) if f"| {one} |" not in text] == []


@pytest.mark.parametrize(
    "name", ["script/demo", "script/run", "script/test", "script/python", "script/lock", ".ci/run"]
)
def test_scripts_can_be_run(name: str) -> None:
    path = ROOT / name
    assert path.stat().st_mode & stat.S_IXUSR
    assert path.read_text().startswith("#!")
