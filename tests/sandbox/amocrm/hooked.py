"""An account with something of everything, and the hooks that a subscriber to all of them would get."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.vocabulary import HOOK_NAMES
from tests.sandbox.amocrm.support import Client, Row, a_contact, account_json, small_account, write_account

# Nothing listens on the discard port: what is sent there is read from the queue instead.
DESTINATION = "http://127.0.0.1:9/everything"
COLUMN_HOOK = "http://127.0.0.1:9/column"
Pair = tuple[str, str]


def write_full_account(directory: Path) -> Path:
    """The hand-made account with customers, a list of goods, dates in fields and companies' fields."""
    rows = small_account()
    fields = {"id": 912, "name": "Дата", "code": None, "type": "date", "sort": 3, "enums": None}
    rows["custom_fields_leads"].append(fields)
    email = {**rows["custom_fields_contacts"][0], "id": 302, "name": "Email", "code": "EMAIL"}
    email["enums"] = [{"id": 721, "value": "WORK", "sort": 1}]
    rows["custom_fields_contacts"].append(email)
    rows["custom_fields_companies"] = [dict(rows["custom_fields_contacts"][0])]
    customer = {k: v for k, v in a_contact(11001, name="Постоянный").items()
                if k not in ("first_name", "last_name", "is_unsorted")}  # fmt: skip
    rows["customers"] = [{**customer, "status_id": 1, "next_price": 500, "next_date": 1760500000}]
    rows["catalogs"] = [{"id": 41, "name": "Товары", "type": "products", "account_id": 31000001}]
    rows["catalog_elements"] = [{"id": 42, "catalog_id": 41, "name": "Стол", "is_deleted": False}]
    return write_account(directory, account_json(customers_mode="segments"), rows)


def subscribe_to_all(client: Client) -> None:
    """One subscription to every name there is."""
    body = {"destination": DESTINATION, "settings": sorted(HOOK_NAMES)}
    response = client.call("POST", "webhooks", json=body)
    assert response.status_code == 201, response.text


class Queue:
    """The bodies that were queued since the last look."""

    def __init__(self, simulator: Simulator) -> None:
        self._store = simulator.world.store
        self._seen = 0
        self.fresh()

    def fresh(self, destination: str = DESTINATION) -> list[bytes]:
        """Bodies for a destination, in the order they were queued; those for others are passed over."""
        with self._store.read() as connection:
            found = connection.execute(
                "SELECT id, destination, body FROM deliveries WHERE id > ? ORDER BY id", (self._seen,)
            ).fetchall()
        self._seen = max([self._seen, *(row[0] for row in found)])
        return [bytes(body) for _, where, body in found if where == destination]


def pairs_of(body: bytes) -> list[Pair]:
    """The body's names and values, decoded."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def head_of(body: bytes) -> str:
    """What the body is about, such as `leads[status]`."""
    names = [name for name, _ in pairs_of(body) if not name.startswith("account[")]
    found = {match[0] for name in names if (match := re.match(r"\w+\[\w+\]", name))}
    (head,) = found
    return head


def heads(bodies: list[bytes]) -> list[str]:
    """What the bodies are about, sorted."""
    return sorted(head_of(body) for body in bodies)


def fields_of(body: bytes, index: int = 0) -> dict[str, str]:
    """The fields of one element: `custom_fields][0][id` → `custom_fields.0.id`."""
    prefix = f"{head_of(body)}[{index}]["
    return {name.removeprefix(prefix)[:-1].replace("][", "."): value
            for name, value in pairs_of(body) if name.startswith(prefix)}  # fmt: skip


def one(bodies: list[bytes], head: str) -> dict[str, str]:
    """The fields of the only body with this head, which holds one element."""
    (body,) = [body for body in bodies if head_of(body) == head]
    return fields_of(body)


def made(client: Client, action: str, /, **params: Any) -> int:
    """The id of what an action made."""
    return int(client.do(action, **params)["id"])


def unsorted_uid(client: Client, lead_id: int) -> str:
    """The uid of the incoming lead behind which a lead stands."""
    rows: list[Row] = client.truth("unsorted")
    return str(next(row["uid"] for row in rows if {"id": lead_id} in row["_embedded"]["leads"]))
