"""The feed is dense and gapless, and a cursor that cannot be gone on from is told so."""

import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from kernel import clock, db, outbox
from kernel.errors import Conflict, Gone, Invalid
from webhooks import feed
from workers import sequencer

from ..resolution import query


def emit(subject: uuid.UUID, version: int, type_: str = "golden.updated") -> None:
    with db.transaction() as session:
        outbox.emit(session, outbox.Event(type_, subject, version, {}))


def log() -> feed.Log:
    with db.read_only() as session:
        return feed.log(session)


def page(after: int, types: tuple[str, ...] = (), limit: int = 1_000) -> feed.Page:
    with db.read_only() as session:
        return feed.read(session, feed.log(session), after, types, limit)


def test_numbers_are_dense_and_in_the_order_of_writing(database: str) -> None:
    start = log().last_seq
    subject = clock.uuid7()
    for version in range(1, 6):
        emit(subject, version)
    assert sequencer.number_all() == 5
    found = page(start).events
    assert [one.seq for one in found] == [start + n for n in range(1, 6)]
    assert [one.subject_version for one in found] == [1, 2, 3, 4, 5]
    assert query("SELECT count(*) FROM outbox") == [(0,)]
    assert sequencer.number_all() == 0


class Writers:
    """Writers of versions of a few subjects, as golden records are: a version is written under the subject's lock."""

    def __init__(self) -> None:
        self.subjects = [clock.uuid7() for _ in range(5)]
        self.written: list[tuple[uuid.UUID, int]] = []
        query("CREATE TABLE subject_of_test (subject_id uuid PRIMARY KEY, version int)", role=db.Role.OWNER)
        query("GRANT SELECT, UPDATE ON subject_of_test TO mdm_engine", role=db.Role.OWNER)
        query("INSERT INTO subject_of_test SELECT unnest(%s::uuid[]), 0", [str(one) for one in self.subjects], role=db.Role.OWNER)

    def write(self, seed: int, times: int) -> None:
        """Write some versions; a tenth of the transactions fail."""
        rng = random.Random(seed)
        for _ in range(times):
            with suppress(KeyError):
                self._write(rng.choice(self.subjects), rng.random() < 0.1)

    def _write(self, subject: uuid.UUID, fails: bool) -> None:
        with db.transaction() as session:
            outbox.emit(session, outbox.Event("record.received", clock.uuid7(), 1, {}))  # Takes its transaction id early.
            version = (
                session.connection()
                .exec_driver_sql(
                    "UPDATE subject_of_test SET version = version + 1 WHERE subject_id = %s RETURNING version", (subject,)
                )
                .scalar_one()
            )
            outbox.emit(session, outbox.Event("golden.updated", subject, version, {}))
            if fails:
                raise KeyError
        self.written.append((subject, version))


@pytest.fixture
def writers(database: str) -> Iterator[Writers]:
    yield Writers()
    query("DROP TABLE subject_of_test", role=db.Role.OWNER)


def test_many_writers_lose_nothing_and_no_subject_goes_backwards(writers: Writers) -> None:
    """16 writers, some of whose transactions fail, many of which wait for another; two sequencers at once."""
    start, over = log().last_seq, threading.Event()

    def sequence() -> None:
        while not over.is_set():
            sequencer.number_all()

    with ThreadPoolExecutor(18) as pool:
        numbering = [pool.submit(sequence) for _ in range(2)]
        for done in [pool.submit(writers.write, seed, 40) for seed in range(16)]:
            done.result()
        over.set()
        for one in numbering:
            one.result()
    sequencer.number_all()
    found = list(everything(start))
    assert [one.seq for one in found] == list(range(start + 1, start + 1 + 2 * len(writers.written)))
    for subject in writers.subjects:
        versions = [one.subject_version for one in found if one.subject_id == subject]
        assert versions == sorted(version for known, version in writers.written if known == subject)
        assert versions == list(range(1, len(versions) + 1))


def everything(after: int) -> Iterator[feed.Numbered]:
    while (read := page(after, limit=100)).events:
        yield from read.events
        after = read.reached


def test_a_page_of_rare_types_says_where_it_stopped(database: str) -> None:
    start = log().last_seq
    for version in range(1, 8):
        emit(clock.uuid7(), version, "golden.merged" if version == 2 else "record.received")
    sequencer.number_all()
    found = page(start, ("golden.merged",))
    assert [one.subject_version for one in found.events] == [2]
    assert (found.reached, found.has_more) == (start + 7, False)
    one = page(start, ("record.received",), limit=2)
    assert ([e.seq for e in one.events], one.reached, one.has_more) == ([start + 1, start + 3], start + 3, True)


def test_cursors(database: str) -> None:
    emit(clock.uuid7(), 1)
    sequencer.number_all()
    now = log()
    assert feed.place(now, now.cursor(now.last_seq)) == now.last_seq
    assert feed.place(now, None) == now.first_seq - 1
    assert feed.place(now, "latest") == now.last_seq
    for cursor in (now.cursor(now.last_seq + 1), f"{uuid.uuid4()}:0"):
        with pytest.raises(Conflict) as told:
            feed.place(now, cursor)
        assert told.value.code == "cursor_from_other_timeline"
    for cursor in ("", "12", "a:1", f"{now.timeline_id}:-1", f"{now.timeline_id}:\u0661"):
        with pytest.raises(Invalid):
            feed.place(now, cursor)


def test_after_retention_a_cursor_is_told_that_it_is_too_old(database: str) -> None:
    start = log().last_seq
    query("CREATE TABLE event_2020_01 PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')", role=db.Role.OWNER)
    for version in (1, 2):
        emit(clock.uuid7(), version)
    sequencer.number_all()
    query("UPDATE event SET numbered_at = '2020-01-05' WHERE seq = %s", start + 1, role=db.Role.OWNER)
    with db.transaction() as session:
        assert feed.forget_old(session) == 1
        assert feed.forget_old(session) == 0
    now = log()
    assert now.first_seq == start + 2
    assert feed.place(now, now.cursor(start + 1)) == start + 1
    with pytest.raises(Gone) as told:
        feed.place(now, now.cursor(start))
    assert told.value.code == "cursor_expired"
