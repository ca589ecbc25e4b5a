"""A reconciliation in a process of its own: killed it is done again to the same end, cancelled it stops, within its memory."""

import json
import subprocess
import threading
import uuid
from dataclasses import asdict

import pytest

from kernel import db, jobs
from kernel.clock import uuid7
from kernel.errors import Conflict, MdmError
from kernel.settings import configure, settings
from mdm import chunks, pending, reconcile, reconciliations
from mdm.incoming import Incoming
from mdm.parts import EVERYBODY, Part
from workers import apart, reconciler
from workers.kinds import KINDS

from .. import resolution as master
from ..mdm.test_resolve import outcome
from ..resolution import WHO, Master, at, empty_records, query
from .processes import wait_until
from .test_chunks import claim, stands


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def begin(part: Part = EVERYBODY, dry_run: bool = False) -> uuid.UUID:
    with db.transaction() as session:
        return reconciliations.begin(session, part, dry_run, WHO)


def many(mdm: Master, records: int) -> None:
    said = ({"given_name": f"N{n}", "surname": f"S{n % 900}", "emails": [f"n{n % 700}@telefonica.net"]} for n in range(records))
    items = [Incoming(str(n), data, source_updated_at=at(3)) for n, data in enumerate(said)]
    for start in range(0, records, 1_000):
        mdm.put_many("shop", items[start : start + 1_000], pending.BULK_PRIORITY)


def begun_apart(held: jobs.Claim) -> "subprocess.Popen[str]":
    child = subprocess.Popen(reconciler.RECONCILER, stdin=subprocess.PIPE, text=True)
    assert child.stdin is not None
    child.stdin.write(json.dumps(asdict(held), default=str) + "\n")
    child.stdin.flush()
    return child


def test_killed_anywhere_it_comes_to_the_same_end_when_it_is_done_again(mdm: Master) -> None:
    many(mdm, 900)
    reconcile.reconcile(mdm.resolver)
    wanted = outcome()
    empty_records()
    many(mdm, 900)
    job_id = begin()
    for reached in ("decision", "golden"):
        with begun_apart(claim(reconciliations.KIND)) as child:
            wait_until(lambda reached=reached: query(f"SELECT count(*) > 0 FROM {reached}")[0][0])
            child.kill()
        assert stands(job_id).finished_at is None
        query("UPDATE job_chunk SET lease_until = now() WHERE state = 'leased'")  # As after fifteen seconds.
    chunks.take(db.transaction, KINDS[reconciliations.KIND], claim(reconciliations.KIND))
    assert (stands(job_id).state, outcome()) == ("finished", wanted)
    assert query("SELECT DISTINCT load_id FROM outbox WHERE type LIKE 'golden.%%'") == [(job_id,)]
    assert query("SELECT count(*) FROM outbox WHERE type = 'load.finished'") == [(1,)]
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def test_a_cancelled_reconciliation_stops_and_gives_back_what_it_held(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    many(mdm, 2_000)
    monkeypatch.setattr(apart, "LOOK_SECONDS", 0.1)
    job_id = begin()
    held = claim(reconciliations.KIND)
    told: list[str] = []

    def look() -> None:
        wait_until(lambda: query("SELECT count(*) FROM golden")[0][0] > 0)
        with db.transaction() as session:
            jobs.cancel(session, job_id)
            told.append("cancelled")

    thread = threading.Thread(target=look)
    thread.start()
    with pytest.raises((Conflict, MdmError)):
        reconciler.work(db.transaction, held)
    thread.join()
    ((goldens, left, leased),) = query("SELECT (SELECT count(*) FROM golden), count(*), count(lease_owner) FROM pending_record")
    assert (told, stands(job_id).state, 0 < goldens < 2_000, left > 0, leased) == (["cancelled"], "cancelled", True, True, 0)
    assert query("SELECT count(*) FROM outbox WHERE type = 'load.finished'") == [(1,)]


def test_it_goes_with_its_worker(mdm: Master) -> None:
    many(mdm, 1_000)
    begin()
    held = claim(reconciliations.KIND)
    with begun_apart(held) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(60) == apart.NOT_OURS
    assert stands(held.job_id).finished_at is None


def test_too_little_memory_fails_the_job_with_a_code(mdm: Master) -> None:
    many(mdm, 100)
    job_id = begin()
    before = settings()
    configure(before.model_copy(update={"bulk_memory_limit": "1KB", "bulk_from_records": 0}))
    try:
        chunks.take(db.transaction, KINDS[reconciliations.KIND], claim(reconciliations.KIND))
    finally:
        configure(before)
    assert (stands(job_id).state, stands(job_id).error) == ("failed", "out_of_memory")


def test_its_progress_is_told_and_a_lost_lease_ends_it(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    many(mdm, 300)
    monkeypatch.setattr(reconciliations, "TELL_SECONDS", 0.0)
    job_id = begin(Part(("shop",)))
    reconciliations.work(mdm.resolver, claim(reconciliations.KIND))
    assert (stands(job_id).checkpoint, stands(job_id).state) == ({"records": 300, "of": 300}, "finished")
    begin()
    held = claim(reconciliations.KIND)
    query("UPDATE job_chunk SET lease_owner = %s WHERE state = 'leased'", str(uuid7()))
    with pytest.raises(Conflict):
        reconciliations.work(mdm.resolver, held)
