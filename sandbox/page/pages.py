"""The pages of the emulated CRM: card, list, integrations, a widget's own pages; whole, or as a fragment."""

from dataclasses import asdict
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request

from sandbox.page import records
from sandbox.page.card import TEXTS, card, open_leads, sees
from sandbox.page.host import Host, constants
from sandbox.page.view import View

LISTED = 40
# What the index page offers to look at: title, switch, (value, label).
SWITCHES = (
    ("Язык", "lang", (("ru", "русский"), ("en", "английский"))),
    ("Тема", "theme", (("light", "светлая"), ("dark", "тёмная"))),
    ("Ширина колонки", "width", ((230, "230"), (280, "280"), (300, "300"))),
    ("Чужие стили", "hostile", ((False, "нет"), (True, "есть"))),
)


def add(app: Flask, host: Host) -> None:
    """Add the pages' addresses."""

    @app.get("/")
    def index() -> str:
        view = host.view()
        return render_template(
            "index.html",
            users=[{**user, "sees": sees(user)} for user in host.simulator.users()],
            leads=open_leads(host.simulator, LISTED),
            view=view,
            switches=SWITCHES,
        )

    @app.get("/leads/detail/<int:lead_id>")
    def lead_card(lead_id: int) -> str | Response:
        view = host.view()
        shown = card(host.simulator, lead_id, view.lang)
        if shown is None:
            abort(404, f"the simulator has no lead {lead_id}")
        return _page(host, "card.html", "leads_card", view, lead=shown["lead"], card=shown)

    @app.get("/leads/list/")
    def lead_list() -> str | Response:
        leads = open_leads(host.simulator, LISTED)
        rows = [{"id": lead["id"], "name": lead["name"], "checked": False} for lead in leads]
        return _page(host, "list.html", "leads", host.view(), rows=rows, leads=leads)

    @app.get("/settings/widgets/")
    def settings() -> str | Response:
        return _page(host, "settings.html", "widgetsSettings", host.view(), **_settings(host))

    @app.get("/settings/widgets/<code>/")
    def advanced(code: str) -> str | Response:
        manifest = host.archive.manifest()
        if code != host.archive.code or "advanced" not in manifest:
            abort(404)
        return _own_page(host, f"advanced-settings:{code}", manifest["advanced"].get("title", ""))

    @app.get("/widget_page/<code>/")
    @app.get("/widget_page/<code>/<item>/")
    @app.get("/widget_page/<code>/<item>/<subitem>/")
    def widget_page(code: str, item: str = "", subitem: str = "") -> str | Response:
        if code != host.archive.code or not records.located(host.archive.manifest(), "widget-page"):
            abort(404)
        return _own_page(host, f"widget-page:{code}", "widget.name")


def _settings(host: Host) -> dict[str, Any]:
    lang = host.view().lang
    return {
        "fields": host.archive.manifest().get("settings") or {},
        "active": host.installation.active(),
        "users": host.simulator.users(),
        "texts": records.texts(host.archive, lang),
        "code": host.archive.code,
        "shown": records.located(host.archive.manifest(), "widgetsSettings"),
    }


def _own_page(host: Host, area: str, title: str) -> str | Response:
    view = host.view()
    title = dotted(records.texts(host.archive, view.lang), title)
    return _page(host, "own_page.html", area, view, code=host.archive.code, title=title)


def dotted(tree: Any, path: str) -> str:
    """The text at a dotted path of an i18n file, or the path itself where there is none."""
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, str) else path


def _page(
    host: Host,
    template: str,
    area: str,
    view: View,
    *,
    lead: dict[str, Any] | None = None,
    rows: list[dict[str, Any]] | None = None,
    **content: Any,
) -> str | Response:
    """The whole document, or for `fragment=1` what an area change inside the CRM fetches."""
    shown = {"t": TEXTS[view.lang], "view": view, "query": view.query(), "dotted": dotted}
    inner = render_template(template, **shown, **content)
    page = {"area": area, "card": _card(lead), "rows": rows, "view": asdict(view)}
    if request.args.get("fragment") == "1":
        return jsonify({"html": inner, "page": page})
    frame = {**page, "constants": constants(host, host.user(view.user))}
    return render_template("page.html", inner=inner, page=frame, **shown)


def _card(lead: dict[str, Any] | None) -> dict[str, Any] | None:
    """What `APP.data.current_card` and its model are made of."""
    if lead is None:
        return None
    model = {
        "ID": lead["id"],
        "lead[NAME]": lead.get("name"),
        "lead[PRICE]": lead.get("price"),
        "lead[STATUS]": lead.get("status_id"),
        "lead[PIPELINE_ID]": lead.get("pipeline_id"),
        "lead[MAIN_USER]": lead.get("responsible_user_id"),
    }
    return {"id": lead["id"], "main_user": lead.get("responsible_user_id"), "model": model}
