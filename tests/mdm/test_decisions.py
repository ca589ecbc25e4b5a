"""The decision log: written once, superseded when it says something else, sealed against edits."""

import dataclasses
import threading
import uuid
from collections.abc import Callable, Sized

import pytest
from sqlmodel import Session

from kernel import db
from kernel.settings import settings
from mdm import closure, decisions, restandardize, sql, versions
from mdm.decisions import PairDecision
from mdm.records import stamp

from .. import resolution as master
from ..resolution import Master, query

SECRET = settings().secret_for("decision")


@pytest.fixture
def made(database: str) -> PairDecision:
    """A decision about two stored records."""
    mdm: Master = master.start()
    ids = sorted(mdm.put("shop", key, {"surname": f"Nr {key}"}).record_id or uuid.UUID(int=0) for key in "ab")
    with db.transaction() as session:
        version_set_id = versions.current(session).version_set_id
    now = query("SELECT version_no, standardizer, policy_version FROM standard_record LIMIT 1")[0]
    said = (1, 1, "match", 12.5, (3, -1, 0), "above_merge_line", version_set_id, (stamp(*now), stamp(*now)))
    return PairDecision(ids[0], ids[1], *said)


def store(*made: PairDecision) -> frozenset[uuid.UUID]:
    with db.transaction() as session:
        return decisions.store(session, made, SECRET).changed


def live() -> list[decisions.StoredDecision]:
    with db.transaction() as session:
        return decisions.read(session, [row[0] for row in query("SELECT record_id FROM source_record")])


def test_a_decision_is_written_with_all_it_says(made: PairDecision) -> None:
    assert store(made) == set(made.pair)
    (stored,) = live()
    assert (stored.weight, stored.levels, stored.verdict, stored.author) == (12.5, (3, -1, 0), "match", "model")
    assert stored.checksum == decisions.checksum(SECRET, stored)


def test_saying_the_same_again_changes_nothing(made: PairDecision) -> None:
    store(made)
    before = query("SELECT * FROM decision")
    assert store(made) == set()
    assert query("SELECT * FROM decision") == before


def test_saying_something_else_supersedes_and_keeps_what_was_said(made: PairDecision) -> None:
    store(made)
    assert store(dataclasses.replace(made, weight=3.0, verdict="review")) == set(made.pair)
    assert [one.verdict for one in live()] == ["review"]
    assert query("SELECT verdict, superseded_because FROM decision WHERE superseded_at IS NOT NULL") == [
        ("match", "scored_again")
    ]


def test_a_decision_about_a_version_that_is_no_longer_current_is_dropped(made: PairDecision) -> None:
    query("UPDATE standard_record SET version_no = 2 WHERE record_id = %s", made.record_a)
    assert store(made) == set()
    assert live() == []


def test_a_decision_about_a_form_that_was_renewed_since_is_dropped(made: PairDecision) -> None:
    query("UPDATE standard_record SET policy_version = policy_version + 1 WHERE record_id = %s", made.record_b)
    assert store(made) == set()
    assert live() == []


def renew(mdm: Master) -> None:
    with db.transaction() as session:
        restandardize.refresh(session, mdm.policy, [row[0] for row in query("SELECT record_id FROM source_record")])


REPLACES: dict[str, Callable[[Master], object]] = {
    "a later version": lambda mdm: mdm.put("shop", "b", {"surname": "Another"}),
    "a deletion": lambda mdm: mdm.delete("shop", "b"),
    "another policy": renew,
}


@pytest.mark.parametrize("how", REPLACES)
def test_nobody_replaces_a_standard_record_while_a_decision_about_it_is_written(made: PairDecision, how: str) -> None:
    """Whoever replaces it is resolved later, and has to see the decision then: else it would stay about what is gone."""
    mdm = master.start(master.POLICY.replace("one_value_per_person: true", "one_value_per_person: false"))
    writer = threading.Thread(target=REPLACES[how], args=(mdm,))
    with db.transaction() as session:
        assert decisions.store(session, [made], SECRET).changed == set(made.pair)
        writer.start()
        writer.join(0.5)
        assert writer.is_alive()
    writer.join()
    assert len(live()) == 1
    assert store(made) == set()  # It speaks of what is gone by now.


