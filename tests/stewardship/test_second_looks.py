"""A second answer: drawn by the task alone, asked of somebody else, and changing nothing; agreement as in the books."""

import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Conflict, Forbidden, NotFound
from mdm.resolve import Resolver
from stewardship import answering, governance, second_looks, settle, tasks
from stewardship.answering import Answer
from stewardship.second_looks import DIFFERS, WAITING, agreed

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, partition, query

ALL = master.POLICY + "double_review: {share: 1}\n"
STEWARD = frozenset({"decisions:settle", "decisions:write"})
BEN = Principal("ben", "ben", STEWARD, db.Scope())
CLEO = Principal("cleo", "cleo", STEWARD, db.Scope())


def answered(mdm: Master, verdict: str = "match") -> uuid.UUID:
    """Have a doubtful pair answered by WHO; its decision."""
    resolver = Resolver(db.transaction, tasks.project)
    mdm.put("shop", "1", MARIA)
    mdm.put("bought", "2", MARIA)
    mdm.drain()
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open'")
    answer = Answer(verdict, "Both cards.")
    answering.give(resolver, WHO, task_id, "*", answer, answering.look(resolver, WHO, task_id, answer).token)
    mdm.drain()
    ((decision_id,),) = query("SELECT decision_id FROM task_desk WHERE task_id = %s", task_id)
    assert isinstance(decision_id, uuid.UUID)
    return decision_id


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(ALL)


def waiting(caller: Principal, state: str = WAITING) -> list[uuid.UUID]:
    with db.read_only() as session:
        return [one.decision_id for one in second_looks.listed(session, caller, state, 10)]


def say(caller: Principal, decision_id: uuid.UUID, verdict: str) -> bool:
    with db.transaction() as session:
        return second_looks.answer(session, caller, decision_id, verdict)


def test_an_answer_is_asked_again_of_everybody_but_who_gave_it(mdm: Master) -> None:
    decision_id = answered(mdm)
    assert (waiting(WHO), waiting(BEN)) == ([], [decision_id])
    with pytest.raises(NotFound):
        say(WHO, decision_id, "match")


def test_a_second_answer_that_agrees_changes_nothing_and_is_asked_no_more(mdm: Master) -> None:
    decision_id = answered(mdm)
    before = partition(), query("SELECT decision_id, superseded_at FROM decision"), query("SELECT * FROM task_desk")
    assert say(BEN, decision_id, "match")
    assert before == (partition(), query("SELECT decision_id, superseded_at FROM decision"), query("SELECT * FROM task_desk"))
    assert [waiting(one, state) for one in (BEN, CLEO) for state in (WAITING, DIFFERS)] == [[]] * 4
    with pytest.raises(Conflict, match="Two have said the same"):
        say(CLEO, decision_id, "no_match")


def test_one_that_differs_waits_for_a_third_person_who_keeps_the_first(mdm: Master) -> None:
    decision_id = answered(mdm)
    assert not say(BEN, decision_id, "no_match")
    assert len(partition()) == 1
    assert [waiting(one, DIFFERS) for one in (WHO, BEN, CLEO)] == [[], [], [decision_id]]
    with db.transaction() as session:
        look = second_looks.find(session, CLEO, decision_id)
        assert (look.first_verdict, look.second_verdict, look.second_by) == ("match", "no_match", BEN.actor)
        second_looks.keep(session, CLEO, decision_id)
    assert waiting(CLEO, DIFFERS) == []
    assert query("SELECT kept_by FROM second_look") == [(CLEO.actor,)]


def test_what_is_taken_back_is_asked_no_more(mdm: Master) -> None:
    decision_id = answered(mdm)
    say(BEN, decision_id, "no_match")
    resolver = Resolver(db.transaction, tasks.project)
    settle.take_back(resolver, CLEO, decision_id, "Ben is right.", settle.look_back(resolver, CLEO, decision_id).token)
    mdm.drain()
    assert waiting(CLEO, DIFFERS) == []
    assert query("SELECT count(*) FROM task WHERE state = 'open'") == [(1,)]
    with db.read_only() as session:
        (_, told) = second_looks.agreement(session, clock.now() - timedelta(days=1), clock.now())
    assert (told.asked_twice, told.agreed.share) == (1, 0.0)


