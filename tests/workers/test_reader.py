"""The process that reads an uploaded file goes when its worker does, and what it dies of is told by a code."""

import json
import subprocess
import uuid
from dataclasses import asdict

import pytest

from kernel import db, jobs
from kernel.errors import Conflict, MdmError
from mdm import uploads
from workers import apart, reader

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


def test_a_reader_that_dies_leaves_the_part_to_the_next(held: jobs.Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "READER", [*reader.READER[:1], "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
    with pytest.raises((MdmError, BrokenPipeError)):
        reader.work(db.transaction, held)
    assert query("SELECT state FROM job") == [("running",)]
