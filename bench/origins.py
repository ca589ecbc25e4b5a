"""Whether people with names of one origin are served worse than others: the simulated retailer knows whose names a customer has.

Precision and recall of automatic merges by origin (16 of them, the model that ships, no steward), each with what is left to a
steward. The product never infers anybody's origin: only the simulation knows it.
"""

from dataclasses import dataclass

from bench.accuracy_sets import SEED
from bench.line import Line
from matching.breakdown import break_down
from matching.evaluate import Labelled, evaluate, prepare
from matching.model import default_model
from matching.standardize import standardize
from mdm import mapping, policy
from sampledata.files import policy_text
from sampledata.retailer import simulate

CUSTOMERS = 3_000
LEAST_PAIRS = 200
LEAST_PRECISION = 0.97
MOST_BEHIND = 0.15  # Of recall, behind that of all.


@dataclass(frozen=True, slots=True)
class Served:
    """How people of one origin are served: true pairs, the share of them merged, of those asked about, of merged ones right."""

    origin: str
    pairs: int
    recall: float
    asked: float
    precision: float


def served(customers: int, seed: int = SEED, profile: str = "typical", least_pairs: int = LEAST_PAIRS) -> list[Served]:
    """Simulate, match and tell by origin, those with so many true pairs at least; the first is of all."""
    told = policy.parse(policy_text())
    contexts = {source: told.standardize_context(source) for source in told.sources}
    records = []
    for one in simulate(customers, seed, profile):
        given = mapping.apply(told.source(one.source), one.payload).input
        standard = standardize(given, contexts[one.source])
        records.append(Labelled(f"{one.source}:{one.key}", one.truth, standard, one.origin or "company"))
    prepared = prepare([(one.record_id, one.record) for one in records])
    done = evaluate(records, prepared, default_model(), told.identifier_rules())
    parts, truth = done.automatic.parts, [one.truth for one in records]
    whole = break_down(["all"] * len(records), parts, truth, done.questions)
    found = [*whole, *break_down([one.group for one in records], parts, truth, done.questions)]
    return [
        Served(one.groups[0], one.true_pairs, one.recall or 0.0, one.review_share or 0.0, one.precision or 0.0)
        for one in found
        if one.groups[0] == one.groups[1] and one.true_pairs >= least_pairs
    ]


def measure() -> list[Line]:
    """A line for each origin, and the two that say how far the worst is behind."""
    every, *origins = served(CUSTOMERS)
    lines = [_line(one) for one in (every, *origins)]
    worst = min(origins, key=lambda one: one.recall)
    loosest = min(origins, key=lambda one: one.precision)
    behind = every.recall - worst.recall
    lines.append(Line("recall of the worst origin behind that of all", behind, "", MOST_BEHIND, True, worst.origin))
    lines.append(Line("precision of the worst origin", loosest.precision, "", LEAST_PRECISION, False, loosest.origin))
    return lines


def _line(one: Served) -> Line:
    note = f"precision {one.precision:.4f}, asked {one.asked:.1%}, {one.pairs:,} true pairs"
    return Line(f"origin {one.origin}: recall of automatic merges", one.recall, "", note=note)
