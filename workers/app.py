"""The Celery application: JSON messages that hold ids only, acknowledged late, one at a time.

A message is a doorbell. PostgreSQL holds the truth of all work, so nothing here is needed for correctness: not the broker's
memory, not its redelivery, not its order (with acks late and prefetch 1, 125 kills still lost 5 of 12,500 messages).
"""

import logging

from billiard.process import current_process
from celery import Celery, Task
from celery.signals import celeryd_init, setup_logging, worker_process_init, worker_process_shutdown
from kombu.entity import Queue

from kernel import db, log
from kernel.settings import settings
from mdm import instruments, ownership, traces
from mdm.crew import collect_seldom

# Two lines for every doorbell, and advice about prefetching: what a batch came to is in our own line.
CHATTER = ("celery.app.trace", "celery.worker.strategy", "celery.worker.consumer.consumer")
INTERACTIVE = "interactive"
BULK = "bulk"
TRACE_PARENT = "traceparent"  # The header of a message that says which request it is for.

CONFIGURATION = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # The order of the queues is the order in which the broker is asked: somebody waits for the first.
    "task_queues": (Queue(INTERACTIVE), Queue(BULK)),
    "task_default_queue": BULK,
    "worker_prefetch_multiplier": 1,
    "worker_soft_shutdown_timeout": 30.0,
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_enable_remote_control": False,
    "worker_hijack_root_logger": False,
    "worker_max_tasks_per_child": 5_000,
    "broker_connection_retry_on_startup": True,
    "broker_transport_options": {"visibility_timeout": 300, "queue_order_strategy": "priority", "socket_timeout": 30},
}


class _Task(Task[..., object]):
    """A task that goes on with the trace that its bell was rung in."""

    def __call__(self, *args: object, **named: object) -> object:
        """Do it."""
        parent = self.request.get(TRACE_PARENT)
        if parent is None:
            return self.run(*args, **named)
        with traces.span(f"answer {self.name}", "consumer", of=parent):
            return self.run(*args, **named)


def make_app(broker: str | None = None) -> Celery[_Task]:
    """Build the application, by default for the configured broker. Imports no job until a worker starts or a job is sent."""
    made = Celery(
        "customer_master", broker=broker or settings().redis_url, include=["workers.jobs", "workers.hearing"], task_cls=_Task
    )
    made.conf.update(CONFIGURATION)
    return made


app = make_app()


@setup_logging.connect
def _log_like_the_rest(**_: object) -> None:
    level = settings().log_level
    log.configure(json=settings().log_json, level=level)
    for name in CHATTER:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "DEBUG" else logging.WARNING)


@worker_process_init.connect
def _forget_inherited_connections(**_: object) -> None:
    """A connection shared over a fork would mix two processes' answers."""
    db.dispose()


@celeryd_init.connect
def _be_named(sender: str, **_: object) -> None:
    """Several workers run on a machine, told apart by what stands before the @ of their names."""
    ownership.leave_other_mode()
    instruments.be(sender.partition("@")[0])


@worker_process_init.connect
def _be_a_child(**_: object) -> None:
    """A child that replaces another takes its number, and goes on counting where that one was."""
    instruments.be_child(getattr(current_process(), "index", 0))


@worker_process_init.connect
def _trace(**_: object) -> None:
    """A thread that sends does not live on in a child: each has its own."""
    traces.begin("worker")


@worker_process_shutdown.connect
def _send_what_is_left(**_: object) -> None:
    traces.end()


@worker_process_init.connect
def _collect_seldom(**_: object) -> None:
    collect_seldom()
