"""Access logs show no secret."""

import importlib.util

import pytest

from tests.support.repository import ROOT

spec = importlib.util.spec_from_file_location("gunicorn_conf", ROOT / "widget_backend" / "gunicorn.conf.py")
assert spec is not None
assert spec.loader is not None
conf = importlib.util.module_from_spec(spec)
spec.loader.exec_module(conf)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("POST /hooks/amocrm/s3cret HTTP/1.1", "POST /hooks/amocrm/[redacted] HTTP/1.1"),
        ("POST /hooks/amocrm/s3cret?a=1 HTTP/1.1", "POST /hooks/amocrm/[redacted]?[redacted] HTTP/1.1"),
        ("POST /hooks/pipeline/s3cret/ HTTP/1.1", "POST /hooks/pipeline/[redacted] HTTP/1.1"),
        ("GET /hooks/amocrm/disconnect HTTP/1.1", "GET /hooks/amocrm/disconnect HTTP/1.1"),
        ("GET /hooks/amocrm/disconnect?s=1 HTTP/1.1", "GET /hooks/amocrm/disconnect?[redacted] HTTP/1.1"),
        ("POST /hooks/amocrm/disconnected HTTP/1.1", "POST /hooks/amocrm/[redacted] HTTP/1.1"),
        ("GET /oauth/callback?code=def&state=1 HTTP/1.1", "GET /oauth/callback?[redacted] HTTP/1.1"),
        ("GET /api/v1/kpis?start=2026-01-01 HTTP/1.1", "GET /api/v1/kpis?start=2026-01-01 HTTP/1.1"),
    ],
)
def test_secret_paths_are_redacted(line: str, shown: str) -> None:
    assert conf.redact(line) == shown
