"""What the documents say that code can check: settings, tables, commands, paths, links."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from tests.house.test_imports import ROWS, part_of
from tests.support.repository import ROOT, python_modules, tracked_files
from widget_backend.access.settings import Document
from widget_backend.cli import root
from widget_backend.db.base import CROSS_ACCOUNT_TABLES
from widget_backend.db.metadata import metadata
from widget_backend.jobs import Job

README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
READS = re.compile(r"(?:environ(?:\.get)?|reader\.\w+|setdefault)[(\[]\s*[\"']([A-Z][A-Z0-9_]+)")
HOME_VARIABLE = re.compile(r'HOME_VARIABLE = "(\w+)"')
# Of the operating system, not of an installation.
NOT_SETTINGS = {"HOME", "PATH"}
CELLS = re.compile(r"`([^`]+)`")


def section(document: Path, heading: str) -> str:
    """The text under a heading, up to the next one of the same or a higher level."""
    text = document.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,2}} |\Z)", text, re.M | re.S)
    assert found, f"{document.name} has no section {heading}"
    return found[2]


def first_cells(text: str) -> Iterator[str]:
    """Everything in backticks in the first column of the tables of a text."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield from CELLS.findall(line.split("|")[1])


def variables_read() -> set[str]:
    """Names of environment variables that the product, the scripts and the tests ask for."""
    found = set()
    for path in tracked_files():
        inside = path.relative_to(ROOT)
        if path.suffix == ".py" and inside.parts[0] in ("widget_backend", "workers", "script", "tests"):
            text = path.read_text(encoding="utf-8")
            found |= {*READS.findall(text), *HOME_VARIABLE.findall(text)}
    shell = (ROOT / "script" / "_env.sh").read_text(encoding="utf-8")
    return (found | {name for name in ("PYTHON",) if f"${{{name}:-}}" in shell}) - NOT_SETTINGS


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Paths of the values of a settings document: ``working_hours.start``."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    """Full names of all commands that do something."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that a command line names, and the words after it."""
    command: click.Command = root
    while isinstance(command, click.Group):
        assert words, f"{command.name} needs a command"
        assert words[0] in command.commands, f"there is no command {words[0]!r} in {command.name}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def command_lines() -> list[str]:
    """What stands after `python -m widget_backend` in any document, and the examples of the README."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        found += re.findall(r"-m widget_backend ((?:[^\n`|])+)", text)
    for line in section(README, "Commands").splitlines():
        if line.startswith("| `"):
            found += CELLS.findall(line.split("|")[3])
    return sorted({one.strip() for one in found} - {"…"})


def test_every_variable_that_is_read_is_in_the_settings_table_and_no_other() -> None:
    text = section(README, "Settings").split("### What an account chooses")[0]
    assert set(first_cells(text)) - variables_read() == set()
    assert variables_read() - set(first_cells(text)) == set()


def test_every_setting_of_an_account_is_in_its_table_and_no_other() -> None:
    assert sorted(first_cells(section(README, "What an account chooses"))) == sorted(leaves(Document))


def test_the_architecture_lists_every_table_and_no_other() -> None:
    text = section(ARCHITECTURE, "Tables")
    assert sorted(first_cells(text)) == sorted(metadata.tables)
    marked = {name for line in text.splitlines() if "` ○" in line for name in first_cells(line)}
    assert marked == CROSS_ACCOUNT_TABLES


def test_the_architecture_lists_every_periodic_job_and_no_other() -> None:
    listed = set(first_cells(section(ARCHITECTURE, "The schedule and its leases")))
    assert listed == {str(job) for job in Job} - {str(Job.EXCHANGE_CODE)}


def test_the_import_picture_is_the_one_the_imports_are_checked_by() -> None:
    there = {part_of(name) for name in python_modules("widget_backend", "workers")}
    expected = [sorted(row & there) for row in ROWS if row & there]
    blocks = re.findall(r"^```\w*\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    assert expected in [[sorted(line.split()) for line in block.splitlines()] for block in blocks]


def test_the_tree_shows_every_package_of_the_product() -> None:
    tree = section(README, "How it is built")
    packages = {path.parent.name for path in (ROOT / "widget_backend").glob("*/*.py")}
    assert [name for name in sorted(packages) if f"{name}/" not in tree] == []


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = {one for one in first_cells(section(README, "Commands")) if "…" not in one}
    assert listed == set(commands(root))


@pytest.mark.parametrize("name", sorted(commands(root)))
def test_every_command_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(root, [*name.split(), "--help"])
    assert answer.exit_code == 0
    assert "Usage:" in answer.output


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_in_the_documents_could_be_run(line: str) -> None:
    command, rest = find(line.split())
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} - known == set()


def anchors(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)]
    broken = []
    for target in targets:
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = document.parent / path if path else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:widget_backend|workers|widget_frontend|tests|script|docs)/[\w./]*)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_left_to_be_filled_in(document: Path) -> None:
    assert re.findall(r"@@\w+@@|\bTODO\b|\bTBD\b", document.read_text(encoding="utf-8")) == []


def test_pictures_are_small() -> None:
    pictures = sorted((ROOT / "docs" / "screenshots").glob("*.png"))
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > 300_000] == []
