"""Train a model from comparison forms without labels: u by sampling, m from the passes (matching.passes), prior from pairs.

Starts from a base model, whose parameters stay where the data says nothing, and refuses to give a degenerate model.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from matching.bulk import forms_table, score_candidates
from matching.comparisons import (
    ADDRESS,
    BIRTH_DATE,
    GIVEN,
    HOUSEHOLD,
    NAMESAKES,
    SURNAME,
    TWINS,
    Comparison,
    value_of,
)
from matching.estimate import BASE_PAIRS, frequencies, monotone, prior_from, shared_bits, smoothed_u
from matching.forms import ComparisonForm
from matching.model import MOST_WEIGHT, Model, Parameter, comparisons_by_name, match_probability
from matching.passes import (
    BY_FAMILY,
    BY_NAMES,
    CONTACT_PASSES,
    digest,
    learn_from_households,
    learn_from_people,
    level_patterns,
    pairs_among,
)
from matching.refusals import TrainingRefused, refuse_degenerate, refuse_few
from matching.teaching import Learned, combined_m, counted_u

__all__ = ["TrainingRefused", "train"]
SAMPLED_PAIRS = 300_000
DIGITS = 9


def train(
    forms: Sequence[ComparisonForm],
    pairs: pa.Table,
    base: Model,
    extras: Sequence[tuple[str, str]] = (),
    name: str = "trained",
    seed: int = 1,
    records: int = 0,
) -> Model:
    """Train a model. `pairs` are the candidates (record_a, record_b) by position in `forms`, as decimal text.

    A comparison of which the data holds nothing keeps the base model's parameters. The same forms in the same order give the same
    model. `records`: of how many the forms are an even sample, 0 when they are all. Sampled at one record in ten, matching and
    other pairs are both one in a hundred: so m, u and the prior come out as they would of all. Raises: TrainingRefused.
    """
    refuse_few(len(forms))
    records = max(records, len(forms))
    start = _start(base, extras, records)
    table = forms_table([str(position) for position in range(len(forms))], forms, start.extras)
    sample = level_patterns(score_candidates(start, table, _random_pairs(len(forms), seed)))
    u = _u_of(start, sample)
    learned = learn_from_people(start, table, forms, u)
    learned += learn_from_households(start, table, forms, u, learned)
    m = combined_m(start, learned)
    model = _assemble(start, forms, learned, m, counted_u(u, learned), name)
    # Once more with what was learned: the first time the sample was cleared of matches by the base model's lights.
    u = counted_u(_u_of(model, sample), learned)
    model = _assemble(start, forms, learned, m, u, name)
    scored = score_candidates(model, table, pairs)
    prior = prior_from(scored.column("weight").to_pylist(), model.prior_weight, pairs_among(len(forms)))
    refuse_degenerate(model, learned, scored.num_rows, m, u, sample)
    report = _report(model, (records, len(forms)), learned, scored.num_rows)
    return replace(model, parameters=_rounded(model.parameters), prior=_shortened(prior), report=report, fingerprint="")


def _shortened(share: float) -> float:
    """Leave out the last digits, which hang on the order in which an engine's threads add up."""
    return float(f"{share:.{DIGITS}g}")


def _rounded(parameters: Sequence[Sequence[Parameter]]) -> tuple[tuple[Parameter, ...], ...]:
    return tuple(tuple(Parameter(_shortened(one.m), _shortened(one.u)) for one in of) for of in parameters)


def _start(base: Model, extras: Sequence[tuple[str, str]], records: int) -> Model:
    """Begin with the base model's parameters, an even guess for each extra, and one matching pair for every two records."""
    known = {_steps(comparison): parameters for comparison, parameters in zip(base.comparisons, base.parameters, strict=True)}
    # Of the base model's extras those remain that policy still compares, as what they are by now.
    wanted = [one for one in base.comparisons if one.extra is None]
    wanted += [one for one in comparisons_by_name(extras).values() if one.extra is not None]
    return Model(
        name="start",
        comparisons=tuple(wanted),
        parameters=tuple(known.get(_steps(one)) or _guess(one) for one in wanted),
        prior=min(0.5, 1.0 / records),
        lines=base.lines,
        extras=tuple(extras),
    )


def _steps(comparison: Comparison) -> tuple[str, ...]:
    return (comparison.name, *(level.name for level in comparison.levels))


def _guess(comparison: Comparison) -> tuple[Parameter, ...]:
    """Guess parameters of a comparison that nobody has trained: each level weighs less than the one above."""
    steps = len(comparison.levels)
    m = [0.9 / 2.0**step for step in range(steps - 1)]
    u = [0.05 * 2.0**step for step in range(steps - 1)]
    return tuple(Parameter(one_m, one_u) for one_m, one_u in zip([*m, 1 - min(sum(m), 0.95)], [*u, 0.9], strict=True))


def _u_of(model: Model, sample: Mapping[tuple[int, ...], int]) -> dict[str, tuple[float, ...]]:
    """Estimate u from the patterns of random pairs, each counted by the probability that it does not match."""
    weights = [[*(one.weight for one in reversed(parameters)), 0.0] for parameters in model.parameters]
    counts = [[0.0] * len(parameters) for parameters in model.parameters]
    for pattern, pairs in sample.items():
        weight = model.prior_weight + sum(one[level] for one, level in zip(weights, pattern, strict=True))
        others = pairs * match_probability(-weight)
        for place, level in enumerate(pattern):
            if level >= 0:
                counts[place][-1 - level] += others
    return {
        comparison.name: smoothed_u(count, parameters)
        for comparison, count, parameters in zip(model.comparisons, counts, model.parameters, strict=True)
    }


def _random_pairs(records: int, seed: int) -> pa.Table:
    """Draw distinct random pairs; all pairs when there are few. Repeatable: a hash of the pair's number takes the place of
    chance."""
    wanted = min(SAMPLED_PAIRS, int(pairs_among(records)))
    with duckdb.connect() as connection:
        if wanted == int(pairs_among(records)):
            query = """SELECT a.n::VARCHAR AS record_a, b.n::VARCHAR AS record_b
                       FROM range(?) AS a(n) JOIN range(?) AS b(n) ON a.n < b.n"""
            return connection.sql(query, params=[records, records]).to_arrow_table()
        query = """SELECT DISTINCT least(x, y)::VARCHAR AS record_a, greatest(x, y)::VARCHAR AS record_b FROM (
                     SELECT hash(n, $seed) % $records AS x, hash(n, $seed + 1) % $records AS y FROM range($wanted) AS r(n))
                   WHERE x <> y ORDER BY 1, 2"""
        return connection.sql(query, params={"seed": seed, "records": records, "wanted": wanted}).to_arrow_table()


def _assemble(
    start: Model,
    forms: Sequence[ComparisonForm],
    learned: Sequence[Learned],
    m: Mapping[str, Sequence[float]],
    u: Mapping[str, Sequence[float]],
    name: str,
) -> Model:
    trained = {
        comparison.name: monotone(m[comparison.name], _held_down(comparison, m[comparison.name], u[comparison.name]))
        if comparison.name in m
        else parameters
        for comparison, parameters in zip(start.comparisons, start.parameters, strict=True)
    }
    trained |= _corrections(start, learned, trained)
    salt = digest("\x1f".join(sorted(form.surname or "" for form in forms)))
    kept = {}
    for comparison in start.comparisons:
        for level, parameter in zip(comparison.levels, trained[comparison.name], strict=True):
            if level.frequency is None:
                continue
            found = frequencies(map(value_of(comparison, level.frequency), forms), level.frequency, salt, parameter.u)
            if found:
                kept[level.frequency] = found
    parameters = tuple(trained[comparison.name] for comparison in start.comparisons)
    return replace(start, name=name, parameters=parameters, frequencies=kept, salt=salt, fingerprint="")


def _held_down(comparison: Comparison, m: Sequence[float], u: Sequence[float]) -> tuple[float, ...]:
    """Raise u where a level would weigh more than it may."""
    most = [MOST_WEIGHT.get((comparison.name, level.name)) for level in comparison.levels]
    return tuple(one_u if bits is None else max(one_u, one_m / 2.0**bits) for one_m, one_u, bits in zip(m, u, most, strict=True))


