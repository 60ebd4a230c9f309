"""Simulators on the hand-made account that live longer than one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from tests.sandbox.amocrm.support import Client, Row, account_json, small_account, write_account


@contextmanager
def opened(directory: Path, rows: dict[str, list[Row]] | None = None, **more: Any) -> Iterator[Simulator]:
    """A simulator that is not started: its parts without a network.

    `rows` instead of the account's own, `more` over the fields of account.json.
    """
    snapshot = write_account(directory / "snapshot", account_json(**more), rows or small_account())
    state = directory / "state"
    state.mkdir()
    simulator = Simulator(state, Source(snapshots=(snapshot,)))
    simulator.world.switches.change({"rate_limit": 0, "ban_after": 0})
    try:
        yield simulator
    finally:
        simulator.close()


@contextmanager
def running(directory: Path, rows: dict[str, list[Row]] | None = None) -> Iterator[Simulator]:
    """The same, started."""
    with opened(directory, rows) as simulator:
        simulator.start()
        yield simulator


@contextmanager
def client_of(simulator: Simulator) -> Iterator[Client]:
    """A client with an administrator's token."""
    client = Client(simulator.url)
    try:
        yield client
    finally:
        client.http.close()
