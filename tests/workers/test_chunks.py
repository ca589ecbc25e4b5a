"""Chunks of jobs in real worker processes: whatever is killed or flushed, each is done once, and the urgent ones first."""

import json
import uuid
from base64 import b64decode

import pytest
import redis

from kernel import db, jobs
from mdm import chunks, import_undo, pending, uploads
from mdm.incoming import Incoming
from workers import kinds
from workers.app import BULK, INTERACTIVE, make_app
from workers.jobs import run_chunk
from workers.relay import ring_due
from workers.sweeper import sweep

from .. import resolution as master
from ..resolution import WHO, Master, query
from .processes import RELAY, SWEEPER, WORKER, Start, kill, wait_until

RECORDS = 300


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def begin_undo(mdm: Master, records: int, monkeypatch: pytest.MonkeyPatch, size: int) -> jobs.Job:
    """Open the undo of an import, in chunks of a size."""
    monkeypatch.setattr(import_undo, "CHUNK_RECORDS", size)
    people = [Incoming(str(n), {"given_name": f"N{n}", "surname": f"S{n}"}) for n in range(records)]
    loaded = mdm.load("shop", *people)
    with db.transaction() as session:
        return import_undo.begin(session, loaded, WHO, "The wrong file.")


def stands(job_id: uuid.UUID) -> jobs.Job:
    with db.read_only() as session:
        return jobs.status(session, job_id)


def chunk_ids() -> list[str]:
    return [str(one) for (one,) in query("SELECT chunk_id FROM job_chunk ORDER BY ordinal")]


def claim(kind: str, lease_seconds: float = 60.0) -> jobs.Claim:
    with db.transaction() as session:
        found = jobs.claim_chunk(session, "test", [kind], lease_seconds=lease_seconds)
    assert found is not None
    return found


