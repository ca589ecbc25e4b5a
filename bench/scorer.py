"""The online scorer, on candidate pairs of the simulated retailer: microseconds a pair with explanation, without, and with the
verdict; and a component as large as they are let grow: scored and partitioned, and partitioned with its weights given.

Candidate pairs are the honest load: they resemble each other, so that fewer levels are settled at the first look than between
strangers. The component is what they lead to from the record that has most of them.
"""

import time
from collections.abc import Callable

from bench.line import Line, calibration
from matching.cluster import Member, partition
from matching.decide import IdentifierRules, decide
from matching.evaluate import Prepared, prepare
from matching.evidence import Weigher
from matching.forms import ComparisonForm, comparison_form
from matching.model import Model, default_model
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
        *_component(prepared, model, rules),
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


def _component(prepared: Prepared, model: Model, rules: IdentifierRules) -> list[Line]:
    """Weigh and partition one component of as many distinct forms as a component may hold."""
    held = _led_to(prepared, model.lines.cap)
    members = [Member(record, ("", record), form) for record, form in held.items()]
    of_hash = dict(zip(prepared.hashes, prepared.forms, strict=True))
    forms = {form: of_hash[form] for form in held.values()}
    weights = Weigher(model, rules, model.lines.most_holders).weights(forms, forms)
    found = partition(members, weights, (), model.lines)
    note = f"{len(forms)} distinct forms: {len(found.joins)} joins, {len(found.reviews)} questions"

    def scored_and_partitioned() -> None:
        fresh = Weigher(model, rules, model.lines.most_holders)  # One that has weighed nothing yet.
        partition(members, fresh.weights(forms, forms), (), model.lines)

    given = _milliseconds(lambda: partition(members, weights, (), model.lines))
    return [
        Line("component of 200 records, weights given", given, "ms", 50.0, note=note),
        Line("component of 200 records, with scoring", _milliseconds(scored_and_partitioned), "ms", 250.0, note=note),
    ]


def _led_to(prepared: Prepared, most_forms: int) -> dict[str, bytes]:
    """Follow candidate pairs, nearest first, from the record that has most: record to form hash, exact copies left out."""
    near: dict[str, list[str]] = {record: [] for record in prepared.ids}
    for a, b in zip(*(prepared.pairs.column(side).to_pylist() for side in ("record_a", "record_b")), strict=True):
        near[a].append(b)
        near[b].append(a)
    hashes = dict(zip(prepared.ids, prepared.hashes, strict=True))
    waiting = [max(near, key=lambda record: len(near[record]))]
    met, found = set(waiting), dict[bytes, str]()
    for record in waiting:
        if len(found) == most_forms:
            break
        found.setdefault(hashes[record], record)
        fresh = [other for other in near[record] if other not in met]
        met.update(fresh)
        waiting += fresh
    return {record: form for form, record in found.items()}


def _milliseconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1e3