def test_a_decision_waits_for_whoever_replaces_a_standard_record_and_is_dropped(made: PairDecision) -> None:
    found: list[frozenset[uuid.UUID]] = []
    writer = threading.Thread(target=lambda: found.append(store(made)))
    with db.transaction() as session:
        sql.rows(session, "SELECT FROM source_record ORDER BY source, source_key FOR NO KEY UPDATE")
        writer.start()
        writer.join(0.5)
        assert writer.is_alive()
        sql.run(session, "UPDATE standard_record SET version_no = 2 WHERE record_id = %s", [made.record_b])
    writer.join()
    assert found == [frozenset()]
    assert live() == []


def test_superseding_ends_only_what_was_named(made: PairDecision) -> None:
    store(made)
    with db.transaction() as session:
        assert decisions.supersede(session, [uuid.uuid4()], "test") == set()
        assert decisions.supersede(session, [one.decision_id for one in live()], "test") == set(made.pair)
    assert live() == []


@pytest.mark.parametrize(
    "change", ["weight = 99", "verdict = 'no_match'", "levels = '{1}'", "reason_code = 'x'", "version_a = 7"]
)
def test_an_edit_past_the_log_breaks_the_checksum(made: PairDecision, change: str) -> None:
    store(made)
    query(f"UPDATE decision SET {change}")
    (stored,) = live()
    assert stored.checksum != decisions.checksum(SECRET, stored)


@pytest.fixture
def uncounted(database: str) -> None:
    """As in a new installation: PostgreSQL has never counted the table, nor looked at what stood in it in tests before."""
    query("TRUNCATE decision CASCADE", role=db.Role.OWNER)
    query("DELETE FROM pg_statistic WHERE starelid = 'decision'::regclass", role=db.Role.OWNER)


@pytest.mark.parametrize("read", [decisions.edges, decisions.live_about, closure.digests])
def test_a_batch_reads_its_own_decisions_and_no_others_before_the_table_is_counted(
    uncounted: None, made: PairDecision, read: Callable[[Session, list[uuid.UUID]], Sized]
) -> None:
    with db.transaction() as session:
        others = _store_strangers(session, made, 2_000)
        before = _rows_read(session)
        read(session, others[:40])
        assert _rows_read(session) - before <= 2 * 40


def test_writing_a_batch_reads_its_own_pairs_and_no_others_before_the_table_is_counted(
    uncounted: None, made: PairDecision
) -> None:
    store(made)
    with db.transaction() as session:
        _store_strangers(session, made, 2_000)
        before = _rows_read(session)
        decisions.store(session, [dataclasses.replace(made, weight=3.0)], SECRET)
        # Found, locked, superseded, and now and then a row read again; without the index it is every one of the 2,000.
        assert _rows_read(session) - before <= 20


def _store_strangers(session: Session, like: PairDecision, count: int) -> list[uuid.UUID]:
    """Live decisions about pairs of nobody else's records; the first record of each."""
    found = sql.rows(
        session,
        """INSERT INTO decision (decision_id, author, verdict, record_a, record_b, version_a, version_b, weight, levels,
             reason_code, version_set_id, checksum)
           SELECT gen_random_uuid(), 'model', 'match', least(a, b), greatest(a, b), 1, 1, 5, '{}', 'above_merge_line', %s, ''
           FROM (SELECT gen_random_uuid() AS a, gen_random_uuid() AS b FROM generate_series(1, %s)) AS pairs
           RETURNING record_a""",
        [like.version_set_id, count],
    )
    return [row[0] for row in found]


def _rows_read(session: Session) -> int:
    found = sql.rows(
        session, "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'decision'"
    )
    return int(found[0][0])
