"""An event is written with what it tells of, or not at all."""

import pytest
from sqlalchemy import text

from kernel import clock, db, outbox

SELECT = text("SELECT type, subject_version, body FROM outbox ORDER BY outbox_id")


def test_events_keep_their_order(database: str) -> None:
    subject = clock.uuid7()
    with db.transaction() as session:
        outbox.emit(session, outbox.Event("golden.created", subject, 1, {"cause": "new"}))
        outbox.emit_all(session, [outbox.Event("golden.merged", subject, n, {"into": subject}) for n in (2, 3)])
    with db.read_only() as session:
        rows = [tuple(row) for row in session.connection().execute(SELECT)]
    assert rows == [
        ("golden.created", 1, {"cause": "new"}),
        ("golden.merged", 2, {"into": str(subject)}),
        ("golden.merged", 3, {"into": str(subject)}),
    ]


def test_a_step_that_fails_tells_nothing(database: str) -> None:
    def fail() -> None:
        with db.transaction() as session:
            outbox.emit(session, outbox.Event("golden.created", clock.uuid7(), 1, {}))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with db.read_only() as session:
        assert session.connection().execute(SELECT).all() == []


def test_who_numbers_is_woken_by_what_was_written_and_who_follows_by_what_was_numbered(database: str) -> None:
    """Looking again after a pause is for what is lost, and for loads: a notification serializes commits."""
    subject = clock.uuid7()
    with db.listen(outbox.WRITTEN) as numbering, db.listen(outbox.NUMBERED) as following:
        with db.transaction() as session:
            outbox.emit(session, outbox.Event("golden.created", subject, 1, {}, load_id=clock.uuid7()))
        assert numbering.wait(0.05) is False
        with db.transaction() as session:
            outbox.emit(session, outbox.Event("golden.updated", subject, 2, {}))
        assert (numbering.wait(5), following.wait(0.05)) == (True, False)
        with db.transaction() as session:
            assert outbox.number(session) == 2
        assert following.wait(5) is True
