"""The Celery application: three queues, JSON only, no results. What is due stands in PostgreSQL, not here."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_init
from kombu.entity import Queue

from widget_backend import logs
from widget_backend.bootstrap import Services, wait_for_role
from widget_backend.errors import ConfigError
from widget_backend.jobs import QUEUE

app = Celery("workers", include=["workers.oauth", "workers.sync", "workers.webhooks", "workers.exports"])
app.conf.update(
    # Celery wants its broker when it is imported, before the settings are read; `worker_init` checks them.
    broker_url=os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
    result_backend=None,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_queues=[Queue(name) for name in ("hooks", "sync", "reports")],
    task_default_queue="sync",
    task_routes={str(job): {"queue": queue} for job, queue in QUEUE.items()},
    # A row of `schedule` outlives every message, so a lost one only costs its lease; but a message that is
    # still there should reach another worker at once when its first one is killed.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # No time limits here: threads cannot be interrupted. Every call a job makes has its own timeout, and long
    # jobs stop by themselves and ask to go on (see workers/sync.py).
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=20,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 900,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "socket_connect_timeout": 5,
        "socket_timeout": 15,
        "global_keyprefix": "app:",
    },
    timezone="UTC",
)


@setup_logging.connect
def _configure_logs(**_kwargs: Any) -> None:
    logs.configure(os.environ.get("LOG_LEVEL", ""))


@worker_init.connect
def _check_settings(**_kwargs: Any) -> None:
    """A worker that is set up wrongly says so and ends, instead of failing job after job."""
    try:
        made = Services.from_environ()
        wait_for_role(made.engine)
        made.close()
    except ConfigError as error:
        print(error.one_line(), file=sys.stderr)
        raise SystemExit(1) from None


@worker_process_init.connect
def _fresh_connections(**_kwargs: Any) -> None:
    """A forked child must not share its parent's connections."""
    from workers.base import forget_services

    forget_services()
