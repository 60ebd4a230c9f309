"""What the page asks of the amoCRM simulator: people, leads, pipelines and disposable tokens."""

import json
import threading
import time
from typing import Any

import requests

Row = dict[str, Any]
FRESH_S = 3.0


class Unreachable(RuntimeError):
    """The simulator does not answer, or refuses; the text says what."""


class Simulator:
    """One account of the simulator at `origin`; answers are kept for a few seconds."""

    def __init__(self, origin: str, *, subdomain: str | None = None, client_id: str | None = None) -> None:
        self._origin = origin.rstrip("/")
        self._headers = {"Host": f"{subdomain}.amocrm.ru"} if subdomain else {}
        self._client_id = client_id
        self._kept: dict[str, tuple[float, list[Row]]] = {}
        self._lock = threading.Lock()

    def client_id(self) -> str:
        """The integration whose widget the page hosts: the named one, else the account's first."""
        if self._client_id is None:
            listed = self._call("GET", "/_sandbox/").json().get("integrations") or []
            here = (None, self.account().get("id"))
            known = [one for one in listed if one.get("account_id") in here]
            if not known:
                raise Unreachable("the simulator has no integration yet: add one or pass --client-id")
            self._client_id = str(known[0]["client_id"])
        return self._client_id

    def token(self, user_id: int, claims: Row | None = None) -> str:
        """A fresh disposable token of that user for our integration; `claims` override single ones."""
        body = {"client_id": self.client_id(), "user_id": user_id, **({"claims": claims} if claims else {})}
        return str(self._call("POST", "/_sandbox/widget_token", json_body=body).json()["token"])

    def account(self) -> Row:
        """account.json of the account as it is now."""
        return dict(next(iter(self._truth("account")), {}))

    def users(self) -> list[Row]:
        """All users, in the order of their ids."""
        return sorted(self._truth("users"), key=lambda user: int(user["id"]))

    def pipelines(self) -> list[Row]:
        """All pipelines with their statuses."""
        return self._truth("pipelines")

    def leads(self) -> list[Row]:
        """All leads that are neither deleted nor merged into others."""
        rows = self._truth("leads")
        return [lead for lead in rows if not lead.get("is_deleted") and "_merged_into" not in lead]

    def lead(self, lead_id: int) -> Row | None:
        """One lead, or None."""
        found = (lead for lead in self._truth("leads", f"?id={lead_id}") if lead["id"] == lead_id)
        return next(found, None)

    def _truth(self, entity: str, query: str = "") -> list[Row]:
        path = f"/_sandbox/truth/{entity}{query}"
        with self._lock:
            at, rows = self._kept.get(path, (0.0, []))
            if time.monotonic() - at > FRESH_S or not at:
                lines = self._call("GET", path).content.splitlines()
                rows = [json.loads(line) for line in lines if line.strip()]
                self._kept = {key: kept for key, kept in self._kept.items() if "?" not in key}
                self._kept[path] = (time.monotonic(), rows)
            return rows

    def _call(self, method: str, path: str, json_body: Row | None = None) -> requests.Response:
        try:
            answer = requests.request(
                method, self._origin + path, json=json_body, headers=self._headers, timeout=20
            )
        except requests.RequestException as error:
            raise Unreachable(f"the simulator at {self._origin} does not answer: {error}") from error
        if answer.status_code >= 400:
            raise Unreachable(f"the simulator answered {answer.status_code} to {method} {path}")
        return answer
