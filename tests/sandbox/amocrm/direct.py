"""Calls of the application itself, without a network: hundreds a second."""

import hashlib

from sandbox.amocrm.app import App
from sandbox.amocrm.auth import tokens
from sandbox.amocrm.http import Request, Response
from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.tables import TABLES


class Direct:
    """Calls the application without a network, with an administrator's token."""

    def __init__(self, simulator: Simulator) -> None:
        self.world = simulator.world
        self.app = App(self.world)
        account = self.world.accounts.all()[0]
        made = tokens.Integration(
            client_id="i", client_secret="s", redirect_uri="https://a.example/", account_id=account.id,
            disconnect_uri=None,
        )  # fmt: skip
        with self.world.store.write() as connection:
            tokens.save_integration(connection, made, None, 0)
        self.token = tokens.long_lived(self.world, "i", account, 501, 365)

    def call(self, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Response:
        """One request; the answer must be whole and of the vendor's kinds."""
        given = {"host": "demo.amocrm.ru", "authorization": f"Bearer {self.token}", **headers}
        request = Request(method=method, path=path, query=query, headers=given, body=body, peer="127.0.0.1")
        return self.app(request)

    def digest(self) -> str:
        """Equal as long as nothing in the account has changed."""
        found = hashlib.blake2b()
        with self.world.store.read() as connection:
            for name in (*TABLES, "accounts", "webhooks", "deliveries", "journal", "integrations"):
                for row in connection.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2'):  # noqa: S608
                    found.update(repr(row).encode("utf-8", "backslashreplace"))
        return found.hexdigest()
