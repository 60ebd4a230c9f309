"""The dispatcher: what it sends, when it sends again, and what it survives."""

import itertools
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from kombu.exceptions import OperationalError as QueueDown
from sqlalchemy import text

from tests.support.builders import ACCOUNT
from tests.support.waiting import wait_until
from tests.workers.rows import row
from widget_backend import schedule
from widget_backend.bootstrap import Services, wait_for_role
from widget_backend.clock import now
from widget_backend.db.engine import make_engine, session_scope
from widget_backend.errors import ConfigError
from widget_backend.jobs import Job
from widget_backend.oauth.models import InstallRequest
from widget_backend.sync.install import periods
from workers import dispatcher
from workers.dispatcher import InstallRetries, dispatch, keep_listening


class Queue:
    """Takes messages instead of Celery, or refuses them after so many."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[int]]] = []
        self.room: int | None = None

    def send_task(self, name: str, args: list[int]) -> None:
        if self.room is not None and len(self.sent) >= self.room:
            raise QueueDown("no Redis")
        self.sent.append((name, args))

    def names(self) -> set[str]:
        return {name for name, _ in self.sent}


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue()
    monkeypatch.setattr(dispatcher, "app", made)
    return made


def ask_to_install(services: Services, **columns: Any) -> int:
    with session_scope(services.engine) as session:
        request = InstallRequest(
            client_id=f"client-{ACCOUNT}", referer="demo.amocrm.ru", received_at=now(), **columns
        )
        session.add(request)
        session.flush()
        return request.id


def test_everything_due_is_sent_once(services: Services, queue: Queue) -> None:
    assert dispatch(services, InstallRetries()) == len(periods(services.settings))
    assert queue.names() == {str(job) for job in periods(services.settings)}
    assert dispatch(services, InstallRetries()) == 0


def test_more_than_one_batch_goes_out_in_one_go(
    services: Services, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 2)
    assert dispatch(services, InstallRetries()) == len(periods(services.settings))


def test_what_cannot_be_sent_is_given_back(services: Services, queue: Queue) -> None:
    queue.room = 3
    with pytest.raises(QueueDown):
        dispatch(services, InstallRetries())
    queue.room = None
    dispatch(services, InstallRetries())
    names = [name for name, _ in queue.sent]
    assert sorted(names) == sorted(str(job) for job in periods(services.settings)), "each once"


def test_an_unfinished_installation_is_sent_again_but_ever_more_rarely(
    services: Services, queue: Queue
) -> None:
    waiting = ask_to_install(services)
    ask_to_install(services, finished_at=now())
    installs = InstallRetries()
    for _ in range(5):
        dispatch(services, installs)
    sent = [args for name, args in queue.sent if name == Job.EXCHANGE_CODE]
    assert sent == [[waiting]]


def test_pauses_between_tries_of_an_installation() -> None:
    installs = InstallRetries()
    tries = [second for second in range(3600) if installs.due([7], float(second))]
    gaps = [b - a for a, b in itertools.pairwise(tries)]
    assert gaps[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert set(gaps[7:]) == {300}
    assert installs.due([7, 8], 3600.0) == [8]
    assert installs.due([], 3601.0) == []
    assert installs.tries == {}, "finished ones are forgotten"


@pytest.fixture
def running(
    services: Services, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Thread, Event]]:
    """A dispatcher at work. Its sweep is off, so that only notices wake it."""
    monkeypatch.setattr(dispatcher, "SWEEP_S", 600.0)
    monkeypatch.setattr(dispatcher, "COALESCE_S", 0.01)
    stop = Event()
    thread = Thread(target=keep_listening, args=(services, stop))
    thread.start()
    wait_until(lambda: len(queue.sent) >= len(periods(services.settings)), "the first look")
    yield thread, stop
    stop.set()
    thread.join(30)
    assert not thread.is_alive(), "a request to stop is noticed"


def finish(services: Services, job: Job) -> None:
    with session_scope(services.engine) as session:
        claim = schedule.Claim(account_id=ACCOUNT, job=job, seen=row(services, job).requests)
        schedule.finish(session, claim)


def test_a_request_wakes_it(services: Services, queue: Queue, running: object) -> None:
    finish(services, Job.PROCESS_HOOKS)
    queue.sent.clear()
    with session_scope(services.engine) as session:
        schedule.request(session, ACCOUNT, Job.PROCESS_HOOKS)
    wait_until(lambda: queue.names() == {str(Job.PROCESS_HOOKS)}, "the job is handed out")


def test_a_lost_listening_connection_is_made_again(
    services: Services, queue: Queue, running: tuple[Thread, Event]
) -> None:
    finish(services, Job.PROCESS_HOOKS)
    with services.engine.begin() as connection:
        killed = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
            )
        ).scalar()
    assert killed == 1
    queue.sent.clear()
    with session_scope(services.engine) as session:
        schedule.request(session, ACCOUNT, Job.PROCESS_HOOKS)
    wait_until(lambda: str(Job.PROCESS_HOOKS) in queue.names(), "it listens again, or looked by itself")
    assert running[0].is_alive()


def test_an_outage_is_named_once_and_its_end_too(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    stop = Event()

    class Log:
        def warning(self, event: str, **_: Any) -> None:
            said.append(event)

        def info(self, event: str, **_: Any) -> None:
            said.append(event)
            stop.set()

    attempts: list[int] = []

    def down(*_: Any) -> int:
        attempts.append(1)
        if len(attempts) < 4:
            raise psycopg.OperationalError("starting up")
        return 0

    monkeypatch.setattr(dispatcher, "log", Log())
    monkeypatch.setattr(dispatcher, "listen", down)
    monkeypatch.setattr(dispatcher, "dispatch", down)
    monkeypatch.setattr(stop, "wait", lambda _s: False)
    keep_listening(services, stop)
    assert said == ["dispatcher.server_lost", "dispatcher.servers_back"]


def test_a_defect_is_not_taken_for_an_outage(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(dispatcher, "listen", broken)
    with pytest.raises(KeyError):
        keep_listening(services, Event())


def test_the_role_is_checked_as_soon_as_the_database_answers(services: Services, database: Any) -> None:
    away = make_engine("postgresql://app@127.0.0.1:9/app")
    waits: list[float] = []

    def give_up_later(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 3

    wait_for_role(away, give_up_later)
    assert len(waits) == 3
    wait_for_role(services.engine)
    owner = make_engine(database.owner_url)
    with pytest.raises(ConfigError, match="owner of tables"):
        wait_for_role(owner)
    owner.dispose()
