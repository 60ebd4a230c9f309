"""Who may import whom. Imports point down; packages on one row do not import each other."""

import pytest

from tests.support.repository import imports_of, python_modules

PRODUCT = ("widget_backend", "workers", "widget_frontend")

# From the top down. A new part of widget_backend gets its place here.
ROWS = (
    {"api", "console", "workers", "cli", "app", "__main__", "gunicorn"},
    {"bootstrap"},
    {"webhooks", "sync", "inputs", "exports", "alerts", "actions", "outbound", "bi"},
    {"screens"},
    {"reports"},
    {"kpi", "overdue", "duplicates"},
    {"oauth", "crm", "access", "schedule"},
    {"amocrm"},
    {
        *("db", "migrations", "local", "settings", "errors", "logs", "clock", "periods"),
        *("working_hours", "money", "jobs"),
    },
)
SHELLS, CORE, BOTTOM = ROWS[0], ROWS[5], ROWS[-1]
ROW_OF = {part: number for number, row in enumerate(ROWS) for part in row}

# Numbers must not depend on how we talk to the world, nor on when they are computed.
NOT_IN_CORE = ("flask", "flask_openapi3", "celery", "kombu", "requests", "redis", "gspread")
CORE_MAY_KNOW_OF_AMOCRM = "widget_backend.amocrm.vocabulary"
TABLES_MAY_KNOW = {"db"}


def part_of(module: str) -> str:
    """`widget_backend.crm.writes` → `crm`; `workers.sync` → `workers`; the package itself → ``."""
    first, *rest = module.split(".")
    return "workers" if first == "workers" else (rest[0] if rest else "")


def is_models(module: str) -> bool:
    return "models" in module.split(".")


def is_ours(name: str) -> bool:
    return name.split(".")[0] in ("widget_backend", "workers")


def faults(module: str, imported: set[str]) -> list[str]:
    """What is wrong with the imports of one module of the product; empty when nothing is."""
    part = part_of(module)
    if not part:
        return []
    if part not in ROW_OF:
        return [f"{module}: `{part}` has no row in tests/house/test_imports.py"]
    found = [
        f"{module} imports {name}" for name in sorted(imported) if is_ours(name) and not may(module, name)
    ]
    if part in CORE:
        found += [f"{module} (core) imports {name}" for name in imported if name.split(".")[0] in NOT_IN_CORE]
    return found


def may(module: str, name: str) -> bool:
    """May this module of the product import that name of the product?"""
    part, other = part_of(module), part_of(name)
    if not other or other == part or other.startswith("__"):  # the last: `widget_backend.__version__`
        return True
    if other not in ROW_OF:
        return False
    if part == "local":  # runs before and without the product
        return other == "settings"
    if other == "local":
        return part in SHELLS
    if is_models(module):
        return is_models(name) or other in TABLES_MAY_KNOW
    if part == "migrations" or module == "widget_backend.db.metadata":
        return is_models(name) or other in BOTTOM
    if part in CORE:
        if other == "clock":
            return False
        if other == "amocrm":
            return name.startswith(CORE_MAY_KNOW_OF_AMOCRM) or name == "widget_backend.amocrm"
    if is_models(name):
        return ROW_OF[part] <= ROW_OF["crm"]
    if ROW_OF[part] == ROW_OF[other]:
        return part in BOTTOM or part in SHELLS
    return ROW_OF[part] < ROW_OF[other]


def test_imports_point_down() -> None:
    modules = python_modules("widget_backend", "workers")
    found = [fault for name, imported in modules.items() for fault in faults(name, imported)]
    assert not found, "\n" + "\n".join(found)


def test_the_backend_does_not_import_the_workers() -> None:
    modules = python_modules("widget_backend")
    assert [
        name for name, imported in modules.items() if any(one.split(".")[0] == "workers" for one in imported)
    ] == []


def test_sandbox_and_product_do_not_know_each_other() -> None:
    product = python_modules(*PRODUCT)
    sandbox = python_modules("sandbox")
    assert [
        name for name, imported in product.items() if any(one.split(".")[0] == "sandbox" for one in imported)
    ] == []
    assert [
        name for name, imported in sandbox.items() if any(one.split(".")[0] in PRODUCT for one in imported)
    ] == []


def test_nothing_but_tests_imports_tests() -> None:
    modules = python_modules(*PRODUCT, "sandbox", "bench", "script")
    assert [
        name for name, imported in modules.items() if any(one.split(".")[0] == "tests" for one in imported)
    ] == []


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("widget_backend.api.kpis", "widget_backend.kpi.query", True),
        ("workers.sync", "widget_backend.sync.runs", True),
        ("widget_backend.kpi.query", "widget_backend.crm.models.leads", True),
        ("widget_backend.kpi.query", "widget_backend.sync.models", True),
        ("widget_backend.kpi.query", "widget_backend.amocrm.vocabulary.WON", True),
        ("widget_backend.kpi.query", "widget_backend.amocrm.client", False),
        ("widget_backend.kpi.query", "widget_backend.clock", False),
        ("widget_backend.kpi.query", "widget_backend.sync.runs", False),
        ("widget_backend.kpi.query", "widget_backend.overdue.flags", False),
        ("widget_backend.sync.runs", "widget_backend.webhooks.inbox", False),
        ("widget_backend.amocrm.client", "widget_backend.crm.models", False),
        ("widget_backend.crm.models.leads", "widget_backend.db.base", True),
        ("widget_backend.crm.models.leads", "widget_backend.amocrm.parse", False),
        ("widget_backend.crm.writes", "widget_backend.api.kpis", False),
        ("widget_backend.local.servers", "widget_backend.db.engine", False),
        ("widget_backend.cli.main", "widget_backend.local.servers", True),
        ("widget_backend.sync.runs", "widget_backend.local.servers", False),
    ],
)
def test_the_rule_itself(module: str, imported: str, allowed: bool) -> None:
    assert may(module, imported) is allowed


def test_relative_imports_are_seen() -> None:
    assert imports_of("from . import b\nfrom ..c import d", "p.q.r", False) == {
        "p.q",
        "p.q.b",
        "p.c",
        "p.c.d",
    }
