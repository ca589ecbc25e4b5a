"""Why a task closes, and which new question goes on with it. Pure.

A steward's word, records that live under one golden id now, a record that is gone, or doubt that is over: what the evaluation
that asks no more says is told on the task, so that nobody wonders where it went.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from mdm.decisions import StewardDecision
from mdm.evaluation import Evaluation
from mdm.questions import Question, QuestionKind


class Because(StrEnum):
    """What became of a question that is asked no more."""

    SETTLED = "settled"
    JOINED = "joined_meanwhile"
    RECORD_GONE = "record_gone"
    DOUBT_OVER = "no_longer_in_doubt"
    NOBODY_ASKS = "question_no_longer_asked"


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a task closes, and the steward's decision that closed it."""

    because: Because
    decision_id: uuid.UUID | None = None


class Asked(Protocol):
    """A task, as far as closing it goes."""

    @property
    def kind(self) -> str: ...

    @property
    def record_ids(self) -> tuple[uuid.UUID, ...]: ...


# What is asked about one merge or one value is not asked about another one of the same records.
OF_THEIR_OWN = frozenset({QuestionKind.AUDIT, QuestionKind.EXPIRED})
T = TypeVar("T", bound=Asked)


def why(record_ids: Sequence[uuid.UUID], evaluations: Iterable[Evaluation], kind: str = QuestionKind.PAIR) -> Closing:
    """Say why a question about records is asked no more, by the evaluations that hold them. The latest decision is named."""
    asked, mine = frozenset(record_ids), list(evaluations)
    lives_in = {record: one.plan.crosswalk.get(record) for one in mine for record in asked & one.records.keys()}
    if kind == QuestionKind.EXPIRED:  # Set anew or withdrawn: whoever its records are was never the question.
        return Closing(Because.DOUBT_OVER if any(lives_in.values()) else Because.RECORD_GONE)
    are_one = len({lives_in.get(record) for record in asked}) == 1 and None not in lives_in.values()
    said = [rule for one in mine for rule in one.closure.rules if _speaks_of(rule, asked) and not rule.yields]
    rules = [rule for rule in said if rule.is_match is are_one]
    if rules:
        return Closing(Because.SETTLED, max(rule.decision_id for rule in rules))
    if any(lives_in.get(record) is None for record in asked):
        return Closing(Because.RECORD_GONE)
    return Closing(Because.JOINED if are_one else Because.DOUBT_OVER)


def _speaks_of(rule: StewardDecision, asked: frozenset[uuid.UUID]) -> bool:
    return not asked.isdisjoint(rule.left) and not asked.isdisjoint(rule.right)


def successors(unasked: Collection[T], questions: Sequence[Question]) -> list[tuple[T, Question]]:
    """Pair tasks that are asked no more with new questions of their kind about the same records, most of them first.

    A golden id that was merged, split or restored changes who is asked about, hardly what: whoever looks at such a task, or holds
    it, keeps it.
    """
    about: dict[tuple[str, uuid.UUID], list[int]] = {}
    for number, question in enumerate(questions):
        for record in question.record_ids:
            about.setdefault((str(question.kind), record), []).append(number)
    common = Counter(
        (place, number)
        for place, task in enumerate(unasked)
        for record in (task.record_ids if task.kind not in OF_THEIR_OWN else ())
        for number in about.get((task.kind, record), ())
    )
    tasks, taken, followed = list(unasked), set[int](), dict[int, int]()
    for (place, number), records in sorted(common.items(), key=lambda one: (-one[1], one[0])):
        # One record in common is another question.
        if records > 1 and place not in followed and number not in taken:
            followed[place] = number
            taken.add(number)
    return [(tasks[place], questions[number]) for place, number in followed.items()]
