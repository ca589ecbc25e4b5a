"""Tasks that wait too long are told of once and move up once."""

from datetime import timedelta

import pytest

from kernel import db
from stewardship import desk, escalation, queue
from stewardship.queue import Wanted

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    """Maria twice, in doubt."""
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


def sweep() -> int:
    with db.transaction() as session:
        return escalation.sweep(session)


def told() -> int:
    return int(query("SELECT count(*) FROM outbox WHERE type = 'task.overdue'")[0][0])


def test_an_overdue_task_is_told_of_once_and_moves_up_once(mdm: Master) -> None:
    ((before,),) = query("SELECT priority FROM task")
    assert (sweep(), told()) == (0, 0)
    query("UPDATE task SET due_at = now() - interval '1 minute'")
    assert (sweep(), sweep(), told()) == (1, 0, 1)
    with db.transaction() as session:
        (task,) = queue.page(session, Wanted(overdue=True))
        assert [note.act for note in queue.story(session, task.task_id)] == ["escalated"]
    assert (task.priority, task.priority_parts["overdue"]) == (before * escalation.FACTOR, escalation.FACTOR)
    assert mdm.verify().differences == ()


def test_a_task_that_was_put_off_is_told_of_all_the_same_and_a_closed_one_is_not(mdm: Master) -> None:
    with db.transaction() as session:
        ((task_id,),) = query("SELECT task_id FROM task")
        due = queue.one(session, task_id).due_at
        assert due is not None
        desk.defer(session, WHO, task_id, desk.ANY, due + timedelta(days=9), "She is away.")
    query("UPDATE task SET due_at = now() - interval '1 minute'")
    mdm.delete("bought", "b")
    mdm.drain()
    assert sweep() == 0
    query("UPDATE task SET state = 'open', closed_at = NULL")
    assert sweep() == 1


def test_two_sweepers_tell_once(mdm: Master) -> None:
    query("UPDATE task SET due_at = now() - interval '1 minute'")
    with db.transaction() as one, db.transaction() as other:
        assert (escalation.sweep(one), escalation.sweep(other)) == (1, 0)
    assert told() == 1
