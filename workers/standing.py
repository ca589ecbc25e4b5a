"""What the processes beside the workers have in common: they listen, survive the loss of the database, and end on a signal.

Relay, sequencer, dispatcher and sweeper each say what they do; nothing here knows any of it.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType

from kernel import db, log
from kernel.settings import settings
from mdm import instruments, ownership, traces

PAUSE_SECONDS = 0.5
logger = log.get_logger()


def listening(stopping: threading.Event, channel: str, act: Callable[[db.Doorbell], None]) -> None:
    """Act while listening on a NOTIFY channel until told to stop, again with a new connection whenever the database went."""
    while not stopping.is_set():
        try:
            with db.listen(channel) as doorbell:
                act(doorbell)
        except db.UNAVAILABLE as away:
            logger.warning("database_away", error=type(away).__name__)
            stopping.wait(PAUSE_SECONDS)


def stand(name: str, run: Callable[[threading.Event], None]) -> None:
    """Be such a process until SIGTERM or SIGINT."""
    log.configure(json=settings().log_json)
    ownership.leave_other_mode()
    instruments.be(name)
    traces.begin(name)
    run(stop_on_signal())
    traces.end()


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping
