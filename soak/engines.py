"""P3: the online scorer against Splink itself, on pairs of hostile and of ordinary values: every level the same, the weights too.

Half of the pairs are near (one customer, one family, one record and its garbled self), half are of anybody with anybody.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa

from kernel import clock
from matching.bulk import forms_table, score_candidates
from matching.comparisons import comparison_form
from matching.forms import ComparisonForm
from matching.model import Model, default_model
from matching.score import scorer
from matching.standardize import standardize
from mdm import policy
from mdm.incoming import Incoming, Prepared, SourceRules, prepare
from sampledata.files import policy_text
from sampledata.retailer import SimulatedRecord
from soak.population import Retailer
from soak.progress import Outcome
from tests.matching.hostile_forms import model_with_extras, person
from tests.matching.splink_itself import splink_predictions

TARGET = 10
PAIRS = 20_000
WORST_WEIGHT = 1e-9
HOSTILE, CUSTOMERS, GARBLED = 150, 80, 0.3
MOST_SHOWN = 5
# What no source should send and some do: other scripts, signs that case and normal forms change, quotes, the very long.
STRANGE = (
    "", " ", "-", "null", "N/A", "0", "'; DROP TABLE record; --", '"', "\\", "%", "İstanbul", "ﬀ", "Ω", "e\u0301", "\u200b",
    "\u202eabc", "田中", "محمد", "Ёлкин", "🙂🙂", "x" * 300, "a b " * 40, "1900-01-01", "00000000", "1e309", "NaN", "ß" * 3, "½",
)  # fmt: skip


@contextmanager
def ready() -> Iterator[None]:
    """Nothing is shared: no database is needed."""
    yield None


def run(place: None, seed: str, evidence: Path) -> Outcome:
    """Score so many pairs under either model."""
    rng = random.Random(seed)
    outcome = Outcome()
    for model in (default_model(), model_with_extras()):
        compare(rng, model, PAIRS // 2, outcome)
    return outcome


def compare(rng: random.Random, model: Model, count: int, outcome: Outcome) -> None:
    """Score pairs by Splink and online, and add to the outcome how many there were and how they differ."""
    forms, near = draw(rng)
    table = forms_table([f"{n:05}" for n in range(len(forms))], forms, model.extras)
    pairs = _pairs(rng, len(forms), near, count)
    theirs = {(row["record_id_l"], row["record_id_r"]): row["match_weight"] for row in splink_predictions(model, table, pairs)}
    online = scorer(model)
    differing, worst = 0, 0.0
    for row in score_candidates(model, table, pairs).to_pylist():
        a, b = row["record_a"], row["record_b"]
        ours = online.pair(forms[int(a)], forms[int(b)])
        worst = max(worst, abs(ours.weight - theirs.pop((a, b))))
        if ours.levels != tuple(row["levels"]):
            differing += 1
            if differing <= MOST_SHOWN:
                outcome.findings.append(
                    f"levels {ours.levels} online, {tuple(row['levels'])} by Splink: {forms[int(a)]}, {forms[int(b)]}"
                )
        outcome.counts["pairs"] += 1
    if theirs:
        outcome.findings.append(f"{len(theirs)} pairs were scored by Splink only")
    if worst > WORST_WEIGHT:
        outcome.findings.append(f"weights differ by up to {worst} bits")
    outcome.counts["pairs with another level"] += differing
    outcome.worst["weight difference in bits"] = max(worst, outcome.worst.get("weight difference in bits", 0.0))


def draw(rng: random.Random) -> tuple[list[ComparisonForm], list[tuple[int, int]]]:
    """Forms, and the pairs among them that are near."""
    first = rng.randrange(10**6)
    forms = [person(seed) for seed in range(first, first + HOSTILE)]
    near = list(combinations(range(HOSTILE), 2))
    rules = _rules()
    retailer = Retailer(rng, CUSTOMERS)
    of_household: dict[int, list[int]] = {}
    for record in retailer.records:
        for payload in (record.payload, *([_garbled(rng, record.payload)] if rng.random() < GARBLED else [])):
            if form := _form(rules[record.source], record, payload):
                of_household.setdefault(record.household, []).append(len(forms))
                forms.append(form)
    near += [pair for members in of_household.values() for pair in combinations(members, 2)]
    return forms, near


def _rules() -> dict[str, SourceRules]:
    ruling = policy.parse(policy_text())
    return {name: SourceRules.of(ruling, name, b"soak") for name in ruling.sources}


def _form(rules: SourceRules, record: SimulatedRecord, payload: dict[str, Any]) -> ComparisonForm | None:
    """The form of what a source says, by the way that ingest takes; None when it is refused."""
    taken = prepare(rules, Incoming(record.key, payload), clock.now())
    return comparison_form(standardize(taken.input, rules.context)) if isinstance(taken, Prepared) else None


def _garbled(rng: random.Random, payload: dict[str, Any]) -> dict[str, Any]:
    """The same with some texts replaced, lengthened or reversed."""
    garbled = dict(payload)
    for name in rng.sample(sorted(garbled), min(len(garbled), rng.randint(1, 4))):
        if isinstance(garbled[name], str):
            strange = rng.choice(STRANGE)
            garbled[name] = rng.choice((strange, garbled[name] + strange, garbled[name][::-1], strange + garbled[name].upper()))
        elif isinstance(garbled[name], dict):
            garbled[name] = _garbled(rng, garbled[name])
    return garbled


def _pairs(rng: random.Random, forms: int, near: Sequence[tuple[int, int]], count: int) -> pa.Table:
    """So many different pairs with ids in order, about half of them near."""
    chosen = set(rng.sample(near, min(len(near), count // 2)))
    while len(chosen) < count:
        a, b = rng.sample(range(forms), 2)
        chosen.add((min(a, b), max(a, b)))
    named = sorted((f"{a:05}", f"{b:05}") for a, b in chosen)
    return pa.table({"record_a": [a for a, _ in named], "record_b": [b for _, b in named]})
