"""Evaluate named cases inside a crowd: what the engine says of each pair of their records, beside what was expected.

The records of all cases and of the crowd are one set, as in production; the components that hold a case's record are partitioned
whole, the others are left out since they cannot bear on it. Expectations are looked at after the partition stands, never before.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from matching.cluster import Clustering
from matching.decide import NO_RULES, IdentifierRules, Verdict, decide
from matching.evaluate import Prepared, peak_mb, resolve
from matching.model import Model
from matching.score import scorer

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A case: its name and category, and the verdict expected of each pair of its record ids."""

    name: str
    category: str
    pairs: Mapping[Pair, Verdict]

    @property
    def record_ids(self) -> frozenset[str]:
        """The records of the case."""
        return frozenset(record for pair in self.pairs for record in pair)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of a case: the verdict on each of its pairs, and which records were merged with others than the case's."""

    case: Expectation
    found: Mapping[Pair, Verdict]
    strangers: frozenset[str] = frozenset()

    @property
    def false_merges(self) -> int:
        """Pairs merged without a human that must not be; a record merged with a stranger counts as one."""
        return len(self.strangers) + sum(
            found is Verdict.MATCH and self.case.pairs[pair] is not Verdict.MATCH for pair, found in self.found.items()
        )

    @property
    def missed(self) -> int:
        """Pairs of one customer that were neither merged nor asked about."""
        return self._of_matches(Verdict.NO_MATCH)

    @property
    def has_match(self) -> bool:
        """Whether the case expects that something is merged."""
        return Verdict.MATCH in self.case.pairs.values()

    @property
    def matched(self) -> bool:
        """Whether all that should be merged was merged without a human."""
        return self.has_match and not self._of_matches(Verdict.REVIEW) and not self.missed

    @property
    def as_expected(self) -> bool:
        """Whether every verdict is the one expected."""
        return not self.strangers and dict(self.found) == dict(self.case.pairs)

    def _of_matches(self, verdict: Verdict) -> int:
        return sum(found is verdict and self.case.pairs[pair] is Verdict.MATCH for pair, found in self.found.items())


@dataclass(frozen=True, slots=True)
class PackEvaluation:
    """How the engine did on all cases."""

    outcomes: tuple[Outcome, ...]
    crowd: int
    candidate_pairs: int
    seconds: float
    peak_mb: float
    model: Model

    @property
    def false_merges(self) -> int:
        """See Outcome.false_merges."""
        return sum(outcome.false_merges for outcome in self.outcomes)

    def by_category(self) -> dict[str, dict[str, int]]:
        """The figures of each category, in the order in which categories first appear."""
        found: defaultdict[str, list[Outcome]] = defaultdict(list)
        for outcome in self.outcomes:
            found[outcome.case.category].append(outcome)
        return {category: _figures(outcomes) for category, outcomes in found.items()}

    def as_json(self) -> dict[str, Any]:
        """Return the figures as the published keys."""
        return {
            **_figures(self.outcomes),
            "by_category": self.by_category(),
            "differences": list(self.differences()),
            "crowd_records": self.crowd,
            "candidate_pairs": self.candidate_pairs,
            "model": {"name": self.model.name, "fingerprint": self.model.fingerprint},
            "seconds": round(self.seconds, 3),
            "peak_mb": round(self.peak_mb, 1),
        }

    def differences(self) -> Iterable[dict[str, str]]:
        """Each pair whose verdict is not the one expected, and each record merged with a stranger."""
        for outcome in self.outcomes:
            for pair, expected in outcome.case.pairs.items():
                if outcome.found[pair] is not expected:
                    names = " ".join(record.rpartition("/")[2] for record in pair)
                    yield {"case": outcome.case.name, "pair": names, "expected": expected, "found": outcome.found[pair]}
            for record in sorted(outcome.strangers):
                name = record.rpartition("/")[2]
                yield {"case": outcome.case.name, "pair": f"{name} and a stranger", "expected": "no_match", "found": "match"}


