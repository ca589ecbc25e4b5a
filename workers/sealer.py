"""Seals the audit log: chains what was written, signs where the chain stands, keeps what was signed outside the database as well.

Run as `python -m workers.sealer`. Several may run: the one that holds the lock leads. Whoever writes to the log waits for none of
it; killed anywhere, a row is sealed once.
"""

import threading

from kernel import db, log
from kernel.settings import fault_point
from mdm import instruments
from stewardship import audit_files, audit_sealing
from workers.standing import listening, stand

POLL_SECONDS = 1.0
LEADER = "audit sealer"
CHANNEL = "mdm_audit"  # Nobody rings: to tell of a row would cost whoever writes it, and the sealer has five seconds.
logger = log.get_logger()


def seal_all() -> int:
    """Seal everything that has committed, a portion a step, and sign when that is due; how many rows that were."""
    done = 0
    while True:
        with db.transaction() as session:
            sealed = audit_sealing.seal(session)
            if sealed:
                fault_point("sealer.sealing")
        done += sealed
        if sealed < audit_sealing.MOST_AT_ONCE:
            break
    with db.transaction() as session:
        made = audit_sealing.checkpoint(session)
    if made is not None:
        fault_point("sealer.signed")
        keep_outside()
    return done


def keep_outside() -> None:
    """Write checkpoints to the file that is kept outside. One that cannot be written now is with the next one that can."""
    try:
        with db.read_only() as session:
            audit_files.keep_outside(session, audit_files.checkpoint_file())
    except OSError as error:
        logger.warning("checkpoints_not_kept_outside", error=type(error).__name__)


def run(stopping: threading.Event) -> None:
    """Seal until told to stop."""

    def act(doorbell: db.Doorbell) -> None:
        while not stopping.is_set():
            if doorbell.leads(LEADER):
                instruments.stepped("sealer", seal_all())
            doorbell.wait(POLL_SECONDS)

    listening(stopping, CHANNEL, act)


def main() -> None:
    """Entry point."""
    stand("sealer", run)


if __name__ == "__main__":
    main()
