"""Files that the page serves: the uploaded widget's, the neighbour's, the host's libraries and templates."""

import json
import mimetypes
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort
from werkzeug.security import safe_join

from sandbox.page import libraries
from sandbox.page.archive import Archive
from sandbox.page.records import NEIGHBOUR, NEIGHBOUR_FILES

HERE = Path(__file__).resolve().parent
TWIGS = HERE / "tmpl"


def add(app: Flask, archive: Archive, modules: Path) -> None:
    """Add the addresses of files."""

    @app.get("/upl/<code>/widget/<path:name>")
    def widget_file(code: str, name: str) -> Response:
        if code == NEIGHBOUR:
            path = safe_join(str(NEIGHBOUR_FILES), name)
            return _whole(Path(path) if path else None)
        body = archive.files().get(name) if code == archive.code else None
        if body is None:
            abort(404)
        return Response(body, mimetype=_mime(name))

    @app.get("/lib/<name>")
    def library(name: str) -> Response:
        path = libraries.path_of(name, modules)
        return _whole(path)

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        path = safe_join(str(HERE / "static"), name)
        return _whole(Path(path) if path else None)

    @app.get("/frontend/build/templates.js")
    def templates() -> Response:
        return Response(_bundle(), mimetype="text/javascript")

    @app.get("/favicon.ico")
    def favicon() -> Response:
        return Response(status=204)


def _whole(path: Path | None) -> Response:
    """The file's bytes; 404 without one. Flask's own sender forgets to close what it answers with 304."""
    if path is None or not path.is_file():
        abort(404)
    return Response(path.read_bytes(), mimetype=_mime(path.name))


@cache
def _bundle() -> str:
    """An AMD module of the host's own twigs by their addresses, as `render({ref})` names them."""
    texts = {
        f"/{path.relative_to(TWIGS.parent).as_posix()}": path.read_text(encoding="utf-8")
        for path in sorted(TWIGS.rglob("*.twig"))
    }
    return f"define([], function () {{ return {json.dumps(texts, ensure_ascii=False)}; }});\n"


def _mime(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