def test_what_differs_is_kept_by_a_senior_alone_and_only_where_it_differs(mdm: Master) -> None:
    decision_id = answered(mdm)
    with db.transaction() as session, pytest.raises(Conflict, match="otherwise"):
        second_looks.keep(session, CLEO, decision_id)
    junior = Principal("dan", "dan", frozenset({"decisions:settle"}), db.Scope())
    with db.transaction() as session, pytest.raises(Forbidden):
        second_looks.keep(session, junior, decision_id)


def test_only_what_lies_wholly_within_the_scope_is_asked(mdm: Master) -> None:
    answered(mdm)
    narrow, wide = (Principal("eve", "eve", STEWARD, db.Scope(brands)) for brands in (("acme",), ("acme", "cord")))
    assert (len(waiting(narrow)), len(waiting(wide))) == (0, 1)


def test_the_records_of_both_sides_are_read_and_audited(mdm: Master) -> None:
    decision_id = answered(mdm)
    with db.transaction() as session:
        found = second_looks.records(session, BEN, second_looks.find(session, BEN, decision_id))
    assert ({one.side for one in found}, {one.source for one in found}) == ({0, 1}, {"bought", "shop"})
    assert all(one.values["name"]["given"] == "Maria" for one in found)
    read = query("SELECT count(*) FROM audit WHERE action = 'record.read' AND actor = %s", BEN.actor)
    assert read == [(2,)]


def test_without_a_share_nothing_is_asked_again(database: str) -> None:
    answered(master.start())
    assert query("SELECT count(*) FROM second_look") == [(0,)]


def test_as_many_are_drawn_as_the_policy_says_and_always_the_same(database: str) -> None:
    ids = [uuid.UUID(int=number * 7919) for number in range(20_000)]
    drawn = [one for one in ids if second_looks._is_drawn(one, 0.02)]
    assert 320 < len(drawn) < 480
    assert drawn == [one for one in ids if second_looks._is_drawn(one, 0.02)]
    assert set(drawn) <= {one for one in ids if second_looks._is_drawn(one, 0.1)}


def test_the_report_tells_agreement(mdm: Master) -> None:
    say(BEN, answered(mdm), "match")
    month = governance.Month.of(clock.now().year, clock.now().month)
    (told,) = [one for one in governance.tell(db.transaction, month) if one.measure.name == "Steward agreement"]
    assert told.rows is not None
    assert [row[:3] for row in told.rows] == [("pair", 1, 1.0), ("all", 1, 1.0)]
    assert told.rows[0][5] is None


@pytest.mark.parametrize(
    ("counts", "share", "kappa"),
    [
        pytest.param((20, 5, 10, 15), 0.7, 0.4, id="twenty both, fifteen neither, of fifty"),
        pytest.param((45, 15, 25, 15), 0.6, 0.1304, id="Feinstein and Cicchetti 1990, one of the two paradoxes"),
        pytest.param((25, 35, 5, 35), 0.6, 0.2593, id="and the other"),
        pytest.param((0, 10, 10, 0), 0.0, -1.0, id="never"),
        pytest.param((10, 0, 0, 10), 1.0, 1.0, id="always"),
    ],
)
def test_kappa_is_that_of_the_books(counts: tuple[int, int, int, int], share: float, kappa: float) -> None:
    told = agreed("pair", counts)
    assert told.kappa is not None
    assert (round(told.agreed.share, 4), round(told.kappa.share, 4)) == (share, kappa)


@given(st.tuples(*[st.integers(0, 300)] * 4).filter(any))
def test_kappa_lies_within_its_interval_and_does_not_mind_who_was_first(counts: tuple[int, int, int, int]) -> None:
    told, swapped = agreed("pair", counts), agreed("pair", (counts[0], counts[2], counts[1], counts[3]))
    assert told.agreed == swapped.agreed
    assert (told.kappa is None) == (swapped.kappa is None) == (sum(counts) in {counts[0], counts[3]})
    if told.kappa is not None and swapped.kappa is not None:
        assert told.kappa.share == pytest.approx(swapped.kappa.share)
        assert -1 - 1e-9 <= told.kappa.low <= told.kappa.share + 1e-9
        assert told.kappa.share - 1e-9 <= told.kappa.high <= 1 + 1e-9
