"""Rings the doorbells: reads what the ledger owes and sends it to the broker. The only `send_task`.

Run as `python -m workers.relay`. Woken by NOTIFY and every second. A bell that is lost (broker down, flushed, or killed
between marking and sending) is rung again when the sweeper has found it unanswered.
"""

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from kernel import db, jobs, log
from kernel.settings import fault_point
from mdm import instruments, pending, traces
from workers.app import BULK, INTERACTIVE, TRACE_PARENT, app
from workers.standing import listening, stand

POLL_SECONDS = 1.0
# A single record is rung at once. Where hundreds come a second, each with a bell of its own, answering bells would take the
# workers more time than resolving: what comes within a moment is rung together.
MOMENT_SECONDS = 0.05
LOOK_AGAIN_SECONDS = 0.1  # At what was held back, should the bell that was to bring it along have come to nothing.
logger = log.get_logger()


def ring_due(broker: Celery[Any] = app) -> int:
    """Ring every bell that is due; the number of records and chunks rung. A broker that is away is no error: the rows wait."""
    return _ring(broker)[0]


@dataclass(frozen=True, slots=True)
class _Message:
    """A bell as it is sent: what is to be done with which ids, and how many pieces of work that is."""

    task: str
    argument: str | list[str]
    is_urgent: bool
    pieces: int = 1
    trace_parent: str | None = None


def _resolving(bell: pending.Bell) -> _Message:
    ids = [str(one) for one in bell.record_ids]
    return _Message("resolve", ids, bell.interactive, len(ids), bell.trace_parent)


def _ring(broker: Celery[Any] = app) -> tuple[int, int]:
    """Ring; the number of records and chunks rung, and how many records are held back for the moment."""
    with db.transaction() as session:
        bells, held = pending.due_bells(session)
        chunks = jobs.ring_due(session)
    due = [_resolving(bell) for bell in bells]
    due += [_Message("run_chunk", str(chunk_id), priority < pending.BULK_PRIORITY) for chunk_id, priority in chunks]
    rung = 0
    try:
        for message in due:
            fault_point("relay.marked")
            _send(broker, message)
            fault_point("relay.sent")
            rung += message.pieces
    except (OperationalError, OSError) as broken:
        logger.warning("broker_away", error=type(broken).__name__, unsent=sum(one.pieces for one in due) - rung)
    return rung, held


def _send(broker: Celery[Any], message: _Message) -> None:
    queue = INTERACTIVE if message.is_urgent else BULK
    send = partial(broker.send_task, message.task, [message.argument], queue=queue, retry=False, ignore_result=True)
    if message.trace_parent is None or not traces.is_on():
        send()
        return
    with traces.span(f"ring {message.task}", "producer", of=message.trace_parent):
        send(headers={TRACE_PARENT: log.trace_parent()})


def ask(broker: Celery[Any], queue: str, argument: str, seconds: float) -> None:
    """Ask whoever hears a queue whether it does, for so long. A broker that is away is no error: nobody hears anything then."""
    try:
        broker.send_task("hear", [argument], queue=queue, retry=False, ignore_result=True, expires=seconds)
    except (OperationalError, OSError) as broken:
        logger.warning("broker_away", error=type(broken).__name__, unsent=1)


def run(stopping: threading.Event) -> None:
    """Ring until told to stop; survives the loss of the broker too."""

    def act(doorbell: db.Doorbell) -> None:
        while not stopping.is_set():
            rung_at = time.monotonic()
            rung, held = _ring()
            instruments.stepped("relay", rung)
            doorbell.wait(LOOK_AGAIN_SECONDS if held else POLL_SECONDS)
            stopping.wait(max(0.0, rung_at + MOMENT_SECONDS - time.monotonic()))

    listening(stopping, pending.CHANNEL, act)


def main() -> None:
    """Entry point."""
    stand("relay", run)


if __name__ == "__main__":
    main()
