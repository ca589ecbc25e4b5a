"""Numbers events: empties the outbox into the log. Run as `python -m workers.sequencer`.

Several may run: the one that holds the lock leads, the others wait for it to go. Killed anywhere, an event is numbered once.
Woken by NOTIFY; what is part of a load is found by looking.
"""

import threading

from kernel import db, log, outbox
from kernel.settings import settings
from workers.relay import stop_on_signal

POLL_SECONDS = 0.2
LEADER = "event sequencer"
logger = log.get_logger()


def number_all() -> int:
    """Number everything that has committed, a portion a step; how many events that were."""
    done = 0
    while True:
        with db.transaction() as session:
            numbered = outbox.number(session)
        done += numbered
        if numbered < outbox.MOST_AT_ONCE:
            return done


def run(stopping: threading.Event) -> None:
    """Number until told to stop; survives the loss of the database."""
    while not stopping.is_set():
        try:
            with db.listen(outbox.WRITTEN) as doorbell:
                while not stopping.is_set():
                    if doorbell.leads(LEADER):
                        number_all()
                    doorbell.wait(POLL_SECONDS)
        except db.UNAVAILABLE as away:
            logger.warning("database_away", error=type(away).__name__)
            stopping.wait(POLL_SECONDS)


def main() -> None:
    """Entry point."""
    log.configure(json=settings().log_json)
    run(stop_on_signal())


if __name__ == "__main__":
    main()
