"""Reconciles in a process of its own: `python -m workers.reconciler`. What it needs of memory it takes from no worker."""

import sys

from kernel import db
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import chunks, reconciliations
from mdm.resolve import Resolver
from mdm.steps import Steps
from stewardship import tasks
from workers import apart

RECONCILER = [sys.executable, "-m", "workers.reconciler"]


def work(steps: Steps, claim: Claim) -> None:
    """Have a reconciler do one chunk. Raises: as `apart.have_done`."""
    if not apart.have_done(RECONCILER, steps, claim, reconciliations.LONGEST_SECONDS):
        chunks.fail_job(steps, claim, chunks.OUT_OF_MEMORY)


def main() -> None:
    """Entry point of the reconciler."""
    apart.serve(
        settings().reconcile_memory_bytes, lambda claim: reconciliations.work(Resolver(db.transaction, tasks.project), claim)
    )


if __name__ == "__main__":
    main()
