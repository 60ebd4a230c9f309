"""The Flask application: wiring, routes, error handlers. No logic."""

from flask import Flask, Response, request
from flask_openapi3 import Info, OpenAPI
from pydantic import ValidationError
from werkzeug.middleware.proxy_fix import ProxyFix

from widget_backend import __version__, logs
from widget_backend.api import cors, errors, health, hooks, install, kpis, panel
from widget_backend.api.schemas import ErrorAnswer
from widget_backend.api.wiring import KEY
from widget_backend.bootstrap import Services, check_role
from widget_backend.webhooks.inbox import LARGEST_BODY


def create_app(services: Services | None = None) -> Flask:
    """The application around given services, or those of the environment.

    Raises ConfigError for an incomplete environment or a database role that row-level security does not bind.
    """
    if services is None:
        services = _from_environment()
    app = OpenAPI(
        __name__,
        info=Info(title="Sales reporting for amoCRM", version=__version__),
        doc_prefix="/api/v1",
        doc_url="/openapi.json",
        doc_ui=True,
        security_schemes={"widget": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        validation_error_status=400,
        validation_error_model=ErrorAnswer,
        validation_error_callback=_invalid,
    )
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[KEY] = services
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    errors.register(app)
    cors.register(app, services.settings.widget_origins)
    for blueprint in (hooks.bp, install.bp, health.bp):
        app.register_blueprint(blueprint)
    for api in (kpis.api, panel.api):
        app.register_api(api)
    app.after_request(_cheap_repeats)
    return app


def _from_environment() -> Services:
    made = Services.from_environ()
    logs.configure(made.settings.log_level)
    check_role(made.engine)
    return made


def _invalid(error: ValidationError) -> Response:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or None
    return errors.error_answer(400, "bad_input", message=first["msg"], field=name)


def _cheap_repeats(response: Response) -> Response:
    """An ETag on every successful read, and 304 when the caller has it already.

    The answer depends on who asks and in which language; ``no-cache`` makes every use of a copy ask again.
    """
    reads = request.method in ("GET", "HEAD")
    if reads and response.status_code == 200 and request.path.startswith("/api/"):
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.update(("X-Auth-Token", "Accept-Language"))
        response.add_etag()
        response.make_conditional(request)
    return response
