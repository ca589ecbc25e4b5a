"""The process that reads an uploaded file goes when its worker does, and what it dies of is told by a code."""

import json
import subprocess
import uuid
from dataclasses import asdict

import pytest

from kernel import db, jobs
from kernel.errors import Conflict
from mdm import chunks, uploads
from workers import apart, reader
from workers.kinds import UPLOADS

from .. import resolution as master
from ..resolution import WHO, query

LINES = b"".join(b'{"id": "%d", "given_name": "N%d"}\n' % (n, n) for n in range(40_000))


@pytest.fixture
def held(database: str) -> jobs.Claim:
    """A claim on the only part of an uploaded file."""
    upload = str(uuid.uuid4())
    (uploads.folder() / f"{upload}.ndjson").write_bytes(LINES)
    policy = master.start().policy
    with db.transaction() as session:
        uploads.begin(session, policy, "shop", "ndjson", upload, WHO)
        claim = jobs.claim_chunk(session, "test", ["import"])
    assert claim is not None
    return claim


def test_the_reader_goes_with_its_worker(held: jobs.Claim) -> None:
    """The pipe between them ends with the worker, however it ended; the rows that are left are for the next."""
    with subprocess.Popen(reader.READER, stdin=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        child.stdin.write(json.dumps(asdict(held), default=str) + "\n")
        child.stdin.flush()
        while query("SELECT done_units FROM job") == [(0,)]:
            assert child.poll() is None
        child.stdin.close()
        assert child.wait(60) == apart.NOT_OURS
    ((done, state),) = query("SELECT done_units, state FROM job")
    assert (0 < done < 40_000, state) == (True, "running")


def test_a_reader_that_has_lost_the_lease_says_so(held: jobs.Claim) -> None:
    query("UPDATE job_chunk SET lease_owner = 'another'")
    with pytest.raises(Conflict, match="lost"):
        reader.work(db.transaction, held)


KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def test_a_reader_that_is_killed_leaves_the_part_to_the_next(held: jobs.Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READER", [*reader.READER[:1], "-c", KILLED])
    with pytest.raises(Conflict, match="cut off"):
        reader.work(db.transaction, held)
    assert query("SELECT state FROM job") == [("running",)]


@pytest.mark.parametrize(
    ("script", "lost", "failures"), [(KILLED, 1, 0), ("import sys; sys.exit(72)", 1, 0), ("import sys; sys.exit(1)", 0, 1)]
)
def test_being_killed_or_without_a_database_is_no_failure_of_the_part(
    held: jobs.Claim, monkeypatch: pytest.MonkeyPatch, script: str, lost: int, failures: int
) -> None:
    """Three readers that were killed, at whatever file, would otherwise have it given up."""
    monkeypatch.setattr(reader, "READER", [*reader.READER[:1], "-c", script])
    chunks.take(db.transaction, UPLOADS, held)
    with db.transaction() as session:
        assert jobs.claim_chunk(session, "another", [held.kind]) is not None, "it is free at once"
    assert query("SELECT lost_leases, attempts FROM job_chunk") == [(lost, failures)]
