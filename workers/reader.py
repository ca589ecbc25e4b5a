"""Reads uploaded files in a process of its own: `python -m workers.reader`. What a file decodes to harms nobody else."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlmodel import Session

from kernel import db
from kernel.db import Scope
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import audiences, certificates, chunks, imports, uploads
from mdm.steps import Steps
from workers import apart

LONGEST_SECONDS = 900.0
READS: dict[str, Callable[[Steps, Claim], None]] = {
    imports.KIND: uploads.read,
    certificates.KIND: certificates.make,
    audiences.KIND: lambda steps, claim: audiences.make(steps, _scoped, claim),
}
LONGEST = {audiences.KIND: audiences.LONGEST_SECONDS}
READER = [sys.executable, "-m", "workers.reader"]


def work(steps: Steps, claim: Claim) -> None:
    """Have a reader do one chunk. Raises: as `apart.have_done`."""
    if not apart.have_done(READER, steps, claim, LONGEST.get(claim.kind, LONGEST_SECONDS)):
        uploads.fail(steps, claim, chunks.OUT_OF_MEMORY)


def _scoped(scope: Scope) -> AbstractContextManager[Session]:
    return db.read_only(db.Role.APP, scope)


def main() -> None:
    """Entry point of the reader."""
    apart.serve(settings().import_memory_bytes, lambda claim: READS[claim.kind](db.transaction, claim))


if __name__ == "__main__":
    main()
