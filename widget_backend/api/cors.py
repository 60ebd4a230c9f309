"""Cross-origin answers for the widget: the account pages' origins, errors and preflights included."""

import re

from flask import Flask, Response, request

AMOCRM_ORIGIN = re.compile(r"https://[a-z0-9][a-z0-9-]*\.(amocrm\.(ru|com)|kommo\.com)")
HEADERS = "X-Auth-Token, Content-Type, X-Requested-With, Idempotency-Key, If-None-Match, Authorization"
EXPOSED = "X-Request-ID, Retry-After, ETag, Content-Disposition"
METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
PREFIX = "/api/"


def register(app: Flask, extra_origins: tuple[str, ...]) -> None:
    """Answer preflights without authentication and mark every API answer, so that errors stay readable."""

    def allowed(origin: str) -> bool:
        return origin in extra_origins or AMOCRM_ORIGIN.fullmatch(origin) is not None

    @app.before_request
    def _preflight() -> Response | None:
        if request.method == "OPTIONS" and request.path.startswith(PREFIX):
            return Response(status=204)
        return None

    @app.after_request
    def _mark(response: Response) -> Response:
        if not request.path.startswith(PREFIX):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin and allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = METHODS
                response.headers["Access-Control-Allow-Headers"] = HEADERS
                response.headers["Access-Control-Max-Age"] = "600"
        return response
