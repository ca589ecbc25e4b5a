"""Many tasks answered at once: all that can be, those that cannot named; taken back as one or one by one."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel import db
from kernel.errors import Conflict, MdmError
from mdm.resolve import Resolver
from stewardship import answering, bulk, decision_sets, desk, settle, tasks
from stewardship.answering import Answer
from stewardship.bulk import Given
from stewardship.queue import Wanted
from stewardship.settle import Wish
from stewardship.sides import Side

from .. import resolution as master
from ..desk import GIVEN, SURNAMES
from ..resolution import WHO, Master, partition, query, questions

YES, NO = Answer("match", "Both cards."), Answer("no_match", "Namesakes.")
PEOPLE = 4


@pytest.fixture
def mdm(database: str) -> Master:
    """Four customers, each twice and in doubt."""
    made = master.start()
    for number in range(PEOPLE):
        given, surname = GIVEN[number], SURNAMES[number]
        mail = f"{given}.{surname}@telefonica.net".lower()
        person = {"given_name": given, "surname": surname, "birth_date": f"19{50 + number}-01-07", "emails": [mail]}
        made.put("shop", str(number), person)
        made.put("bought", str(number), {**person, "language": "es"})
    made.drain()
    assert len(questions()) == PEOPLE
    return made


def resolver() -> Resolver:
    return Resolver(db.transaction, tasks.project)


def asked() -> list[uuid.UUID]:
    return [row[0] for row in query("SELECT task_id FROM task WHERE state = 'open' ORDER BY task_id")]


def give(mdm: Master, task_ids: list[uuid.UUID], answer: Answer = YES) -> Given:
    found = bulk.give(resolver(), WHO, task_ids, answer, bulk.look(resolver(), WHO, task_ids, answer).token)
    mdm.drain()
    return found


def take_back(mdm: Master, set_id: uuid.UUID) -> int:
    token = decision_sets.look_back(resolver(), WHO, set_id).token
    ended = bulk.take_back(resolver(), WHO, set_id, "Wrong.", token)
    mdm.drain()
    return ended


def test_many_are_answered_as_one_set_and_taken_back_as_one(mdm: Master) -> None:
    before, ids = partition(), asked()
    found = bulk.look(resolver(), WHO, ids, YES)
    assert found.looked is not None
    assert (len(found.tasks), found.left_out, found.looked.preview.questions) == (PEOPLE, (), 0)
    given = give(mdm, ids)
    assert (set(given.task_ids), len(partition()), questions()) == (set(ids), PEOPLE, set())
    assert query("SELECT DISTINCT set_id, verdict, settled_by FROM task_desk") == [(given.set_id, "match", WHO.actor)]
    assert take_back(mdm, given.set_id) == PEOPLE
    assert (partition(), len(questions())) == (before, PEOPLE)
    assert query("SELECT count(*) FROM task_desk WHERE settled_by IS NOT NULL") == [(0,)]
    assert mdm.verify().differences == ()


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_set_decides_what_its_answers_decide_one_by_one(mdm: Master, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(asked()), unique=True, min_size=1))
    answer = data.draw(st.sampled_from([YES, NO]))
    before = partition()
    given = give(mdm, chosen, answer)
    at_once = partition()
    take_back(mdm, given.set_id)
    assert partition() == before
    settled = []
    keys = {str(row[0]): row[1] for row in query("SELECT question_key, task_id FROM task WHERE state = 'open'")}
    for (key,) in query("SELECT question_key FROM task WHERE task_id = ANY(%s)", chosen):
        settled.append(keys[key])
        looked = answering.look(resolver(), WHO, keys[key], answer)
        answering.give(resolver(), WHO, keys[key], desk.ANY, answer, looked.token)
    mdm.drain()
    assert partition() == at_once
    for task_id in settled:
        answering.take_back(resolver(), WHO, task_id, desk.ANY, "x", answering.look_back(resolver(), WHO, task_id).token)
    mdm.drain()
    assert partition() == before


def test_one_of_a_set_is_taken_back_alone(mdm: Master) -> None:
    ids = asked()
    given = give(mdm, ids)
    looked = answering.look_back(resolver(), WHO, ids[0])
    answering.take_back(resolver(), WHO, ids[0], desk.ANY, "She is another one.", looked.token)
    mdm.drain()
    assert (len(questions()), len(partition())) == (1, PEOPLE + 1)
    assert take_back(mdm, given.set_id) == PEOPLE - 1


def test_what_cannot_be_answered_so_is_named_and_the_rest_is_answered(mdm: Master) -> None:
    ids = asked()
    query(
        "UPDATE task_desk SET holder = 'user:ben', held_since = now(), held_until = now() + interval '1 hour' WHERE task_id = %s",
        ids[0],
    )
    give(mdm, [ids[1]], NO)
    unknown = uuid.uuid4()
    found = bulk.look(resolver(), WHO, [*ids, unknown], YES)
    assert {one.task_id: one.code for one in found.left_out} == {
        ids[0]: "task_held",
        ids[1]: "task_closed",
        unknown: "unknown_task",
    }
    assert [task.task_id for task in found.tasks] == ids[2:]


def test_one_that_contradicts_a_stewards_word_is_left_out(mdm: Master) -> None:
    ids = asked()
    ((key,),) = query(
        "SELECT c.source_key FROM task t JOIN crosswalk c ON c.record_id = t.record_ids[1] WHERE task_id = %s", ids[0]
    )
    sides = [Side(records=((source, key),)) for source in ("shop", "bought")]
    wish = Wish("no_match", sides[0], sides[1], "She said so.")
    settle.make(resolver(), WHO, wish, settle.look(resolver(), WHO, wish).token)
    found = bulk.look(resolver(), WHO, ids, YES)  # The worker has not closed its task yet.
    assert [(one.task_id, one.code) for one in found.left_out] == [(ids[0], "contradicts_decisions")]
    assert len(found.tasks) == PEOPLE - 1


def test_what_has_changed_since_the_look_is_not_answered(mdm: Master) -> None:
    ids = asked()
    token = bulk.look(resolver(), WHO, ids, YES).token
    with db.transaction() as session:
        desk.comment(session, WHO, ids[0], desk.ANY, "She has a twin.")
    with pytest.raises(MdmError) as refused:
        bulk.give(resolver(), WHO, ids, YES, token)
    assert (refused.value.status, refused.value.code) == (412, "preview_outdated")
    with pytest.raises(MdmError) as unseen:
        bulk.give(resolver(), WHO, ids, YES, None)
    assert unseen.value.status == 428
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(0,)]


def test_none_left_is_a_conflict(mdm: Master) -> None:
    with pytest.raises(Conflict) as refused:
        bulk.give(resolver(), WHO, [uuid.uuid4()], YES, "x")
    assert refused.value.code == "nothing_to_decide"


def test_those_like_a_filter_are_chosen(mdm: Master) -> None:
    with db.transaction(db.Role.APP, WHO.scope) as session:
        assert len(bulk.choose(session, WHO, Wanted(kind="pair"), 3)) == 3
        assert bulk.choose(session, WHO, Wanted(kind="contested"), 3) == []
        assert len(bulk.choose(session, WHO, Wanted(weight_from=0.0), 9)) == PEOPLE
        assert bulk.choose(session, WHO, Wanted(weight_below=0.0), 9) == []
