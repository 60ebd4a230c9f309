"""The API against its own OpenAPI document: odd requests of every kind get the answers it promises."""

from collections.abc import Callable

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.api.callers import widget_token

EXAMPLES = 60


def asking(headers: dict[str, str]) -> Callable[[schemathesis.Case], None]:
    def ask(case: schemathesis.Case) -> None:
        # Left out: whether a token is looked at, because this one is good whatever was generated; and whether
        # all of the right shape is accepted, because no schema says that ids exist and periods end after they
        # start.
        left_out = [ignored_auth, positive_data_acceptance]
        case.validate_response(case.call(headers=headers), excluded_checks=left_out)

    return ask


@pytest.mark.slow
def test_odd_requests_get_what_the_document_promises(client: FlaskClient) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", client.application)
    headers = {"X-Auth-Token": widget_token(501)}
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        tried.add(operation.path)
        many = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        many(given(case=operation.as_strategy())(asking(headers)))()
    assert tried == {"/api/v1/panel", "/api/v1/kpis", "/api/v1/kpis/{metric_id}/rows"}
