"""Which new question goes on with a task that is asked no more."""

import uuid
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from mdm.questions import Question, QuestionKind
from stewardship.closing import successors


@dataclass(frozen=True)
class Old:
    """A task as far as its successor goes."""

    kind: str
    record_ids: tuple[uuid.UUID, ...]


sets = st.lists(st.frozensets(st.integers(0, 6), min_size=2), max_size=5)


def ids(*numbers: int) -> tuple[uuid.UUID, ...]:
    return tuple(uuid.UUID(int=number) for number in sorted(numbers))


def asked(*numbers: int, kind: QuestionKind = QuestionKind.PAIR) -> Question:
    return Question(kind, str(numbers), ids(*numbers)[:1], ids(*numbers), 0.0, "weight", (), ())


def test_the_question_with_most_records_in_common_goes_on() -> None:
    old, near, nearer = Old("pair", ids(1, 2, 3)), asked(1, 2, 9), asked(1, 2, 3, 4)
    assert successors([old], [near, nearer]) == [(old, nearer)]


def test_one_record_in_common_is_another_question() -> None:
    assert successors([Old("pair", ids(1, 2))], [asked(2, 3)]) == []


def test_another_kind_of_question_is_another_question() -> None:
    assert successors([Old("pair", ids(1, 2))], [asked(1, 2, kind=QuestionKind.TOO_LARGE)]) == []


@given(sets, sets)
def test_each_task_has_one_successor_and_each_question_follows_one(old: list[frozenset[int]], new: list[frozenset[int]]) -> None:
    tasks, questions = [Old("pair", ids(*one)) for one in old], [asked(*one) for one in new]
    found = successors(tasks, questions)
    assert len(found) <= min(len(tasks), len(questions))
    assert len({id(task) for task, _ in found}) == len({id(question) for _, question in found}) == len(found)
    assert all(len({*task.record_ids} & {*question.record_ids}) > 1 for task, question in found)
