"""The page's own doors under /_sandbox/: what it hosts, and the widget's state in the account."""

from dataclasses import Field, fields
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.page.host import Host
from sandbox.page.view import CHOICES, View


def add(app: Flask, host: Host) -> None:
    """Add the doors."""

    @app.get("/_sandbox/")
    def doors_index() -> Response:
        switches = {field.name: _values(field) for field in fields(View)}
        calls = ["GET /_sandbox/", "GET /_sandbox/widget", "POST /_sandbox/widget"]
        return jsonify({"widget": _widget(host), "switches": switches, "calls": calls})

    @app.get("/_sandbox/widget")
    def widget_state() -> Response:
        return jsonify(_widget(host))

    @app.post("/_sandbox/widget")
    def set_widget() -> Response | tuple[Response, int]:
        told: Any = request.get_json(force=True, silent=True)
        fault = _fault(told)
        if fault:
            return jsonify({"error": fault}), 400
        active = {"Y": True, "N": False}.get(told.get("active"))
        host.installation.change(active=active, fields=told.get("settings"))
        return jsonify(_widget(host))


def _values(switch: Field[Any]) -> tuple[str, ...] | str:
    """What may stand in the address for a switch."""
    return CHOICES.get(switch.name) or (("0", "1") if switch.type is bool else "a number")


def _fault(told: Any) -> str | None:
    if not isinstance(told, dict) or set(told) - {"active", "settings"}:
        return 'tell {"active": "Y" or "N", "settings": {…}}, or one of them'
    if told.get("active") not in (None, "Y", "N"):
        return "active is Y or N"
    if not isinstance(told.get("settings"), dict | None):
        return "settings is an object"
    return None


def _widget(host: Host) -> dict[str, Any]:
    active = "Y" if host.installation.active() else "N"
    return {"code": host.archive.code, "active": active, "settings": host.installation.fields()}