def _figures(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {
        "cases": len(outcomes),
        "as_expected": sum(outcome.as_expected for outcome in outcomes),
        "false_merges": sum(outcome.false_merges for outcome in outcomes),
        "missed": sum(outcome.missed for outcome in outcomes),
        "match_cases": sum(outcome.has_match for outcome in outcomes),
        "matched": sum(outcome.matched for outcome in outcomes),
        "matched_or_asked": sum(outcome.has_match and not outcome.missed for outcome in outcomes),
    }


def evaluate_pack(
    cases: Sequence[Expectation], prepared: Prepared, model: Model, rules: IdentifierRules = NO_RULES
) -> PackEvaluation:
    """Judge the cases among the prepared records, which hold theirs and the crowd's. Seconds count from here."""
    started = time.perf_counter()
    starts = frozenset(record for case in cases for record in case.record_ids)
    clusterings = resolve(within_reach(prepared, starts, model, rules), model, rules)
    said = _Said(clusterings)
    return PackEvaluation(
        outcomes=tuple(Outcome(case, said.verdicts(case), said.strangers(case)) for case in cases),
        crowd=len(prepared.ids) - len(starts),
        candidate_pairs=prepared.pairs.num_rows,
        seconds=time.perf_counter() - started,
        peak_mb=peak_mb(),
        model=model,
    )


def within_reach(prepared: Prepared, starts: frozenset[str], model: Model, rules: IdentifierRules = NO_RULES) -> Prepared:
    """Cut out what resolution can reach from these records: each component that holds one of them, whole, with all its pairs."""
    forms = dict(zip(prepared.ids, prepared.forms, strict=True))
    pair = scorer(model).pair
    found, frontier = set(starts), starts
    while frontier:
        fresh: set[str] = set()
        for a, b in _touching(prepared.pairs, frontier):
            if a in found and b in found:
                continue
            scored = pair(forms[a], forms[b])
            if scored.weight >= model.lines.component or decide(model, forms[a], forms[b], scored, rules).decides_by_itself:
                fresh |= {a, b} - found
        found |= fresh
        frontier = frozenset(fresh)
    kept = [place for place, record in enumerate(prepared.ids) if record in found]
    return replace(
        prepared,
        ids=tuple(prepared.ids[place] for place in kept),
        forms=tuple(prepared.forms[place] for place in kept),
        hashes=tuple(prepared.hashes[place] for place in kept),
        pairs=prepared.pairs.filter(_among(prepared.pairs, found, pc.and_)),
    )


def _among(pairs: pa.Table, records: Iterable[str], both: Any) -> Any:
    wanted = pa.array(sorted(records), pa.string())
    return both(*(pc.is_in(pairs.column(side), value_set=wanted) for side in ("record_a", "record_b")))


def _touching(pairs: pa.Table, records: Iterable[str]) -> Iterable[Pair]:
    touching = pairs.filter(_among(pairs, records, pc.or_))
    return zip(touching.column("record_a").to_pylist(), touching.column("record_b").to_pylist(), strict=True)


class _Said:
    """What the clusterings say of records: who stands together, and who would once the questions are answered with yes."""

    def __init__(self, clusterings: Iterable[Clustering[str]]) -> None:
        self._part: dict[str, frozenset[str]] = {}
        self._balanced: dict[str, frozenset[str]] = {}
        self._asked: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
        for one in clusterings:
            self._part |= {record: part for part in one.parts for record in part}
            self._balanced |= {record: part for part in one.balanced for record in part}
            for review in one.reviews:
                for part in review.parts:
                    for record in part:
                        self._asked[record] += [other for other in review.parts if other is not part]

    def verdicts(self, case: Expectation) -> dict[Pair, Verdict]:
        """The verdict on each pair of a case."""
        return {pair: self._verdict(*pair) for pair in case.pairs}

    def strangers(self, case: Expectation) -> frozenset[str]:
        """The records of a case that were merged with records of others."""
        mine = case.record_ids
        return frozenset(record for record in mine if self._part[record] - mine)

    def _verdict(self, a: str, b: str) -> Verdict:
        if b in self._part[a]:
            return Verdict.MATCH
        asked = b in self._balanced[a] or any(b in part for part in self._asked[a])
        return Verdict.REVIEW if asked else Verdict.NO_MATCH
