"""The application of the emulated page: addresses of people, of the host's scripts, and of tests."""

from pathlib import Path
from zipfile import BadZipFile

from flask import Flask, Response, jsonify

from sandbox.page import ajax, doors, files, pages
from sandbox.page.archive import Archive
from sandbox.page.host import Host
from sandbox.page.installation import Installation
from sandbox.page.simulator import Simulator, Unreachable


def create_app(simulator: Simulator, archive: Archive, modules: Path) -> Flask:
    """Cards, lists, settings, widget files, libraries, tokens and the page's own doors."""
    app = Flask(__name__, static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    host = Host(simulator=simulator, archive=archive, installation=Installation())
    pages.add(app, host)
    ajax.add(app, host)
    files.add(app, archive, modules)
    doors.add(app, host)

    @app.errorhandler(Unreachable)
    def unreachable(error: Unreachable) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 502

    @app.errorhandler(BadZipFile)
    def unreadable(error: BadZipFile) -> tuple[Response, int]:
        return jsonify({"error": f"the archive cannot be read: {error}"}), 500

    @app.after_request
    def fresh(response: Response) -> Response:
        # A rebuilt archive or an edited page shows at the next load.
        response.headers["Cache-Control"] = "no-store"
        return response

    return app
