"""The simulator on the hand-made account, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.amocrm.main import Simulator
from sandbox.amocrm.storage.state import Source
from tests.sandbox.amocrm.hooked import Queue, subscribe_to_all, write_full_account
from tests.sandbox.amocrm.support import Client, account_json, small_account, write_account


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """The hand-made account as a directory."""
    return write_account(tmp_path / "snapshot", account_json(), small_account())


@pytest.fixture
def simulator(tmp_path: Path, snapshot: Path) -> Iterator[Simulator]:
    """The simulator on a free port, without rate limit."""
    state = tmp_path / "state"
    state.mkdir()
    running = Simulator(state, Source(snapshots=(snapshot,)))
    running.world.switches.change({"rate_limit": 0})
    running.start()
    yield running
    running.close()


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    """A client of the hand-made account with an administrator's token."""
    made = Client(simulator.url)
    yield made
    made.http.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One simulator of the full account for a whole module, whose tests make the cards they work with."""
    home = tmp_path_factory.mktemp("full")
    (home / "state").mkdir()
    running = Simulator(home / "state", Source(snapshots=(write_full_account(home / "snapshot"),)))
    running.world.switches.change({"rate_limit": 0, "hook_disable_after": 1_000_000})
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def shared(full: Simulator) -> Iterator[Client]:
    """A client of the full account, subscribed to every hook."""
    made = Client(full.url)
    subscribe_to_all(made)
    yield made
    made.http.close()


@pytest.fixture
def queue(full: Simulator, shared: Client) -> Queue:
    """The hooks of the full account from here on."""
    return Queue(full)
