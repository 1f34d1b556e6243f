"""The Celery application of the workers: fast, and not trusted. The rows are the jobs.

Late acknowledgement and rejection when a process is lost hand a message out again; a lost one is
made up for by the relay. No result is kept, for the row says what became of the work.
"""

from __future__ import annotations

from typing import Any

from celery import Celery, signals
from kombu import Exchange, Queue  # type: ignore[attr-defined]  # it has no types

from labinterp import bootstrap, jobs, knowledge, telemetry

_settings = bootstrap.settings()


def _queue(name: str) -> Any:
    """A queue with an exchange of its own name, as the senders declare it."""
    return Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]


app = Celery("workers", broker=_settings.redis_url, include=["workers.tasks"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_soft_time_limit=_settings.task_soft_limit,
    task_time_limit=_settings.task_hard_limit,
    task_queues=[_queue(name) for name in jobs.QUEUES.values()],
    task_default_queue=jobs.REPORT_QUEUE,
    task_create_missing_queues=False,
    broker_transport_options=jobs.transport_options(
        socket_timeout=_settings.broker_timeout,
        visibility_timeout=_settings.broker_visibility,
        retries=None,
    ),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    worker_proc_alive_timeout=60.0,
    worker_max_tasks_per_child=1000,
    enable_utc=True,
)


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _read_knowledge_once(**_: Any) -> None:
    """Before the pool is made: its processes share what was read, and start at once."""
    knowledge.load()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _log_as_we_do(**_: Any) -> None:
    telemetry.configure(_settings.log_level)
