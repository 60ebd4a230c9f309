"""Callers of the API: the tokens amoCRM's page would send, and what must be in each answer."""

import time
from dataclasses import dataclass
from typing import Any

import jwt
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.builders import ACCOUNT

SECRET = "a-secret-of-sixty-four-characters-a-secret-of-sixty-four-characters"
JANUARY = {"start": "2026-01-01", "end": "2026-01-31"}


def widget_token(user_id: int, account_id: int = ACCOUNT, secret: str = SECRET, **claims: Any) -> str:
    """What `$authorizedAjax` sends."""
    issued = int(time.time())
    return jwt.encode(
        {
            "iss": "https://demo.amocrm.ru",
            "aud": "https://kpi.example.com",
            "jti": "one",
            "iat": issued,
            "nbf": issued,
            "exp": issued + 1800,
            "account_id": account_id,
            "user_id": user_id,
            "subdomain": "demo",
            "client_uuid": f"client-{account_id}",
            **claims,
        },
        secret,
        algorithm="HS256",
    )


@dataclass
class Caller:
    """Asks as one user or another."""

    client: FlaskClient

    def get(self, path: str, user_id: int, account_id: int = ACCOUNT, **query: Any) -> TestResponse:
        token = widget_token(user_id, account_id)
        return self.client.get(f"/api/v1/{path}", query_string=query, headers={"X-Auth-Token": token})

    def value(self, metric: str, user_id: int, **query: Any) -> Any:
        """One number for January."""
        answer = self.get("kpis", user_id, metric=metric, **JANUARY, **query)
        assert answer.status_code == 200, answer.text
        return answer.json["metrics"][0]["rows"][0]["value"]  # type: ignore[index]
