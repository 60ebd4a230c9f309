"""The archive: what goes in, that it is reproducible, and that the linter refuses what amoCRM would."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from widget_frontend.lint import lint
from widget_frontend.pack import PackError, build

Files = dict[str, bytes]


def files_of(archive: Path) -> Files:
    with zipfile.ZipFile(archive) as source:
        return {name: source.read(name) for name in source.namelist()}


def repacked(target: Path, files: Files) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return target


def test_the_built_archive_has_no_faults(archive: Path) -> None:
    assert archive.name == "widget.zip"
    assert lint(archive) == []


def test_the_same_tree_and_address_give_the_same_bytes(tmp_path: Path) -> None:
    first = build(tmp_path / "a.zip", backend_url="https://reports.example.com")
    second = build(tmp_path / "b.zip", backend_url="https://reports.example.com/")
    assert first.read_bytes() == second.read_bytes()


def test_address_and_version_are_baked_in(tmp_path: Path) -> None:
    archive = build(
        tmp_path, backend_url="https://reports.example.com", version="1.2.3", support_email="help@example.com"
    )
    files = files_of(archive)
    widget = json.loads(files["manifest.json"])["widget"]
    assert b"backend_url: 'https://reports.example.com'" in files["app/config.js"]
    assert widget["version"] == "1.2.3"
    assert widget["support"] == {"link": "https://reports.example.com", "email": "help@example.com"}


def test_only_used_locations_are_declared(archive: Path) -> None:
    assert json.loads(files_of(archive)["manifest.json"])["locations"] == ["lcard-1", "settings"]


@pytest.mark.parametrize(
    "address",
    [
        "reports.example.com",
        "ftp://reports.example.com",
        "https://reports.example.com/panel",
        "https://a'b",
        "https://u@h",
    ],
)
def test_an_unusable_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(PackError, match="backend_url"):
        build(tmp_path, backend_url=address)
    assert list(tmp_path.iterdir()) == []


def test_a_plain_http_backend_is_for_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="http://"):
        build(tmp_path, backend_url="http://reports.example.com")
    assert build(tmp_path, backend_url="http://127.0.0.1:8000").is_file()


def test_a_version_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"x\.y\.z"):
        build(tmp_path, backend_url="https://reports.example.com", version="1.2")


def append(name: str, text: str) -> Callable[[Files], None]:
    return lambda files: files.update({name: files.get(name, b"") + text.encode()})


def replace(name: str, old: str, new: str) -> Callable[[Files], None]:
    return lambda files: files.update({name: files[name].replace(old.encode(), new.encode(), 1)})


FAULTS = {
    "does not belong": append("notes.txt", "x"),
    "does not belong into the archive": append("widget/script.js", "define([], 1);"),
    "CR line ends": append("app/dom.js", "\r\n"),
    "byte order mark": replace("style.css", "/*", "\ufeff/*"),
    "script.js is missing": lambda files: files.pop("script.js") and None,
    "interface_version": replace("manifest.json", '"interface_version": 2', '"interface_version": 1'),
    "is listed twice": replace("manifest.json", '"lcard-1"', '"lcard-1", "lcard-0"'),
    "go together": replace("manifest.json", '"lcard-1"', '"lcard-1", "advanced_settings"'),
    "en.json: panel.retry is missing": replace("i18n/en.json", '"retry"', '"retries"'),
    "names the vendor's brand": replace("i18n/en.json", "Sales indicators", "amoCRM sales"),
    "longer than 50": replace("i18n/en.json", "Your month", "Your month " * 6),
    "named by the manifest, is missing": replace("manifest.json", "settings.consent", "settings.agreement"),
    "must be a PNG of 84x84": lambda files: files.update({"images/logo_min.png": files["images/logo.png"]}),
    "logo_main.png is missing": lambda files: files.pop("images/logo_main.png") and None,
    "console.*": append("app/api.js", "\nconsole.log(1);"),
    "eval": append("app/api.js", "\neval('1');"),
    "a synchronous request": append("app/api.js", "\nvar o = {async: false};"),
    "script injection": append("app/api.js", "\ndocument.createElement('script');"),
    "a write to APP": append("app/api.js", "\nAPP.data.x = 1;"),
    "a global": append("app/api.js", "\nwindow.report = 1;"),
    "an http:// address": append("app/api.js", "\nvar u = 'http://reports.example.com';"),
    "a local address": append("app/config.js", "\nvar u = 'https://localhost';"),
    "unknown module lodash": replace("app/api.js", "'jquery'", "'lodash'"),
    "app/spare.js is not used": append("app/spare.js", "define([], function () {});"),
    "does not start with the root class": append("style.css", "\n.button, .salesrep-root p { color: red; }"),
    "!important": append("style.css", "\n.salesrep-root p { color: red !important; }"),
    "loads from elsewhere": append(
        "style.css", "\n.salesrep-root p { background: url(https://x.example/a); }"
    ),
    "has a global name": append("style.css", "\n@keyframes spin { to { opacity: 0; } }"),
}


@pytest.mark.parametrize(("sentence", "harm"), FAULTS.items(), ids=list(FAULTS))
def test_the_linter_names_the_fault(
    archive: Path, tmp_path: Path, sentence: str, harm: Callable[[Files], None]
) -> None:
    files = files_of(archive)
    harm(files)
    problems = lint(repacked(tmp_path / "harmed.zip", files))
    assert any(sentence in problem for problem in problems), problems
