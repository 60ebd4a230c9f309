"""What the host's own scripts ask: the widgets of a page, disposable tokens, saving a widget's settings."""

import threading

from flask import Flask, Response, abort, jsonify, request

from sandbox.page import records, tokens
from sandbox.page.host import Host


def add(app: Flask, host: Host) -> None:
    """Add the addresses under /ajax/."""

    @app.post("/ajax/widgets/list")
    def widgets_list() -> Response:
        return jsonify(
            records.listed(
                host.archive,
                host.installation,
                host.simulator.client_id(),
                area=request.form.get("area", "leads_card"),
                lang=request.form.get("lang", "ru"),
                neighbour=host.viewer().neighbour,
            )
        )

    @app.post("/ajax/widgets/edit")
    def widgets_edit() -> Response:
        told = request.get_json()
        if told.get("code") != host.archive.code:
            abort(404)
        host.installation.change(active=told["active"] == "Y", fields=told["fields"])
        return jsonify({"status": "ok"})

    @app.get("/ajax/v2/integrations/<client_uuid>/disposable_token")
    def disposable_token(client_uuid: str) -> Response:
        if client_uuid != host.simulator.client_id() or "X-Requested-With" not in request.headers:
            abort(404)
        view = host.viewer()
        if view.token_delay:
            threading.Event().wait(view.token_delay / 1000)
        if view.token == "error":
            abort(500)
        return jsonify({"token": tokens.disposable(host.simulator, view.user, view.token)})
