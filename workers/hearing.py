"""Whether this worker hears: it asks itself by the broker, in a queue of its own, and one of its processes notes that.

So what is noted tells of all that work passes: the worker's loop, its connection, the queue, and a process that is free. A worker
all of whose places are taken is asked by nobody: it notes that it is at work, and leases see to work that comes to no end.
"""

from typing import Any

from celery import bootsteps
from celery.signals import celeryd_after_setup
from celery.worker import state
from celery.worker.consumer.tasks import Tasks
from kombu.entity import Queue

from mdm import instruments
from workers import relay
from workers.app import app

ASK_SECONDS = 10.0
UNHEARD_SECONDS = 60.0  # After which a question is not worth an answer.
WORKER, UNNAMED = "worker", "celery"


def process_of(node: str) -> str:
    """What a worker is called among the processes: the name before its machine's, which Celery gives when nobody does."""
    name = node.partition("@")[0]
    return WORKER if name == UNNAMED else name


def own_queue(node: str) -> str:
    """The queue that only this worker hears."""
    return f"hearing.{node}"


@app.task(name="hear")
def hear(process: str) -> None:
    """Note that this worker was heard asking."""
    instruments.stepped(process)


@celeryd_after_setup.connect
def _hear_oneself(sender: str, instance: Any, **_: object) -> None:
    """Its own queue is asked first: behind a bulk load it would wait for as long as that takes."""
    queues = instance.app.amqp.queues
    heard = list(queues.consume_from)
    queues.select([queues.add(Queue(own_queue(sender))).name, *heard])


class Hearing(bootsteps.StartStopStep):
    """Asks again and again for as long as the worker is connected; a worker whose metrics nobody keeps asks nothing."""

    requires = (Tasks,)

    def __init__(self, consumer: Any, **options: Any) -> None:
        self._entry: Any = None
        super().__init__(consumer, **options)

    def start(self, consumer: Any) -> None:
        """Begin to ask."""
        if instruments.is_kept():
            self._entry = consumer.timer.call_repeatedly(ASK_SECONDS, self._ask, (consumer,))

    def stop(self, _consumer: Any) -> None:
        """Ask no more."""
        if self._entry is not None:
            self._entry.cancel()
            self._entry = None

    shutdown = stop

    def _ask(self, consumer: Any) -> None:
        process = process_of(consumer.hostname)
        at_work = [one for one in state.reserved_requests if one.name != hear.name]  # What never answers is no work.
        if len(at_work) >= consumer.initial_prefetch_count:
            instruments.stepped(process)
            return
        relay.ask(app, own_queue(consumer.hostname), process, UNHEARD_SECONDS)


app.steps["consumer"].add(Hearing)
