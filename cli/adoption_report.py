"""What is left of the adoption of a policy or model: said where one comes to rule, and waited for where that is asked."""

import time

from rich.console import Console

from cli.progress import progress
from cli.words import counted, own_command
from kernel.db import read_only
from mdm import adoptions

LOOK_SECONDS = 0.5


def tell(console: Console, errors: Console, wait: bool = False) -> None:
    """Say how many records are still to be resolved under the set that rules, and by which job; perhaps wait until none is."""
    with read_only() as session:
        found = [(one.job_id, adoptions.owed(session, one.job_id)[0]) for one in adoptions.under_way(session)]
    for job_id, left in found:
        console.print(
            f"{counted(left, 'record is', 'records are')} to be resolved under it by the workers, and until then answered as"
            f" pending: {own_command()} jobs show {job_id}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if wait:
            with progress(errors, "resolved") as note:
                while (now := _left(job_id)) is not None:
                    note(left - now, left)
                    time.sleep(LOOK_SECONDS)


def _left(job_id: object) -> int | None:
    """How many records are left; None when the job is over."""
    with read_only() as session:
        return next(
            (adoptions.owed(session, one.job_id)[0] for one in adoptions.under_way(session) if one.job_id == job_id), None
        )
