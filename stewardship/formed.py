"""How a golden record came together: the joins that its records make now, each with what the log says across its parts.

Of a join stand the strongest word of the model that is stored between two of its parts, and every match of a steward or a source
between them. Changes nothing.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from kernel import audit
from kernel.actor import Principal
from matching.cluster import Join
from matching.decide import Verdict
from mdm import sql, versions
from mdm.resolve import Resolver
from stewardship import sides
from stewardship.explain import Key, StoredWord

Id = uuid.UUID


@dataclass(frozen=True, slots=True)
class Across:
    """A stored word across a join, and the two records that it is about; of a steward's sets the first of either side."""

    one: Key
    other: Key
    word: StoredWord


@dataclass(frozen=True, slots=True)
class Joined:
    """A step by which a golden record came together. `weight`: the average over its pairs; None for a steward's word."""

    parts: tuple[tuple[Key, ...], ...]
    kind: str
    weight: float | None
    stored: tuple[Across, ...] = ()


@dataclass(frozen=True, slots=True)
class Formed:
    """How a golden record came together, the first step first; the weakest step that the model made, if it made any.

    `status`: what became of the id that was asked; of an ended one there is no step.
    """

    golden_id: Id
    status: str
    steps: tuple[Joined, ...]
    weakest: Joined | None


@dataclass(frozen=True, slots=True)
class _Pair:
    """The model's live word about two records."""

    one: Id
    other: Id
    word: StoredWord

    @property
    def strength(self) -> tuple[float, Id]:
        return self.word.weight or 0.0, self.word.decision_id


def how(resolver: Resolver, caller: Principal, golden_id: Id) -> Formed:
    """Tell how a golden record came together, by the joins that its records make now. Raises: NotFound, Gone."""
    with resolver.steps() as session:
        of = versions.current(session)
        stands = sides.standing(session, caller.scope, golden_id)
        members = stands.records
        stored = _Stored(session, members)
        audit.record(session, caller.actor, "explain.how", "golden", str(stands.golden_id))
    evaluated = resolver.evaluate_around(of, members, lambda: None)
    joins = [join for unit, _ in evaluated.units for join in unit.joins if members & frozenset().union(*join.parts)]
    keys = {record: (head.source, head.source_key) for unit, _ in evaluated.units for record, head in unit.records.items()}
    steps = tuple(
        Joined(tuple(_named(part, keys) for part in join.parts), str(join.kind), join.weight, tuple(stored.across(join, keys)))
        for join in joins
    )
    weighed = [step for step in steps if step.weight is not None]
    return Formed(stands.golden_id, stands.status, steps, min(weighed, key=lambda step: step.weight or 0.0, default=None))


def _named(part: Collection[Id], keys: Mapping[Id, Key]) -> tuple[Key, ...]:
    return tuple(sorted(keys[record] for record in part))


# OFFSET 0 as in mdm.decisions: each record descends the index by itself.
_PAIRS = """
WITH named AS MATERIALIZED (SELECT unnest(%(ids)s::uuid[]) AS record_id)
SELECT live.* FROM named CROSS JOIN LATERAL (
  SELECT record_a, record_b, decision_id, author, verdict, reason_code, weight, version_set_id, created_at FROM decision
  WHERE superseded_at IS NULL AND author = 'model' AND record_a = named.record_id OFFSET 0) AS live
JOIN named AS beside ON beside.record_id = live.record_b"""
_MATCHES = """
SELECT left_records, right_records, decision_id, author, verdict, reason_code, weight, version_set_id, created_at FROM decision
WHERE superseded_at IS NULL AND record_a IS NULL AND reason_code <> 'override' AND verdict = %(match)s
  AND (left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])
ORDER BY created_at, decision_id"""


class _Stored:
    """What the log says between the records of a golden record."""

    def __init__(self, session: Session, members: Collection[Id]) -> None:
        asked = {"ids": list(members), "match": str(Verdict.MATCH)}
        self._beside: dict[Id, list[_Pair]] = defaultdict(list)
        for one, other, *word in sql.rows(session, _PAIRS, asked):
            pair = _Pair(one, other, StoredWord(*word))
            self._beside[one].append(pair)
            self._beside[other].append(pair)
        found = sql.rows(session, _MATCHES, asked)
        self._matches = [(set(left), set(right), StoredWord(*word)) for left, right, *word in found]

    def across(self, join: Join[Id], keys: Mapping[Id, Key]) -> Iterator[Across]:
        """Name what is stored across the parts of a join: stewards' words first, then the model's strongest."""
        part_of = {record: at for at, part in enumerate(join.parts) for record in part}
        for left, right, word in self._matches:
            ends = [[keys[one] for one in _across(*way, part_of)] for way in ((left, right), (right, left))]
            if all(ends):
                yield Across(min(ends[0]), min(ends[1]), word)
        # Whatever leads out of the largest part leads into another: only those are gone through.
        largest = max(join.parts, key=len)
        found = (
            pair
            for part in join.parts
            if part is not largest
            for record in part
            for pair in self._beside.get(record, ())
            if pair.one in part_of and pair.other in part_of and part_of[pair.one] != part_of[pair.other]
        )
        strongest = max(found, key=lambda pair: pair.strength, default=None)
        if strongest is not None:
            yield Across(keys[strongest.one], keys[strongest.other], strongest.word)


def _across(side: Collection[Id], against: Collection[Id], part_of: Mapping[Id, int]) -> list[Id]:
    """Those of one side of a match that stand in another part than some record of the other side."""
    elsewhere = {part_of[one] for one in against if one in part_of}
    return [one for one in side if one in part_of and elsewhere - {part_of[one]}]
