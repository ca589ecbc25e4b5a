"""Numbers events: empties the outbox into the log. Run as `python -m workers.sequencer`.

Several may run: the one that holds the lock leads, the others wait for it to go. Killed anywhere, an event is numbered once.
Woken by NOTIFY; what is part of a load is found by looking.
"""

import threading

from kernel import db, outbox
from kernel.settings import fault_point
from mdm import instruments
from workers.standing import listening, stand

POLL_SECONDS = 0.2
LEADER = "event sequencer"


def number_all() -> int:
    """Number everything that has committed, a portion a step; how many events that were."""
    done = 0
    while True:
        with db.transaction() as session:
            numbered = outbox.number(session)
            if numbered:
                fault_point("sequencer.numbering")
        if numbered:
            fault_point("sequencer.numbered")
        done += numbered
        if numbered < outbox.MOST_AT_ONCE:
            return done


def run(stopping: threading.Event) -> None:
    """Number until told to stop."""

    def act(doorbell: db.Doorbell) -> None:
        while not stopping.is_set():
            if doorbell.leads(LEADER):
                instruments.stepped("sequencer", number_all())
            doorbell.wait(POLL_SECONDS)

    listening(stopping, outbox.WRITTEN, act)


def main() -> None:
    """Entry point."""
    stand("sequencer", run)


if __name__ == "__main__":
    main()
