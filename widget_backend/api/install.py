"""Where amoCRM sends people back to after they allowed access, and where it reports a removal."""

from flask import Blueprint, Response, render_template, request

from widget_backend.api.errors import language
from widget_backend.api.wiring import services
from widget_backend.db.engine import session_scope
from widget_backend.errors import InputError
from widget_backend.oauth.install import accept_callback, disconnect
from widget_backend.schedule import cancel, notify

bp = Blueprint("install", __name__)


@bp.after_request
def _private(response: Response) -> Response:
    """The address holds a code: nobody keeps the page, and no link or picture tells the address on."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/oauth/callback")
def callback() -> tuple[str, int] | str:
    """Keep the code, wake a worker, and tell the person what happens next."""
    try:
        with session_scope(services().engine) as session:
            accept_callback(session, services().vault, request.args)
            notify(session)
    except InputError as error:
        return render_template("install.html", lang=language(), error=error), error.status
    return render_template("install.html", lang=language(), error=None)


@bp.get("/hooks/amocrm/disconnect")
def disconnected() -> Response:
    """Stop the account if the signature is right; 200 in any other case than a wrong one."""
    with session_scope(services().engine) as session:
        disconnect(session, services().vault, request.args, cancel)
    return Response(status=200)
