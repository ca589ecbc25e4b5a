"""Reads uploaded files in a process of its own: `python -m workers.reader`. What a file decodes to harms nobody else."""

import sys

from kernel import db
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import certificates, chunks, imports, uploads
from mdm.steps import Steps
from workers import apart

LONGEST_SECONDS = 900.0
READS = {imports.KIND: uploads.read, certificates.KIND: certificates.make}
READER = [sys.executable, "-m", "workers.reader"]


def work(steps: Steps, claim: Claim) -> None:
    """Have a reader do one chunk. Raises: MdmError when the reader died, so that another tries again."""
    if not apart.have_done(READER, steps, claim, LONGEST_SECONDS):
        uploads.fail(steps, claim, chunks.OUT_OF_MEMORY)


def main() -> None:
    """Entry point of the reader."""
    apart.serve(settings().import_memory_bytes, lambda claim: READS[claim.kind](db.transaction, claim))


if __name__ == "__main__":
    main()