def _corrections(
    start: Model, learned: Sequence[Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what a shared home takes back: the difference between what agreement there is worth and what the sum over comparisons
    says.

    In a home the odds of a match are those that the household pass found, whatever contacts are shared; each further contact
    and the surname are worth less by how much commoner their agreement is among its people. Nothing is taken back where no two
    people share a home; without such a pass the base model's corrections stay.
    """
    taught = {one.name: one for one in learned if one.household and one.teaches}
    return _home_corrections(start, taught, trained) | _name_corrections(taught, trained)


def _name_corrections(
    taught: Mapping[str, Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what is taken back of one full name in two people: how much likelier it is, alone and by area, than its parts say."""
    teacher = taught.get(BY_NAMES)
    if teacher is None:
        return {}
    others = teacher.pairs * (1.0 - teacher.matching)
    exact = [trained[one.name][[level.name for level in one.levels].index("exact")].u for one in (GIVEN, SURNAME)]
    alone = shared_bits((others + 1.0) / teacher.possible_pairs, exact[0] * exact[1] + 1.0 / teacher.possible_pairs)
    names = [level.name for level in ADDRESS.levels]

    def area(first: str, last: str) -> float:
        """Bits by which agreement between two levels of the address is overrated between namesakes."""
        if ADDRESS.name not in teacher.u:
            return 0.0
        places = range(names.index(first), names.index(last) + 1)
        common = sum(trained[ADDRESS.name][place].u for place in places)
        seen = (others * sum(teacher.u[ADDRESS.name][place] for place in places) + BASE_PAIRS * common) / (others + BASE_PAIRS)
        return shared_bits(seen, common)

    areas = (area("same_home", "same_house"), area("same_street", "same_postal_code"), area("same_city", "same_city"), 0.0)
    return {NAMESAKES.name: tuple(Parameter(2.0 ** -(alone + bits), 1.0) for bits in areas)}


def _home_corrections(
    start: Model, taught: Mapping[str, Learned], trained: Mapping[str, tuple[Parameter, ...]]
) -> dict[str, tuple[Parameter, ...]]:
    """Set what is taken back of a shared home and of a birth date shared there, from the best pass that blocks on a contact."""
    found = next(((taught[name], entry) for name, entry in CONTACT_PASSES.items() if name in taught), None)
    if found is None:
        return {}
    teacher, entry = found
    lent = _lent(teacher, trained)
    one = min(0.0, _gained(teacher, start, trained[entry.name][0].weight) - lent(SURNAME))
    steps = sorted((lent(comparison) for comparison in CONTACT_PASSES.values() if comparison is not entry), reverse=True)
    family = taught.get(BY_FAMILY)
    area = 0.0
    if family is not None:
        postal = trained[ADDRESS.name][[level.name for level in ADDRESS.levels].index("same_postal_code")].weight
        area = min(0.0, _gained(family, start, trained[SURNAME.name][0].weight + postal))
    shared = (one - steps[0] - steps[1], one - steps[0], one, max(area, one - steps[0] - steps[1]))
    twins = lent(BIRTH_DATE)
    return {
        HOUSEHOLD.name: tuple(Parameter(2.0**bits, 1.0) for bits in shared),
        TWINS.name: tuple(Parameter(2.0**bits, 1.0) for bits in (-twins, -twins / 2.0)),
    }


def _gained(teacher: Learned, start: Model, agreement: float) -> float:
    """Say how far the odds of a match among the pairs of a pass differ from what the sum over comparisons would say, in bits."""
    return math.log2(teacher.matching / (1.0 - teacher.matching)) - start.prior_weight - agreement


def _lent(teacher: Learned, trained: Mapping[str, tuple[Parameter, ...]]) -> Callable[[Comparison], float]:
    """Say for a comparison by how many bits the agreement of two people of one home is overrated."""
    others = teacher.pairs * (1.0 - teacher.matching)

    def lent(comparison: Comparison) -> float:
        if comparison.name not in teacher.u or comparison.name not in trained:
            return 0.0
        step = [level.name for level in comparison.levels].index("same_home" if comparison is ADDRESS else "exact")
        common = trained[comparison.name][step].u
        seen = (others * teacher.u[comparison.name][step] + BASE_PAIRS * common) / (others + BASE_PAIRS)
        return shared_bits(seen, common)

    return lent


def _report(model: Model, of: tuple[int, int], learned: Sequence[Learned], candidates: int) -> dict[str, Any]:
    """Tell of a training: `of` so many records, and how many of them were read."""
    records, read = of
    taught = {name for one in learned for name in one.m}
    return {
        "records": records,
        **({"sampled_records": read} if read < records else {}),
        "candidate_pairs": candidates,
        "passes": [
            {
                "blocks_on": one.name,
                "pairs": one.pairs,
                "matching": round(one.matching, 6),
                "rounds": one.rounds,
                "converged": one.converged,
                **({"disbelieved": list(one.disbelieved)} if one.disbelieved else {}),
            }
            for one in learned
        ],
        "kept_from_base": sorted(one.name for one in model.comparisons if not one.correction and one.name not in taught),
    }
