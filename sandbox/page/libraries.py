"""The browser libraries of the page, by the names under which the CRM offers them to widgets."""

from pathlib import Path

NODE_MODULES = Path(__file__).resolve().parent / "node_modules"
FONT = "@fontsource/pt-sans/files/pt-sans"
FILES = {
    "require.js": "requirejs/require.js",
    "jquery.js": "jquery/dist/jquery.js",
    "underscore.js": "underscore/underscore.js",
    "backbone.js": "backbone/backbone.js",
    "moment.js": "moment/moment.js",
    "twigjs.js": "twig/twig.js",
    "chartjs.js": "chart.js/dist/Chart.js",
    **{
        f"pt-sans-{script}-{weight}.woff2": f"{FONT}-{script}-{weight}-normal.woff2"
        for script in ("latin", "latin-ext", "cyrillic", "cyrillic-ext")
        for weight in (400, 700)
    },
}


class LibrariesMissing(RuntimeError):
    """npm has not been run here; the text says how."""


def check(modules: Path = NODE_MODULES) -> None:
    """Raise LibrariesMissing unless every library is installed under `modules`."""
    missing = sorted({path for path in FILES.values() if not (modules / path).is_file()})
    if missing:
        raise LibrariesMissing(
            f"{len(missing)} browser libraries are missing ({missing[0]} …): run `npm ci` in {modules.parent}"
        )


def path_of(name: str, modules: Path = NODE_MODULES) -> Path | None:
    """Where the library called `name` lies, or None."""
    return modules / FILES[name] if name in FILES else None
