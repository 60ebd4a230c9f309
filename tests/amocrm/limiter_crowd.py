"""What one process of the limiter's crowd does; importable by a spawned process."""

from concurrent.futures import ThreadPoolExecutor

import redis

from widget_backend.amocrm.limiter import Priority, RedisBudget


def grants_of_a_process(redis_url: str) -> int:
    """Three threads with two grants each; how many there were."""
    with redis.Redis.from_url(redis_url) as client:
        budget = RedisBudget(client, 31000001, "one")

        def work(priority: Priority) -> int:
            for _ in range(2):
                budget.acquire(priority, 60)
            return 2

        with ThreadPoolExecutor(3) as pool:
            return sum(pool.map(work, [Priority.HOOKS, Priority.INCREMENTAL, Priority.BACKFILL]))