def test_killed_workers_and_a_flushed_broker_lose_no_chunk_and_double_none(
    mdm: Master, start: Start, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = begin_undo(mdm, RECORDS, monkeypatch, 5)
    broker = redis.Redis.from_url(redis_url)
    relay, worker, _ = start(RELAY), start(WORKER), start(SWEEPER)
    for part in (1, 2):
        wait_until(lambda part=part: stands(undo.job_id).done_units >= RECORDS * part // 5 and held() > 0)
        kill(worker)
        kill(relay)
        broker.flushdb()
        worker, relay = start(WORKER), start(RELAY)
    wait_until(lambda: stands(undo.job_id).state == "finished")
    done = stands(undo.job_id)
    assert (done.done_units, done.failed_units, done.checkpoint) == (RECORDS, 0, {"ended": RECORDS})
    assert query("SELECT count(*), count(DISTINCT record_id) FROM record_withdrawal") == [(RECORDS, RECORDS)]


def held() -> int:
    count: int = query("SELECT count(*) FROM job_chunk WHERE state = 'leased'")[0][0]
    return count


def test_a_second_bell_finds_the_chunk_done_and_an_unknown_one_nothing(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    undo = begin_undo(mdm, 4, monkeypatch, 2)
    first, _ = chunk_ids()
    for chunk_id in (first, first, str(uuid.uuid4())):
        run_chunk(chunk_id)
    assert (stands(undo.job_id).done_units, stands(undo.job_id).open_chunks) == (2, 1)


def test_bells_hold_ids_only_and_urgent_chunks_have_their_own_queue(mdm: Master, redis_url: str) -> None:
    with db.transaction() as session:
        for priority in (pending.BULK_PRIORITY, pending.INTERACTIVE_PRIORITY):
            jobs.create_job(session, "any", {}, "test", chunks=[{"secret": "Garcia"}], priority=priority)
    assert ring_due(make_app(redis_url)) == 2
    broker = redis.Redis.from_url(redis_url)
    ids = dict(query("SELECT priority, chunk_id::text FROM job_chunk"))
    for queue, priority in ((INTERACTIVE, pending.INTERACTIVE_PRIORITY), (BULK, pending.BULK_PRIORITY)):
        (raw,) = broker.lrange(queue, 0, -1)
        assert json.loads(b64decode(json.loads(raw)["body"]))[0] == [ids[priority]]


def test_a_lease_is_kept_while_its_chunk_is_worked_at_and_let_go_when_it_hangs(
    mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What outlives its lease finishes all the same; what takes longer than its kind may is another worker's."""
    monkeypatch.setattr(chunks, "LEASE_SECONDS", 0.6)
    job_id = make("slow", [{}])

    def slow(_steps: object, held: jobs.Claim) -> None:
        query("SELECT pg_sleep(2)")
        with db.transaction() as session:
            jobs.finish_chunk(session, held, done_units=1)

    hasty = chunks.Kind("slow", slow, lambda _: 1, longest_seconds=0.0)
    chunks.take(db.transaction, hasty, claim("slow", 0.6))
    assert query("SELECT state, lease_until < now() FROM job_chunk") == [("done", None)]  # Nobody else wanted it.
    assert stands(job_id).done_units == 1

    make("slow", [{}])
    patient = chunks.Kind("slow", slow, lambda _: 1)
    held = claim("slow", 0.6)
    seen = []

    def looking(steps: object, one: jobs.Claim) -> None:
        query("SELECT pg_sleep(1.5)")
        with db.transaction() as session:
            seen.append(jobs.claim_chunk(session, "other", ["slow"]))
        slow(steps, one)

    chunks.take(db.transaction, chunks.Kind("slow", looking, patient.units), held)
    assert seen == [None]


def make(kind: str, parts: list[jobs.Params], total_units: int | None = None) -> uuid.UUID:
    with db.transaction() as session:
        return jobs.create_job(session, kind, {}, "test", chunks=parts, total_units=total_units)


def test_a_job_of_unknown_extent_fails_when_its_last_chunk_is_given_up(mdm: Master) -> None:
    job_id = make("bad", [{}])

    def bad(_steps: object, _claim: jobs.Claim) -> None:
        raise ValueError("Maria Garcia")

    for _ in range(jobs.MAX_ATTEMPTS):
        chunks.take(db.transaction, chunks.Kind("bad", bad, lambda _: 1), claim("bad"))
    assert (stands(job_id).state, stands(job_id).error) == ("failed", "ValueError")


def test_a_chunk_that_kills_its_workers_is_halved_by_the_sweeper(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    undo = begin_undo(mdm, 4, monkeypatch, 4)
    for _ in range(jobs.MAX_LOST_LEASES):
        claim(import_undo.KIND, 0.0)
    assert sweep() == 1
    assert len(chunk_ids()) == 2
    for chunk_id in chunk_ids():
        run_chunk(chunk_id)
    assert stands(undo.job_id).state == "finished"


def test_every_kind_is_known_by_its_name() -> None:
    assert all(name == kind.name for name, kind in kinds.KINDS.items())


def test_an_uploaded_file_is_read_to_its_end_whoever_is_killed(mdm: Master, start: Start, redis_url: str) -> None:
    """Worker and reader are killed with a file in hand; every row is stored once, and counted once."""
    rows = 12_000
    upload, about = str(uuid.uuid4()), {"source": "shop", "kind": "ndjson"}
    path = uploads.folder() / f"{upload}.ndjson"
    path.write_bytes(b"".join(b'{"id": "%d", "given_name": "N%d", "surname": "S%d"}\n' % (n, n, n) for n in range(rows)))
    with db.transaction() as session:
        job_id = uploads.begin(session, mdm.policy, **about, upload=upload, caller=WHO)
    start(RELAY)
    for part in (1, 2):
        worker = start(WORKER)
        wait_until(lambda part=part: stands(job_id).done_units >= rows * part // 4)
        kill(worker)
        redis.Redis.from_url(redis_url).flushdb()
    start(WORKER)
    wait_until(lambda: stands(job_id).finished_at is not None)
    done = stands(job_id)
    assert (done.state, done.done_units, done.result and done.result["outcomes"]) == ("finished", rows, {"created": rows})
    assert query("SELECT count(*), count(DISTINCT source_key) FROM source_record") == [(rows, rows)]
    wait_until(lambda: not path.exists())
