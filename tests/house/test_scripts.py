"""The parts of the scripts that decide something."""

import shutil
import subprocess
from pathlib import Path

import pytest

from script import run
from script._node import find_node
from script._tools import Output, checksum, listing
from script.checks import pytest_arguments
from tests.support.repository import ROOT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
            "needs the network",
        ),
        ("npm error code ENOTFOUND", "needs the network"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "certificate"),
        ("ERROR: it broke\nmore words", "ERROR: it broke"),
        ("", "said nothing"),
    ],
)
def test_a_failed_set_up_is_one_line_with_its_remedy(text: str, said: str) -> None:
    line = Output(code=1, text=text).explain("pip", Path("setup.log"))
    assert said in line
    assert "\n" not in line


def test_stamps_are_those_of_the_shell(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("flask==3.1.3\n")
    assert checksum(tmp_path / "file").split()[1:] == ["13"]  # `sum size`, as cksum prints for a stream


def test_a_listing_is_that_of_the_shell_and_notices_a_loss(tmp_path: Path) -> None:
    assert listing(tmp_path / "missing") == listing(tmp_path)
    for name in ("flask", "Flask-1.dist-info", "ёж", ".hidden", "_x", "__pycache__"):
        (tmp_path / name).mkdir()
    told = subprocess.run(
        ["sh", "-c", 'LC_ALL=C ls "$1" | cksum', "sh", tmp_path], capture_output=True, text=True, check=True
    )
    assert listing(tmp_path) == told.stdout.strip()
    (tmp_path / "flask").rmdir()
    assert listing(tmp_path) != told.stdout.strip()


@pytest.mark.parametrize(
    ("rest", "quick", "expected"),
    [
        ([], False, ["--durations=10", "-n", "2", "--dist", "worksteal"]),
        (["-n0", "tests/kpi"], False, ["--durations=10", "-n0", "tests/kpi"]),
        (
            ["--pdb"],
            True,
            ["--durations=10", "-m", "not browser and not slow", "--pdb"],
        ),
    ],
)
def test_pytest_gets_what_it_was_given(rest: list[str], quick: bool, expected: list[str]) -> None:
    assert pytest_arguments(rest, quick=quick) == expected


@pytest.mark.parametrize(("npm", "found"), [("echo 10.2.4", True), ("exit 1", False)])
def test_an_npm_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str, found: bool
) -> None:
    for name, does in (("node", "echo v20.11.1"), ("npm", npm)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = (tmp_path / "node", [str(tmp_path / "npm")]) if found else None
    assert find_node(tmp_path / "no environment" / "bin" / "python") == expected


@pytest.mark.parametrize("name", ["demo", "test"])
def test_help_needs_no_environment(tmp_path: Path, name: str) -> None:
    """A copy of the sources alone, without packages and without a network's use, explains itself."""
    for part in ("script", "widget_backend"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    asked = subprocess.run(
        [tmp_path / "script" / name, "--help"], capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith(f"usage: script/{name}")
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("argument", ["web=99999999999", "web=65", "web=²", "web", "nobody=1"])
def test_an_absurd_count_of_processes_is_wrong_usage(
    argument: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([argument]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
