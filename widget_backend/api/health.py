"""Whether the process is alive, and whether what it needs is there."""

import redis
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from widget_backend.api.wiring import services
from widget_backend.db import migrate

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """200 as long as the process answers."""
    return jsonify({"status": "ok"})


@bp.get("/readyz")
def readyz() -> Response:
    """200 when database, schema and Redis are usable, else 503 with what is not. No details beyond that."""
    checks = {"database": False, "migrations": False, "redis": False}
    try:
        checks["migrations"] = migrate.current(services().engine) == migrate.head()
        checks["database"] = True
    except SQLAlchemyError:
        checks["database"] = False
    try:
        checks["redis"] = bool(services().redis.ping())
    except redis.RedisError:
        checks["redis"] = False
    response = jsonify({"status": "ok" if all(checks.values()) else "not_ready", "checks": checks})
    response.status_code = 200 if all(checks.values()) else 503
    return response
