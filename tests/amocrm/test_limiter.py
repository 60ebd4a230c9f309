"""The request budget as a property: never more than N grants in any sliding second, whoever asks."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.amocrm.limiter_crowd import grants_of_a_process
from widget_backend.amocrm.limiter import WINDOW_US, Priority, RedisBudget
from widget_backend.errors import AccountBlocked, AmoRateLimited

SECOND = 1_000_000
START = 1_700_000_000 * SECOND


class Clock:
    """A clock that tests move."""

    def __init__(self, now_us: int = START):
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


def budget(store: redis.Redis, clock: Clock, per_second: int = 6, client_id: str = "one") -> RedisBudget:
    return RedisBudget(store, 31000001, client_id, per_second=per_second, now_us=clock)


def ready(store: redis.Redis, clock: Clock, **more: int) -> RedisBudget:
    """A budget past its first window, with nobody urgent waiting."""
    made = budget(store, clock, **more)
    assert made.ask(Priority.BACKFILL) > 0
    clock.now_us += WINDOW_US
    return made


def most_in_a_second(grants: list[int]) -> int:
    """The largest number of grants in any closed interval of one second."""
    ordered = sorted(grants)
    return max(
        (sum(1 for g in ordered[i:] if g - first <= SECOND) for i, first in enumerate(ordered)), default=0
    )


def test_a_new_budget_waits_one_full_window(store: redis.Redis, clock: Clock) -> None:
    one = budget(store, clock)
    assert one.ask(Priority.USER) == pytest.approx(WINDOW_US / SECOND)
    clock.now_us += WINDOW_US - 1
    assert one.ask(Priority.USER) > 0
    clock.now_us += 1
    assert one.ask(Priority.USER) == 0


@pytest.mark.parametrize("loss", ["everything", "log", "state"])
def test_state_that_is_gone_waits_one_full_window(store: redis.Redis, clock: Clock, loss: str) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.USER) == 0
    names = [key for key in store.keys() if loss == "everything" or key.endswith(loss.encode())]  # noqa: SIM118
    assert names
    store.delete(*names)
    clock.now_us += SECOND // 2
    assert one.ask(Priority.USER) == pytest.approx(WINDOW_US / SECOND)


def test_another_server_run_is_taken_for_lost_state(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.USER) == 0
    (state,) = [key for key in store.keys() if key.endswith(b"state")]  # noqa: SIM118
    store.hset(state, "run", "beforetherestart")
    clock.now_us += SECOND // 2
    assert one.ask(Priority.USER) == pytest.approx(WINDOW_US / SECOND)


def test_a_clock_that_jumps_back_is_taken_for_lost_state(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.USER) == 0
    clock.now_us -= 3600 * SECOND
    assert one.ask(Priority.USER) == pytest.approx(WINDOW_US / SECOND)


def test_keys_expire(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.USER) == 0
    assert all(0 < store.ttl(key) <= 3600 for key in store.keys())  # noqa: SIM118


def test_accounts_and_integrations_have_budgets_of_their_own(store: redis.Redis, clock: Clock) -> None:
    one, other = budget(store, clock), budget(store, clock, client_id="two")
    assert one.ask(Priority.USER) > 0
    assert other.ask(Priority.USER) > 0
    clock.now_us += WINDOW_US
    assert one.ask(Priority.USER) == other.ask(Priority.USER) == 0


def test_the_hint_is_the_moment_of_the_next_slot(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    for _ in range(20):
        while wait := one.ask(Priority.BACKFILL):
            clock.now_us += round(wait * SECOND)
    grants = 0
    start = clock.now_us
    while clock.now_us - start < 10 * SECOND:
        wait = one.ask(Priority.BACKFILL)
        grants += wait == 0
        clock.now_us += round(wait * SECOND)
    assert 59 <= grants <= 61


Step = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 1_500_000)),
    st.tuples(st.just("ask"), st.sampled_from(list(Priority))),
    st.tuples(st.just("burst"), st.integers(1, 20)),
    st.tuples(st.just("wipe"), st.just(0)),
    st.tuples(st.just("pause"), st.integers(0, 3)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(per_second=st.integers(1, 9), steps=st.lists(Step, max_size=60), hints=st.booleans())
def test_never_more_than_n_grants_in_any_sliding_second(
    store: redis.Redis, per_second: int, steps: list[tuple[str, int]], hints: bool
) -> None:
    store.flushdb()
    clock = Clock()
    two = [budget(store, clock, per_second), budget(store, clock, per_second)]
    grants: list[int] = []

    def ask(number: int, priority: Priority) -> None:
        wait = two[number % 2].ask(priority)
        if wait == 0:
            grants.append(clock.now_us)
        elif hints:
            clock.now_us += round(wait * SECOND)

    for number, (what, value) in enumerate(steps):
        if what == "pass":
            clock.now_us += value
        elif what == "wipe":
            store.flushdb()
        elif what == "pause":
            two[0].pause(value)
        else:
            for turn in range(value if what == "burst" else 1):
                ask(number + turn, Priority(value) if what == "ask" else Priority.HOOKS)
    assert most_in_a_second(grants) <= per_second


def test_the_more_urgent_waiter_goes_first(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.BACKFILL) == 0
    assert one.ask(Priority.BACKFILL) > 0
    wait = one.ask(Priority.USER)
    assert wait > 0
    clock.now_us += round(wait * SECOND)
    assert one.ask(Priority.BACKFILL) > 0
    assert one.ask(Priority.INCREMENTAL) > 0
    assert one.ask(Priority.USER) == 0


def test_a_waiter_that_went_away_does_not_block_the_rest(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    assert one.ask(Priority.BACKFILL) == 0
    assert one.ask(Priority.USER) > 0
    clock.now_us += SECOND
    assert one.ask(Priority.BACKFILL) == 0


def test_a_pause_holds_everybody_and_ends(store: redis.Redis, clock: Clock) -> None:
    one = ready(store, clock)
    one.pause(30)
    one.pause(2)
    assert one.ask(Priority.USER) == pytest.approx(30)
    clock.now_us += 30 * SECOND
    assert one.ask(Priority.USER) == 0


def test_the_breaker_stops_all_without_calling_until_it_is_reset(store: redis.Redis, clock: Clock) -> None:
    one, other = ready(store, clock), budget(store, clock)
    one.trip("403 with a page")
    with pytest.raises(AccountBlocked, match="403 with a page"):
        other.acquire(Priority.USER, 5)
    other.reset()
    assert one.ask(Priority.USER) == 0
    one.trip("again", seconds=60)
    clock.now_us += 61 * SECOND
    assert one.ask(Priority.USER) == 0


def test_acquire_gives_up_after_its_timeout(store: redis.Redis) -> None:
    one = RedisBudget(store, 1, "one")
    one.pause(60)
    with pytest.raises(AmoRateLimited) as caught:
        one.acquire(Priority.USER, 0.05)
    assert (caught.value.retry_after_s or 0) > 30


def test_without_redis_nothing_is_granted(free_port: int) -> None:
    with redis.Redis(host="127.0.0.1", port=free_port, retry=None) as nowhere:
        one = RedisBudget(nowhere, 1, "one")
        with pytest.raises(AmoRateLimited, match="Redis"):
            one.acquire(Priority.USER, 0.05)
        one.pause(1)
        one.trip("403 with a page")


def test_real_clock_many_processes_and_threads(redis_url: str, store: redis.Redis) -> None:
    """On the server's own clock: the log of grants is read from Redis, not from the askers' clocks."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        per_process = pool.map(grants_of_a_process, [redis_url] * 3)
    assert sum(per_process) == 18
    (log,) = [key for key in store.keys() if key.endswith(b"log")]  # noqa: SIM118
    grants = [int(moment) for moment in store.lrange(log, 0, -1)]
    assert len(grants) == 18
    assert most_in_a_second(grants) <= 6
    assert all(newer > older for newer, older in pairwise(grants))


def test_threads_of_one_process_share_the_budget(store: redis.Redis) -> None:
    one = RedisBudget(store, 1, "one", per_second=50)
    barrier = threading.Barrier(5)

    def work(_: int) -> None:
        barrier.wait()
        for _ in range(6):
            one.acquire(Priority.HOOKS, 30)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))
    (log,) = [key for key in store.keys() if key.endswith(b"log")]  # noqa: SIM118
    assert store.llen(log) == 30
