"""The services of this application, for the routes."""

from typing import cast

from flask import current_app

from widget_backend.bootstrap import Services

KEY = "widget_backend.services"


def services() -> Services:
    """What ``create_app`` was given."""
    return cast("Services", current_app.extensions[KEY])
