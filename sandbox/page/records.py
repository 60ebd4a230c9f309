"""What `/ajax/widgets/list` tells the page about each widget of an area."""

import json
from pathlib import Path
from typing import Any

from sandbox.page.archive import Archive
from sandbox.page.installation import Installation

NEIGHBOUR = "sandbox_neighbour"
NEIGHBOUR_FILES = Path(__file__).resolve().parent / "static" / "neighbour"
NEIGHBOUR_AREAS = ("leads_card",)
# Page codes of the host by the location a manifest asks for; `settings` starts by a click on the tile.
LOCATIONS = {
    "leads_card": "lcard",
    "leads": "llist",
    "widgetsSettings": "settings",
    "advanced-settings": "advanced_settings",
    "widget-page": "widget_page",
}
Record = dict[str, Any]


def located(manifest: dict[str, Any], area: str) -> bool:
    """Does the manifest ask for this page? `everywhere` covers the pages without a location of their own."""
    names = [str(name).partition("-")[0] for name in manifest.get("locations", [])]
    location = LOCATIONS.get(area.partition(":")[0])
    return location in names if location else "everywhere" in names


def uses_column(manifest: dict[str, Any]) -> bool:
    """Does it draw in the lead card's right column? `lcard` alone means `lcard-1`."""
    return bool({"lcard", "lcard-1"} & set(manifest.get("locations", [])))


def listed(
    archive: Archive, installation: Installation, client_id: str, *, area: str, lang: str, neighbour: bool
) -> dict[str, Any]:
    """The answer for a page: the widgets of its area in their order, and how many draw in a card's column."""
    widgets: dict[str, Record] = {}
    if neighbour and area in NEIGHBOUR_AREAS:
        widgets[NEIGHBOUR] = _neighbour(lang)
    manifest = archive.manifest()
    if located(manifest, area):
        widgets[archive.code] = _hosted(archive, manifest, installation, client_id, lang)
    drawn = int(neighbour) + int(uses_column(manifest) and installation.active())
    counts = {"leads_card": drawn, "everywhere": 0}
    return {"widgets": widgets, "system": {"displayed_count": drawn, "displayed_count_by_area": counts}}


def language(archive: Archive, lang: str) -> str:
    """The session's language where the archive has it, else the first of the manifest's."""
    locales = archive.manifest()["widget"].get("locale") or [lang]
    return lang if f"i18n/{lang}.json" in archive.files() else str(locales[0])


def texts(archive: Archive, lang: str) -> dict[str, Any]:
    """The widget's texts as the page shows them; empty when the archive has none."""
    body = archive.files().get(f"i18n/{language(archive, lang)}.json", b"{}")
    found: dict[str, Any] = json.loads(body)
    return found


def _hosted(
    archive: Archive, manifest: dict[str, Any], installation: Installation, client_id: str, lang: str
) -> Record:
    widget = manifest["widget"]
    named = texts(archive, lang).get("widget") or {}
    return _record(
        archive.code,
        language(archive, lang),
        active="Y" if installation.active() else "N",
        settings=installation.fields(),
        installed_version=str(widget["version"]),
        init_once="Y" if widget.get("init_once") else "N",
        oauth_client_uuid=client_id,
        support=widget.get("support") or {},
        name=named.get("name", archive.code),
        description=named.get("description", ""),
    )


def _neighbour(lang: str) -> Record:
    return _record(
        NEIGHBOUR,
        lang,
        active="Y",
        settings={},
        installed_version="1.0.0",
        init_once="N",
        oauth_client_uuid=None,
        support={},
        name=NEIGHBOUR,
        description="",
    )


def _record(code: str, lang: str, **more: Any) -> Record:
    path = f"/upl/{code}/widget"
    files = {
        "src": f"{path}/script.js",
        "lang": f"{path}/i18n/{lang}.json",
        "path": path,
        "images_path": f"{path}/images",
    }
    return {**files, "id": 1, "category_id": None, "status": "private", **more}
