"""An undone import leaves everything as if it had never come: records, golden ids and values, whatever came before and since."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from kernel import clock, db, jobs
from kernel.errors import Conflict
from mdm import history, import_undo, import_undo_preview, imports, ingest, retrying
from mdm.incoming import Incoming
from mdm.withdrawing import Fate
from stewardship import settle
from stewardship.settle import Wish
from stewardship.sides import Side

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, at, contents, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
INES = {"given_name": "Ines", "surname": "Duarte", "birth_date": "1977-05-05", "emails": ["ines.duarte@telefonica.net"]}
REASON = "The wrong file."


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def load(mdm: Master, source: str, *items: Incoming) -> uuid.UUID:
    job_id = mdm.load(source, *items)
    mdm.drain()
    return job_id


def undo(mdm: Master, job_id: uuid.UUID) -> dict[str, int]:
    fates = mdm.undo_import(job_id, REASON)
    mdm.drain()
    assert mdm.verify(deep=True).differences == ()
    return fates


def looked_at(job_id: uuid.UUID) -> import_undo_preview.Preview:
    return import_undo_preview.preview(db.transaction, job_id, lambda *_: None)


STATE = (
    "SELECT golden_id, source, source_key, state, version_no FROM crosswalk ORDER BY 2, 3",
    "SELECT golden_id, status, redirect_to, split_into, content_hash FROM golden ORDER BY 1",
    "SELECT record_id, version_no, source_key, brand, region, observed_at, form_hash, body FROM standard_record ORDER BY 1",
    "SELECT record_id, blocking_key FROM blocking_key ORDER BY 1, 2",
    "SELECT record_id, term, brand, region FROM search_term ORDER BY 1, 2",
    """SELECT record_id, version_no, is_deleted, source_version, source_updated_at, payload_hash, parent_key, received_at
       FROM source_record ORDER BY 1""",
)


def state() -> list[Any]:
    """All that must be as it was: who is with whom under which id, what golden records say, and the standing of every id."""
    return [*map(query, STATE), master.questions()]


def of_those(found: list[Any], before: list[Any]) -> list[Any]:
    """Of a state what is about records and golden ids that were there before; what came since has ended or leads to them."""
    known = {row[0] for rows in before[:-1] for row in rows}
    return [*([row for row in rows if row[0] in known] for rows in found[:-1]), found[-1]]


def test_a_first_import_undone_ends_what_it_brought(mdm: Master) -> None:
    job_id = load(mdm, "shop", Incoming("1", MARIA), Incoming("2", OTTO))
    ids = [golden_of("shop", key) for key in "12"]
    seen = looked_at(job_id)
    assert (seen.fates, seen.causes) == ({Fate.ENDED: 2}, {"ended": 2})
    assert undo(mdm, job_id) == {"ended": 2}
    assert query("SELECT status FROM golden") == [("ended",)] * 2
    assert (contents(), query("SELECT count(*) FROM standard_record")) == ({}, [(0,)])
    again = load(mdm, "shop", Incoming("1", MARIA), Incoming("2", OTTO))
    assert [golden_of("shop", key) for key in "12"] == ids
    assert query("SELECT status FROM golden") == [("live",)] * 2
    assert undo(mdm, again) == {"ended": 2}


def test_a_second_import_of_a_source_undone_leaves_the_first(mdm: Master) -> None:
    load(mdm, "shop", Incoming("1", MARIA, 1, at(1)), Incoming("2", OTTO, 1, at(1)), Incoming("3", INES, 1, at(1)))
    mdm.put("pos", "9", MARIA)
    mdm.drain()
    before = state()
    job_id = load(
        mdm,
        "shop",
        Incoming("1", OTTO, 900, at(3)),  # Somebody else: parts from pos 9, merges with 2.
        Incoming("2", OTTO, 900, at(3)),  # The same, seen later.
        Incoming("3", None, 900, at(3), delete=True),
        Incoming("4", INES, 900, at(3)),
    )
    changed = state()
    assert changed != before
    seen = looked_at(job_id)
    assert seen.fates == {Fate.EARLIER: 1, Fate.KEPT: 1, Fate.RETURNED: 1, Fate.ENDED: 1}
    assert {"restored", "revived", "ended"} & seen.causes.keys()
    assert state() == changed, "looking changes nothing"
    undo(mdm, job_id)
    assert of_those(state(), before) == before
    assert mdm.put("shop", "1", {**MARIA, "gender": "female"}, source_version=2).status == "changed"


def test_what_was_said_elsewhere_since_or_before_stays(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_updated_at=at(1))  # Before: nothing of it is the import's.
    rows = [MARIA, OTTO, INES, MARIA, OTTO]
    job_id = load(mdm, "shop", *(Incoming(str(number), row, None, at(1)) for number, row in enumerate(rows, 1)))
    mdm.put("shop", "2", {**OTTO, "gender": "male"}, source_updated_at=at(2))  # A newer version from elsewhere.
    assert mdm.put("shop", "3", INES, source_updated_at=at(1)).status == "same"  # Said again by the source itself.
    mdm.put("shop", "5", None, delete=True)
    mdm.drain()
    before = contents()
    other = load(mdm, "shop", Incoming("4", MARIA, None, at(1)))  # And by another import.
    assert looked_at(job_id).fates == {Fate.KEPT: 4}
    assert undo(mdm, job_id) == {"kept": 4}
    assert contents() == before
    assert undo(mdm, other) == {"ended": 1}


def test_an_update_since_is_placed_as_if_the_import_had_never_come(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_version=5)
    job_id = load(mdm, "shop", Incoming("1", OTTO, 900))
    mdm.put("shop", "1", {**MARIA, "gender": "female"}, source_version=6)  # Late behind the import's.
    mdm.put("shop", "1", INES)  # Without a version: behind whatever is current.
    mdm.drain()
    undo(mdm, job_id)
    assert query("SELECT source_version, version_no FROM source_record") == [(6, 4)]
    assert mdm.put("shop", "1", MARIA, source_version=7).status == "changed"


def test_a_withdrawn_version_counts_again_once_it_is_said_again(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_version=1)
    job_id = load(mdm, "shop", Incoming("1", OTTO, 900))
    undo(mdm, job_id)
    found = mdm.put("shop", "1", OTTO, source_version=900)
    assert (found.status, found.version_no) == ("changed", 3)
    mdm.drain()
    assert partition() == {frozenset({("shop", "1")})}
    assert mdm.verify(deep=True).differences == ()
    with pytest.raises(Conflict, match="Nothing that this import said"):
        undo(mdm, job_id)


def test_merged_by_an_import_and_parted_again_both_ids_live_as_before(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "2", OTTO)
    mdm.drain()
    before, ids, then = state(), [golden_of("shop", "1"), golden_of("pos", "2")], clock.now()
    job_id = load(mdm, "pos", Incoming("2", MARIA))
    merged, between = golden_of("pos", "2"), clock.now()
    assert [golden_of("shop", "1")] * 2 == [merged, ids[0]]
    undo(mdm, job_id)
    assert state() == before
    with db.transaction() as session:
        assert ids[1] is not None
        stood = [history.at(session, ids[1], when)[0].status for when in (then, between, clock.now())]
        told = history.steps(session, ids[1], 0, 10)
    assert stood == ["live", "merged", "live"]
    assert [[one.author for one in step.undone] for step in told] == [[], [], [WHO.actor]]
    (undone,) = told[-1].undone
    assert (undone.import_id, undone.file, undone.reason, undone.records) == (job_id, "c.csv", REASON, 1)


def test_a_stewards_word_about_a_record_that_ends_holds_when_it_returns(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    job_id = load(mdm, "shop", Incoming("2", OTTO))
    wish = Wish("match", Side(records=(("pos", "1"),)), Side(records=(("shop", "2"),)), "Both cards.")
    settle.make(mdm.resolver, WHO, wish, settle.look(mdm.resolver, WHO, wish).token)
    mdm.drain()
    together = frozenset({("pos", "1"), ("shop", "2")})
    assert partition() == {together}
    undo(mdm, job_id)
    assert partition() == {frozenset({("pos", "1")})}
    load(mdm, "shop", Incoming("2", OTTO))
    assert partition() == {together}


def test_two_imports_are_undone_in_any_order(mdm: Master) -> None:
    for first in (0, 1):
        master.empty_records()
        mdm.put("shop", "1", MARIA, source_version=1)
        mdm.drain()
        before = state()
        made = [load(mdm, "shop", Incoming("1", OTTO, 10)), load(mdm, "shop", Incoming("1", INES, 20))]
        undo(mdm, made[first])
        assert contents().keys() == {frozenset({("shop", "1")})}
        undo(mdm, made[1 - first])
        assert state() == before


def test_an_undo_at_work_leaves_what_arrives_meanwhile(mdm: Master) -> None:
    """A delivery that comes between the chunks finds its record with the import or without it, and counts all the same."""
    job_id = load(mdm, "shop", Incoming("1", MARIA), Incoming("2", OTTO))
    with db.transaction() as session:
        begun = import_undo.begin(session, job_id, WHO, REASON)
    mdm.put("shop", "1", MARIA)
    import_undo.run(db.transaction, begun, "test", lambda *_: None)
    mdm.put("shop", "2", OTTO)
    mdm.drain()
    assert partition() == {frozenset({("shop", "1")}), frozenset({("shop", "2")})}
    assert mdm.verify(deep=True).differences == ()


def test_an_import_that_still_runs_ends_where_it_is(mdm: Master) -> None:
    with db.transaction() as session:
        job_id = jobs.create_job(session, imports.KIND, {"file": "c.csv", "source": "shop", "kind": "csv"}, "test")
        ingest.put_records(session, mdm.policy, "shop", [Incoming("1", MARIA)], WHO, job_id=job_id)
    mdm.drain()
    assert undo(mdm, job_id) == {"ended": 1}
    with db.transaction() as session, pytest.raises(Conflict, match="over"):
        jobs.checkpoint(session, job_id, {})


def test_what_was_given_up_of_an_undone_import_is_not_tried_again(mdm: Master) -> None:
    with db.transaction() as session:
        job_id = jobs.create_job(session, imports.KIND, {"file": "c.csv", "source": "shop", "kind": "csv"}, "test", chunks=[{}])
        ingest.put_records(session, mdm.policy, "shop", [Incoming("1", MARIA)], WHO, job_id=job_id)
    query("UPDATE job_chunk SET state = 'quarantined'")
    with db.transaction() as session:
        jobs.finish_job(session, job_id, error="worker_lost")
    mdm.drain()
    undo(mdm, job_id)
    with db.transaction() as session, pytest.raises(Conflict, match="anew"):
        retrying.retry(session, job_id)
    assert query("SELECT state FROM job_chunk WHERE job_id = %s", job_id) == [("quarantined",)]


def test_a_record_to_blame_is_left_alone(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = load(mdm, "shop", *(Incoming(str(number), {**OTTO, "emails": [f"o{number}@becker.de"]}) for number in range(5)))
    bad = query("SELECT record_id FROM source_record WHERE source_key = '3'")[0][0]
    real = import_undo.withdraw

    def failing(*asked: Any) -> Any:
        if bad in asked[-1]:
            raise ValueError("broken")
        return real(*asked)

    monkeypatch.setattr(import_undo, "withdraw", failing)
    with db.transaction() as session:
        begun = import_undo.begin(session, job_id, WHO, REASON)
    done = import_undo.run(db.transaction, begun, "test", lambda *_: None)
    assert (done.done_units, done.failed_units, done.quarantined_chunks) == (4, 1, 1)
    monkeypatch.setattr(import_undo, "withdraw", real)
    assert undo(mdm, job_id) == {"ended": 1}


def test_an_undo_that_is_cancelled_is_not_waited_for(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = load(mdm, "shop", Incoming("1", MARIA), Incoming("2", OTTO))
    monkeypatch.setattr(import_undo, "CHUNK_RECORDS", 1)
    with db.transaction() as session:
        begun = import_undo.begin(session, job_id, WHO, REASON)

    told: list[int] = []

    def cancel_at_the_first(done: int, _: int) -> None:
        told.append(done)
        if len(told) == 1:
            with db.transaction() as session:
                jobs.cancel(session, begun.job_id)

    done = import_undo.run(db.transaction, begun, "test", cancel_at_the_first)
    assert (done.state, done.open_chunks) == ("cancelled", 1)


def test_a_lease_that_a_dead_process_held_is_waited_for(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = load(mdm, "shop", Incoming("1", MARIA))
    with db.transaction() as session:
        begun = import_undo.begin(session, job_id, WHO, REASON)
        assert jobs.claim_chunk(session, "dead", [import_undo.KIND], lease_seconds=0.3) is not None
    started = clock.now()
    assert import_undo.run(db.transaction, begun, "test", lambda *_: None).state == "finished"
    assert clock.now() - started >= timedelta(seconds=0.2)
