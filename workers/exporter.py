"""Makes the files of exports: a snapshot in the row scope of whoever asked, so that nothing else can come into the file."""

from contextlib import AbstractContextManager

from sqlmodel import Session

from kernel import db
from kernel.db import Scope
from kernel.jobs import Claim
from mdm import exports
from mdm.steps import Steps


def work(steps: Steps, claim: Claim) -> None:
    """Make the file that a chunk asks for."""
    exports.make(steps, _snapshot, claim)


def _snapshot(scope: Scope) -> AbstractContextManager[Session]:
    return db.read_only(db.Role.APP, scope, snapshot=True)
