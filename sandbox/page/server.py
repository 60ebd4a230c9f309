"""The routes of the emulated page."""

import json
import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, Response, abort, jsonify, render_template, request, send_file

from sandbox.page import libraries
from sandbox.page.archive import Archive
from sandbox.page.card import TEXTS, card, open_leads, sees
from sandbox.page.simulator import Simulator, Unreachable

WIDTHS = range(200, 501)
DUMMY = "sandbox_neighbour"
DUMMY_FILES = Path(__file__).resolve().parent / "static" / "neighbour"
LISTED = 40
# What the index page offers to look at: title, key of the view, (value, label).
SWITCHES = (
    ("Язык", "lang", (("ru", "русский"), ("en", "английский"))),
    ("Тема", "theme", (("light", "светлая"), ("dark", "тёмная"))),
    ("Ширина колонки", "width", ((230, "230"), (280, "280"), (300, "300"))),
    ("Чужие стили", "hostile", ((False, "нет"), (True, "есть"))),
)


def create_app(simulator: Simulator, archive: Archive, modules: Path) -> Flask:
    """The application: card, lists, widget files, libraries, tokens."""
    app = Flask(__name__)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _add_pages(app, simulator, archive)
    _add_ajax(app, simulator, archive)
    _add_files(app, archive, modules)

    @app.errorhandler(Unreachable)
    def unreachable(error: Unreachable) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 502

    @app.after_request
    def fresh(response: Response) -> Response:
        # A rebuilt archive or an edited page shows at the next load.
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def _view(users: list[dict[str, Any]]) -> dict[str, Any]:
    """What the address asks for: whose session, language, theme, width of the column, hostile styles."""
    lang = request.args.get("lang", "ru")
    width = request.args.get("width", 280, int)
    return {
        "user_id": request.args.get("user", int(users[0]["id"]) if users else 0, int),
        "lang": lang if lang in TEXTS else "ru",
        "theme": "dark" if request.args.get("theme") == "dark" else "light",
        "width": width if width in WIDTHS else 280,
        "hostile": request.args.get("hostile") == "1",
    }


def _add_pages(app: Flask, simulator: Simulator, archive: Archive) -> None:
    @app.get("/")
    def index() -> str:
        users = simulator.users()
        view = _view(users)
        return render_template(
            "index.html",
            users=[{**user, "sees": sees(user)} for user in users],
            leads=open_leads(simulator, LISTED),
            view=view,
            query=_query(view),
            query_with=lambda name, value: _query({**view, name: value}),
            switches=SWITCHES,
        )

    @app.get("/leads/detail/<int:lead_id>")
    def lead_card(lead_id: int) -> str | Response:
        view = _view(simulator.users())
        shown = card(simulator, lead_id, view["lang"])
        if shown is None:
            abort(404, f"the simulator has no lead {lead_id}")
        return _page("card.html", "leads_card", view, {"card": shown})

    @app.get("/leads/list/")
    def lead_list() -> str | Response:
        view = _view(simulator.users())
        return _page("list.html", "leads", view, {"leads": open_leads(simulator, LISTED)})

    @app.get("/settings/widgets/")
    def settings() -> str | Response:
        fields = archive.manifest()["settings"]
        texts = json.loads(archive.files()[f"i18n/{_view(simulator.users())['lang']}.json"])
        view = _view(simulator.users())
        return _page(
            "settings.html", "widgetsSettings", view, {"fields": fields, "texts": texts, "archive": archive}
        )

    def _page(template: str, area: str, view: dict[str, Any], content: dict[str, Any]) -> str | Response:
        inner = render_template(template, t=TEXTS[view["lang"]], view=view, query=_query(view), **content)
        lead = content.get("card", {}).get("lead", {})
        page = {
            "area": area,
            "lead_id": lead.get("id"),
            "main_user": lead.get("responsible_user_id"),
            "view": view,
        }
        if request.args.get("fragment") == "1":
            return jsonify({"html": inner, "page": page})
        frame = {**page, "user": _user(simulator, view["user_id"]), "account": simulator.account()}
        return render_template(
            "page.html", inner=inner, page=frame, view=view, t=TEXTS[view["lang"]], query=_query(view)
        )


def _query(view: dict[str, Any]) -> str:
    hostile = "&hostile=1" if view["hostile"] else ""
    return f"?user={view['user_id']}&lang={view['lang']}&theme={view['theme']}&width={view['width']}{hostile}"


def _user(simulator: Simulator, user_id: int) -> dict[str, Any]:
    known = next((user for user in simulator.users() if user["id"] == user_id), None)
    # An id of nobody is allowed: a dismissed user's session is a case of its own.
    return known or {"id": user_id, "name": "?", "email": ""}


def _add_ajax(app: Flask, simulator: Simulator, archive: Archive) -> None:
    @app.post("/ajax/widgets/list")
    def widgets_list() -> Response:
        lang = request.form.get("lang", "ru")
        return jsonify(
            {
                "widgets": {
                    DUMMY: _record(DUMMY, "1.0.0", lang, None),
                    archive.code: _record(
                        archive.code, archive.manifest()["widget"]["version"], lang, simulator.client_id()
                    ),
                },
                "system": {
                    "displayed_count": 2,
                    "displayed_count_by_area": {"leads_card": 2, "everywhere": 0},
                },
            }
        )

    @app.get("/ajax/v2/integrations/<client_uuid>/disposable_token")
    def disposable_token(client_uuid: str) -> Response:
        if client_uuid != simulator.client_id() or "X-Requested-With" not in request.headers:
            abort(404)
        # The real CRM's session is a cookie; here the page's address names the user, so two tabs may differ.
        asked = parse_qs(urlsplit(request.headers.get("Referer", "")).query).get("user")
        user_id = int(asked[0]) if asked else int(simulator.users()[0]["id"])
        return jsonify({"token": simulator.token(user_id)})


def _record(code: str, version: str, lang: str, client_uuid: str | None) -> dict[str, Any]:
    path = f"/upl/{code}/widget"
    return {
        "src": f"{path}/script.js",
        "lang": f"{path}/i18n/{lang}.json",
        "path": path,
        "images_path": f"{path}/images",
        "active": "Y",
        "settings": {},
        "installed_version": version,
        "init_once": "N",
        "id": 1,
        "oauth_client_uuid": client_uuid,
        "status": "private",
    }


def _add_files(app: Flask, archive: Archive, modules: Path) -> None:
    @app.get("/upl/<code>/widget/<path:name>")
    def widget_file(code: str, name: str) -> Response:
        if code == DUMMY and (DUMMY_FILES / name).is_file() and ".." not in name:
            return Response((DUMMY_FILES / name).read_bytes(), mimetype=_mime(name))
        body = archive.files().get(name) if code == archive.code else None
        if body is None:
            abort(404)
        return Response(body, mimetype=_mime(name))

    @app.get("/lib/<name>")
    def library(name: str) -> Response:
        path = libraries.path_of(name, modules)
        return send_file(path) if path else abort(404)

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return Response(status=204)


def _mime(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
