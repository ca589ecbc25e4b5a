"""The online scorer, on candidate pairs of the simulated retailer: microseconds a pair with explanation, without, and with the
verdict.

Candidate pairs are the honest load: they resemble each other, so that fewer levels are settled at the first look than between
strangers.
"""

import time
from collections.abc import Callable

from bench.line import Line, calibration
from matching.decide import decide
from matching.evaluate import prepare
from matching.forms import ComparisonForm, comparison_form
from matching.model import default_model
from matching.record import StandardRecord
from matching.score import scorer
from matching.standardize import standardize
from mdm import mapping, policy
from sampledata.files import policy_text
from sampledata.retailer import simulate

CUSTOMERS = 1_500
SEED = 77
ROUNDS = 5
Pair = tuple[ComparisonForm, ComparisonForm]


def measure() -> list[Line]:
    """Score all candidate pairs of a small retailer; the best of five rounds, in processor time: neighbours do not count."""
    told = policy.parse(policy_text())
    records = []
    for one in simulate(CUSTOMERS, SEED, "typical"):
        mapped = mapping.apply(told.source(one.source), one.payload)
        records.append((f"{one.source}:{one.key}", standardize(mapped.input, told.standardize_context(one.source))))
    prepared = prepare(records)
    forms = dict(zip(prepared.ids, prepared.forms, strict=True))
    names = (prepared.pairs.column(side).to_pylist() for side in ("record_a", "record_b"))
    pairs = [(forms[a], forms[b]) for a, b in zip(*names, strict=True)]
    model, rules = default_model(), told.identifier_rules()
    engine = scorer(model)
    note = f"{len(pairs):,} candidate pairs"
    explained = _microseconds(pairs, engine.pair)
    steps_each = calibration().value  # Million additions a second are additions a microsecond.
    return [
        Line("scorer, with contributions", explained, "µs/pair", 10.0, note=note),
        Line("scorer, weight only", _microseconds(pairs, engine.weight), "µs/pair", 5.0, note=note),
        Line(
            "scorer and verdict",
            _microseconds(pairs, lambda a, b: decide(model, a, b, engine.pair(a, b), rules)),
            "µs/pair",
            note=note,
        ),
        Line(
            "scorer, with contributions, by calibration",
            explained * steps_each,
            "additions/pair",
            note="independent of the machine",
        ),
        Line("comparison form", _forms(records), "µs/record", note="from a standard record"),
    ]


def _microseconds(pairs: list[Pair], score: Callable[[ComparisonForm, ComparisonForm], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for a, b in pairs:
            score(a, b)
        best = min(best, time.process_time() - started)
    return best / len(pairs) * 1e6


def _forms(records: list[tuple[str, StandardRecord]]) -> float:
    started = time.process_time()
    for _, record in records:
        comparison_form(record)
    return (time.process_time() - started) / len(records) * 1e6
